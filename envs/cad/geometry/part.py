"""A solid with what was found out about it, each thing once."""

# pyright: reportAttributeAccessIssue=false
# OCP is one extension module without stubs: its names are known when it runs.

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from OCP.Bnd import Bnd_Box
from OCP.BRep import BRep_Tool
from OCP.BRepAdaptor import BRepAdaptor_Surface
from OCP.BRepBndLib import BRepBndLib
from OCP.BRepClass3d import BRepClass3d_SolidClassifier
from OCP.BRepGProp import BRepGProp
from OCP.GeomAbs import GeomAbs_SurfaceType
from OCP.gp import gp_Mat, gp_Pnt, gp_Trsf
from OCP.GProp import GProp_GProps
from OCP.TopAbs import (
    TopAbs_EDGE,
    TopAbs_FACE,
    TopAbs_IN,
    TopAbs_ON,
    TopAbs_OUT,
    TopAbs_ShapeEnum,
    TopAbs_SOLID,
    TopAbs_VERTEX,
    TopAbs_WIRE,
)
from OCP.TopExp import TopExp, TopExp_Explorer
from OCP.TopLoc import TopLoc_Location
from OCP.TopoDS import TopoDS, TopoDS_Face, TopoDS_Shape
from OCP.TopTools import TopTools_IndexedMapOfShape

from palestra.envs.cad.geometry.mesh import ANGLES, SHARES, Mesh, tessellated

Floats = NDArray[np.float64]

_TYPES: Final = {
    GeomAbs_SurfaceType.GeomAbs_Plane: "plane",
    GeomAbs_SurfaceType.GeomAbs_Cylinder: "cylinder",
    GeomAbs_SurfaceType.GeomAbs_Cone: "cone",
    GeomAbs_SurfaceType.GeomAbs_Sphere: "sphere",
    GeomAbs_SurfaceType.GeomAbs_Torus: "torus",
}


_STATES: Final[dict[Any, Literal["in", "on", "out"]]] = {TopAbs_IN: "in", TopAbs_ON: "on", TopAbs_OUT: "out"}


@dataclass(frozen=True, slots=True)
class Face:
    """A face with its surface and its moments."""

    shape: TopoDS_Face
    surface: BRepAdaptor_Surface
    type: str  # one of FACE_TYPES
    area: float
    centre: Floats
    inertia: Floats  # (3, 3), about the centre of the face
    rings: int  # of edges that bound it


@dataclass(frozen=True, slots=True)
class Mass:
    """Volume, its centre and its inertia about that."""

    volume: float
    centre: Floats
    inertia: Floats


