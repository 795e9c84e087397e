"""What each base comes to with its edges treated: solids, faces, and the places for features."""

from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from math import cos, pi, sin
from typing import Any, Final

from palestra.envs.cad.parts.place import WALL, ZERO, Area, Claim, Named, Place, Round, Shaped, rectangle
from palestra.envs.cad.parts.section import Disc, Outline, Point, Rounded, bevelled
from palestra.envs.cad.parts.solid import Bend, Extrusion, Rimmed, Solid, Taper
from palestra.envs.cad.parts.tree import (
    Box,
    Chamfer,
    Cylinder,
    Fillet,
    Loft,
    PartError,
    Prism,
    Profile,
    Revolve,
    Shell,
    Sweep,
    Tree,
    field_names,
)


class Treated:
    """A base's edges in floats: how its upright edges, its rim and its inside are."""

    def __init__(self, tree: Tree) -> None:
        self.upright: Fillet | Chamfer | None = None
        self.rim: Fillet | Chamfer | None = None
        self.shell: Shell | None = None
        for edge in tree.edges:
            if self.shell is not None:
                raise PartError("nothing is done to edges after the shell")
            if isinstance(edge, Shell):
                self.shell = edge
            elif edge.edges == "vertical" and self.upright is None and self.rim is None:
                self.upright = edge
            elif edge.edges == "top" and self.rim is None:
                self.rim = edge
            else:
                raise PartError("edges are treated once, the upright ones first")
        if self.rim is not None and self.shell is not None:
            raise PartError("the rim of a part that is open at the top cannot be treated")
        if isinstance(self.upright, Chamfer) and self.shell is not None:
            raise PartError("a part with bevelled upright edges is not hollowed")
        self.corner = _size(self.upright)
        self.brim = _size(self.rim)
        self.wall = float(self.shell.wall) if self.shell else 0.0


def _size(edge: Fillet | Chamfer | None) -> float:
    if edge is None:
        return 0.0
    return float(edge.radius if isinstance(edge, Fillet) else edge.setback)


def dimension(tree: Tree, name: str) -> Named:
    """Return one of a base's lengths and its name in the program."""
    value: Decimal = getattr(tree.base, name)
    return Named(value, name)


def shape_base(tree: Tree) -> Shaped:
    """Return what a tree's base comes to.

    Raises:
        PartError: it cannot be made.
    """
    for name in field_names(type(tree.base)):
        value = getattr(tree.base, name)
        if isinstance(value, Decimal) and (value < 0 or (value == 0 and name != "bore")):
            raise PartError(f"the base's {name} must be positive, not {value}")
    return _SHAPES[type(tree.base)](tree)


def low_corner(tree: Tree) -> tuple[Named, Named]:
    """Return where a base with a length and a width begins in x and y."""
    if tree.datum == "corner":
        return ZERO, ZERO
    return ZERO - dimension(tree, "length").half(), ZERO - dimension(tree, "width").half()


def middle(tree: Tree) -> tuple[Named, Named, Named]:
    """Return the middle of a base's bounding box, where mirrors stand."""
    height = dimension(tree, "height").half() if hasattr(tree.base, "height") else ZERO
    if tree.datum == "corner":
        return dimension(tree, "length").half(), dimension(tree, "width").half(), height
    return ZERO, ZERO, height


