"""Programs that should build a part and do not: some fail, some build something else."""

import re
from collections.abc import Iterator
from typing import Final

from palestra.envs.cad.parts.model import prefix
from palestra.envs.cad.parts.mutants import mutants
from palestra.envs.cad.parts.program import program
from palestra.envs.cad.parts.tree import Tree
from palestra.envs.draws import Draws

_NAMES: Final = re.compile(r"^(\w+) = [-\d]", re.MULTILINE)
_SLIPS: Final = (("Workplane", "WorkPlane"), (".extrude(", ".extruded("), (".pushPoints(", ".pushpoints("))


def faults(tree: Tree, draws: Draws) -> list[tuple[str, str]]:
    """Return broken programs and what is wrong with each, every kind once.

    Raises:
        PartError: the tree cannot be made.
    """
    right = program(tree)
    found: dict[str, str] = {}
    for source, kind in (*_failing(tree, right, draws), *_wrong(tree, right, draws)):
        if source != right:
            found.setdefault(kind, source)
    return [(source, kind) for kind, source in found.items()]


def _failing(tree: Tree, right: str, draws: Draws) -> Iterator[tuple[str, str]]:
    """Yield programs that do not build, or leave nothing."""
    yield right.replace("import cadquery as cq\n", "", 1), "missing import"
    yield re.sub(r"\bresult\b", "part", right), "missing result"
    name = draws.pick(_NAMES.findall(right))
    uses = [found.start() for found in re.finditer(rf"\b{name}\b", right)]
    if len(uses) > 1:
        at = draws.pick(uses[1:])
        yield right[:at] + _misspelt(name) + right[at + len(name) :], "wrong name"
    known = [slip for slip in _SLIPS if slip[0] in right]
    yield right.replace(*draws.pick(known), 1), "wrong method"
    closing = [found.start() for found in re.finditer(r"\)\n", right)]
    at = draws.pick(closing)
    yield right[:at] + right[at + 1 :], "missing parenthesis"
    for selector, wrong in (('edges("|Z")', 'edges("|W")'), ('faces(">Z")', 'faces("top")')):
        if selector in right:
            yield right.replace(selector, wrong, 1), "wrong selector"
    for edges in ("vertical", "top"):
        if found := re.search(rf"^{edges}_radius = (.+)$", right, re.MULTILINE):
            yield right[: found.start(1)] + "400" + right[found.end(1) :], "fillet too large"


def _wrong(tree: Tree, right: str, draws: Draws) -> Iterator[tuple[str, str]]:
    """Yield programs that build something else."""
    for number, step in draws.shuffled(list(enumerate(tree.steps, 1))):
        name = prefix(step, number)
        start = right.index(f"# step {number}: ")
        end = right.find("\n\n", start)
        paragraph = right[start : end if end >= 0 else len(right)]

        def put(changed: str, start: int = start, paragraph: str = paragraph) -> str:
            return right[:start] + changed + right[start + len(paragraph) :]

        yield put(_sign_turned(paragraph)), "wrong sign"
        if f"{name}_diameter / 2" in paragraph:
            yield put(paragraph.replace(f"{name}_diameter / 2", f"{name}_diameter")), "diameter for radius"
        plane = next(plane for plane in ("XY", "YZ", "XZ") if f'"{plane}"' in paragraph)
        other = draws.pick([wrong for wrong in ("XY", "YZ", "XZ") if wrong != plane])
        yield put(paragraph.replace(f'"{plane}"', f'"{other}"')), "wrong plane"
        for kind in ("cut", "union"):
            if f"result.{kind}(" in paragraph:
                swapped = "union" if kind == "cut" else "cut"
                yield put(paragraph.replace(f"result.{kind}(", f"result.{swapped}(")), f"{swapped} for {kind}"
    for kind, other_tree in draws.shuffled(mutants(tree)):
        label = _label(kind)
        if label:
            yield program(other_tree), label


def _label(kind: str) -> str:
    if kind.endswith("left out"):
        return "missing feature"
    if "moved" in kind:
        return "wrong position"
    if kind.endswith("swapped") or kind.endswith("turned"):
        return "wrong axis"
    return "wrong dimension" if kind.endswith("%") else "wrong count" if kind[-2:] in ("+1", "-1") else ""


def _sign_turned(paragraph: str) -> str:
    """Return a paragraph whose last extrusion goes the other way."""
    at = paragraph.rindex(".extrude(") + len(".extrude(")
    if paragraph[at] == "-":
        return paragraph[:at] + paragraph[at + 1 :]
    end = _closing(paragraph, at)
    inner = paragraph[at:end]
    return paragraph[:at] + (f"-({inner})" if " " in inner else f"-{inner}") + paragraph[end:]


def _closing(text: str, at: int) -> int:
    depth = 0
    for index in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth < 0:
            return index
    return len(text)


def _misspelt(name: str) -> str:
    return name[:-2] + name[-1] + name[-2] if len(name) > 2 and name[-1] != name[-2] else f"{name}_"
