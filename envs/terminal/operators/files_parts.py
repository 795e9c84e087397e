"""A file of lines is split into parts, parts are joined, or files are merged into one."""

from collections import Counter
from typing import Final

from palestra.envs.draws import Draws
from palestra.envs.terminal.operators.files_words import contents, names, opening, prose, q, sentence, texts, told
from palestra.envs.terminal.step import Area, Artefact, Knobs, Operator, Shape, Step
from palestra.envs.terminal.tree import File, Tree

_SPLITS: Final = {
    False: ("Split `{source}` into parts of N lines each, in order; the last part has what is left. N is {count}.",),
    True: ("Cut `{source}` into pieces that follow each other, N lines in each; the last has the rest. N is {count}.",),
}
_HEADERS: Final = {
    "plain": "",
    "headed": " The first line of `{source}` is a header, which is not counted among those lines: every part begins "
    "with it.",
}
_NAMINGS: Final = {
    "numbers": "The parts are `{out}/part-001.txt`, `{out}/part-002.txt` and so on (three digits, from 1)",
    "letters": "The parts are `{out}/part-aa`, `{out}/part-ab` and so on to `part-az`, then `part-ba`",
    "places": "Each part is `{out}/FIRST.txt`, FIRST being the number, from 1, of its first line among the lines "
    "that are split",
}
_JOINS: Final = {
    False: ("Join the files in `{root}`, in the order of the numbers in their names (2 before 10), to `{out}`",),
    True: (
        "Write to `{out}` what stands in the files in `{root}`, one after another by the number in the name (2 "
        "before 10)",
    ),
}
_BETWEEN: Final = {
    "plain": ", with nothing between them.",
    "titled": "; before the lines of each stands a line `== NAME ==`, NAME being the file's name.",
    "numbered": "; before every line stand its number in `{out}`, from 1, and a tab.",
}
_MERGES: Final = {
    False: ("Merge the lines of all files in `{root}` into `{out}`",),
    True: ("`{out}` is to have the lines of all files in `{root}`",),
}
_ORDERS: Final = {
    "once": ": each different line once, sorted by byte value.",
    "shared": ": only lines that stand in more than one of the files, each once, sorted by byte value.",
    "counted": ": each different line once, after the number of times that it occurs in all files together and a "
    "space; the "
    "most frequent first, and equally frequent ones sorted by byte value.",
}


