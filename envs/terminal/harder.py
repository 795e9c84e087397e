"""What makes a step harder, whichever it is: files beside its own, values told elsewhere, an input that is damaged."""

import base64
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.terminal.operators.databases_tables import content_of, database
from palestra.envs.terminal.step import HOME, TOLD, Artefact, Knobs, Operator, Step
from palestra.envs.terminal.tree import File, Tree

MENDS: Final = "mends "  # how a choice begins that tells of what damage an input has
_SPAN: Final = re.compile(r"`([^`\n]+)`")
_PLACEHOLDER: Final = re.compile(r"[A-Z]{3}")  # it stands for something already, as in `NAME.EXT`
_COLUMNS: Final = re.compile(r"\((?:`\w+`(?:, )?)+\)")  # which a database tells as well
_LEFT: Final = re.compile(r"Leave the files that are in `[^`]*`")
_OTHERS: Final = 3  # draws that show what an operator's texts have in common
_NAMES: Final = ("X", "Y")
_FILES: Final = 3  # in a folder of similar name


def harder(
    step: Step,
    operator: Operator,
    draws: Draws,
    folder: str,
    given: Artefact | None,
    knobs: Knobs,
    *,
    heldout: bool,
    is_damaged: bool = False,
) -> Step | None:
    """Return a step that an operator has drawn, made as hard as the knobs say by what the operator does not see to.

    Args:
        step: what it has drawn.
        operator, draws, folder, given, knobs, heldout: what it was drawn with.
        is_damaged: an input of the step is to be mended first; there is no such step if none can be damaged.
    """
    if is_damaged:
        broken = damaged(step, draws)
        if broken is None:
            return None
        step = broken
    if knobs.decoys:
        step = _beside(step, folder, draws, knobs.decoys)
    if knobs.indirect and not any(path.endswith(f"/{TOLD}") for path in step.starts):
        others = [operator.draw(draws, folder, given, knobs, heldout=heldout) for _ in range(_OTHERS)]
        step = _indirect(step, folder, draws, [other.text for other in others if other is not None])
    return step


def _indirect(step: Step, folder: str, draws: Draws, others: Sequence[str]) -> Step:
    """Return a step of whose text one or two values stand in a file: such as no other draw has, or else a path."""
    spans = list(dict.fromkeys(_SPAN.findall(step.text)))
    common = {span for other in others for span in _SPAN.findall(other)}
    values = [span for span in _SPAN.findall(_COLUMNS.sub("", step.text)) if span not in common and _is_value(span)]
    written = [span for span in spans if span in step.makes and span not in step.starts]
    chosen = (
        draws.shuffled(list(dict.fromkeys(values)))[: len(_NAMES)]
        or (written or [span for span in spans if span.startswith(HOME)])[:1]
    )
    if not chosen or "```" in step.text:
        return step
    path, names = f"{folder}/{TOLD}", _NAMES[: len(chosen)]
    text = step.text
    for name, span in zip(names, chosen, strict=True):
        text = text.replace(f"`{span}`", f"`[{name}]`")
    listed = " and ".join(f"`[{name}]`" for name in names)
    told = "".join(f"{name}={span}\n" for name, span in zip(names, chosen, strict=True))
    stands = f"what follows `{names[0]}=` in" if len(names) == 1 else f"what follows `{names[0]}=` and `{names[1]}=` in"
    return replace(
        step,
        text=f"{text} Here {listed} {'stands' if len(names) == 1 else 'stand'} for {stands} `{path}`.",
        starts=step.starts.put(path, told),
        keeps=(*step.keeps, path),
    )


def _is_value(span: str) -> bool:
    is_word = span == span.strip() and any(map(str.isalnum, span))
    return is_word and not span.startswith(HOME) and _PLACEHOLDER.search(span) is None


def _beside(step: Step, folder: str, draws: Draws, count: int) -> Step:
    """Return a step with files and folders of similar names beside those that it is about."""
    found: dict[str, str] = {}
    for subject in _subjects(step, folder):
        parent, _, name = subject.rpartition("/")
        stem, dot, end = name.partition(".")
        similar = (f"{name}.bak", f"{stem}-old{dot}{end}", f"{stem}_copy{dot}{end}", f"{name}.orig", f"new-{name}")
        found |= {f"{parent}/{other}": subject for other in similar}
    named = {*step.starts, *step.makes, *_paths(step.checks)}
    free = [path for path in found if not any(one == path or one.startswith(f"{path}/") for one in named)]
    starts, keeps = step.starts, list(step.keeps)
    for path in draws.shuffled(free)[:count]:
        for at, data in _similar(step, found[path], draws):
            starts = starts.put(f"{path}{at}", data)
            keeps.append(f"{path}{at}")
    return replace(step, starts=starts, keeps=tuple(keeps))


def _subjects(step: Step, folder: str) -> list[str]:
    """Return files and folders that a text names and that stand in none that it is about."""
    spans = dict.fromkeys(_SPAN.findall(_LEFT.sub("", step.text)))
    named = [span for span in spans if f"{span}/".startswith(f"{folder}/") and not span.endswith(f"/{TOLD}")]
    held = [span for span in named if span in step.starts or span in step.starts.folders]
    asked = sorted(path for path in _paths(step.checks) if path.startswith(f"{folder}/"))
    wanted = held or [span for span in named if span in {*asked, *step.makes}] or asked
    alone = [span for span in wanted if span != folder and not any(span.startswith(f"{other}/") for other in named)]
    if step.setup:  # which makes the folders on the way, too
        return alone
    return list(dict.fromkeys(_outermost(span, {folder, *step.starts.folders}) for span in alone))


