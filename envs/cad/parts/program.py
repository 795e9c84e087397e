"""A tree as a CadQuery program that people could have written: named dimensions, then a paragraph each feature."""

from decimal import Decimal
from typing import Final

from palestra.envs.cad.parts.bases import low_corner, middle
from palestra.envs.cad.parts.model import Made, model, prefix
from palestra.envs.cad.parts.place import Named
from palestra.envs.cad.parts.shapes import is_along_first, plane_axes
from palestra.envs.cad.parts.solid import IN_PLANE
from palestra.envs.cad.parts.tree import (
    AXES,
    Boss,
    Box,
    Chamfer,
    Counterbore,
    Countersink,
    Cylinder,
    Fillet,
    Grid,
    Line,
    Loft,
    Mirror,
    Pocket,
    Polar,
    Prism,
    Profile,
    Revolve,
    Rib,
    Shell,
    Slot,
    Step,
    Sweep,
    Tree,
    Value,
    kind_of,
    plain,
    values,
)

_PLANES: Final = ("YZ", "XZ", "XY")
_NORMALS: Final = (1, -1, 1)  # where each of them looks: XZ towards -y
_WORDS: Final = {"edges", "shape", "direction", "across"}  # dimensions that a program has no variable for


def program(tree: Tree) -> str:
    """Return the source, which leaves its shape in `result`.

    Raises:
        PartError: the tree cannot be made.
    """
    made = model(tree).steps
    lines = ["import cadquery as cq", *_imports(tree), "", *_variables(tree), "", *_base(tree)]
    for edge in tree.edges:
        lines += ["", *_edge(edge)]
    for number, (step, how) in enumerate(zip(tree.steps, made, strict=True), 1):
        lines += ["", *_step(tree, number, step, how)]
    return "\n".join(lines) + "\n"


def variable(tree: Tree, path: str) -> str:
    """Return what a dimension is called in the program of a tree."""
    head, _, rest = path.partition(".")
    if head == "base":
        return rest
    if head == "edges":
        number, _, name = rest.partition(".")
        edge = tree.edges[int(number) - 1]
        return name if isinstance(edge, Shell) else f"{edge.edges}_{name}"
    name = {"a": "", "b": ""}.get(rest, rest.removeprefix("repeat."))
    step = tree.steps[int(head) - 1]
    if not name:
        name = AXES[IN_PLANE[model(tree).steps[int(head) - 1].place.axis]["ab".index(rest)]]
    return f"{prefix(step, int(head))}_{name}"


def _imports(tree: Tree) -> list[str]:
    names: set[str] = set()
    for step in tree.steps:
        names |= {"cos", "radians", "sin"} if isinstance(step.repeat, Polar) else set()
        names |= {"radians", "tan"} if isinstance(step.feature, Countersink) else set()
    return [f"from math import {', '.join(sorted(names))}"] if names else []


def _variables(tree: Tree) -> list[str]:
    derived = {one.path: one for one in tree.relations}
    lines = []
    for path, value in values(tree).items():
        if value is None or not _is_number(path, value):
            continue
        name = variable(tree, path)
        if path in derived:
            source = variable(tree, derived[path].source)
            lines.append(f"{name} = {source} * {plain(derived[path].factor)}")
        else:
            lines.append(f"{name} = {value}")
    return lines


def _is_number(path: str, value: Value) -> bool:
    return isinstance(value, (int, Decimal)) and not (path.rsplit(".", 1)[-1] in _WORDS and isinstance(value, str))


