"""All areas of problems with their archetypes."""

from palestra.envs.code.problems.areas import (  # noqa: F401 - each fills the list of archetypes
    arrays,
    dynamic,
    graphs,
    grids,
    intervals,
    knapsacks,
    lifts,
    machines,
    maps,
    notations,
    numbers,
    orders,
    parsers,
    repetitions,
    schedules,
    segments,
    services,
    simulation,
    strings,
    tables,
    texts,
    words,
)
from palestra.envs.code.problems.parts import AREAS

__all__ = ["AREAS"]
