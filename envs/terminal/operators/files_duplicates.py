"""Files of the same content are found: one of each is kept, the others become links or go."""

import posixpath
from typing import Final

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.terminal.operators.files_words import EXTENSIONS, listing, names, opening, prose, q
from palestra.envs.terminal.step import Area, Artefact, Knobs, Operator, Shape, Step
from palestra.envs.terminal.tree import File, Link, Tree

_OPENINGS: Final = {
    False: ("Some files below `{root}` have the same content, to the byte.", "There are duplicates below `{root}`."),
    True: ("`{root}` holds copies of files under other names.", "Below `{root}`, several files may have one content."),
}
_KEPT: Final = {
    "first": "Of each set of files with the same content keep the one whose path sorts first by byte value",
    "last": "Of each set of files with the same content keep the one whose path sorts last by byte value",
}
_FATES: Final = {
    "relative": ", and replace each of the others by a symbolic link to it. A link's target is written relative to the "
    "folder that the link stands in, in its shortest form (such as `NAME` or `../FOLDER/NAME`).",
    "absolute": ", and replace each of the others by a symbolic link to it, the target written as an absolute path.",
    "removed": ", and delete the others. Write the paths of the deleted files, relative to `{root}` and sorted by byte "
    "value, one a line, to `{report}`.",
}


class Duplicates:
    """Tells files by their content, at any depth."""

    name = "files_duplicates"
    area: Area = "files"
    takes: Shape | None = None

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        keeper, fate, empties = draws.pick(("first", "last")), draws.pick(sorted(_FATES)), draws.chance(0.4)
        root, report = f"{folder}/{draws.pick(names(draws, 4, heldout=heldout))}", f"{folder}/deleted.txt"
        start = _start(draws, root, knobs, heldout)
        text = opening(draws, _OPENINGS, heldout) + " " + _KEPT[keeper] + _FATES[fate]
        text += " Empty files count as duplicates of each other." if empties else " Leave empty files as they are."
        size = "" if empties else " -size +0c"

        def effect(tree: Tree) -> Tree:
            sets: dict[bytes, list[str]] = {}
            for path, node in tree.below(root).items():
                if isinstance(node, File) and (node.data or empties):
                    sets.setdefault(node.data, []).append(path)
            gone = []
            for paths in sets.values():
                paths.sort(key=str.encode, reverse=keeper == "last")
                for path in paths[1:]:
                    gone.append(path[len(root) + 1 :])
                    target = posixpath.relpath(paths[0], posixpath.dirname(path)) if fate == "relative" else paths[0]
                    tree = tree.drop(path) if fate == "removed" else tree.put(path, Link(target))
            return (
                tree.put(report, "".join(f"{path}\n" for path in sorted(gone, key=str.encode)))
                if fate == "removed"
                else tree
            )

        def solve(keeper: str, fate: str, size: str) -> str:
            return _solve(root, report, keeper, fate, size)

        after = effect(start)
        checks = _checks(after.below(root), root)
        if fate == "removed":
            checks.append(listing(report, after.text(report).splitlines(), knobs))
        return Step(
            operator=self.name,
            choices=(keeper, fate, *(("empties",) if empties else ())),
            text=text.format(root=root, report=report),
            starts=start,
            effect=effect,
            solve=solve(keeper, fate, size),
            checks=tuple(checks),
            wrong={
                "the other one is kept": solve("first" if keeper == "last" else "last", fate, size),
                "empty files are taken the other way": solve(keeper, fate, "" if size else " -size +0c"),
                "hard links": solve(keeper, "hard" if fate != "removed" else "kept", size),
            },
            makes=tuple(path for path, node in after.items() if isinstance(node, File)),
        )


def _solve(root: str, report: str, keeper: str, fate: str, size: str) -> str:
    act = {
        "relative": 'ln -sfnr "$kept" "$f"',
        "absolute": 'ln -sfn "$kept" "$f"',
        "hard": 'ln -f "$kept" "$f"',
        "removed": f'rm "$f"; echo "${{f#{root}/}}" >> {q(report)}.new',
        "kept": 'true "$f"',
    }[fate]
    backwards = " -r" if keeper == "last" else ""
    tail = f"\nLC_ALL=C sort {q(report)}.new > {q(report)}; rm {q(report)}.new" if fate == "removed" else ""
    return (
        f"find {q(root)} -type f{size} -print0 | LC_ALL=C sort -z{backwards} | xargs -0 sha256sum | (\n"
        "declare -A first\n"
        "while read -r hash f; do\n"
        "  kept=${first[$hash]:-}\n"
        f'  if [ -n "$kept" ]; then {act}; else first[$hash]=$f; fi\ndone ){tail}'
    )


def _checks(below: Tree, root: str) -> list[Json]:
    checks: list[Json] = [{"kind": "folder", "path": root, "files": [path[len(root) + 1 :] for path in below]}]
    for path, node in below.items():
        if isinstance(node, File):
            checks.append({"kind": "file", "path": path, "equals": node.data.decode()})
        elif isinstance(node, Link):
            checks.append({"kind": "link", "path": path, "target": node.target})
    return checks


def _start(draws: Draws, root: str, knobs: Knobs, heldout: bool) -> Tree:
    """Return files some of which have one content, some nearly so, and some none."""
    tree, count = Tree(), max(8, min(knobs.size, 30))
    words = names(draws, count + 3, heldout=heldout)
    kind, shared = (
        draws.pick(EXTENSIONS[heldout]),
        [prose(draws, 1, 3, heldout=heldout) for _ in range(max(2, count // 5))],
    )
    for place, word in enumerate(words[3:]):
        where = draws.pick((root, f"{root}/{words[0]}", f"{root}/{words[1]}/{words[2]}"))
        if place < 2 * len(shared):
            text = shared[place % len(shared)]
        elif place < 2 * len(shared) + 2:
            text = ""
        else:
            text = draws.pick((shared[0].upper(), draws.pick(shared), prose(draws, 1, 3, heldout=heldout)))
        tree = tree.put(f"{where}/{word}.{kind}", text)
    return tree


OPERATORS: Final[tuple[Operator, ...]] = (Duplicates(),)
