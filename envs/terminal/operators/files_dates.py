"""Files with dates in their names are put into folders by year, month or quarter."""

import re
from typing import Final

from palestra.envs.draws import Draws
from palestra.envs.terminal.operators.files_words import EXTENSIONS, apart, contents, names, opening, prose, q, texts
from palestra.envs.terminal.step import Area, Artefact, Knobs, Operator, Shape, Step
from palestra.envs.terminal.tree import File, Tree

_OPENINGS: Final = {
    False: (
        "The files right in `{root}` have dates in their names, {form}.",
        "Sort the files right in `{root}` by the dates in their names, {form}.",
    ),
    True: (
        "`{root}` has files whose names tell a day, {form}.",
        "Names of files right in `{root}` tell dates, {form}.",
    ),
}
_FORMS: Final = {
    "iso": "written as YYYY-MM-DD after the last underscore, as in `NAME_2024-03-09.EXT`",
    "compact": "written as YYYYMMDD before the first hyphen, as in `20240309-NAME.EXT`",
    "european": "written as DD.MM.YYYY after the last underscore, as in `NAME_09.03.2024.EXT`",
}
_LAYOUTS: Final = {
    "year/month": "the folder `{root}/YYYY/MM`",
    "year-month": "the folder `{root}/YYYY-MM`",
    "quarter": "the folder `{root}/YYYY-QN`, N from 1 to 4 being the quarter (January to March is 1)",
}
_REST: Final = {
    "stay": "Files without such a date stay where they are.",
    "undated": "Files without such a date go to `{root}/undated`.",
}
_PATTERNS: Final = {
    "iso": r"_(?P<y>\d{4})-(?P<m>\d\d)-\d\d\.[a-z]+$",
    "compact": r"^(?P<y>\d{4})(?P<m>\d\d)\d\d-",
    "european": r"_\d\d\.(?P<m>\d\d)\.(?P<y>\d{4})\.[a-z]+$",
}
_SHELL: Final = {
    "iso": r"_([0-9]{4})-([0-9]{2})-[0-9]{2}\.[a-z]+$",
    "compact": r"^([0-9]{4})([0-9]{2})[0-9]{2}-",
    "european": r"_[0-9]{2}\.([0-9]{2})\.([0-9]{4})\.[a-z]+$",
}


class Dates:
    """Moves files to folders of their time."""

    name = "files_dates"
    area: Area = "files"
    takes: Shape | None = None

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        form, layout, rest = draws.pick(sorted(_FORMS)), draws.pick(sorted(_LAYOUTS)), draws.pick(sorted(_REST))
        root = f"{folder}/{draws.pick(names(draws, 4, heldout=heldout))}"
        start = _start(form, draws, root, knobs, heldout)
        text = " ".join((
            opening(draws, _OPENINGS, heldout).format(root=root, form=_FORMS[form]),
            f"Move each to {_LAYOUTS[layout]}, by the date in its name; names stay as they are, and folders are made "
            f"as needed.",
            _REST[rest],
            "Files that stand in folders below `{root}` already stay there.",
        )).format(root=root)  # fmt: skip

        def effect(tree: Tree) -> Tree:
            for path, node in tree.below(root).items():
                name = path[len(root) + 1 :]
                if not isinstance(node, File) or "/" in name or not (target := _target(name, form, layout, rest)):
                    continue
                tree = tree.drop(path).put(f"{root}/{target}/{name}", node)
            return tree

        after = effect(start)
        return Step(
            operator=self.name,
            choices=(form, layout, rest),
            text=text,
            starts=start,
            effect=effect,
            solve=_solve(form, layout, rest, root),
            checks=tuple(contents(after, root)),
            wrong={
                "those without a date go elsewhere": _solve(
                    form, layout, "undated" if rest == "stay" else "stay", root
                ),
                "the folders are others": _solve(
                    form, "year/quarter" if layout == "quarter" else "quarter", rest, root
                ),
            },
            makes=tuple(after.below(root)),
            gives=Artefact("folder", root, texts(after, root), "the sorted files"),
        )


def _target(name: str, form: str, layout: str, rest: str) -> str:
    found = re.search(_PATTERNS[form], name)
    if found is None:
        return "undated" if rest == "undated" else ""
    year, month = found["y"], found["m"]
    return {
        "year/month": f"{year}/{month}",
        "year-month": f"{year}-{month}",
        "quarter": f"{year}-Q{(int(month) + 2) // 3}",
    }[layout]


def _start(form: str, draws: Draws, root: str, knobs: Knobs, heldout: bool) -> Tree:
    tree, kinds = Tree(), EXTENSIONS[heldout]
    words = names(draws, max(6, min(knobs.size, 30)) + 1, heldout=heldout)
    for place, word in enumerate(words[1:]):
        year, month, day = draws.between(2019, 2024), draws.between(1, 12), draws.between(1, 28)
        name = {
            "iso": f"{word}_{year}-{month:02d}-{day:02d}",
            "compact": f"{year}{month:02d}{day:02d}-{word}",
            "european": f"{word}_{day:02d}.{month:02d}.{year}",
        }[form]
        if place % 5 == 3:
            name = (word, f"{word}-{year}", f"{month:02d}-{word}")[place // 5 % 3]
        where = f"{root}/{words[0]}" if place % 5 == 4 else root
        tree = tree.put(f"{where}/{name}.{draws.pick(kinds)}", prose(draws, 1, 2, heldout=heldout))
    return tree


def _solve(form: str, layout: str, rest: str, root: str) -> str:
    y, m = (
        ("${BASH_REMATCH[2]}", "${BASH_REMATCH[1]}")
        if form == "european"
        else ("${BASH_REMATCH[1]}", "${BASH_REMATCH[2]}")
    )
    target = {
        "year/month": f'"{y}/{m}"',
        "year-month": f'"{y}-{m}"',
        "quarter": f'"{y}-Q$(( (10#{m} + 2) / 3 ))"',
        "year/quarter": f'"{y}/Q$(( (10#{m} + 2) / 3 ))"',
    }[layout]
    return apart(
        f'cd {q(root)} && re={q(_SHELL[form])}\nfor f in *; do\n  [ -f "$f" ] || continue\n'
        f"  if [[ $f =~ $re ]]; then d={target}; else d={'undated' if rest == 'undated' else ''}; fi\n"
        '  if [ -n "$d" ]; then mkdir -p "$d"; mv "$f" "$d/$f"; fi\ndone'
    )


OPERATORS: Final[tuple[Operator, ...]] = (Dates(),)