class Split:
    """Cuts a file of lines into parts."""

    name = "files_split"
    area: Area = "files"
    takes: Shape | None = "lines"

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        naming, header = draws.pick(sorted(_NAMINGS)), "plain" if given else draws.pick(sorted(_HEADERS))
        out, source = (
            f"{folder}/parts",
            given.path if given else f"{folder}/{draws.pick(names(draws, 3, heldout=heldout))}.txt",
        )
        total = len(given.content) if given else max(8, knobs.size * 2) + draws.between(0, 4)
        if total < 4:
            return None
        size = draws.between(max(2, total // 5), max(2, total // 3))
        if total % size == 0:
            return None
        count = told(str(size), "number of lines", folder, knobs)
        lines = list(given.content) if given else prose(draws, total, total, heldout=heldout).splitlines()
        top = [f"# {sentence(draws, heldout=heldout)}"] if header == "headed" else []
        data = "".join(f"{line}\n" for line in [*top, *lines])
        start = count.start if given else count.start.put(source, data)

        def effect(tree: Tree) -> Tree:
            held = tree.text(source).splitlines()
            head, held = held[: len(top)], held[len(top) :]
            for part, at in enumerate(range(0, len(held), size)):
                name = {
                    "numbers": f"part-{part + 1:03d}.txt",
                    "letters": f"part-{chr(97 + part // 26)}{chr(97 + part % 26)}",
                    "places": f"{at + 1}.txt",
                }[naming]
                tree = tree.put(f"{out}/{name}", "".join(f"{line}\n" for line in [*head, *held[at : at + size]]))
            return tree

        def solve(naming: str, plus: str = "", first: int = 1) -> str:
            lines = f"<(tail -n +{first} {q(source)})" if first > 1 else q(source)
            return _split(naming, plus, lines, out, count.shell, headed=bool(top))

        after = effect(Tree({source: File(data.encode())}))
        return Step(
            operator=self.name,
            choices=(naming, header),
            text=(opening(draws, _SPLITS, heldout) + _HEADERS[header] + " " + _NAMINGS[naming]).format(
                source=source, out=out, count=count.phrase
            )
            + f"; make the folder. Every line ends with a newline. Leave `{source}` as it is.",
            starts=start,
            effect=effect,
            solve=solve(naming),
            checks=tuple(contents(after, out)),
            wrong={"one line more in each": solve(naming, " + 1"), "the first line is lost": solve(naming, first=2)},
            makes=tuple(path for path in after if path.startswith(f"{out}/")),
            keeps=tuple(start),
            gives=Artefact("folder", out, texts(after, out), "the parts"),
        )


def _split(naming: str, plus: str, lines: str, out: str, size: str, *, headed: bool) -> str:
    """Return bash that cuts lines into parts."""
    name = {
        "numbers": 'name = sprintf("part-%03d.txt", n)',
        "letters": 'name = "part-" sprintf("%c%c", 97 + int((n - 1) / 26), 97 + (n - 1) % 26)',
        "places": 'name = (row + 1) ".txt"',
    }[naming]
    return (
        f'mkdir -p {q(out)}\nsize="{size}"\nawk -v size="$size" -v out={q(out)} \'\n'
        + ("NR == 1 { head = $0; next }\n" if headed else "")
        + f'row % (size{plus}) == 0 {{ n++; {name}; file = out "/" name; '
        + ("print head > file" if headed else 'printf "" > file')
        + " }\n{ print >> file; row++ }' "
        + lines
    )


class Join:
    """Puts files of lines together."""

    name = "files_join"
    area: Area = "files"
    takes: Shape | None = None

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        way = draws.pick(("join", "merge"))
        how = draws.pick(sorted(_BETWEEN if way == "join" else _ORDERS))
        root, out = (
            f"{folder}/{draws.pick(names(draws, 3, heldout=heldout))}",
            f"{folder}/{'joined' if way == 'join' else 'merged'}.txt",
        )
        start = _numbered(draws, root, way, knobs, heldout)
        text = (
            opening(draws, _JOINS if way == "join" else _MERGES, heldout)
            + (_BETWEEN if way == "join" else _ORDERS)[how]
        )
        text += " Leave the files as they are; every line of `{out}` ends with a newline."
        numbers = sorted(int(path.rpartition("-")[2].removesuffix(".txt")) for path in start)
        stem = next(iter(start)).rpartition("/")[2].rpartition("-")[0]

        def effect(tree: Tree) -> Tree:
            held = {f"{stem}-{number}.txt": tree.text(f"{root}/{stem}-{number}.txt").splitlines() for number in numbers}
            return tree.put(out, "".join(f"{line}\n" for line in _joined(held, how)))

        after = effect(start)
        lines = after.text(out).splitlines()
        solutions = _solutions(way, how, root, out)
        return Step(
            operator=self.name,
            choices=(way, how),
            text=text.format(root=root, out=out),
            starts=start,
            effect=effect,
            solve=solutions[0],
            checks=(
                {
                    "kind": "file",
                    "path": out,
                    "equals" if knobs.strict else "lines": after.text(out) if knobs.strict else lines,
                },
            ),
            wrong={"nearly": solutions[1], "otherwise": solutions[2]},
            makes=(out,),
            keeps=tuple(start),
            gives=Artefact("lines", out, lines, "the joined lines") if lines else None,
        )


def _numbered(draws: Draws, root: str, way: str, knobs: Knobs, heldout: bool) -> Tree:
    """Return files with numbers in their names that sort otherwise as texts; for a merge, with lines in common."""
    stem, count = draws.pick(names(draws, 3, heldout=heldout)), max(3, min(knobs.size // 3, 8))
    numbers = sorted({2, 10, *(draws.between(3, 25) for _ in range(count))})
    shared = [sentence(draws, heldout=heldout) + f" {n}" for n in range(4)]
    tree = Tree()
    for place, number in enumerate(numbers):
        lines = prose(draws, 2, 4, heldout=heldout).splitlines()
        if way == "merge":
            lines += [shared[place % 2], draws.pick(shared)]
            lines = draws.shuffled([*lines, lines[0]] if place % 2 else lines)
        tree = tree.put(f"{root}/{stem}-{number}.txt", "".join(f"{line}\n" for line in lines))
    return tree


def _joined(held: dict[str, list[str]], how: str) -> list[str]:
    all_ = [line for lines in held.values() for line in lines]
    if how == "plain":
        return all_
    if how == "titled":
        return [line for name, lines in held.items() for line in (f"== {name} ==", *lines)]
    if how == "numbered":
        return [f"{number}\t{line}" for number, line in enumerate(all_, 1)]
    if how == "once":
        return sorted({*all_}, key=str.encode)
    if how == "shared":
        files = Counter(line for lines in held.values() for line in {*lines})
        return sorted((line for line, count in files.items() if count > 1), key=str.encode)
    counts = Counter(all_)
    return [f"{counts[line]} {line}" for line in sorted(counts, key=lambda line: (-counts[line], line.encode()))]


def _solutions(way: str, how: str, root: str, out: str) -> tuple[str, str, str]:
    """Return bash that does it, and two that nearly do."""
    if way == "join":
        each = {
            "plain": 'cat "$f"',
            "titled": 'echo "== $(basename "$f") =="; cat "$f"',
            "numbered": 'cat "$f"',
        }[how]
        tail = f" | awk '{{ print NR \"\\t\" $0 }}' > {q(out)}" if how == "numbered" else f" > {q(out)}"
        listed = f"printf '%s\\n' {q(root)}/* | SORT | while IFS= read -r f; do {each}; done{tail}"
        by_number, by_text, backwards = (listed.replace("SORT", f"LC_ALL=C sort{how}") for how in (" -V", "", " -V -r"))
        return by_number, by_text, backwards
    all_ = f"cat {q(root)}/*"
    apart = f'for f in {q(root)}/*; do LC_ALL=C sort -u "$f"; done'
    sorted_ = f"{all_} | LC_ALL=C sort"
    counted = f'{sorted_} | uniq -c | awk \'{{ n = $1; sub(/^ *[0-9]+ /, ""); print n " " $0 }}\' | LC_ALL=C sort'
    right, nearly, otherwise = {
        "once": (f"{all_} | LC_ALL=C sort -u", f"{all_} | LC_ALL=C sort", f"{all_} | LC_ALL=C sort | uniq -u"),
        "shared": (
            f"{apart} | LC_ALL=C sort | uniq -d",
            f"{all_} | LC_ALL=C sort | uniq -d",
            f"{all_} | LC_ALL=C sort -u",
        ),
        "counted": (f"{counted} -k1,1nr -k2", f"{counted} -k1,1n -k2", f"{counted} -k2"),
    }[how]
    return f"{right} > {q(out)}", f"{nearly} > {q(out)}", f"{otherwise} > {q(out)}"


OPERATORS: Final[tuple[Operator, ...]] = (Split(), Join())
