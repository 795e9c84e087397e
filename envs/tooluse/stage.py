"""All that is fixed about a task before its episode: the ground, what is right, and what the oracle does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType

from palestra.envs.actions import ToolCall, call_text, compact_json
from palestra.envs.augment.rehearse import Rehearsal, Run, rehearse
from palestra.envs.augment.stack import Stack
from palestra.envs.base import Json, Split, Task, TaskError
from palestra.envs.tooluse.case import Case, Source
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.closing import ASK, DECLINE, FINISH, REPORT
from palestra.envs.tooluse.describe import function
from palestra.envs.tooluse.operators.ground import Ground, ground
from palestra.envs.tooluse.operators.layers import LAYERS
from palestra.envs.tooluse.progress import Cell, Effect, needs, shown, written
from palestra.envs.tooluse.schema import Domain, Tool
from palestra.envs.tooluse.user import User, key_of
from palestra.envs.tooluse.verify import Target, changes_of
from palestra.envs.tooluse.world import FAMILY, World, fill

_MOST_KEPT = 128  # stages of tasks that were played
_kept: dict[str, "Stage"] = {}


@dataclass(frozen=True)
class Stage:
    """A task made ready to be played, any number of times and by several environments at once."""

    case: Case
    ground: Ground
    tools: Mapping[str, Tool]  # those below the layers

    def world(self) -> World:
        """Return the world in which the case begins."""
        return World(self.ground.base, {table: dict(rows) for table, rows in self.case.place.changes.items()})

    def stack(self) -> Stack | None:
        """Return new layers, if there are any."""
        return Stack(self.case.layers, LAYERS) if self.case.layers else None

    @cached_property
    def target(self) -> Target:
        """What is right at the end."""
        start, goal = changes_of(self.world().diff()), self.case.goal
        changes = changes_of(goal.changes)
        cells: set[Cell] = {(table, id_, column) for table, id_, column, *_ in start ^ changes}
        return Target(
            goal=goal,
            named=self._shown_named(),
            start=start,
            changes=changes,
            cells=frozenset(cells | self._replayed.cells),
        )

    @cached_property
    def wanted(self) -> tuple[Effect, ...]:
        """What a call must have done to count for each of the oracle's steps."""
        tools = [self.tools[step.tool] for step in self.case.steps]
        return tuple(needs(self.case, self._replayed.replies, self._replayed.effects, tools))

    @cached_property
    def user(self) -> User:
        """The user, who also knows what an augmentation calls the parameters."""
        names: dict[str, list[str]] = {}
        for step in self.case.steps:
            for parameter, source in step.sources.items():
                if source.kind == "user":
                    key = key_of(self.case.user, source.path or parameter)
                    names.setdefault(key, []).append(self.shown_names(step.tool, parameter)[1])
        return User.of(self.case.user, names)

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """The names of the parameter that must be asked for, if that is how the episode ends."""
        told = self.case.goal.told
        if self.case.goal.ending != "ask":
            return ()
        return (told["parameter"], self.shown_names(told["tool"], told["parameter"])[1])

    @cached_property
    def actions(self) -> tuple[str, ...]:
        """What the oracle does: ask, call as the layers want it, and end."""
        return (*map(_asking, self._questions()), *self._calls, self._closing())

    @property
    def optional(self) -> Mapping[str, str]:
        """The tools of which some of the oracle's calls only repeat or continue others, and why."""
        return {} if self._rehearsed is None else self._rehearsed.optional

    @cached_property
    def _calls(self) -> tuple[str, ...]:
        if self._rehearsed is not None:
            return self._rehearsed.actions
        return tuple(call_text(step.tool, dict(step.arguments)) for step in self.case.steps)

    @cached_property
    def _rehearsed(self) -> Rehearsal | None:
        """How the oracle acts above the layers, if there are any."""
        case, made, stack = self.case, self._replayed, self.stack()
        if stack is None:
            return None
        tools = [function(self.ground.domain, tool) for tool in self.tools.values()]
        calls = [ToolCall(step.tool, dict(step.arguments)) for step in case.steps]
        steps = [(call, compact_json(reply)) for call, reply in zip(calls, made.replies, strict=True)]
        return rehearse(stack, Run.of_calls("", tools, steps))

    def shown_names(self, tool: str, parameter: str) -> tuple[str, str]:
        """Return what the agent sees a tool and its parameter called."""
        stack = self.stack()
        if stack is None:
            return tool, parameter
        plain = next(stack.solve(ToolCall(tool, {})))
        if parameter not in function(self.ground.domain, self.tools[tool])["function"]["parameters"]["properties"]:
            return plain.name, parameter
        named = next(stack.solve(ToolCall(tool, {parameter: ""})))
        return named.name, next((name for name in named.arguments if name not in plain.arguments), parameter)

    def _shown_named(self) -> Mapping[str, str]:
        told = dict(self.case.goal.told)
        if "tool" in told:
            told["tool"], parameter = self.shown_names(told["tool"], told.get("parameter", ""))
            if "parameter" in told:
                told["parameter"] = parameter
        return MappingProxyType(told)

    def _questions(self) -> list[str]:
        """Return the names of what the oracle asks the user, each once."""
        asked: dict[str, str] = {}
        for step in self.case.steps:
            for parameter, source in step.sources.items():
                for one in _all_of(source):
                    if one.kind == "user":
                        key = key_of(self.case.user, one.path or parameter)
                        asked.setdefault(key, self.user.knows[key][0][-1])
        return list(asked.values())

    def _closing(self) -> str:
        goal, named = self.case.goal, dict(self._shown_named())
        if goal.ending == "solve":
            return call_text(FINISH, {} if goal.answer is None else {"answer": goal.answer})
        if goal.ending == "ask":
            return _asking(self.missing[-1])
        return call_text(REPORT if goal.ending == "report" else DECLINE, named)

    @cached_property
    def _replayed(self) -> "_Replayed":
        """What the oracle's steps come to in this world."""
        world = self.world()
        replies: list[Json] = []
        effects: list[Effect] = []
        cells: set[Cell] = set()
        for step in self.case.steps:
            before = world.save()
            reply = self.ground.call(world, step.tool, step.arguments)
            delta = written(world, before)
            cells.update(delta.cells)
            replies.append(reply)
            effects.append(delta.facts | shown(self.tools[step.tool], step.arguments, reply))
        return _Replayed(tuple(replies), tuple(effects), frozenset(cells))


