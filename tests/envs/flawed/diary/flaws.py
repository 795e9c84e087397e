"""The diary with one rule broken: what is looked at, and when."""

from collections.abc import Iterator

from tests.envs.flawed.corpus import caught_by
from tests.envs.flawed.diary.env import Diary

from palestra.envs.actions import call_text
from palestra.envs.base import Json


@caught_by("attack:all at once", "mutants")
class FrontLoading(Diary):
    """Only the last state is looked at, so everything may be done before it is asked for."""

    def is_right(self) -> bool:
        last = self.request == len(self.task.hidden["requests"]) - 1
        return super().is_right() if last else True


@caught_by("attack:litter", "mutants")
class LitterUnnoticed(Diary):
    """What is noted besides what was asked for is not looked at."""

    def is_right(self) -> bool:
        wanted = self.task.hidden["wanted"][self.request]
        return all(set(notes) <= set(self.pages[day]) for day, notes in wanted.items() if notes)


@caught_by("mutants")
class DoubledUnnoticed(Diary):
    """How often the first thing is noted is not looked at, which no kind of mutant but the doubled ones tells."""

    def is_right(self) -> bool:
        ((_, arguments),) = self.task.hidden["requests"][0][1]
        once = {arguments["day"]: list(dict.fromkeys(self.pages[arguments["day"]]))}
        return bool(self.pages | once == self.task.hidden["wanted"][self.request])


@caught_by("attack:all at once", "necessary")
class OrderUnnoticed(Diary):
    """The state may be that of any request."""

    def is_right(self) -> bool:
        return self.pages in self.task.hidden["wanted"] or not self.request


@caught_by("claim_done", "fuzz")
class TrustsTheDiary(Diary):
    """The verifier reads its verdict where the agent writes."""

    def is_right(self) -> bool:
        written = " ".join(text for notes in self.pages.values() for text in notes)
        return "passed" in written or "success" in written or super().is_right()


@caught_by("attack:ready", "rewards", "repeats")
class PaysEveryRequest(Diary):
    """Each request is paid when it is ended, carried out or not."""

    def pay(self, won: bool) -> dict[str, float]:
        return {"outcome": won / 4, "requests": self.request / 16}


@caught_by("necessary")
class OracleLooksAround(Diary):
    """The oracle reads a page that nothing needs."""

    def oracle(self) -> Iterator[str]:
        *actions, ready = super().oracle()
        yield from (*actions, call_text("read", {"day": "Monday"}), ready)


@caught_by("apart", "fork")
class RequestForgotten(Diary):
    """A snapshot does not hold which request it is."""

    def _load(self, state: Json) -> None:
        super()._load({**state, "request": 0})
