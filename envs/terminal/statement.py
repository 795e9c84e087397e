"""A task in words: what there is, numbered steps, and the rules for all of them."""

from collections.abc import Mapping, Sequence
from typing import Final

from palestra.envs.base import Split
from palestra.envs.draws import Draws
from palestra.envs.terminal.compose import Composed
from palestra.envs.terminal.step import HOME

_BEGINNINGS: Final[Mapping[Split, Sequence[str]]] = {
    "train": (
        "You have a shell on a Linux machine; it stands in `{home}`.",
        "A shell is open in `{home}` on a Linux machine.",
        "Your shell on this Linux machine begins in `{home}`.",
    ),
    "heldout": (
        "This is a Linux machine, and your shell is in `{home}`.",
        "The working folder of your shell is `{home}`.",
    ),
}
_ONE: Final[Mapping[Split, Sequence[str]]] = {
    "train": ("Do this:", "Here is what is to be done:"),
    "heldout": ("The job:", "This is asked for:"),
}
_MANY: Final[Mapping[Split, Sequence[str]]] = {
    "train": ("Do these {count} things, in this order:", "There are {count} things to do, one after another:"),
    "heldout": ("The job has {count} parts, to be done in order:", "These {count} things are asked for, in turn:"),
}
RULES: Final = (  # of every task
    "Beyond that, change, move or delete none of the files that are there; put files that you need for yourself below "
    "`/tmp`.",
    "Where nothing else is said, texts are UTF-8, a line ends with a line feed, and sorting by byte value is what "
    "`LC_ALL=C sort` does.",
)


def state(composed: Composed, split: Split, without: Sequence[str], turns: int, draws: Draws) -> str:
    """Return the instruction of a task."""
    count = len(composed.steps)
    asked = draws.pick(_ONE[split]) if count == 1 else draws.pick(_MANY[split]).format(count=count)
    told = [f"{draws.pick(_BEGINNINGS[split]).format(home=HOME)} {asked}", ""]
    told += [_step(at, composed) for at in range(count)]
    told += ["", *(f"- {rule}" for rule in RULES)]
    if without:
        names = [f"`{name}`" for name in without]
        told.append(f"- This machine has no {' and no '.join(names)}.")
    told.append(f"- There are {turns} turns. Say that all is done with `done`; what is there then is judged.")
    return "\n".join(told)


def _step(at: int, composed: Composed) -> str:
    """Return a step's text, with the source of what it goes on with."""
    step, source = composed.steps[at], composed.sources[at]
    text = step.text
    if source >= 0 and (gives := composed.steps[source].gives) is not None:
        text = f"Go on with what step {source + 1} has made, {gives.about} in `{gives.path}`. {text}"
    return f"{at + 1}. " + text.replace("\n", "\n   ")
