"""Files are renamed by a rule, right in a folder or all the way down."""

from collections.abc import Callable, Mapping
from typing import Final

from palestra.envs.draws import Draws
from palestra.envs.terminal.operators.files_words import EXTENSIONS, contents, names, opening, prose, q, texts
from palestra.envs.terminal.step import Area, Artefact, Knobs, Operator, Shape, Step
from palestra.envs.terminal.tree import File, Tree

_OPENINGS: Final = {
    False: ("Rename files in `{root}`:", "The names of files in `{root}` are to follow one rule:"),
    True: ("Bring the file names in `{root}` into order:", "In `{root}`, give files other names:"),
}
_SCOPES: Final = {
    "flat": "This is about the files right in `{root}`; what stands in folders below it keeps its name.",
    "below": "This is about all files below `{root}`, at any depth; each stays in its folder, and folders keep their "
    "names.",
}
_RULES: Final[Mapping[str, str]] = {
    "lower": "the letters A to Z in a name become a to z.",
    "spaces": "every space in a name becomes an underscore (two spaces become two).",
    "extension": "a name that ends with `.{old}` ends with `.{new}` instead; all others stay, such as those that only "
    "contain `.{old}`.",
    "swap": "a name `FIRST_SECOND.EXT` becomes `SECOND_FIRST.EXT`; SECOND is what stands between the last underscore "
    "and "
    "the last dot, EXT what stands after the last dot.",
    "number": "put before each name its place, from 1, in the order of the old names by byte value, as three digits "
    "and an "
    "underscore: the first becomes `001_NAME`.",
}
_SHELL: Final[Mapping[str, str]] = {
    "lower": 'new=$(printf %s "$b" | tr A-Z a-z)',
    "spaces": "new=${b// /_}",
    "extension": 'case "$b" in *.{old}) new=${b%.{old}}.{new};; *) new=$b;; esac',
    "swap": "stem=${b%.*}; new=${stem##*_}_${stem%_*}.${b##*.}",
    "number": "i=$((i+1)); printf -v new '%03d_%s' $i \"$b\"",
}


class Rename:
    """Renames files and leaves their contents alone."""

    name = "files_rename"
    area: Area = "files"
    takes: Shape | None = None

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        rule = draws.pick(sorted(_RULES))
        scope = "flat" if rule == "number" else draws.pick(("flat", "below"))
        root = f"{folder}/{draws.pick(('inbox', 'pictures', 'notes') if not heldout else ('drafts', 'scans'))}"
        old, new = draws.shuffled(EXTENSIONS[heldout])[:2]
        start = _start(rule, draws, root, old, knobs, heldout)

        def effect(tree: Tree) -> Tree:
            return _renamed(tree, root, scope, _function(rule, old, new))

        shell = _SHELL[rule].replace("{old}", old).replace("{new}", new)

        def solve(depth: str, verb: str) -> str:
            return (
                f"i=0\nfind {q(root)} {depth}-type f -print0 | LC_ALL=C sort -z | while IFS= read -r -d '' f; do\n"
                f'  b=$(basename "$f"); {shell}\n'
                f'  if [ "$new" != "$b" ]; then {verb} "$f" "$(dirname "$f")/$new"; fi\ndone'
            )

        depths = {"flat": "-maxdepth 1 ", "below": ""}
        after = effect(start)
        text = " ".join(
            (opening(draws, _OPENINGS, heldout), _RULES[rule], _SCOPES[scope], "Contents stay as they are.")
        )
        return Step(
            operator=self.name,
            choices=(rule, scope),
            text=text.format(root=root, old=old, new=new),
            starts=start,
            effect=effect,
            solve=solve(depths[scope], "mv -n"),
            checks=tuple(contents(after, root)),
            wrong={
                "copies instead of moving": solve(depths[scope], "cp -n"),
                "looks elsewhere, too, or not far enough": solve(
                    depths["below" if scope == "flat" else "flat"], "mv -n"
                ),
            },
            makes=tuple(after.below(root)),
            gives=Artefact("folder", root, texts(after, root), "the renamed files"),
        )


def _start(rule: str, draws: Draws, root: str, old: str, knobs: Knobs, heldout: bool) -> Tree:
    """Return files of which those right in the folder, and those below, have names that the rule changes."""
    tree = Tree()
    count = max(5, min(knobs.size, 30))
    words = names(draws, count * 2 + 1, heldout=heldout)
    inner = words[-1]
    for place in range(count):
        one, two = words[2 * place : 2 * place + 2]
        kind = old if rule != "extension" or place % 3 < 2 else f"{old}.bak"
        name = {
            "lower": f"{one.title() if place % 3 < 2 else one}-{two.upper() if place % 4 == 0 else two}.{kind}",
            "spaces": f"{one} {two}.{kind}" if place % 3 < 2 else f"{one}{'  ' if place % 2 else '-'}{two}.{kind}",
            "swap": f"{one}_{two}_{place}.{kind}",
        }.get(rule, f"{one}-{two}.{kind}")
        where = f"{root}/{inner}" if place % 3 == 1 else root
        tree = tree.put(f"{where}/{name}", prose(draws, 1, 3, heldout=heldout))
    return tree


def _function(rule: str, old: str, new: str) -> Callable[[str, int], str]:
    def extension(name: str, place: int) -> str:
        return name.removesuffix(f".{old}") + f".{new}" if name.endswith(f".{old}") else name

    def swap(name: str, place: int) -> str:
        stem, _, kind = name.rpartition(".")
        first, _, second = stem.rpartition("_")
        return f"{second}_{first}.{kind}"

    functions: dict[str, Callable[[str, int], str]] = {
        "lower": lambda name, place: name.lower(),
        "spaces": lambda name, place: name.replace(" ", "_"),
        "extension": extension,
        "swap": swap,
        "number": lambda name, place: f"{place:03d}_{name}",
    }
    return functions[rule]


def _renamed(tree: Tree, root: str, scope: str, function: Callable[[str, int], str]) -> Tree:
    held = [path for path, node in tree.below(root).items() if isinstance(node, File)]
    if scope == "flat":
        held = [path for path in held if "/" not in path[len(root) + 1 :]]
    held.sort(key=str.encode)
    moved = dict(tree)
    for path in held:
        del moved[path]
    for place, path in enumerate(held, 1):
        where, _, name = path.rpartition("/")
        moved[f"{where}/{function(name, place)}"] = tree[path]
    return Tree(moved)


OPERATORS: Final[tuple[Operator, ...]] = (Rename(),)
