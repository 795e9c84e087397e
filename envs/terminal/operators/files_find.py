"""Files are found by size, time or content, and deleted, moved or listed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.terminal.operators.files_words import (
    EXTENSIONS,
    Told,
    contents,
    ended,
    listing,
    names,
    opening,
    prose,
    q,
    told,
)
from palestra.envs.terminal.step import Area, Artefact, Knobs, Operator, Shape, Step
from palestra.envs.terminal.tree import File, Tree

_OPENINGS: Final = {
    False: (
        "Look for files below `{root}`, at any depth, {which}.",
        "Below `{root}`, at any depth, find the files {which}.",
    ),
    True: (
        "Some files below `{root}`, however deep, are of interest: those {which}.",
        "Find all files below `{root}` {which}.",
    ),
}
_WHICH: Final[Mapping[str, str]] = {
    "larger": "that have more than {value} bytes (not those that have just as many)",
    "smaller": "that have fewer than {value} bytes (not those that have just as many)",
    "older": "that were last changed before {value}, 00:00:00 UTC",
    "holding": "that hold the text {value} somewhere, in just these letters, upper and lower case told apart",
    "lacking": "that do not hold the text {value} anywhere, in just these letters, upper and lower case told apart",
}
_ACTIONS: Final[Mapping[str, str]] = {
    "delete": "Delete them. All other files stay as they are.",
    "move": "Move them to `{aside}`, each under the same path relative to `{root}`; make folders as needed. All "
    "other files "
    "stay as they are.",
    "list": "Write their paths relative to `{root}` to `{out}`, one a line, sorted by byte value. Change none of them.",
    "sizes": "Write to `{out}` a line for each: its size in bytes, a space, and its path relative to `{root}`; the "
    "largest "
    "first, equally large ones sorted by path by byte value. Change none of them.",
}


class Find:
    """Finds files by what they are, and does something with them."""

    name = "files_find"
    area: Area = "files"
    takes: Shape | None = None

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        which, action = draws.pick(sorted(_WHICH)), draws.pick(sorted(_ACTIONS))
        root, out, aside = (
            f"{folder}/{draws.pick(names(draws, 4, heldout=heldout))}",
            f"{folder}/found.txt",
            f"{folder}/aside",
        )
        value, start = _start(which, draws, root, knobs, heldout)
        say = told(
            value, {"older": "date", "holding": "word", "lacking": "word"}.get(which, "number of bytes"), folder, knobs
        )
        text = opening(draws, _OPENINGS, heldout).format(root=root, which=_WHICH[which].format(value=say.phrase))
        text += " " + _ACTIONS[action].format(root=root, out=out, aside=aside)
        text += ended(knobs) if action in ("list", "sizes") else ""

        def effect(tree: Tree) -> Tree:
            below = {path[len(root) + 1 :]: node for path, node in tree.below(root).items() if isinstance(node, File)}
            found = {path: node for path, node in sorted(below.items()) if _is_found(which, node, value)}
            if action in ("list", "sizes"):
                order = sorted(
                    found, key=lambda path: (-len(found[path].data) if action == "sizes" else 0, path.encode())
                )
                lines = [f"{len(found[path].data)} {path}\n" if action == "sizes" else f"{path}\n" for path in order]
                return tree.put(out, "".join(lines))
            for path, node in found.items():
                tree = tree.drop(f"{root}/{path}")
                tree = tree.put(f"{aside}/{path}", node) if action == "move" else tree
            return tree

        after = effect(start)
        checks: list[Json]
        if action in ("list", "sizes"):
            checks = [listing(out, after.text(out).splitlines(), knobs)]
        else:
            checks = [*contents(after, root), *(contents(after, aside) if action == "move" else [])]
        return Step(
            operator=self.name,
            choices=(which, action),
            text=text,
            starts=start.joined(say.start),
            effect=effect,
            solve=_solve(which, action, say, root, out, aside),
            checks=tuple(checks),
            wrong={
                "others are found": _solve(f"{which}, loosely", action, say, root, out, aside),
                "only right in the folder": _solve(which, action, say, root, out, aside, "-maxdepth 1 "),
            },
            makes=(out,) if action in ("list", "sizes") else tuple([*after.below(root), *after.below(aside)]),
            keeps=(*say.start, *(start if action in ("list", "sizes") else ())),
            gives=Artefact("lines", out, after.text(out).splitlines(), "what was found")
            if action in ("list", "sizes")
            else None,
        )


def _is_found(which: str, node: File, value: str) -> bool:
    size = len(node.data)
    if which in ("larger", "smaller"):
        return size > int(value) if which == "larger" else size < int(value)
    if which == "older":
        return node.mtime < datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp()
    return (value.encode() in node.data) == (which == "holding")


def _start(which: str, draws: Draws, root: str, knobs: Knobs, heldout: bool) -> tuple[str, Tree]:
    """Return a value and files on both sides of it, and close to it, right in the folder and deeper."""
    words = names(draws, max(9, min(knobs.size, 30)) + 3, heldout=heldout)
    mark, limit = words[0], draws.between(60, 110)
    day = f"2025-{draws.between(1, 9):02d}-{draws.between(1, 28):02d}"
    noon = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) + 43_200
    tree = Tree()
    for place, word in enumerate(words[3:]):
        where = (root, f"{root}/{words[1]}", f"{root}/{words[1]}/{words[2]}")[place // 3 % 3]
        text, side = prose(draws, 1, 2, heldout=heldout), place % 3
        if which in ("larger", "smaller"):
            size = limit if side == 1 else limit + (draws.between(1, 80) if side else -draws.between(1, 40))
            text = (prose(draws, 8, 8, heldout=heldout) * 2)[: size - 1] + "\n"
        elif which in ("holding", "lacking"):
            text += f"{(mark, mark.upper(), 'nothing')[side]} {draws.between(10, 99)}\n"
        days = (-draws.between(1, 90), draws.between(0, 1), draws.between(2, 60))[side]
        tree = tree.put(
            f"{where}/{word}.{draws.pick(EXTENSIONS[heldout])}", File(text.encode(), mtime=noon + days * 86_400)
        )
    return {"older": day, "holding": mark, "lacking": mark}.get(which, str(limit)), tree


def _solve(which: str, action: str, say: Told, root: str, out: str, aside: str, depth: str = "") -> str:
    test = {
        "larger": '-size +"$v"c',
        "larger, loosely": '-size +"$((v - 1))"c',
        "smaller": '-size -"$v"c',
        "smaller, loosely": '-size -"$((v + 1))"c',
        "older": '! -newermt "$v 00:00:00 UTC"',
        "older, loosely": '-newermt "$v 00:00:00 UTC"',
        "holding": '-exec grep -qF -e "$v" {} \\;',
        "holding, loosely": '-exec grep -qiF -e "$v" {} \\;',
        "lacking": '! -exec grep -qF -e "$v" {} \\;',
        "lacking, loosely": '! -exec grep -qiF -e "$v" {} \\;',
    }[which]
    act = {
        "delete": " -delete",
        "move": f" -printf '%P\\0' | while IFS= read -r -d '' p; do\n"
        f'  mkdir -p "$(dirname {q(aside)}/"$p")"; mv {q(root)}/"$p" {q(aside)}/"$p"\ndone',
        "list": f" -printf '%P\\n' | LC_ALL=C sort > {q(out)}",
        "sizes": f" -printf '%s %P\\n' | LC_ALL=C sort -k1,1nr -k2 > {q(out)}",
    }[action]
    return f'v="{say.shell}"\nfind {q(root)} {depth}-type f {test}{act}'


OPERATORS: Final[tuple[Operator, ...]] = (Find(),)