def _box(tree: Tree) -> Shaped:
    base, treated = tree.base, Treated(tree)
    assert isinstance(base, Box)
    x, y = (float(one) for one in low_corner(tree))
    length, width, height = float(base.length), float(base.width), float(base.height)
    corners = ((x, y), (x + length, y), (x + length, y + width), (x, y + width))
    shaped = _upright(tree, treated, corners, height, min(length, width))
    inset = max(treated.corner, treated.brim)
    top = rectangle(x + inset, y + inset, x + length - inset, y + width - inset)
    places = _ends(tree, treated, top, rectangle(*_inside((x, y, x + length, y + width), treated.wall)))
    low_z, high_z = treated.wall, height - treated.brim
    edge = max(treated.corner, treated.wall)
    names = (("left", "right", 0, y, y + width), ("front", "back", 1, x, x + length))
    for low_name, high_name, axis, start, end in names:
        across = dimension(tree, "length" if axis == 0 else "width")
        thickness = across if treated.shell is None else _wall(treated)
        area = Area(rectangle(start + edge, low_z, end - edge, high_z), thickness)
        low = low_corner(tree)[axis]
        places[low_name] = Place(axis, -1, low, (area,))
        places[high_name] = Place(axis, 1, low + across if tree.datum == "corner" else across.half(), (area,))
    return Shaped(shaped.pieces, shaped.faces, claims=(), places=places)


def _prism(tree: Tree) -> Shaped:
    base, treated = tree.base, Treated(tree)
    assert isinstance(base, Prism)
    if tree.datum != "centre" or not 3 <= base.sides <= 12:
        raise PartError(f"a prism has 3 to 12 sides and its datum in the centre; not {base.sides}, {tree.datum}")
    radius = float(base.across) / 2
    angles = [2 * pi * index / base.sides for index in range(base.sides)]
    corners = tuple((radius * cos(angle), radius * sin(angle)) for angle in angles)
    inner = radius * cos(pi / base.sides)
    shaped = _upright(tree, treated, corners, float(base.height), 2 * radius * sin(pi / base.sides))
    top = Disc(0.0, 0.0, inner - treated.brim - (treated.corner if isinstance(treated.upright, Chamfer) else 0.0))
    places = _ends(tree, treated, top, Disc(0.0, 0.0, inner - treated.wall))
    return Shaped(shaped.pieces, shaped.faces, places=places)


def _profile(tree: Tree) -> Shaped:
    base, treated = tree.base, Treated(tree)
    assert isinstance(base, Profile)
    if treated.rim is not None or treated.shell is not None:
        raise PartError("an L, T or U is rounded or bevelled along its upright edges only")
    x, y = (float(one) for one in low_corner(tree))
    length, width, t = float(base.length), float(base.width), float(base.thickness)
    limbs = 2 if base.shape == "U" else 1
    if length < limbs * t + 4 * WALL or width < t + 4 * WALL:
        raise PartError(f"limbs {base.thickness} thick leave no {base.shape} of {base.length} by {base.width}")
    points = tuple((x + a, y + b) for a, b in outline_points(base.shape, length, width, t))
    pieces = _upright(tree, treated, points, float(base.height), t)
    r, height, thickness = treated.corner, float(base.height), dimension(tree, "height")
    near, far, half = x + (length - t) / 2, x + (length + t) / 2, dimension(tree, "thickness")
    front_limb = rectangle(x + r, y, x + length - r, y + t)
    left_limb = rectangle(x, y + r, x + t, y + width - r)
    right_limb = rectangle(x + length - t, y + r, x + length, y + width - r)
    back_limb = rectangle(x + r, y + width - t, x + length - r, y + width)
    stem = rectangle(near, y + r, far, y + width - r)
    flats = {"L": (front_limb, left_limb), "U": (front_limb, left_limb, right_limb), "T": (back_limb, stem)}
    places = _flat_ends(thickness, tuple(Area(flat, thickness) for flat in flats[base.shape]))

    def upright(start: float, end: float) -> Area:
        return Area(rectangle(start + r, 0.0, end - r, height), half)

    low_x, low_y = low_corner(tree)
    right, back = low_x + dimension(tree, "length"), low_y + dimension(tree, "width")
    if base.shape == "T":
        places["back"] = Place(1, 1, back, (upright(x, near), upright(far, x + length)))
    else:
        places["left"] = Place(0, -1, low_x, (upright(y + t, y + width),))
        end = x + length - (t if base.shape == "U" else 0.0)
        places["front"] = Place(1, -1, low_y, (upright(x + t, end),))
        if base.shape == "U":
            places["right"] = Place(0, 1, right, (upright(y + t, y + width),))
    return Shaped(pieces.pieces, pieces.faces, places=places)


