"""What is measured of one part."""

from collections import Counter

from palestra.envs.cad.geometry.holes import holes
from palestra.envs.cad.geometry.part import Floats, Part
from palestra.envs.cad.geometry.thickness import thickness
from palestra.envs.cad.records import FACE_TYPES, Properties, Vector


def properties(part: Part) -> Properties:
    """Return all of it."""
    low, high = part.box
    x, y, z = (vector(row) for row in part.mass.inertia)
    return Properties(
        solids=len(part.solids),
        volume=part.mass.volume,
        area=sum(face.area for face in part.faces),
        centre=vector(part.mass.centre),
        inertia=(x, y, z),
        low=vector(low),
        high=vector(high),
        faces=histogram(part),
        edges=len(part.edges),
        vertices=len(part.vertices),
        euler=part.euler,
        holes=holes(part),
        thickness=thickness(part),
    )


def histogram(part: Part) -> dict[str, int]:
    """Return how many faces there are of each type that there is, in the order of FACE_TYPES."""
    counts = Counter(face.type for face in part.faces)
    return {name: counts[name] for name in FACE_TYPES if counts[name]}


def vector(values: Floats) -> Vector:
    """Return three numbers as a tuple, without negative zeros."""
    x, y, z = (float(value) + 0.0 for value in values)
    return x, y, z
