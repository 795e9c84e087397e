"""Our two single-turn judgements beside the package's, on every answer for every entry."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from palestra.envs.base import Json
from palestra.envs.bfcl import package
from palestra.envs.bfcl.agreement.answers import Call, answers
from palestra.envs.bfcl.agreement.checkers import single_turn
from palestra.envs.bfcl.schema import language_of
from palestra.envs.bfcl.singleturn.compatible import compatible
from palestra.envs.bfcl.singleturn.load import CATEGORIES, IRRELEVANT
from palestra.envs.bfcl.singleturn.match import matches

COMPARED = tuple(category for category in CATEGORIES if category not in IRRELEVANT)


AS_SOURCE = "the package reads values of Java and JavaScript as source: '3' is 3, null a name, outer spaces nothing"
KEPT_QUOTES = "the package keeps the quotes of the texts in a Java array, so that even the right one is refused"
UNEXPLAINED = "unexplained"
_READ_AS_SOURCE = ("a text for a number", "null for a value", "spaces around")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One answer for one entry, and what the three say of it."""

    category: str
    entry: str
    answer: str  # what was done to the right one
    calls: Sequence[Call]
    theirs: bool | None  # None: their checker raised
    compatible: bool
    ours: bool

    @property
    def agrees(self) -> bool:
        """Whether the compatible judgement is the package's; what makes its checker raise, it does not pay."""
        return self.compatible == bool(self.theirs)

    @property
    def reason(self) -> str:
        """Why the two do not agree, or "" where they do."""
        if self.agrees:
            return ""
        if language_of(self.category) == "python":
            return UNEXPLAINED
        if self.theirs:
            return AS_SOURCE if self.answer in _READ_AS_SOURCE else UNEXPLAINED
        return KEPT_QUOTES if self.category == "simple_java" and self._gives_an_array() else UNEXPLAINED

    def _gives_an_array(self) -> bool:
        return any(isinstance(value, list) for _, arguments in self.calls for value in arguments.values())


def judge_all(every: int = 1) -> Iterator[Judged]:
    """Yield every answer, judged, of one in so many entries of each category."""
    for category in COMPARED:
        for entry in package.entries(category)[::every]:
            yield from judge(entry, category)


def judge(entry: Mapping[str, Json], category: str) -> Iterator[Judged]:
    """Yield an entry's answers, judged."""
    wanted = package.answers(category)[entry["id"]]
    for name, calls in answers(entry["function"], wanted):
        yield Judged(
            category=category,
            entry=entry["id"],
            answer=name,
            calls=calls,
            theirs=single_turn(entry, category, calls),
            compatible=compatible(calls, wanted, entry["function"], category, language_of(category)),
            ours=matches(calls, wanted),
        )
