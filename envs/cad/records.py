"""What is known of a solid, and how it compares with another: values that cross from the kernel's process to ours.

Lengths are millimetres, areas mm^2, volumes mm^3, inertia mm^5 (density one); axes are those of the task's datum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]
Alignment = Literal["datum", "translation", "rotations"]  # rotations: the 24 proper ones of a cube, and translation
ALIGNMENTS: Final[tuple[Alignment, ...]] = ("datum", "translation", "rotations")
View = Literal["front", "back", "left", "right", "top", "bottom", "isometric"]
VIEWS: Final[tuple[View, ...]] = ("front", "back", "left", "right", "top", "bottom", "isometric")
FACE_TYPES: Final = ("plane", "cylinder", "cone", "sphere", "torus", "other")


class ShapeError(ValueError):
    """What a program left is no solid that can be judged; the message says why, in words for its author."""


@dataclass(frozen=True, slots=True)
class Built:
    """What came of a program: a serialised shape, or why there is none."""

    brep: bytes | None
    error: str = ""  # short, for the author: the exception, its line in the program, what to do
    output: str = ""  # what it printed, cut
    timed_out: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Hole:
    """An inner cylindrical face that goes round: a hole, or one diameter of a stepped one."""

    diameter: float
    axis: Vector  # unit vector, its first component that is not zero positive
    at: Vector  # the middle of its axis
    depth: float
    is_through: bool  # both of its ends are open


@dataclass(frozen=True, slots=True)
class Properties:
    """What is measured of one valid shape, its overlapping bodies fused."""

    solids: int
    volume: float
    area: float
    centre: Vector  # of mass
    inertia: tuple[Vector, Vector, Vector]  # about the centre of mass
    low: Vector  # corners of the bounding box
    high: Vector
    faces: Mapping[str, int]  # by FACE_TYPES, those that are there
    edges: int
    vertices: int
    euler: int  # characteristic of the boundary: 2 for each shell without handles
    holes: tuple[Hole, ...]
    thickness: float  # least, of the walls

    @property
    def size(self) -> Vector:
        """Edges of the bounding box."""
        x, y, z = (high - low for low, high in zip(self.low, self.high, strict=True))
        return x, y, z


@dataclass(frozen=True, slots=True)
class Tested:
    """What one feature test said."""

    test: Mapping[str, Any]
    passed: bool
    reason: str  # in words, what was wanted and what was found


@dataclass(frozen=True, slots=True)
class Comparison:
    """A shape beside its reference, in the best of the poses that the alignment allows."""

    iou: float  # intersection over union of the B-reps, in [0, 1]; of meshes where the booleans fail
    iou_box: float  # what the reference's bounding box, filled, would get
    is_exact: bool  # the IoU is of the B-reps
    spread: float  # how far the IoU of two tessellations lies apart from each other and from `iou`, at most
    chamfer: float  # mean distance of points of either surface to the other, both ways, halved
    hausdorff: float
    normals: float  # mean cosine between normals at nearest points, in [-1, 1]
    topology: float  # share of what agrees: solids, Euler characteristic, each type of faces
    tests: tuple[Tested, ...] = ()

    @property
    def gain(self) -> float:
        """IoU beyond that of a filled bounding box: 0 for as good as the box or worse, 1 for equal."""
        if self.iou_box >= 1.0 - 1e-9:
            return self.iou
        return max(0.0, (self.iou - self.iou_box) / (1.0 - self.iou_box))

    @property
    def features(self) -> float:
        """Share of the tests that hold; 1 if there are none."""
        return sum(one.passed for one in self.tests) / len(self.tests) if self.tests else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a shape is judged against."""

    brep: bytes  # the reference's
    solids: int = 1
    alignment: Alignment = "datum"
    tests: Sequence[Mapping[str, Any]] = ()
    seed: int = 0  # of the points on surfaces
    points: int = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeLimits:
    """What a shape may be, at most."""

    bytes: int = 4 * 1024 * 1024
    faces: int = 2000
    solids: int = 64
    extent: float = 10_000.0  # mm from the datum


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn of a shape."""

    views: tuple[View, ...] = ("isometric",)
    size: int = 256  # pixels of each view's edge
    has_dimensions: bool = False
    marks: Mapping[str, Any] = field(default_factory=dict)


class Kernel(Protocol):
    """Builds programs and judges shapes, each in a process that can be lost. Thread-safe.

    Every method raises InfraError when the fault is ours, and never because of what a program or a shape is.
    """

    def build(self, source: str, *, timeout_s: float = 10.0) -> Built:
        """Run a CadQuery program, which leaves its shape in the name `result`, and return the shape."""
        ...

    def measure(self, brep: bytes) -> Properties:
        """Return what is known of a shape; raises ShapeError."""
        ...

    def judge(self, brep: bytes, wanted: Wanted) -> Comparison:
        """Compare a shape with a reference; raises ShapeError."""
        ...

    def draw(self, brep: bytes, picture: Picture) -> NDArray[np.uint8]:
        """Return shaded views with edges, side by side: (size, views * size, 3); raises ShapeError."""
        ...

    def close(self) -> None:
        """End what serves it."""
        ...
