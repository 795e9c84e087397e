"""Checksums are written down, or checked against a list, and what does not agree is told or put aside."""

import hashlib
from collections.abc import Mapping
from typing import Final

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.terminal.operators.files_words import (
    EXTENSIONS,
    apart,
    contents,
    ended,
    listing,
    names,
    opening,
    prose,
    q,
)
from palestra.envs.terminal.step import Area, Artefact, Knobs, Operator, Shape, Step
from palestra.envs.terminal.tree import File, Tree

_ALGORITHMS: Final = ("md5", "sha1", "sha256")
_OPENINGS: Final[Mapping[str, Mapping[bool, tuple[str, ...]]]] = {
    "write": {
        False: ("Write the {tool} checksums of all files below `{root}`, at any depth, to `{out}`.",),
        True: ("Make a list of {tool} checksums in `{out}`, of every file below `{root}`, however deep.",),
    },
    "audit": {
        False: (
            "`{sums}` holds {tool} checksums of files below `{root}`, as `{tool}sum` writes them, with paths "
            "relative to `{root}`.",
        ),
        True: (
            "Files below `{root}` are to be compared with their {tool} checksums in `{sums}` (the format of "
            "`{tool}sum`, paths relative to `{root}`).",
        ),
    },
}
_RULES: Final = {
    "write": "Its lines are as `{tool}sum` writes them: the hex digest in small letters, two spaces, and the path "
    "relative to "
    "`{root}` (no `./` before it). They are sorted by path, by byte value. Leave the files as they are.",
    "audit": "Write to `{out}` a line for each file of that list that does not agree: `CHANGED PATH` if its checksum "
    "is "
    "another, `MISSING PATH` if there is no such file; PATH as in the list, the lines sorted by PATH by byte value. "
    "If all "
    "agree, the file is empty. Files that the list does not name do not count. Leave the files and the list as they "
    "are.",
    "quarantine": "Move every file below `{root}` whose checksum is not the one in that list to `{aside}`, under the "
    "same "
    "relative path (make folders as needed). Files that the list does not name, and the others, stay where they are, "
    "and so "
    "does the list.",
}


class Checksums:
    """Checksums of the files below a folder."""

    name = "files_checksums"
    area: Area = "files"
    takes: Shape | None = "folder"

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        task = "write" if given else draws.pick(("write", "audit", "quarantine"))
        algorithm = draws.pick(_ALGORITHMS)
        root = given.path if given else f"{folder}/{draws.pick(names(draws, 4, heldout=heldout))}"
        if given and (len(given.content) < 2 or any("\n" in path or "\\" in path for path in given.content)):
            return None
        start = Tree() if given else _start(draws, root, knobs, heldout)
        held = (
            start
            if not given
            else Tree({f"{root}/{path}": File(text.encode()) for path, text in given.content.items()})
        )
        sums, out, aside = (f"{folder}/{name}" for name in (f"{algorithm.upper()}SUMS", f"{algorithm}.txt", "aside"))
        if task != "write":
            start, held = _listed(draws, start, root, sums, algorithm, heldout)
        text = opening(draws, _OPENINGS["write" if task == "write" else "audit"], heldout) + " " + _RULES[task]
        text = text.format(root=root, out=out, sums=sums, aside=aside, tool=algorithm) + (
            ended(knobs) if task != "quarantine" else ""
        )

        def effect(tree: Tree) -> Tree:
            return _done(task, tree, root, sums, out, aside, algorithm)

        after = effect(held)
        if task == "write":
            checks: list[Json] = [
                {
                    "kind": "checksums",
                    "path": out,
                    "of": {line.split("  ", 1)[1]: line.split("  ", 1)[0] for line in after.text(out).splitlines()},
                    "ordered": True,
                }
            ]
        elif task == "audit":
            checks = [listing(out, after.text(out).splitlines(), knobs)]
        else:
            checks = [*contents(after, root), *contents(after, aside)]
        lines = _solutions(task, root, sums, out, aside, algorithm)
        return Step(
            operator=self.name,
            choices=(task, algorithm),
            text=text,
            starts=start,
            effect=effect,
            solve=apart(lines[0]),
            checks=tuple(checks),
            wrong={"nearly": apart(lines[1]), "otherwise": apart(lines[2])},
            makes=(out,) if task != "quarantine" else tuple([*after.below(root), *after.below(aside)]),
            keeps=() if given else tuple(start) if task != "quarantine" else (sums,),
            gives=Artefact(
                "lines",
                out,
                after.text(out).splitlines(),
                "the checksums" if task == "write" else "what does not agree",
            )
            if task != "quarantine" and after.text(out)
            else None,
        )


