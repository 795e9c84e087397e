"""What the operators on files share: names and contents, from one pool for each split, and ways to put things."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.terminal.step import TOLD, Knobs
from palestra.envs.terminal.tree import File, Tree

_NAMES: Final = {
    False: tuple(
        [
            "amber",
            "basin",
            "cedar",
            "delta",
            "ember",
            "fjord",
            "glade",
            "harbor",
            "inlet",
            "juniper",
            "kelp",
            "lagoon",
            "meadow",
            "nectar",
            "orchard",
            "prairie",
            "quarry",
            "ridge",
            "summit",
            "tundra",
            "upland",
            "valley",
            "willow",
            "yarrow",
            "zephyr",
            "birch",
            "canyon",
            "dune",
            "estuary",
            "fern",
            "grove",
            "heath",
            "isle",
            "jetty",
            "knoll",
            "ledge",
            "marsh",
            "oasis",
            "pebble",
            "reef",
            "spring",
            "thicket",
            "vista",
            "wharf",
            "acorn",
            "bramble",
            "clover",
            "drift",
        ]
    ),
    True: tuple(
        [
            "anvil",
            "bellows",
            "chisel",
            "dowel",
            "easel",
            "ferrule",
            "gimlet",
            "hinge",
            "ingot",
            "jig",
            "kiln",
            "lathe",
            "mallet",
            "nozzle",
            "pulley",
            "quoin",
            "rivet",
            "spindle",
            "tongs",
            "vise",
            "wedge",
            "awl",
            "bobbin",
            "clamp",
            "dynamo",
            "flange",
            "gasket",
            "hasp",
            "joist",
            "lever",
            "mortar",
            "nib",
            "plank",
            "ratchet",
            "shim",
            "trowel",
            "valve",
            "winch",
            "crank",
            "dial",
            "gauge",
            "plumb",
            "solder",
            "torque",
            "bracket",
            "caliper",
            "grommet",
        ]
    ),
}
_WORDS: Final = {
    False: tuple(
        [
            "the",
            "report",
            "was",
            "sent",
            "before",
            "noon",
            "and",
            "nobody",
            "asked",
            "why",
            "numbers",
            "for",
            "april",
            "differ",
            "from",
            "those",
            "in",
            "may",
            "so",
            "we",
            "count",
            "again",
            "until",
            "every",
            "shelf",
            "agrees",
            "with",
            "its",
            "list",
        ]
    ),
    True: tuple(
        [
            "each",
            "machine",
            "logs",
            "what",
            "it",
            "did",
            "last",
            "night",
            "then",
            "waits",
            "while",
            "two",
            "others",
            "finish",
            "their",
            "part",
            "of",
            "some",
            "longer",
            "job",
            "that",
            "began",
            "under",
            "rain",
        ]
    ),
}
EXTENSIONS: Final = {False: ("txt", "md", "log", "dat"), True: ("rst", "cfg", "out", "tsv")}


@dataclass(frozen=True, slots=True)
class Told:
    """A value, and where it is told: in the text, or in a file that the text names."""

    phrase: str  # for the text
    shell: str  # what bash puts in its place, within double quotes
    start: Tree  # the file, if there is one


def told(value: str, what: str, folder: str, knobs: Knobs) -> Told:
    """Return a value as the knobs have it told."""
    if not knobs.indirect:
        return Told(f"`{value}`", value, Tree())
    path, name = f"{folder}/{TOLD}", what.replace(" ", "_")
    phrase = f"the {what} that stands after `{name}=` in `{path}`"
    return Told(phrase, f"$(sed -n 's/^{name}=//p' {shlex.quote(path)})", Tree().put(path, f"{name}={value}\n"))


def names(draws: Draws, count: int, *, heldout: bool) -> list[str]:
    """Return different words; more than there are get numbers."""
    pool = draws.shuffled(_NAMES[heldout])
    return [pool[n] if n < len(pool) else f"{pool[n % len(pool)]}{n // len(pool) + 1}" for n in range(count)]


def sentence(draws: Draws, *, heldout: bool) -> str:
    """Return a line of words."""
    return " ".join(draws.pick(_WORDS[heldout]) for _ in range(draws.between(3, 7)))


def prose(draws: Draws, low: int, high: int, *, heldout: bool) -> str:
    """Return a text of lines, each with a number so that no two texts are alike by chance."""
    lines = [sentence(draws, heldout=heldout) for _ in range(draws.between(low, high))]
    return "".join(f"{line} {draws.between(100, 99999)}\n" for line in lines)


def opening(draws: Draws, pools: Mapping[bool, Sequence[str]], heldout: bool) -> str:
    """Return one of a pool's ways to begin."""
    return draws.pick(pools[heldout])


def listing(path: str, lines: Sequence[str], knobs: Knobs) -> Json:
    """Return the predicate on a file of lines."""
    if knobs.strict:
        return {"kind": "file", "path": path, "equals": "".join(f"{line}\n" for line in lines)}
    return {"kind": "file", "path": path, "lines": list(lines)}


def ended(knobs: Knobs) -> str:
    """Return what the text says of the end of a file of lines."""
    return " Every line of it, the last one too, ends with a newline." if knobs.strict else ""


def contents(tree: Tree, root: str) -> list[Json]:
    """Return predicates on what a folder holds: exactly these files with these contents."""
    held = {path: node for path, node in tree.below(root).items() if isinstance(node, File)}
    checks: list[Json] = [{"kind": "folder", "path": root, "files": [path[len(root) + 1 :] for path in held]}]
    return [*checks, *({"kind": "file", "path": path, "equals": node.data.decode()} for path, node in held.items())]


def texts(tree: Tree, root: str) -> dict[str, str]:
    """Return the text files below a folder, by path relative to it."""
    below = tree.below(root).items()
    return {path[len(root) + 1 :]: node.data.decode() for path, node in below if isinstance(node, File)}


def q(text: str) -> str:
    """Return a text as one word of bash."""
    return shlex.quote(text)


def apart(lines: str) -> str:
    """Return lines of bash that leave the shell in the folder where it was."""
    return f"(\n{lines}\n)"
