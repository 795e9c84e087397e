"""Labels of a program's lines: right or wrong, by what the hidden tests say of programs that hold them.

A candidate is a reference with some changes. A changed line is right if the reference with that change alone passes the
hidden tests, and wrong if it does not; lines that were not changed are the reference's own, and right. A prefix, the
lines up to one of them, is right if it passes when the reference's tail completes it, and wrong if not: then nothing
that follows as it should makes up for it. Source of the idea: PRLCoder, arXiv:2502.01715, without its teacher.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from palestra.envs.base import Json, Task
from palestra.envs.code.draws import Draws
from palestra.envs.code.hunks import Hunk, are_apart, patched
from palestra.envs.code.labels.ways import Reference, Way, reference_of
from palestra.envs.code.verify import language_name
from palestra.rewards.base import Verdict

Label = Literal["good", "bad"]
GOOD: Final[Label] = "good"
BAD: Final[Label] = "bad"
REFERENCE: Final = "reference"
_ATTEMPTS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a candidate with its labels."""

    text: str
    label: Label
    is_changed: bool  # or comes after lines that are missing
    prefix: Label | None  # of the lines up to this one; None within a change of several lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A candidate with labels."""

    task: str  # its id
    digest: str  # of the task
    language: str
    kinds: tuple[str, ...]  # of its changes, from top to bottom; none for the reference
    passed: bool  # the hidden tests
    evidence: str  # why not: the first test that failed, and how
    program: str
    lines: tuple[Line, ...]

    def to_json(self) -> dict[str, Json]:
        """Return the row of a data set."""
        return {
            "task": self.task,
            "digest": self.digest,
            "language": self.language,
            "kinds": list(self.kinds),
            "passed": self.passed,
            "evidence": self.evidence,
            "program": self.program,
            "lines": [
                {"text": line.text, "label": line.label, "is_changed": line.is_changed, "prefix": line.prefix}
                for line in self.lines
            ],
        }


@dataclass(slots=True)
class Labeller:
    """Labels candidates of one task.

    Args:
        task: a programming task with a reference.
        judge: returns the verdict on a program, as `CodeEnv.judge` does.

    Raises:
        VerifierError: the task has no reference that can be changed, or it fails its own tests.
    """

    task: Task
    judge: Callable[[Task, str], Verdict]
    reference: Reference = field(init=False)
    runs: int = 0  # programs that were judged
    _known: dict[str, tuple[bool, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reference = reference_of(self.task)

    def label(self, changes: Sequence[Way] = ()) -> Labelled:
        """Return the reference with some changes, which must lie apart, and its labels.

        Raises:
            ValueError: two changes touch each other.
            VerifierError: the task's tests are broken.
            InfraError: the sandbox failed.
        """
        ways = sorted(changes, key=lambda way: way.hunk.first)
        if not are_apart([way.hunk for way in ways]):
            raise ValueError("changes that touch each other cannot be labelled one by one")
        labels: list[Label] = [self._label([way.hunk]) for way in ways]
        hunks = [way.hunk for way in ways]
        prefixes: list[Label] = [self._label(hunks[:count]) for count in range(len(hunks) + 1)]
        passed, evidence = self._judged(hunks)
        return Labelled(
            task=self.task.id,
            digest=self.task.digest,
            language=language_name(self.task),
            kinds=tuple(way.kind for way in ways),
            passed=passed,
            evidence=evidence,
            program=self._text(hunks),
            lines=tuple(_lines(self.reference.lines, hunks, labels, prefixes)),
        )

    def several(self, draws: Draws, count: int) -> tuple[Way, ...]:
        """Return so many changes that lie apart, or fewer if they were not found."""
        chosen: list[Way] = []
        for _ in range(_ATTEMPTS * count):
            if len(chosen) == count or not self.reference.ways:
                break
            way = draws.pick(self.reference.ways)
            if are_apart([each.hunk for each in (*chosen, way)]):
                chosen.append(way)
        return tuple(chosen)

    def _label(self, hunks: Sequence[Hunk]) -> Label:
        return GOOD if self._judged(hunks)[0] else BAD

    def _judged(self, hunks: Sequence[Hunk]) -> tuple[bool, str]:
        text = self._text(hunks)
        if text not in self._known:
            verdict = self.judge(self.task, text)
            failed = next((check for check in verdict.checks if not check.passed), None)
            self._known[text] = (verdict.passed, f"{failed.name}: {failed.evidence}" if failed else "")
            self.runs += 1
        return self._known[text]

    def _text(self, hunks: Sequence[Hunk]) -> str:
        return "".join(f"{line}\n" for line in patched(self.reference.lines, hunks))


def _lines(
    reference: Sequence[str], hunks: Sequence[Hunk], labels: Sequence[Label], prefixes: Sequence[Label]
) -> list[Line]:
    """Return the candidate's lines; `prefixes` has one label more than there are changes, the first of none."""
    made: list[Line] = []
    at, is_gap, gap = 0, False, GOOD
    for number, hunk in enumerate((*hunks, None)):
        for text in reference[at : hunk.first if hunk else len(reference)]:
            made.append(Line(text=text, label=gap if is_gap else GOOD, is_changed=is_gap, prefix=prefixes[number]))
            is_gap = False
        if hunk is None:
            break
        for count, text in enumerate(hunk.new, start=1):
            prefix = prefixes[number + 1] if count == len(hunk.new) else None
            made.append(Line(text=text, label=labels[number], is_changed=True, prefix=prefix))
        at, is_gap, gap = hunk.end, not hunk.new, labels[number]
    if is_gap and made:  # what is missing are the last lines
        made[-1] = replace(made[-1], label=gap, is_changed=True, prefix=prefixes[-1])
    return made