def outline_points(shape: str, length: float, width: float, t: float) -> tuple[Point, ...]:
    """Return the corners of an L, T or U from its low corner, counter-clockwise."""
    if shape == "L":
        return (0, 0), (length, 0), (length, t), (t, t), (t, width), (0, width)
    if shape == "U":
        inner = length - t
        return (0, 0), (length, 0), (length, width), (inner, width), (inner, t), (t, t), (t, width), (0, width)
    near, far, under = (length - t) / 2, (length + t) / 2, width - t
    return (near, 0), (far, 0), (far, under), (length, under), (length, width), (0, width), (0, under), (near, under)


def _cylinder(tree: Tree) -> Shaped:
    base, treated = tree.base, Treated(tree)
    assert isinstance(base, Cylinder)
    if tree.datum != "centre" or treated.upright is not None:
        raise PartError("a cylinder's datum is its centre, and it has no upright edges")
    radius, height = float(base.diameter) / 2, float(base.height)
    disc = Disc(0.0, 0.0, radius)
    _check_sizes(treated, radius, height)
    faces = Counter(cylinder=1, plane=2)
    body: Solid = Extrusion(2, 0.0, height, disc)
    if treated.rim is not None:
        is_bevel = isinstance(treated.rim, Chamfer)
        faces["cone" if is_bevel else "torus"] += 1
        body = Rimmed(disc, 0.0, height, "chamfer" if is_bevel else "fillet", treated.brim)
    pieces: list[tuple[int, Solid]] = [(1, body)]
    holes: tuple[Round, ...] = ()
    inner = Disc(0.0, 0.0, radius - treated.wall)
    if treated.shell is not None:
        pieces.append((-1, Extrusion(2, treated.wall, height, inner)))
        faces.update(cylinder=1, plane=1)
        holes = (Round(2 * inner.radius, 2, (0.0, 0.0, (height + treated.wall) / 2), height - treated.wall, False),)
    places = _ends(tree, treated, Disc(0.0, 0.0, radius - treated.brim), inner)
    return Shaped(tuple(pieces), faces, holes=holes, places=places)


def _revolve(tree: Tree) -> Shaped:
    base = tree.base
    assert isinstance(base, Revolve)
    if tree.datum != "centre" or tree.edges:
        raise PartError("a turned part's datum is its centre, and its edges stay as they are")
    lower, upper, bore = float(base.diameter) / 2, float(base.upper_diameter) / 2, float(base.bore) / 2
    if upper > lower - WALL or bore > upper - WALL:
        raise PartError("a turned part's diameters must shrink from the lower disc to the upper one to the bore")
    height, whole = dimension(tree, "height"), dimension(tree, "height") + dimension(tree, "upper_height")
    step, top = float(height), float(whole)
    pieces: list[tuple[int, Solid]] = [
        (1, Extrusion(2, 0.0, step, Disc(0.0, 0.0, lower))),
        (1, Extrusion(2, step, top, Disc(0.0, 0.0, upper))),
    ]
    faces = Counter(plane=3, cylinder=2)
    holes: tuple[Round, ...] = ()
    claims: tuple[Claim, ...] = ()
    if bore:
        pieces.append((-1, Extrusion(2, 0.0, top, Disc(0.0, 0.0, bore))))
        faces["cylinder"] += 1
        holes = (Round(2 * bore, 2, (0.0, 0.0, top / 2), top, True),)
        claims = (Claim(2, -WALL, top + WALL, Disc(0.0, 0.0, bore)),)
    collar = Claim(2, step, top, Disc(0.0, 0.0, upper))
    places = {
        "bottom": Place(2, -1, ZERO, (Area(Disc(0.0, 0.0, lower), height, is_passable=False),)),
        "shoulder": Place(2, 1, height, (Area(Disc(0.0, 0.0, lower), height),), (collar,)),
        "top": Place(2, 1, whole, (Area(Disc(0.0, 0.0, upper), whole),)),
    }
    return Shaped(tuple(pieces), faces, int(bool(bore)), holes, claims, places)


