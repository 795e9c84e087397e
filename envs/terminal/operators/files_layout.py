"""A tree of files is laid out: by names crossed with names, by numbers, or by a list."""

from collections.abc import Mapping
from typing import Final

from palestra.envs.draws import Draws
from palestra.envs.terminal.operators.files_words import EXTENSIONS, contents, names, opening, q, texts
from palestra.envs.terminal.step import Area, Artefact, Knobs, Operator, Shape, Step
from palestra.envs.terminal.tree import File, Tree

_OPENINGS: Final = {
    False: (
        "Lay out a tree of files below `{root}`, which does not exist yet.",
        "Make the folder `{root}` and fill it.",
    ),
    True: ("A new project is to be set up in `{root}` (make the folder).", "Create `{root}` with files as follows."),
}
_CONTENTS: Final = {
    "empty": "Every file is empty (0 bytes).",
    "path": "Every file holds one line, ended by a newline: its own path relative to `{root}`, such as `{first}`.",
    "count": "Every file holds one line, ended by a newline: its place, from 1, among all their relative paths "
    "sorted by "
    "byte value, so that `{first}` holds `1`.",
}
_LINES: Final[Mapping[str, str]] = {"empty": ": ", "path": 'echo "$p"', "count": 'echo "$n"'}


class Layout:
    """Makes files at paths that follow a rule."""

    name = "files_layout"
    area: Area = "files"
    takes: Shape | None = None

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        plan, content = draws.pick(("crossed", "numbered", "listed")), draws.pick(("empty", "path", "count"))
        index = draws.chance(0.4)
        root, extension = f"{folder}/{draws.pick(names(draws, 5, heldout=heldout))}", draws.pick(EXTENSIONS[heldout])
        start, told, paths, shell = _plan(plan, draws, folder, extension, knobs, heldout)
        paths = sorted(paths)
        text = f"{opening(draws, _OPENINGS, heldout)} {told} {_CONTENTS[content]}".format(root=root, first=paths[0])
        if index:
            text += (
                f" Then write `{folder}/INDEX`: the relative paths of these files, sorted by byte value, one a line."
            )
        text += f" There is nothing else below `{root}`."

        def effect(tree: Tree) -> Tree:
            for place, path in enumerate(paths, 1):
                line = {"empty": "", "path": f"{path}\n", "count": f"{place}\n"}[content]
                tree = tree.put(f"{root}/{path}", line)
            return tree.put(f"{folder}/INDEX", "".join(f"{path}\n" for path in paths)) if index else tree

        def solve(listed: str, line: str) -> str:
            made = (
                f"mkdir -p {q(root)}\nn=0\n{listed} | LC_ALL=C sort | while IFS= read -r p; do\n  n=$((n+1))\n"
                f'  mkdir -p "$(dirname {q(root)}/"$p")"\n  {line} > {q(root)}/"$p"\ndone'
            )
            return made + (f"\n{listed} | LC_ALL=C sort > {q(folder)}/INDEX" if index else "")

        after = effect(start)
        checks = contents(after, root)
        if index:
            checks.append({"kind": "file", "path": f"{folder}/INDEX", "lines": paths})
        return Step(
            operator=self.name,
            choices=(plan, content, *(("index",) if index else ())),
            text=text,
            starts=start,
            effect=effect,
            solve=solve(shell, _LINES[content]),
            checks=tuple(checks),
            wrong={
                "the last file is missing": solve(f"{shell} | LC_ALL=C sort | head -n -1", _LINES[content]),
                "the contents are others": solve(
                    shell, {"empty": "echo", "path": "printf '/%s\\n' \"$p\""}.get(content, "echo $((n-1))")
                ),
            },
            makes=tuple(path for path in after if path.startswith(f"{root}/") or path == f"{folder}/INDEX"),
            keeps=tuple(start),
            gives=None
            if content == "empty"
            else Artefact("folder", root, texts(after, root), "the files that were laid out"),
        )


def _plan(
    plan: str, draws: Draws, folder: str, extension: str, knobs: Knobs, heldout: bool
) -> tuple[Tree, str, list[str], str]:
    """Return what is there, what is told, the paths, and bash that prints them."""
    count = max(4, min(knobs.size, 24))
    words = names(draws, count + 6, heldout=heldout)
    if plan == "crossed":
        wide = max(2, count // 4)
        outer, inner = words[:wide], words[wide : wide + max(2, count // wide)]
        told = (
            f"It has the folders {_and(outer)}, and in each of them the files "
            f"{_and([f'{name}.{extension}' for name in inner])}."
        )
        loop = f'for a in {" ".join(outer)}; do for b in {" ".join(inner)}; do echo "$a/$b.{extension}"; done; done'
        return Tree(), told, [f"{one}/{two}.{extension}" for one in outer for two in inner], f"( {loop} )"
    if plan == "numbered":
        stem, name, count = words[0], words[1], max(count, 11) if knobs.size >= 8 else count
        told = (
            f"It has {count} folders, `{stem}-01` to `{stem}-{count:02d}` (numbers have two digits), and in each of "
            f"them "
            f"one file `{name}.{extension}`."
        )
        shell = f"( for i in $(seq 1 {count}); do printf '{stem}-%02d/{name}.{extension}\\n' $i; done )"
        return Tree(), told, [f"{stem}-{n:02d}/{name}.{extension}" for n in range(1, count + 1)], shell
    paths = [
        f"{draws.pick(words[:3])}/{word}.{extension}" if draws.chance(0.7) else f"{word}.{extension}"
        for word in words[3:]
    ]
    lines = [f"# {draws.pick(words)}/{word}.{extension}" for word in words[:2]]
    listed = draws.shuffled([*paths, *lines, ""])
    path = f"{folder}/layout.list"
    told = (
        f"The relative paths of its files stand in `{path}`, one a line; empty lines and lines that begin with `#` are "
        f"not paths. Leave `{path}` as it is."
    )
    start = Tree({path: File("".join(f"{line}\n" for line in listed).encode())})
    return start, told, paths, f"( grep -v '^#' {q(path)} | grep . )"


def _and(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words[:-1]) + f" and `{words[-1]}`"


OPERATORS: Final[tuple[Operator, ...]] = (Layout(),)
