"""More words around the instruction: a greeting, a role, conventions, facts that do not matter."""

import random
from collections.abc import Iterator, Sequence
from typing import ClassVar

from palestra.envs.augment.layer import Layer, Seen, Spec, token
from palestra.envs.base import Json

_GREETINGS = ("Hi there!", "Good morning.", "Hello, I hope you are well.", "Thanks for being available today.")
_ROLES = (
    "You are an assistant of our service team.",
    "You work for the back office and act for the person who writes.",
    "You are a careful operator of the tools below.",
)
_FACTS = (
    "By the way, our office plant is called {word}.",
    "Do not be surprised by noise in the background, the fan of room {word} is broken.",
    "A colleague named {word} may write to you as well; that has nothing to do with this.",
    "Our team lost the quiz against team {word} yesterday.",
)
_THANKS = ("Thank you!", "Many thanks in advance.", "That is all.")
_CONVENTIONS = (
    "Conventions: names and identifiers are used exactly as they are shown.",
    "Conventions: an amount is in the unit that its tool documents, and is never rounded unless asked for.",
    "Conventions: days, times and amounts are written in a call the way the tools themselves write them.",
    "Conventions: the language of the replies does not change what they mean.",
    "Conventions: what is not asked for is left as it is.",
)


class Around(Layer):
    """Words before and after the instruction, which itself stays as it is."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self._before: Sequence[str] = spec["before"]
        self._after: Sequence[str] = spec["after"]
        self._words: Sequence[str] = spec["words"]

    def instruction(self, text: str) -> str:
        """Return the instruction with more words around it."""
        return "\n\n".join(part for part in (" ".join(self._before), text, " ".join(self._after)) if part)

    def problems(self, seen: Seen) -> Iterator[str]:
        """Yield made-up words that are none."""
        for word in self._words:
            if seen.shows(word) or word.casefold() in seen.text.casefold():
                yield f"the made-up word {word!r} is one that the oracle sees"


class Instruction(Around):
    """A greeting, a role, thanks, and facts that do not matter.

    Must hold: the instruction is there, whole; the made-up words of the facts are none that the oracle sees.

    Knobs: ``facts`` (how many).
    """

    name: ClassVar[str] = "instruction"

    @classmethod
    def draw(cls, rng: random.Random, seen: Seen, *, facts: int = 2) -> dict[str, Json]:
        """Return sentences for before and after."""
        words = [token(rng, seen).capitalize() for _ in range(facts)]
        told = [rng.choice(_FACTS).format(word=word) for word in words]
        place = rng.randint(0, len(told))
        return {
            "before": [rng.choice(_GREETINGS), rng.choice(_ROLES), *told[:place]],
            "after": [*told[place:], rng.choice(_THANKS)],
            "words": words,
        }


class Conventions(Around):
    """Conventions before the instruction that are true of any task, and so change none.

    Must hold: the instruction is there, whole.

    Knobs: ``count``.
    """

    name: ClassVar[str] = "conventions"

    @classmethod
    def draw(cls, rng: random.Random, seen: Seen, *, count: int = 2) -> dict[str, Json]:
        """Return some of the conventions."""
        return {"before": rng.sample(_CONVENTIONS, min(count, len(_CONVENTIONS))), "after": [], "words": []}