def _base(tree: Tree) -> list[str]:
    base = tree.base
    head = "result = cq.Workplane"
    if isinstance(base, Box):
        centred = "False" if tree.datum == "corner" else "(True, True, False)"
        return [f'{head}("XY").box(length, width, height, centered={centred})']
    if isinstance(base, Cylinder):
        return [f'{head}("XY").circle(diameter / 2).extrude(height)']
    if isinstance(base, Prism):
        return [f'{head}("XY").polygon(sides, across).extrude(height)']
    if isinstance(base, Profile):
        x, y = (one.text for one in low_corner(tree))
        moved = "" if tree.datum == "corner" else f".translate(({x}, {y}, 0))"
        return [*_outline(base.shape), f'{head}("XY").polyline(outline).close().extrude(height){moved}']
    if isinstance(base, Revolve):
        return [
            "profile = [",
            "    (bore / 2, 0),",
            "    (diameter / 2, 0),",
            "    (diameter / 2, height),",
            "    (upper_diameter / 2, height),",
            "    (upper_diameter / 2, height + upper_height),",
            "    (bore / 2, height + upper_height),",
            "]",
            f'{head}("XZ").polyline(profile).close().revolve(360, (0, 0, 0), (0, 1, 0))',
        ]
    if isinstance(base, Loft):
        x, y = (one.text for one in middle(tree)[:2])
        foot = f'cq.Workplane("XY", origin=({x}, {y}, 0)).rect(length, width)'
        return [f"foot = {foot}", "result = foot.workplane(offset=height).rect(top_length, top_width).loft(ruled=True)"]
    return _tube(base)


def _outline(shape: str) -> list[str]:
    points = {
        "L": "(0, 0), (length, 0), (length, thickness), (thickness, thickness), (thickness, width), (0, width)",
        "U": "(0, 0), (length, 0), (length, width), (length - thickness, width), (length - thickness, thickness), "
        "(thickness, thickness), (thickness, width), (0, width)",
        "T": "(near, 0), (far, 0), (far, under), (length, under), (length, width), (0, width), (0, under), "
        "(near, under)",
    }[shape]
    before = ["near, far, under = (length - thickness) / 2, (length + thickness) / 2, width - thickness"]
    return [*(before if shape == "T" else ()), f"outline = [{points}]"]


def _tube(base: Sweep) -> list[str]:
    section = ".circle(diameter / 2)" + (".circle(bore / 2)" if base.bore else "")
    return [
        "path = (",
        '    cq.Workplane("XZ")',
        "    .lineTo(0, rise)",
        "    .radiusArc((bend, rise + bend), bend)",
        "    .lineTo(bend + run, rise + bend)",
        ")",
        f'result = cq.Workplane("XY"){section}.sweep(path)',
    ]


def _edge(edge: Fillet | Chamfer | Shell) -> list[str]:
    if isinstance(edge, Shell):
        return ['result = result.faces(">Z").shell(-wall)']
    where = 'edges("|Z")' if edge.edges == "vertical" else 'faces(">Z").edges()'
    if isinstance(edge, Fillet):
        return [f"result = result.{where}.fillet({edge.edges}_radius)"]
    return [f"result = result.{where}.chamfer({edge.edges}_setback)"]


def _step(tree: Tree, number: int, step: Step, made: Made) -> list[str]:
    axis, sign, name = made.place.axis, made.place.sign, prefix(step, number)
    where = f"on the {step.on} face" if isinstance(step.on, str) else f"on the end of step {step.on}"
    lines = [f"# step {number}: {kind_of(step.feature)} {where}", *_points(tree, step, name, axis)]
    inward, outward = ("-", "") if sign == _NORMALS[axis] else ("", "-")
    lines.append(f"spots = {_plane(axis, made.place.level.text)}.pushPoints(points)")
    feature, drawn = step.feature, f"spots{_drawn(step, name, axis)}"
    if isinstance(feature, (Boss, Rib)):
        return [*lines, f"result = result.union({drawn}.extrude({outward}{name}_height))"]
    deep = _minus(made.depth_text) if inward else made.depth_text
    cut = f"result = result.cut({drawn}.extrude({deep}))"
    if isinstance(feature, Countersink):
        return [*lines, cut, *_sunk(name, axis, sign, made.place.level)]
    if isinstance(feature, Counterbore):
        head = f"spots.circle({name}_head_diameter / 2).extrude({inward}{name}_head_depth)"
        return [*lines, cut, f"result = result.cut({head})"]
    if isinstance(feature, Pocket) and feature.radius:
        tool = f'{drawn}.extrude({deep}).edges("|{AXES[axis].upper()}")'
        return [*lines, f"pocket = {tool}.fillet({name}_radius)", "result = result.cut(pocket)"]
    return [*lines, cut]