def _start(draws: Draws, root: str, knobs: Knobs, heldout: bool) -> Tree:
    words, tree = names(draws, max(6, min(knobs.size, 30)) + 2, heldout=heldout), Tree()
    for place, word in enumerate(words[2:]):
        where = (root, f"{root}/{words[0]}", f"{root}/{words[1]}")[place % 3]
        tree = tree.put(f"{where}/{word}.{draws.pick(EXTENSIONS[heldout])}", prose(draws, 1, 4, heldout=heldout))
    return tree


def _listed(draws: Draws, tree: Tree, root: str, sums: str, algorithm: str, heldout: bool) -> tuple[Tree, Tree]:
    """Return the files after something happened to them, beside the list of what they were."""
    paths = draws.shuffled(list(tree))
    lines = [f"{_hash(tree.data(path), algorithm)}  {path[len(root) + 1 :]}\n" for path in paths[1:]]
    for path in paths[1:3]:
        tree = tree.put(path, tree.text(path) + prose(draws, 1, 1, heldout=heldout))
    tree = tree.drop(paths[3]).put(sums, "".join(draws.shuffled(lines)))
    return tree, tree


def _hash(data: bytes, algorithm: str) -> str:
    return hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()


def _done(task: str, tree: Tree, root: str, sums: str, out: str, aside: str, algorithm: str) -> Tree:
    files = {path[len(root) + 1 :]: node for path, node in tree.below(root).items() if isinstance(node, File)}
    if task == "write":
        lines = (f"{_hash(files[path].data, algorithm)}  {path}\n" for path in sorted(files, key=str.encode))
        return tree.put(out, "".join(lines))
    wanted = {line.split("  ", 1)[1]: line.split("  ", 1)[0] for line in tree.text(sums).splitlines()}
    changed = {path for path, value in wanted.items() if path in files and _hash(files[path].data, algorithm) != value}
    if task == "audit":
        told = {
            path: f"{'CHANGED' if path in changed else 'MISSING'} {path}\n"
            for path in {*changed, *(wanted.keys() - files.keys())}
        }
        return tree.put(out, "".join(told[path] for path in sorted(told, key=str.encode)))
    for path in changed:
        tree = tree.drop(f"{root}/{path}").put(f"{aside}/{path}", files[path])
    return tree


def _solutions(task: str, root: str, sums: str, out: str, aside: str, algorithm: str) -> tuple[str, str, str]:
    """Return bash that does it, and two that nearly do."""
    tool = f"{algorithm}sum"
    if task == "write":
        line = "cd {0} && find . -type f -printf '%P\\0' | LC_ALL=C sort -z{1} | xargs -0 {2} -- > {3}"
        other = "sha1sum" if algorithm != "sha1" else "md5sum"
        return (
            line.format(q(root), "", tool, q(out)),
            line.format(q(root), " -r", tool, q(out)),
            line.format(q(root), "", other, q(out)),
        )
    loop = (
        f"cd {q(root)} && LC_ALL=C sort -k 2 {q(sums)} | while read -r want path; do\n"
        f'  if [ ! -f "$path" ]; then {{missing}}; '
        f'elif [ "$({tool} < "$path" | cut -d " " -f 1)" {{sign}} "$want" ]; then {{changed}}; fi\ndone{{end}}'
    )
    if task == "audit":
        missing, changed, end = 'echo "MISSING $path"', 'echo "CHANGED $path"', f" > {q(out)}"
        return (
            loop.format(missing=missing, sign="!=", changed=changed, end=end),
            loop.format(missing=":", sign="!=", changed=changed, end=end),
            loop.format(missing='echo "CHANGED $path"', sign="!=", changed=changed, end=end),
        )
    move = f'mkdir -p {q(aside)}/"$(dirname "$path")"; mv "$path" {q(aside)}/"$path"'
    return (
        loop.format(missing=":", sign="!=", changed=move, end=""),
        loop.format(missing=":", sign="!=", changed=move.replace("mv ", "cp "), end=""),
        loop.format(missing=":", sign="=", changed=move, end=""),
    )


OPERATORS: Final[tuple[Operator, ...]] = (Checksums(),)
