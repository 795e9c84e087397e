"""Permissions are set by a rule: by name, by first line, or by a list."""

from typing import Final

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.terminal.operators.files_words import names, opening, prose, q
from palestra.envs.terminal.step import Area, Artefact, Knobs, Operator, Shape, Step
from palestra.envs.terminal.tree import File, Folder, Tree

_OPENINGS: Final = {
    False: (
        "Set the permissions of what is below `{root}`, at any depth.",
        "Below `{root}`, permissions are wrong; set them.",
    ),
    True: (
        "Give everything below `{root}` the permissions that it should have.",
        "Mend the permissions below `{root}`.",
    ),
}
_WRONG_MODES: Final = (0o600, 0o666, 0o777, 0o604, 0o711)
_PAIRS: Final = {False: ((0o755, 0o644), (0o750, 0o640), (0o700, 0o440)), True: ((0o555, 0o444), (0o770, 0o660))}


class Modes:
    """Sets permission bits and leaves contents alone."""

    name = "files_modes"
    area: Area = "files"
    takes: Shape | None = None

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        rule, folders = draws.pick(("extension", "first line", "list")), draws.chance(0.5)
        root = f"{folder}/{draws.pick(names(draws, 4, heldout=heldout))}"
        start, programs = _start(draws, root, knobs, heldout)
        high, low = draws.pick(_PAIRS[heldout])
        files = [path for path, node in start.items() if isinstance(node, File)]
        wanted = {path: high if path in programs[rule] else low for path in files}
        table = f"{folder}/modes.list"
        if rule == "list":
            wanted = {path: draws.pick((high, low, 0o400)) for path in files if draws.chance(0.7)}
            wanted = wanted if len({*wanted.values()}) > 1 else {files[0]: high, files[-1]: low}
            listed = "".join(
                f"{mode:04o} {path[len(root) + 1 :]}\n" for path, mode in draws.shuffled([*wanted.items()])
            )
            start = start.put(table, listed)
        told = {
            "extension": f"Files whose names end with `.sh` get `{high:04o}`, all other files `{low:04o}`.",
            "first line": f"Files whose first two characters are `#!` get `{high:04o}`, all other files `{low:04o}`.",
            "list": f"Each line of `{table}` has an octal mode, a space and the path of a file relative to `{root}`, "
            f"which "
            "gets that mode; files that it does not name keep theirs. Leave the list as it is.",
        }[rule]
        bits = high if rule != "list" else 0o751
        dirs = [path for path in start.folders if path.startswith(f"{root}/")] if folders else []
        text = f"{opening(draws, _OPENINGS, heldout).format(root=root)} {told} " + (
            f"Folders below `{root}`, not itself, get `{bits:04o}`." if folders else "Folders keep their permissions."
        )

        def effect(tree: Tree) -> Tree:
            for path, mode in wanted.items():
                tree = tree.put(path, File(tree.data(path), mode))
            for path in dirs:
                tree = tree.put(path, Folder(bits))
            return tree

        def solve(by: str) -> str:
            return _solve(by, root, table, high, low) + (
                f"\nfind {q(root)} -mindepth 1 -type d -exec chmod {bits:04o} {{}} +" if folders else ""
            )

        other = {"extension": "first line", "first line": "extension", "list": "short list"}[rule]
        checks: list[Json] = [{"kind": "mode", "path": path, "equals": f"{mode:04o}"} for path, mode in wanted.items()]
        for path in files:
            if path not in wanted:
                checks.append({"kind": "mode", "path": path, "equals": f"{_mode(start, path):04o}"})
        checks += [{"kind": "mode", "path": path, "equals": f"{bits:04o}"} for path in dirs]
        return Step(
            operator=self.name,
            choices=(rule, *(("folders",) if folders else ())),
            text=text,
            starts=start,
            effect=effect,
            solve=solve(rule),
            checks=tuple(checks),
            wrong={"goes by something else": solve(other), "one mode for all": solve("one mode")},
            makes=tuple(files),
            keeps=(table,) if rule == "list" else (),
        )


def _solve(by: str, root: str, table: str, high: int, low: int) -> str:
    """Return bash that sets the modes of files by a rule, or nearly so."""
    return {
        "extension": f"find {q(root)} -type f -exec chmod {low:04o} {{}} +\n"
        f"find {q(root)} -type f -name '*.sh' -exec chmod {high:04o} {{}} +",
        "first line": f"find {q(root)} -type f -print0 | while IFS= read -r -d '' f; do\n"
        f'  if [ "$(head -c 2 "$f")" = "#!" ]; then chmod {high:04o} "$f"; else chmod {low:04o} "$f"; fi\ndone',
        "list": f'while read -r mode path; do chmod "$mode" {q(root)}/"$path"; done < {q(table)}',
        "short list": f'head -n -1 {q(table)} | while read -r mode path; do chmod "$mode" {q(root)}/"$path"; done',
        "one mode": f"find {q(root)} -type f -exec chmod {high:04o} {{}} +",
    }[by]


def _mode(tree: Tree, path: str) -> int:
    node = tree[path]
    return node.mode if isinstance(node, File) else 0


def _start(draws: Draws, root: str, knobs: Knobs, heldout: bool) -> tuple[Tree, dict[str, set[str]]]:
    """Return files, and those that a rule calls programs; the two rules differ in some."""
    tree, programs = Tree(), {"extension": set[str](), "first line": set[str](), "list": set[str]()}
    words = names(draws, max(6, min(knobs.size, 24)) + 2, heldout=heldout)
    for place, word in enumerate(words[2:]):
        is_shell, is_program = place % 4 in (0, 1), place % 4 in (1, 2)
        where = f"{root}/{words[place % 2]}" if place % 3 else root
        path = f"{where}/{word}.{'sh' if is_shell else draws.pick(('py', 'txt', 'sh.old'))}"
        text = ("#!/bin/bash\n" if is_program else "") + prose(draws, 1, 3, heldout=heldout)
        tree = tree.put(path, File(text.encode(), draws.pick(_WRONG_MODES)))
        if is_shell:
            programs["extension"].add(path)
        if is_program:
            programs["first line"].add(path)
    return tree, programs


OPERATORS: Final[tuple[Operator, ...]] = (Modes(),)