def _outermost(path: str, places: set[str]) -> str:
    """Return a path, or the folder on its way that would stand in one of these places."""
    while (parent := path.rpartition("/")[0]) and parent not in places:
        path = parent
    return path


def _similar(step: Step, subject: str, draws: Draws) -> Iterator[tuple[str, bytes]]:
    """Yield what a decoy holds: a file's content, or a folder's files below it."""
    node = step.starts.get(subject)
    if isinstance(node, File):
        yield "", _altered(node.data)
        return
    held = [(path, one) for path, one in step.starts.below(subject).items() if isinstance(one, File)]
    for path, one in draws.shuffled(held)[:_FILES]:
        yield path[len(subject) :], _altered(one.data)
    if not held:
        below = any(path.startswith(f"{subject}/") for path in (*step.makes, *_paths(step.checks)))
        is_folder = below or any(check.get("path") == subject and check["kind"] == "git" for check in step.checks)
        yield "/README" if is_folder else "", f"{draws.between(100, 99999)}\n".encode()


def _altered(data: bytes) -> bytes:
    """Return a content that looks like another: with other digits, or with fewer rows."""
    if data.startswith(b"SQLite format 3\0"):
        return database({name: rows[: max(1, len(rows) // 2)] for name, rows in content_of(data).items()})
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    return re.sub(r"[1-8]", lambda found: str(int(found[0]) % 8 + 1), text).encode()


def _paths(checks: Sequence[Json]) -> set[str]:
    return {check["path"] for check in checks if "path" in check}


@dataclass(frozen=True, slots=True)
class Damage:
    """A way in which a text file is broken, and how it is mended."""

    told: str
    does: Callable[[str], bytes]
    mends: Callable[[bytes], str]
    bash: str  # from standard input to standard output


DAMAGES: Final[Mapping[str, Damage]] = {
    "carriage returns": Damage(
        "every line of it ends with a carriage return and a line feed, and should with a line feed alone",
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda data: data.decode().replace("\r\n", "\n"),
        "tr -d '\\r'",
    ),
    "upside down": Damage(
        "its lines stand in reverse order, the last one first",
        lambda text: _reversed(text).encode(),
        lambda data: _reversed(data.decode()),
        "tac",
    ),
    "base64": Damage(
        "all of it is encoded in base64, in lines of 76 characters",
        lambda text: base64.encodebytes(text.encode()),
        lambda data: base64.decodebytes(data).decode(),
        "base64 -d",
    ),
    "utf-16": Damage(
        "it is in UTF-16, little endian with a byte order mark, and should be UTF-8 without one",
        lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
        lambda data: data.decode("utf-16"),
        "iconv -f UTF-16 -t UTF-8",
    ),
    "numbered": Damage(
        "every line of it begins with its number, from 1, and a tab, which do not belong there",
        lambda text: "".join(f"{at}\t{line}\n" for at, line in enumerate(text.splitlines(), 1)).encode(),
        lambda data: "".join(line.partition("\t")[2] + "\n" for line in data.decode().splitlines()),
        "cut -f 2-",
    ),
}


def _reversed(text: str) -> str:
    return "".join(f"{line}\n" for line in reversed(text.splitlines()))


def damaged(step: Step, draws: Draws) -> Step | None:
    """Return a step one of whose inputs must be mended first; None if it has none that could be damaged."""
    texts = {path: text for path in step.keeps if (text := _plain(step.starts, path)) and f"`{path}`" in step.text}
    if not texts or step.setup:
        return None
    path = draws.pick(sorted(texts))
    text, node = texts[path], step.starts[path]
    fitting = [name for name in sorted(DAMAGES) if DAMAGES[name].does(text) != text.encode()]
    name = draws.pick(fitting)
    damage = DAMAGES[name]

    def mended(tree: Tree) -> Tree:
        held = tree[path]
        return tree.put(path, replace(held, data=damage.mends(held.data).encode())) if isinstance(held, File) else tree

    at = shlex.quote(path)
    bash = f"{damage.bash} < {at} > /tmp/mended && cp /tmp/mended {at} && rm /tmp/mended"
    broken = replace(node, data=damage.does(text)) if isinstance(node, File) else node
    return replace(
        step,
        choices=(*step.choices, f"{MENDS}{name}"),
        text=f"`{path}` is damaged: {damage.told}. Mend it first, in its place; nothing else of it changes. What is "
        f"said of it from here on is said of what it is then. {step.text}",
        starts=step.starts.put(path, broken),
        effect=lambda tree: step.effect(mended(tree)),
        solve=f"{bash}\n{step.solve}",
        checks=({"kind": "file", "group": 0, "path": path, "equals": text}, *step.checks),
        wrong={**{what: f"{bash}\n{line}" for what, line in step.wrong.items()}, "does not mend first": step.solve},
        makes=(*step.makes, path),
        keeps=tuple(one for one in step.keeps if one != path),
    )


def _plain(starts: Tree, path: str) -> str:
    """Return a file's text if it is made of plain lines, and is no program; otherwise nothing."""
    node = starts.get(path)
    if not isinstance(node, File) or path.endswith(f"/{TOLD}"):
        return ""
    try:
        text = node.data.decode()
    except UnicodeDecodeError:
        return ""
    whole = "".join(f"{line}\n" for line in text.split("\n")[:-1])
    return text if text == whole and text.splitlines() == text.split("\n")[:-1] and "\0" not in text else ""
