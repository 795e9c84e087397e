"""Text files of older encodings and line ends become UTF-8 with plain ones."""

from collections.abc import Mapping
from typing import Final

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.terminal.operators.files_words import EXTENSIONS, contents, names, opening, q, sentence, texts
from palestra.envs.terminal.step import Area, Artefact, Knobs, Operator, Shape, Step
from palestra.envs.terminal.tree import Tree

_OPENINGS: Final = {
    False: ("The text files right in `{root}` come from elsewhere:", "In `{root}` stand text files of another system:"),
    True: ("`{root}` holds text files that other programs wrote:", "Mind the text files in `{root}`:"),
}
_SOURCES: Final[Mapping[str, str]] = {
    "utf-16": "they are in UTF-16, little endian, with a byte order mark",
    "latin-1": "they are in ISO 8859-1 (Latin-1)",
    "utf-8-sig": "they are in UTF-8 and begin with a byte order mark (bytes EF BB BF)",
    "mixed": "each is in the encoding that `{table}` names, whose lines have a file name, a tab and `iso-8859-1` or "
    "`utf-16` "
    "(the latter little endian, with a byte order mark)",
}
_ENDS: Final = {
    "crlf": "their lines end with CR LF",
    "cr": "their lines end with CR alone",
    "lf": "their lines end with LF",
}
_ACCENTS: Final = {
    False: ("café", "naïve", "Größe", "señor", "œuvre".replace("œ", "æ")),
    True: ("façade", "Übung", "coração", "smørrebrød"),
}


class Encodings:
    """Gives text files the encoding and the line ends that are usual."""

    name = "files_encodings"
    area: Area = "files"
    takes: Shape | None = None

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        source, ends = draws.pick(sorted(_SOURCES)), draws.pick(sorted(_ENDS))
        place = draws.pick(("there", "elsewhere"))
        root, table = f"{folder}/{draws.pick(names(draws, 4, heldout=heldout))}", f"{folder}/encodings.tsv"
        out = root if place == "there" else f"{folder}/utf8"
        start, held = _start(draws, root, table, source, ends, knobs, heldout)
        text = f"{opening(draws, _OPENINGS, heldout)} {_SOURCES[source]}, and {_ENDS[ends]}. " + (
            "Turn each, in its place,"
            if place == "there"
            else "Leave them as they are, and turn each into a file of the same name in the new folder `{out}`,"
        )
        text += " into UTF-8 without a byte order mark whose lines all end with LF; nothing else of the text changes."
        if source == "mixed":
            text += " Leave `{table}` as it is."

        def effect(tree: Tree) -> Tree:
            for name in held:
                tree = tree.put(f"{out}/{name}", _plain(tree.data(f"{root}/{name}"), source, tree, table, name))
            return tree

        after = effect(start)
        checks: list[Json] = contents(after, out)
        return Step(
            operator=self.name,
            choices=(source, ends, place),
            text=text.format(root=root, out=out, table=table),
            starts=start,
            effect=effect,
            solve=_solve(root, out, table, source, ends),
            checks=tuple(checks),
            wrong={
                "the line ends stay" if ends != "lf" else "the lines get other ends": _solve(
                    root, out, table, source, "none" if ends != "lf" else "add"
                ),
                "the encoding is taken for another": _solve(
                    root, out, table, "utf-8-kept" if source == "utf-8-sig" else "cp437", ends
                ),
            },
            makes=tuple(f"{out}/{name}" for name in held),
            keeps=tuple(path for path in start if path not in after.below(out)),
            gives=Artefact("folder", out, texts(after, out), "the texts in UTF-8"),
        )


def _start(
    draws: Draws, root: str, table: str, source: str, ends: str, knobs: Knobs, heldout: bool
) -> tuple[Tree, list[str]]:
    tree, rows, kind = Tree(), [], draws.pick(EXTENSIONS[heldout])
    held = [f"{word}.{kind}" for word in names(draws, max(2, min(knobs.size // 3, 8)), heldout=heldout)]
    for place, name in enumerate(held):
        lines = [
            f"{sentence(draws, heldout=heldout)} {draws.pick(_ACCENTS[heldout])} {draws.between(10, 9999)}"
            for _ in range(draws.between(2, 5))
        ]
        end = {"crlf": "\r\n", "cr": "\r", "lf": "\n"}[ends]
        encoding = ("iso-8859-1", "utf-16")[place % 2] if source == "mixed" else source
        rows.append(f"{name}\t{encoding}\n")
        text = "".join(f"{line}{end}" for line in lines)
        data = b"\xff\xfe" + text.encode("utf-16-le") if encoding == "utf-16" else text.encode(encoding)
        tree = tree.put(f"{root}/{name}", data)
    return (tree.put(table, "".join(draws.shuffled(rows))) if source == "mixed" else tree), held


def _plain(data: bytes, source: str, tree: Tree, table: str, name: str) -> str:
    if source == "mixed":
        source = dict(line.split("\t") for line in tree.text(table).splitlines())[name]
    return data.decode(source).replace("\r\n", "\n").replace("\r", "\n")


def _solve(root: str, out: str, table: str, source: str, ends: str) -> str:
    convert = {
        "utf-16": 'iconv -f UTF-16 -t UTF-8 < "$f"',
        "latin-1": 'iconv -f ISO-8859-1 -t UTF-8 < "$f"',
        "utf-8-sig": "LC_ALL=C sed '1s/^\\xef\\xbb\\xbf//' < \"$f\"",
        "utf-8-kept": 'cat < "$f"',
        "cp437": 'iconv -f CP437 -t UTF-8 < "$f"',
        "mixed": f'iconv -f "$(awk -F \'\\t\' -v n="$b" \'$1 == n {{print toupper($2)}}\' {q(table)})" -t UTF-8 < "$f"',
    }[source]
    end = {"crlf": " | LC_ALL=C sed 's/\\r$//'", "cr": " | tr '\\r' '\\n'", "add": " | LC_ALL=C sed 's/$/\\r/'"}.get(
        ends, ""
    )
    return (
        f'mkdir -p {q(out)}\nfor f in {q(root)}/*; do\n  b=$(basename "$f")\n'
        f'  {convert}{end} > /tmp/plain.$$ && cp /tmp/plain.$$ {q(out)}/"$b"; rm -f /tmp/plain.$$\ndone'
    )


OPERATORS: Final[tuple[Operator, ...]] = (Encodings(),)
