"""All operators, by name: a line for each module of them."""

from collections.abc import Mapping
from itertools import chain
from typing import Final

from palestra.envs.terminal.step import Operator

_MODULES: Final[tuple[tuple[Operator, ...], ...]] = (
    # files
    # logs, data
    # scripting, databases
)

OPERATORS: Final[Mapping[str, Operator]] = {one.name: one for one in chain(*_MODULES)}
REPAIRS: Final = frozenset[str]()  # operators whose start is broken, and whose step mends it