def _loft(tree: Tree) -> Shaped:
    base = tree.base
    assert isinstance(base, Loft)
    if tree.edges:
        raise PartError("a loft's edges stay as they are")
    x, y = (float(one) for one in low_corner(tree))
    length, width, height = float(base.length), float(base.width), float(base.height)
    if base.top_length >= base.length or base.top_width >= base.width:
        raise PartError("a loft is smaller at its top")
    one, other = float(base.top_length), float(base.top_width)
    body = Taper(x + length / 2, y + width / 2, 0.0, height, (length, width), (one, other))
    flat = Rounded(body.a, body.b, one, other)
    places = _flat_ends(dimension(tree, "height"), (Area(flat, dimension(tree, "height")),))
    return Shaped(((1, body),), Counter(plane=2, other=4), places=places)  # ruled sides


def _sweep(tree: Tree) -> Shaped:
    base = tree.base
    assert isinstance(base, Sweep)
    if tree.datum != "centre" or tree.edges:
        raise PartError("a swept part's datum is its centre, and its edges stay as they are")
    radius, bore, bend = float(base.diameter) / 2, float(base.bore) / 2, float(base.bend)
    if bend < radius + WALL or bore > radius - WALL:
        raise PartError("a tube needs a bend wider than itself and a bore smaller than itself")
    rise, run = float(base.rise), float(base.run)
    pieces: list[tuple[int, Solid]] = []
    for sign, r in ((1, radius), (-1, bore)) if bore else ((1, radius),):
        pieces += [
            (sign, Extrusion(2, 0.0, rise, Disc(0.0, 0.0, r))),
            (sign, Bend(rise, bend, r)),
            (sign, Extrusion(0, bend, bend + run, Disc(0.0, rise + bend, r))),
        ]
    many = 2 if bore else 1
    faces = Counter(plane=2, cylinder=2 * many, torus=many)
    holes = () if not bore else _tube_holes(bore, rise, bend, run)
    foot = Area(Disc(0.0, 0.0, radius), dimension(tree, "rise"), is_passable=False)
    mouth = Area(Disc(0.0, rise + bend, radius), dimension(tree, "run"), is_passable=False)
    places = {
        "bottom": Place(2, -1, ZERO, (foot,)),
        "right": Place(0, 1, dimension(tree, "bend") + dimension(tree, "run"), (mouth,)),
    }
    claims = (
        Claim(2, -WALL, rise, Disc(0.0, 0.0, bore)),
        Claim(0, bend, bend + run + WALL, Disc(0.0, rise + bend, bore)),
    )
    return Shaped(tuple(pieces), faces, int(bool(bore)), holes, claims if bore else (), places)


def _tube_holes(bore: float, rise: float, bend: float, run: float) -> tuple[Round, ...]:
    return (
        Round(2 * bore, 2, (0.0, 0.0, rise / 2), rise, None),
        Round(2 * bore, 0, (bend + run / 2, 0.0, rise + bend), run, None),
    )


