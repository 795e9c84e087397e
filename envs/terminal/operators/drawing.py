"""How an operator of scripts or databases comes to a step: it tries until a draw is worth asking."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.terminal.predicates import RUNNING, evaluate
from palestra.envs.terminal.step import Area, Artefact, Knobs, Shape, Step
from palestra.envs.terminal.tree import Tree

_TRIES: Final = 30
_FOLDERS: Final = {False: ("batch", "case", "lot", "site"), True: ("round", "desk", "unit", "stage")}


@dataclass(frozen=True, slots=True)
class Desk:
    """What an operator draws with."""

    draws: Draws
    folder: str
    given: Artefact | None
    knobs: Knobs
    heldout: bool

    def of(self, pools: Mapping[bool, Sequence[Any]]) -> Any:
        """Return something of the pool that this task may have: False has what training has."""
        return self.draws.pick(pools[self.heldout])

    def some(self, pools: Mapping[bool, Sequence[Any]], count: int) -> list[Any]:
        """Return as many different things of the pool that this task may have."""
        return self.draws.shuffled(pools[self.heldout])[:count]

    def path(self, name: str) -> str:
        """Return the path of a file of the step's own."""
        return f"{self.folder}/{name}"


@dataclass(slots=True)
class Drawn:
    """An operator that is a function, which returns None for a draw that is not worth asking."""

    name: str
    area: Area
    takes: Shape | None
    attempt: Callable[[Desk], Step | None]

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        """Return a step, see `palestra.envs.terminal.step.Operator`."""
        if given is not None and given.shape != self.takes:
            given = None
        # another task's solution would often do, if it found its files
        own = f"{folder}/{draws.pick(_FOLDERS[heldout])}{draws.between(10, 999)}"
        for _ in range(_TRIES):
            step = self.attempt(Desk(draws, own, given, knobs, heldout))
            if step is not None:
                return replace(step, operator=self.name)
        return None


def passes(checks: Sequence[Json], tree: Tree) -> bool:
    """Return whether a tree meets all predicates that are judged of trees."""
    return all(evaluate(tree, check).passed for check in checks if check["kind"] not in RUNNING)


def missed(checks: Sequence[Json], start: Tree, others: Mapping[str, Callable[[Tree], Tree]]) -> set[str]:
    """Return the names of those effects that miss what is asked."""
    return {name for name, other in others.items() if not passes(checks, other(start))}


def written(path: str, text: str, mode: str = "") -> str:
    """Return bash that writes a file that ends with a newline, and makes it executable or the like."""
    if "\nENDOFTEXT\n" in text or not text.endswith("\n"):
        raise ValueError(f"a text that is written ends with a newline, not {text[-40:]!r}")
    done = f"cat > {shlex.quote(path)} <<'ENDOFTEXT'\n{text}ENDOFTEXT"
    return f"{done}\nchmod {mode} {shlex.quote(path)}" if mode else done


def csv_of(rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as CSV; None of the values needs quotes."""
    return "".join(",".join("" if value is None else str(value) for value in row) + "\n" for row in rows)
