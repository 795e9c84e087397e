"""The scripted solvers, by the page that they solve."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from palestra.envs.web.miniwob.sight import Sight
from palestra.envs.web.miniwob.solvers import buttons, choices, fields, lists, pointing, reading

Solver = Callable[[Sight], Iterator[str]]
SOLVERS: Final[Mapping[str, Solver]] = {
    page: solver
    for module in (buttons, choices, fields, lists, pointing, reading)
    for page, solver in module.SOLVERS.items()
}