def _upright(tree: Tree, treated: Treated, corners: tuple[Point, ...], height: float, narrow: float) -> Shaped:
    """Return an outline extruded upwards with its edges treated; no places."""
    _check_sizes(treated, narrow / 2, height)
    many = len(corners)
    faces = Counter(plane=many + 2)
    outline = Outline(corners)
    if isinstance(treated.upright, Fillet):
        outline = Outline(corners, treated.corner)
        faces["cylinder"] += many
    elif treated.upright is not None:
        if many > 4:
            raise PartError("only boxes and triangles are bevelled along their upright edges")
        outline = Outline(bevelled(corners, treated.corner))
        faces["plane"] += many
    body: Solid = Extrusion(2, 0.0, height, outline)
    if treated.rim is not None:
        if 0 < treated.corner <= treated.brim + WALL / 2:
            raise PartError("upright edges must be rounded more than those round the top")
        if isinstance(treated.upright, Chamfer):
            raise PartError("a part with bevelled upright edges keeps a sharp rim")
        is_bevel = isinstance(treated.rim, Chamfer)
        body = Rimmed(outline, 0.0, height, "chamfer" if is_bevel else "fillet", treated.brim)
        faces["plane" if is_bevel else "cylinder"] += many
        if outline.radius:
            faces["cone" if is_bevel else "torus"] += many
    pieces: list[tuple[int, Solid]] = [(1, body)]
    if treated.shell is not None:
        if 0 < treated.corner < treated.wall + WALL / 2:
            raise PartError("the upright edges of a hollow part are rounded more than its walls are thick")
        inner = Outline(tuple(_set_in(outline, treated.wall)), max(0.0, treated.corner - treated.wall))
        pieces.append((-1, Extrusion(2, treated.wall, height, inner)))
        faces.update(plane=many + 1, cylinder=many if outline.radius else 0)
    return Shaped(tuple(pieces), faces)


def _set_in(outline: Outline, inset: float) -> list[Point]:
    found = []
    for corner in outline.corners:
        a, b = corner.back[0] + corner.ahead[0], corner.back[1] + corner.ahead[1]
        away = inset / cos(corner.turn / 2) / (a * a + b * b) ** 0.5
        found.append((corner.at[0] + away * a, corner.at[1] + away * b))
    return found


def _check_sizes(treated: Treated, room: float, height: float) -> None:
    if treated.corner and treated.corner > room - WALL:
        raise PartError(f"upright edges cannot be cut {treated.corner} deep where {room} is half of what there is")
    if treated.brim and (treated.brim > room - WALL or treated.brim > height - WALL):
        raise PartError(f"the rim cannot be cut {treated.brim} deep")
    if treated.wall and (treated.wall < WALL or treated.wall > room - WALL or treated.wall > height - 2 * WALL):
        raise PartError(f"walls of {treated.wall} do not leave a hollow, or are too thin")
    if min(treated.corner, treated.brim, treated.wall) < 0:
        raise PartError("edges are cut by positive lengths")


def _ends(tree: Tree, treated: Treated, top: Disc | Rounded, floor: Disc | Rounded) -> dict[str, Place]:
    height = dimension(tree, "height")
    if treated.shell is None:
        return _flat_ends(height, (Area(top, height),))
    wall = _wall(treated)
    return {
        "floor": Place(2, 1, wall, (Area(_less(floor, treated.corner - treated.wall), wall),)),
        "bottom": Place(2, -1, ZERO, (Area(_less(floor, treated.corner - treated.wall), wall),)),
    }


def _flat_ends(height: Named, areas: tuple[Area, ...]) -> dict[str, Place]:
    return {"top": Place(2, 1, height, areas), "bottom": Place(2, -1, ZERO, areas)}


def _less(flat: Disc | Rounded, inset: float) -> Disc | Rounded:
    if isinstance(flat, Disc) or inset <= 0:
        return flat
    return Rounded(flat.a, flat.b, flat.length - 2 * inset, flat.width - 2 * inset)


def _wall(treated: Treated) -> Named:
    assert treated.shell is not None
    return Named(treated.shell.wall, "wall")


def _inside(bounds: tuple[float, float, float, float], inset: float) -> tuple[float, float, float, float]:
    return bounds[0] + inset, bounds[1] + inset, bounds[2] - inset, bounds[3] - inset


_SHAPES: Final[Mapping[type[Any], Callable[[Tree], Shaped]]] = {
    Box: _box,
    Prism: _prism,
    Profile: _profile,
    Cylinder: _cylinder,
    Revolve: _revolve,
    Loft: _loft,
    Sweep: _sweep,
}
