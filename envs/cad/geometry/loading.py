"""From the text that a program left to a part that can be judged, or the reason why there is none.

Nothing is believed that the text says beside geometry: triangulations in it are dropped, wide tolerances are refused.
A solid that is inside out is refused rather than turned, because only tampering makes one.
"""

# pyright: reportAttributeAccessIssue=false
# OCP is one extension module without stubs: its names are known when it runs.

import hashlib
import io
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeVar

import numpy as np
from OCP.BRep import BRep_Builder, BRep_Tool
from OCP.BRepAlgoAPI import BRepAlgoAPI_Fuse
from OCP.BRepCheck import BRepCheck_Analyzer
from OCP.BRepTools import BRepTools
from OCP.ShapeUpgrade import ShapeUpgrade_UnifySameDomain
from OCP.TopAbs import (
    TopAbs_EDGE,
    TopAbs_EXTERNAL,
    TopAbs_FACE,
    TopAbs_FORWARD,
    TopAbs_INTERNAL,
    TopAbs_SHELL,
    TopAbs_SOLID,
    TopAbs_VERTEX,
    TopAbs_WIRE,
)
from OCP.TopoDS import TopoDS, TopoDS_Compound, TopoDS_Shape
from OCP.TopTools import TopTools_IndexedMapOfShape, TopTools_ListOfShape

from palestra.envs.cad.geometry.grammar import is_brep, is_sound
from palestra.envs.cad.geometry.part import Part, box_of, explored, mass_of, unique
from palestra.envs.cad.records import ShapeError, ShapeLimits

MOST_TOLERANCE: Final = 0.2  # mm by which edges and corners may miss each other
LEAST_VOLUME: Final = 1e-6  # mm^3
Out = TypeVar("Out")


@lru_cache(maxsize=4)
def loaded(brep: bytes, limits: ShapeLimits) -> Part:
    """Return the part that a BREP text describes, its bodies fused and its split faces joined.

    Raises ShapeError, in words for the author of the part.
    """
    shape = _parsed(brep, limits)
    solids = _solids(shape, limits)
    _check_place(shape, limits)
    for solid in solids:
        _check_solid(solid)
    fused = solids[0] if len(solids) == 1 else _fused(solids, limits)
    return Part(_joined(fused), hashlib.sha256(brep).hexdigest())


def _parsed(brep: bytes, limits: ShapeLimits) -> TopoDS_Shape:
    if len(brep) > limits.bytes:
        raise ShapeError(f"the shape takes {len(brep):,} bytes; at most {limits.bytes:,} are read: make it simpler")
    if not is_brep(brep):
        raise ShapeError("what was left is no BREP text; leave a CadQuery Workplane or Shape in `result`")
    if not is_sound(brep):
        raise ShapeError("the BREP text is cut off or not what CadQuery writes; leave a Workplane or Shape in `result`")
    shape = TopoDS_Shape()
    try:
        BRepTools.Read_s(shape, io.BytesIO(brep), BRep_Builder())
    except Exception as error:  # whatever the kernel's parser throws
        raise ShapeError(f"the BREP text cannot be read: {_brief(error)}") from error
    if shape.IsNull():
        raise ShapeError("the BREP text cannot be read or is cut off; leave a CadQuery Workplane or Shape in `result`")
    return shape


def _solids(shape: TopoDS_Shape, limits: ShapeLimits) -> list[TopoDS_Shape]:
    """Return the solids, of which alone the shape must be made."""
    solids = unique(shape, TopAbs_SOLID)
    kinds = ((TopAbs_SHELL, "shells"), (TopAbs_FACE, "faces"), (TopAbs_WIRE, "wires"), (TopAbs_EDGE, "edges"))
    beside = {name: sum(1 for _ in explored(shape, kind, TopAbs_SOLID)) for kind, name in kinds}
    loose = next((f"{count} {name}" for name, count in beside.items() if count), "")
    if not solids:
        raise ShapeError(f"there is no solid, only {loose or 'nothing'}; extrude, revolve or loft a closed profile")
    if loose or any(explored(shape, TopAbs_VERTEX, TopAbs_SOLID)):
        raise ShapeError(f"there are {loose or 'points'} beside the solids; leave solids alone in `result`")
    if len(solids) > limits.solids:
        raise ShapeError(f"there are {len(solids)} solids; at most {limits.solids} are measured")
    faces = unique(shape, TopAbs_FACE)
    if len(faces) > limits.faces:
        raise ShapeError(f"the shape has {len(faces)} faces; at most {limits.faces} are measured: make it simpler")
    if any(BRep_Tool.Surface_s(TopoDS.Face_s(face)) is None for face in faces):
        raise ShapeError("a face has triangles and no surface; build faces with CadQuery")
    BRepTools.Clean_s(shape, True)
    return solids


def _check_place(shape: TopoDS_Shape, limits: ShapeLimits) -> None:
    low, high = _guarded(box_of, shape)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise ShapeError("the shape is unbounded, or its coordinates are not finite numbers")
    far = float(max(np.abs(low).max(), np.abs(high).max()))
    if far > limits.extent:
        raise ShapeError(f"the shape reaches {far:.6g} mm from the datum; at most {limits.extent:.6g} mm are measured")
    tolerances = [BRep_Tool.Tolerance_s(TopoDS.Face_s(one)) for one in unique(shape, TopAbs_FACE)]
    tolerances += [BRep_Tool.Tolerance_s(TopoDS.Edge_s(one)) for one in unique(shape, TopAbs_EDGE)]
    tolerances += [BRep_Tool.Tolerance_s(TopoDS.Vertex_s(one)) for one in unique(shape, TopAbs_VERTEX)]
    widest = max(tolerances, default=0.0)
    if not widest <= MOST_TOLERANCE:
        raise ShapeError(f"edges may miss each other by {widest:.3g} mm; at most {MOST_TOLERANCE} mm are let pass")