def _plane(axis: int, level: str) -> str:
    if level == "0":
        return f'cq.Workplane("{_PLANES[axis]}")'
    origin = ["0", "0", "0"]
    origin[axis] = level
    return f'cq.Workplane("{_PLANES[axis]}", origin=({", ".join(origin)}))'


def _minus(text: str) -> str:
    return f"-({text})" if " " in text else f"-{text}"


def _drawn(step: Step, name: str, axis: int) -> str:
    feature = step.feature
    if isinstance(feature, Pocket):
        return f".rect({name}_length, {name}_width)"
    if isinstance(feature, Slot):
        angle = "" if is_along_first(feature.direction, axis) else ", 90"
        return f".slot2D({name}_length, {name}_width{angle})"
    if isinstance(feature, Rib):
        sizes = [f"{name}_length", f"{name}_thickness"]
        return f".rect({', '.join(sizes if is_along_first(feature.direction, axis) else sizes[::-1])})"
    return f".circle({name}_diameter / 2)"


def _sunk(name: str, axis: int, sign: int, level: Named) -> list[str]:
    first, second = plane_axes(axis)
    centre: list[str] = [first, second]
    centre.insert(axis, level.text)
    way = ["0", "0", "0"]
    way[axis] = "-1" if sign > 0 else "1"
    radii = f"{name}_head_diameter / 2, {name}_diameter / 2"
    return [
        f"head = ({name}_head_diameter - {name}_diameter) / 2 / tan(radians({name}_angle / 2))",
        f"for {first}, {second} in points:",
        f"    cone = cq.Solid.makeCone({radii}, head, ({', '.join(centre)}), ({', '.join(way)}))",
        "    result = result.cut(cq.Workplane(cone))",
    ]


def _points(tree: Tree, step: Step, name: str, axis: int) -> list[str]:
    first, second = (f"{name}_{AXES[index]}" for index in IN_PLANE[axis])
    repeat = step.repeat
    if repeat is None:
        return [f"points = [({first}, {second})]"]
    if isinstance(repeat, Line):
        away = f"{name}_spacing * i"
        along = is_along_first(repeat.direction, axis)
        inner = f"{first} + {away}, {second}" if along else f"{first}, {second} + {away}"
        return [f"points = [({inner}) for i in range({name}_count)]"]
    if isinstance(repeat, Grid):
        return [
            f"columns = [{first} + {name}_column_spacing * i for i in range({name}_columns)]",
            f"rows = [{second} + {name}_row_spacing * i for i in range({name}_rows)]",
            "points = [(column, row) for column in columns for row in rows]",
        ]
    if isinstance(repeat, Polar):
        inner = f"{first} + {name}_circle / 2 * cos(angle), {second} + {name}_circle / 2 * sin(angle)"
        return [
            f"angles = [radians({name}_start + 360 / {name}_count * i) for i in range({name}_count)]",
            f"points = [({inner}) for angle in angles]",
        ]
    return [f"points = [({first}, {second}), ({_mirrored(tree, repeat, first, second, axis)})]"]


def _mirrored(tree: Tree, repeat: Mirror, first: str, second: str, axis: int) -> str:
    across = AXES.index(repeat.across)
    centre = middle(tree)[across]
    twice = centre.text.removesuffix(" / 2") if centre.value else ""
    if across == IN_PLANE[axis][0]:
        return f"{twice} - {first}, {second}" if twice else f"-{first}, {second}"
    return f"{first}, {twice} - {second}" if twice else f"{first}, -{second}"