@dataclass(frozen=True, slots=True)
class _Replayed:
    replies: tuple[Json, ...]
    effects: tuple[Effect, ...]
    cells: frozenset[Cell]


def stage(task: Task) -> Stage:
    """Return a task made ready; the last ones are kept.

    Raises:
        TaskError: it is no task of this family, or its world is another one here.
    """
    known = _kept.get(task.digest)
    if known is not None:
        return known
    if task.family != FAMILY:
        raise TaskError(f"{task.id!r} is of the family {task.family!r}, not {FAMILY!r}")
    made = _made(task)
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    _kept[task.digest] = made
    return made


def _made(task: Task) -> Stage:
    case = Case.from_dict(task.hidden)
    try:
        found = ground(case)
        place = case.place
        if place.digest and place.digest != _digest(DOMAINS[place.domain], place.split, place.seed, place.scale):
            raise TaskError(f"the world of {task.id!r} is another one in this version; generate the task again")
        made = Stage(case, found, found.domain.tool)
        _look_over(made)
    except (KeyError, TypeError, AttributeError, ValueError, StopIteration) as error:
        raise TaskError(f"the hidden part of {task.id!r} is malformed: {error!r}") from error
    return made


def _look_over(made: Stage) -> None:
    """Work out all that an episode needs, so that a malformed case is found at its beginning."""
    for name in ("target", "wanted", "user", "missing"):
        getattr(made, name)


@lru_cache(maxsize=256)
def _digest(domain: Domain, split: Split, seed: int, scale: float) -> str:
    return fill(domain, split, seed, scale).digest()


def _asking(name: str) -> str:
    return call_text(ASK, {"about": name})


def _all_of(source: Source) -> Iterator[Source]:
    yield source
    for one in source.of:
        yield from _all_of(one)