def _check_solid(solid: TopoDS_Shape) -> None:
    """Raise unless a solid is closed, valid and the right way out."""
    for kind in (TopAbs_SHELL, TopAbs_FACE, TopAbs_EDGE):
        if any(one.Orientation() in (TopAbs_INTERNAL, TopAbs_EXTERNAL) for one in explored(solid, kind)):
            raise ShapeError("a solid holds faces or edges that bound nothing; build it anew without them")
    for shell in explored(solid, TopAbs_SHELL):
        _check_closed(shell)
    if not _guarded(_is_valid, solid):
        raise ShapeError("the kernel's check finds the solid invalid: faces that cross or do not meet")
    volume = _guarded(mass_of, solid).volume
    if not np.isfinite(volume) or abs(volume) < LEAST_VOLUME:
        raise ShapeError(f"a solid has a volume of {volume:.3g} mm^3: it is empty")
    if volume < 0:
        raise ShapeError(f"a solid is inside out: its volume is {volume:.6g} mm^3; do not reverse faces or shapes")


def _check_closed(shell: TopoDS_Shape) -> None:
    """Raise unless every edge of a shell is used twice, once each way."""
    uses: Counter[int] = Counter()
    ways: Counter[int] = Counter()
    numbers = TopTools_IndexedMapOfShape()  # the same for an edge whichever way it is used
    for edge in explored(shell, TopAbs_EDGE):
        if BRep_Tool.Degenerated_s(TopoDS.Edge_s(edge)):
            continue
        key = numbers.Add(edge)
        uses[key] += 1
        ways[key] += 1 if edge.Orientation() == TopAbs_FORWARD else -1
    open_edges = sum(count == 1 for count in uses.values())
    if open_edges:
        raise ShapeError(f"a shell is open: {open_edges} edges bound one face only; close it before making a solid")
    if any(count != 2 for count in uses.values()):
        raise ShapeError("more than two faces meet in an edge: the solid touches itself; give it some thickness there")
    if any(ways.values()):
        raise ShapeError("neighbouring faces of a solid face opposite ways: its shell is not oriented")


def _is_valid(solid: TopoDS_Shape) -> bool:
    return bool(BRepCheck_Analyzer(solid).IsValid())


def _fused(solids: list[TopoDS_Shape], limits: ShapeLimits) -> TopoDS_Shape:
    """Return the union of the bodies, each of its solids valid."""
    volumes = [mass_of(solid).volume for solid in solids]
    boxes = [box_of(solid) for solid in solids]
    apart = all(
        bool(np.any(boxes[one][1] + 1e-3 < boxes[two][0]) or np.any(boxes[two][1] + 1e-3 < boxes[one][0]))
        for one in range(len(solids))
        for two in range(one)
    )
    if apart:
        return compound(solids)
    fuse = BRepAlgoAPI_Fuse()
    fuse.SetArguments(_listed(solids[:1]))
    fuse.SetTools(_listed(solids[1:]))
    fuse.SetRunParallel(False)
    _guarded(fuse.Build)
    if not fuse.IsDone():
        raise ShapeError("bodies overlap and cannot be fused; union them in the program")
    united = fuse.Shape()
    volume = mass_of(united).volume
    if not max(volumes) * (1 - 1e-6) <= volume <= sum(volumes) * (1 + 1e-6):
        raise ShapeError("bodies overlap and their union fails; union them in the program")
    for solid in _solids(united, limits):
        _check_solid(solid)
    return united


def _joined(shape: TopoDS_Shape) -> TopoDS_Shape:
    """Return the shape with the faces and edges joined that lie on one surface or curve, if that goes well."""
    unify = ShapeUpgrade_UnifySameDomain(shape, True, True, False)
    try:
        unify.Build()
        joined = unify.Shape()
        if all(len(unique(joined, kind)) == len(unique(shape, kind)) for kind in (TopAbs_FACE, TopAbs_EDGE)):
            return shape
        before, after = mass_of(shape), mass_of(joined)
        if abs(after.volume - before.volume) <= 1e-9 * before.volume and _is_valid(joined):
            return joined
    except Exception:  # the shape as it came is as good
        return shape
    return shape


def compound(shapes: list[TopoDS_Shape]) -> TopoDS_Shape:
    """Return several shapes as one, as they are."""
    whole, builder = TopoDS_Compound(), BRep_Builder()
    builder.MakeCompound(whole)
    for shape in shapes:
        builder.Add(whole, shape)
    return whole


def _listed(shapes: list[TopoDS_Shape]) -> TopTools_ListOfShape:
    found = TopTools_ListOfShape()
    for shape in shapes:
        found.Append(shape)
    return found


def _guarded(function: Callable[..., Out], *given: Any) -> Out:
    """Return what a function of the kernel says, with its exceptions as ours."""
    try:
        return function(*given)
    except ShapeError:
        raise
    except Exception as error:
        raise ShapeError(f"the kernel cannot measure the shape: {_brief(error)}") from error


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
