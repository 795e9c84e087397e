"""A case: all that is hidden of a task. Where it begins, how it is solved, and what counts as solved."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, Self

from palestra.envs.base import Json, Split, TaskError, copy_json
from palestra.envs.tooluse.world import Changes

Ending = Literal["solve", "report", "ask", "refuse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The world in which a case begins: a base, by its seed, and what was changed in it beforehand."""

    domain: str
    split: Split
    seed: int
    scale: float = 1.0
    digest: str = ""  # of the base, so that a file of tasks is never played in another world
    changes: Changes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an argument or an answer comes from.

    query: it stands in the request. reply: an earlier step's reply shows it at `path`, such as
    ``results.2.id``. derived: it follows from the values of `of`, as `how` says. user: the user tells it.
    """

    kind: Literal["query", "reply", "derived", "user"]
    step: int = -1
    path: str = ""
    how: str = ""  # "sum", "difference", "largest", "smallest", "count" ...
    of: tuple["Source", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of the oracle."""

    tool: str
    arguments: Mapping[str, Json]
    after: tuple[int, ...] = ()  # the steps that must come before it, by number
    sources: Mapping[str, Source] = field(default_factory=dict)  # of each argument


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What an episode must end with."""

    ending: Ending = "solve"
    changes: tuple[tuple[Json, ...], ...] = ()  # `World.diff` at the end, all of it
    answer: Json = None  # a text, a number, or a list of them; None where nothing was asked
    sources: tuple[Source, ...] = ()  # of the answer, or of each of a list's
    told: Mapping[str, str] = field(default_factory=dict)  # what a report, a question or a refusal must name


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The hidden part of a task."""

    place: Place
    steps: tuple[Step, ...]
    goal: Goal
    user: Mapping[str, str] = field(default_factory=dict)  # what the user answers when asked for a thing, by its name
    layers: tuple[Mapping[str, Json], ...] = ()  # augmentations between the agent and the world, lowest first
    twists: tuple[Mapping[str, Json], ...] = ()  # tools beyond the domain's, and values shown wrong: `operators.ground`

    def to_dict(self) -> dict[str, Json]:
        """Return the case as JSON data."""
        told: dict[str, Json] = copy_json(asdict(self))
        return told

    @classmethod
    def from_dict(cls, data: Mapping[str, Json]) -> Self:
        """Return the case that `to_dict` wrote.

        Raises:
            TaskError: it is none.
        """
        try:
            goal = data["goal"]
            return cls(
                place=Place(**data["place"]),
                steps=tuple(_step(step) for step in data["steps"]),
                goal=Goal(
                    ending=goal["ending"],
                    changes=tuple(tuple(cell) for cell in goal["changes"]),
                    answer=goal["answer"],
                    sources=tuple(_source(source) for source in goal["sources"]),
                    told=dict(goal["told"]),
                ),
                user=dict(data["user"]),
                layers=tuple(data["layers"]),
                twists=tuple(data.get("twists", ())),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise TaskError(f"the hidden part of a tool-use task is malformed: {error!r}") from error


def _source(data: Mapping[str, Json]) -> Source:
    return Source(**{**data, "of": tuple(_source(one) for one in data["of"])})


def _step(data: Mapping[str, Json]) -> Step:
    sources = {name: _source(source) for name, source in data["sources"].items()}
    return Step(tool=data["tool"], arguments=dict(data["arguments"]), after=tuple(data["after"]), sources=sources)
