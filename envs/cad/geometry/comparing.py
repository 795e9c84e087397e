"""A part beside its reference: everything that a reward may ask for."""

from palestra.envs.cad.geometry.alignment import aligned
from palestra.envs.cad.geometry.crossing import crosses_itself
from palestra.envs.cad.geometry.distances import Distances, distances
from palestra.envs.cad.geometry.overlap import is_same
from palestra.envs.cad.geometry.part import Part
from palestra.envs.cad.geometry.properties import histogram
from palestra.envs.cad.geometry.tests import checked, tested
from palestra.envs.cad.records import Comparison, ShapeError, Wanted


def compared(part: Part, reference: Part, wanted: Wanted) -> Comparison:
    """Return the comparison in the best pose that is allowed; the feature tests are asked there, too.

    Raises ShapeError unless the part has as many solids as are wanted and does not cross itself, and ValueError for a
    malformed feature test.
    """
    for test in wanted.tests:
        checked(test)
    if len(part.solids) != wanted.solids:
        raise ShapeError(
            f"{_counted(len(part.solids))} came out where {_counted(wanted.solids)} was wanted; "
            "bodies that touch or overlap count as one"
        )
    if not is_same(part, reference) and crosses_itself(part):
        raise ShapeError("the solid runs through itself; keep paths and profiles clear of themselves")
    posed, shared = aligned(part, reference, wanted.alignment)
    if is_same(posed, reference):
        apart = Distances(0.0, 0.0, 1.0)
    else:
        apart = distances(posed.mesh(1), reference.mesh(1), wanted.points, wanted.seed)
    low, high = reference.box
    return Comparison(
        iou=shared.iou,
        iou_box=min(1.0, reference.mass.volume / float((high - low).prod())),
        is_exact=shared.is_exact,
        spread=shared.spread,
        chamfer=apart.chamfer,
        hausdorff=apart.hausdorff,
        normals=apart.normals,
        topology=topology(posed, reference),
        tests=tuple(tested(posed, test) for test in wanted.tests),
    )


def topology(one: Part, two: Part) -> float:
    """Return the share that agrees of: solids, Euler characteristic, and each type of faces that either has."""
    faces = histogram(one), histogram(two)
    agreed = [len(one.solids) == len(two.solids), one.euler == two.euler]
    agreed += [faces[0].get(name, 0) == faces[1].get(name, 0) for name in {**faces[0], **faces[1]}]
    return sum(agreed) / len(agreed)


def _counted(solids: int) -> str:
    return f"{solids} solid{'' if solids == 1 else 's'}"
