"""What counts as solved: the tables hold exactly the expected changes, and the answer is the right one."""

from collections.abc import Mapping

from palestra.envs.base import Json, canonical_json
from palestra.envs.toolmini.tables import Tables, changes
from palestra.rewards.base import Check, Verdict


def verify(hidden: Mapping[str, Json], tables: Tables, answer: Json) -> Verdict:
    """Judge how an episode ended: all or nothing.

    Args:
        hidden: the task's hidden part.
        tables: as the agent left them. A change too many fails like a change too few.
        answer: what the agent gave.
    """
    made, wanted = canonical_json(changes(hidden["db"], tables)), canonical_json(hidden["changes"])
    return Verdict.of(
        [
            Check(name="state", passed=made == wanted, evidence=f"changes {made}, expected {wanted}"),
            Check(
                name="answer",
                passed=is_answer(answer, hidden["answer"]),
                evidence=f"answer {answer!r:.200}, expected {hidden['answer']!r}",
            ),
        ]
    )


def is_answer(given: Json, wanted: Json) -> bool:
    """Tell whether an answer is the wanted one.

    Texts are compared without outer spaces and case, numbers as numbers; true is no number and "3" is
    not 3.
    """
    if isinstance(wanted, str):
        return isinstance(given, str) and given.strip().casefold() == wanted.strip().casefold()
    return type(given) in (int, float) and bool(given == wanted)
