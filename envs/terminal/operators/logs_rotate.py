"""Rotation of logs: numbers that go up, compression, and what is too old."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, Value, joined
from palestra.envs.terminal.operators.logs_lines import APPS, app_lines
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import File, Tree


@dataclass(frozen=True, slots=True)
class Rotate:
    """A log's older parts move up by one; the oldest go, some are compressed."""

    folder: str
    name: str
    keep: Value  # how many older parts stay
    packed: int  # from which number on parts are compressed; 0: none
    fresh: str  # empty, absent or copied: what becomes of the log itself
    style: str  # number or date

    def effect(self, tree: Tree) -> Tree:
        parts = {0: tree.data(f"{self.folder}/{self.name}")}
        pattern = re.compile(re.escape(f"{self.folder}/{self.name}.") + r"(\d+)")
        for path in tree:
            if match := pattern.fullmatch(path):
                parts[int(match[1])] = tree.data(path)
                tree = tree.drop(path)
        for number, data in sorted(parts.items()):
            if number + 1 <= int(self.keep.actual):
                tree = self._laid(tree, number + 1, data)
        path = f"{self.folder}/{self.name}"
        return tree.put(path, b"") if self.fresh == "empty" else tree.drop(path) if self.fresh == "absent" else tree

    def _laid(self, tree: Tree, number: int, data: bytes) -> Tree:
        path = f"{self.folder}/{self.name}.{self.label(number)}"
        if self.packed and number >= self.packed:
            return tree.put(f"{path}.gz", gzip.compress(data, mtime=0))
        return tree.put(path, File(data))

    def label(self, number: int) -> str:
        """Return what stands after the name for a number."""
        return f"{number:02d}" if self.style == "padded" else str(number)

    def bash(self) -> str:
        label = "$(printf %02d $((i + 1)))" if self.style == "padded" else "$((i + 1))"
        pack = f'\n  [ $((i + 1)) -lt {self.packed} ] || gzip -n "{self.name}.{label}"' if self.packed else ""
        after = {"empty": f": > {self.name}", "absent": f"rm -f {self.name}", "copied": ":"}[self.fresh]
        return (
            f"(cd {self.folder} && keep={self.keep.word}\n"
            f"cp {self.name} {self.name}.0\n"
            f"for i in $(ls | sed -n 's/^{re.escape(self.name)}\\.\\([0-9][0-9]*\\)$/\\1/p' | sort -rn); do\n"
            f'  if [ $((i + 1)) -gt "$keep" ]; then rm "{self.name}.$i"; continue; fi\n'
            f'  mv "{self.name}.$i" "{self.name}.{label}"{pack}\ndone\n{after})'
        )


FRESH: Final = {
    "empty": "`{0}` itself is there afterwards and is empty",
    "absent": "`{0}` itself is not there afterwards",
    "copied": "`{0}` itself stays as it is, so that its content is there twice",
}
OPENING: Final = Pool(
    ("Rotate the log `{}`.", "Do by hand for `{}` what a log rotation would do."),
    ("It is time to rotate `{}`.", "The log `{}` has grown; rotate it."),
)


def checks(plan: Rotate, end: Tree) -> Iterator[Json]:
    """Yield what is asked of the folder and of each part of the log."""
    prefix = f"{plan.folder}/"
    yield {"kind": "folder", "group": 0, "path": plan.folder, "files": [path.removeprefix(prefix) for path in end]}
    for path in end:
        if not path.startswith(f"{prefix}{plan.name}"):
            continue
        if path.endswith(".gz"):
            content = gzip.decompress(end.data(path)).decode()
            yield {"kind": "archive", "group": 0, "path": path, "format": "gz", "content": content}
        else:
            yield {"kind": "file", "group": 0, "path": path, "equals": end.text(path)}


def rotate(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Rotate`."""
    name, there = desk.word(APPS), desk.draws.between(2, 4)
    fresh, style = desk.pick(tuple(FRESH)), desk.pick(("plain", "padded"))
    packing = desk.pick(("none", "older", "all"))
    packed = {"none": 0, "older": 2, "all": 1}[packing]
    keeps = desk.pick(("drops", "keeps"))
    lines = max(2, desk.knobs.size // 4)
    base = f"log{desk.draws.between(100, 999)}"
    folder = desk.path(base)
    mine = [f"{base}/{name}", *(f"{base}/{name}.{number}" for number in range(1, there + 1))]
    for own in mine:
        desk.put(own, joined(app_lines(desk, lines)))
    changes = tuple(desk.starts)
    others = (f"{name}.bak", f"{name}.1.note", f"old-{name}.1", f"{name}ger.2", f"{name.removesuffix('.log')}.1")
    for other in desk.some(others, 1 + desk.knobs.decoys):
        desk.put(f"{base}/{other}", joined(app_lines(desk, 2)))
    keep = desk.value("keep", there if keeps == "drops" else there + 1)
    plan = Rotate(folder, name, keep, packed, fresh, style)
    number = "N in two digits (`01`, `02`)" if style == "padded" else "N"
    pack = {
        "none": "None of them is compressed.",
        "older": "Those from 2 on are compressed by gzip, with `.gz` after the number; the new part 1 is not.",
        "all": "All of them are compressed by gzip, with `.gz` after the number.",
    }[packing]
    text = (
        f"{desk.word(OPENING).format(f'{folder}/{name}')} Its older parts are"
        f" {', '.join(f'`{path}`' for path in changes[1:])}, 1 being the newest; what else is in `{folder}` is none of"
        f" them. Each older part moves up by one, from N to N+1, and what is in the log becomes part 1. Parts whose new"
        f" number would be above {keep.told} are deleted. Afterwards part N is called `{folder}/{name}.` and then"
        f" {number}. {pack} {FRESH[fresh].format(f'{folder}/{name}')}."
    )
    wrong = {
        "one too few": replace(plan, keep=Value.of(int(keep.actual) - 1)),
        "one too many": replace(plan, keep=Value.of(int(keep.actual) + 1)),
        "compressed otherwise": replace(plan, packed=1 if packed != 1 else 0),
        "the log itself otherwise": replace(plan, fresh="empty" if fresh != "empty" else "absent"),
        "named otherwise": replace(plan, style="plain" if style == "padded" else "padded"),
    }
    end = plan.effect(desk.start()).below(folder)
    parts = [path for path in end if path.startswith(f"{folder}/{name}.") and not path.endswith(".gz")]
    return desk.step(
        choices=(fresh, style, packing, keeps),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=checks(plan, end),
        makes=[path for path in parts if path not in desk.starts or path in changes],
        changes=changes,
        is_bytewise=False,
    )


OPERATORS: Final = (Operation("logs_rotate", "logs", None, rotate),)