@dataclass(frozen=True, eq=False)
class Part:
    """One or several closed solids that do not overlap; made by `loading.loaded`."""

    shape: TopoDS_Shape
    key: str  # equal for equal texts
    _meshes: dict[int, Mesh] = field(default_factory=dict, repr=False)

    @cached_property
    def solids(self) -> list[TopoDS_Shape]:
        """Its solids."""
        return unique(self.shape, TopAbs_SOLID)

    @cached_property
    def faces(self) -> list[Face]:
        """Its faces."""
        return [_face(TopoDS.Face_s(one)) for one in unique(self.shape, TopAbs_FACE)]

    @cached_property
    def edges(self) -> list[TopoDS_Shape]:
        """Its edges, without those of no length at poles."""
        edges = (TopoDS.Edge_s(one) for one in unique(self.shape, TopAbs_EDGE))
        return [edge for edge in edges if not BRep_Tool.Degenerated_s(edge)]

    @cached_property
    def vertices(self) -> list[TopoDS_Shape]:
        """Its vertices."""
        return [TopoDS.Vertex_s(one) for one in unique(self.shape, TopAbs_VERTEX)]

    @cached_property
    def corners(self) -> Floats:
        """Places of the vertices: (V, 3)."""
        return np.array([point(BRep_Tool.Pnt_s(one)) for one in self.vertices]).reshape(-1, 3)

    @property
    def euler(self) -> int:
        """Euler characteristic of the boundary; a face with n rings inside counts 1 - n, as an open region does."""
        return len(self.vertices) - len(self.edges) + sum(2 - face.rings for face in self.faces)

    @cached_property
    def mass(self) -> Mass:
        """Volume with its moments, integrated over the boundary."""
        return mass_of(self.shape)

    @cached_property
    def box(self) -> tuple[Floats, Floats]:
        """Lowest and highest corner."""
        low, high = box_of(self.shape)
        return low, high

    @cached_property
    def _classifier(self) -> BRepClass3d_SolidClassifier:
        return BRepClass3d_SolidClassifier(self.shape)

    def state(self, at: Floats) -> Literal["in", "on", "out"]:
        """Say where a point lies; on the boundary is within 1e-7 mm of it."""
        self._classifier.Perform(gp_Pnt(*(float(value) for value in at)), 1e-7)
        return _STATES.get(self._classifier.State(), "on")

    @property
    def diagonal(self) -> float:
        """Of the bounding box."""
        low, high = self.box
        return float(np.linalg.norm(high - low))

    def mesh(self, level: int) -> Mesh:
        """Return its tessellation: 0 is coarse, 1 has a quarter of its deflection."""
        if level not in self._meshes:
            if level == 1:  # the kernel only ever refines what it has
                self.mesh(0)
            exact = level == 1 and all(face.type == "plane" for face in self.faces)
            self._meshes[level] = (
                self._meshes[0] if exact else self.meshed(self.diagonal * SHARES[level], ANGLES[level])
            )
        return self._meshes[level]

    def meshed(self, deflection: float, angle: float) -> Mesh:
        """Return a tessellation as fine as is asked for, or finer if there is one."""
        return tessellated(self.shape, [face.shape for face in self.faces], deflection, angle)

    def moved(self, pose: Floats) -> "Part":
        """Return it in another place; the pose is a (3, 4) of a proper rotation and a shift."""
        transform = gp_Trsf()
        transform.SetValues(*(float(value) for value in pose.ravel()))
        meshes = {level: mesh.moved(pose) for level, mesh in self._meshes.items()}
        return Part(self.shape.Moved(TopLoc_Location(transform), False), "", meshes)


def unique(shape: TopoDS_Shape, kind: TopAbs_ShapeEnum) -> list[Any]:
    """Return the parts of a shape of one kind, each once."""
    found = TopTools_IndexedMapOfShape()
    TopExp.MapShapes_s(shape, kind, found)
    return [found.FindKey(number) for number in range(1, found.Extent() + 1)]


def explored(shape: TopoDS_Shape, kind: TopAbs_ShapeEnum, *outside: TopAbs_ShapeEnum) -> Iterator[Any]:
    """Yield the parts of one kind as often as they are used, without those within another kind."""
    explorer = TopExp_Explorer(shape, kind, *outside)
    while explorer.More():
        yield explorer.Current()
        explorer.Next()


def mass_of(shape: TopoDS_Shape) -> Mass:
    """Return the volume that a boundary holds, signed, and its moments."""
    sums = GProp_GProps()
    BRepGProp.VolumeProperties_s(shape, sums)
    return Mass(float(sums.Mass()), point(sums.CentreOfMass()), matrix(sums.MatrixOfInertia()))


def box_of(shape: TopoDS_Shape) -> tuple[Floats, Floats]:
    """Return the corners of the least box around a shape."""
    box = Bnd_Box()
    BRepBndLib.AddOptimal_s(shape, box, False, False)
    if box.IsVoid():
        return np.full(3, np.nan), np.full(3, np.nan)
    box.SetGap(0.0)
    corners = np.array(box.Get(), float)
    return corners[:3], corners[3:]


def point(of: gp_Pnt) -> Floats:
    """Return coordinates as an array."""
    return np.array((of.X(), of.Y(), of.Z()))


def matrix(of: gp_Mat) -> Floats:
    """Return a matrix as an array."""
    return np.array([[of.Value(row, column) for column in (1, 2, 3)] for row in (1, 2, 3)])


def _face(shape: TopoDS_Face) -> Face:
    surface = BRepAdaptor_Surface(shape)
    sums = GProp_GProps()
    BRepGProp.SurfaceProperties_s(shape, sums)
    centre, inertia = point(sums.CentreOfMass()), matrix(sums.MatrixOfInertia())
    rings = len(unique(shape, TopAbs_WIRE))
    return Face(shape, surface, _TYPES.get(surface.GetType(), "other"), float(sums.Mass()), centre, inertia, rings)
