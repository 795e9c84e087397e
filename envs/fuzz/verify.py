"""What counts as solved: an input that takes the target's probed program to its branch, twice, in fresh processes.

The program is ours and the input hostile. What was measured comes over stderr, where the program writes nothing that it
read, so no input can claim to have been elsewhere.
"""

from dataclasses import dataclass
from typing import Final, Self

from palestra.envs.base import Task
from palestra.envs.code.judge.bench import Bench, Program
from palestra.envs.code.judge.case import Attempt, trouble
from palestra.envs.code.languages.shelf import find_language
from palestra.envs.fuzz import c, python
from palestra.envs.fuzz.encoding import InputError, decode
from palestra.envs.fuzz.target import Target
from palestra.envs.fuzz.trace import Trace, farthest
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import MIB, InfraError, Limits

LIMITS: Final = Limits(
    cpu_s=2.0, wall_s=10.0, memory_bytes=128 * MIB, processes=16, file_bytes=1 * MIB, disk_bytes=4 * MIB
)
ONLY_NEAR: Final = 0.5  # what an input may earn at most that comes near and does not reach the target
_TIMES: Final = 2  # that an input is run before it is believed


@dataclass(frozen=True, slots=True)
class Puzzle:
    """What a task is about: the target, its language, and how far its start is from the target."""

    target: Target
    language: str
    start_distance: float

    @classmethod
    def of(cls, task: Task) -> Self:
        """Return the puzzle of a task.

        Raises:
            VerifierError: the task does not have one.
        """
        public, hidden = task.public, task.hidden
        try:
            target = Target(str(hidden["description"]), public["input_bytes"])
            puzzle = cls(target, str(public["language"]), float(hidden["start_distance"]))
            if not 0 < puzzle.start_distance <= farthest(target):
                raise ValueError(f"it starts at the distance {puzzle.start_distance!r}")
            if public["source"] != puzzle.shown():
                raise ValueError("its source is not what its description says")
        except (KeyError, TypeError, ValueError) as error:
            raise VerifierError(f"{task.id!r} is not a fuzzing task: {error!r}") from error
        return puzzle

    def probed(self) -> str:
        """Return the program that measures."""
        return _PROBED[self.language](self.target)

    def shown(self) -> str:
        """Return the program that an agent reads."""
        return _SHOWN[self.language](self.target)

    def decision_lines(self) -> list[int]:
        """Return the lines of the shown program on which its decisions stand."""
        if self.language == "c":
            return c.decision_lines(self.target)
        return [python.first_line(self.target) + node.lineno - 1 for node in self.target.decisions]

    def closeness(self, distance: float) -> float:
        """Return 1 where the target was reached, and 0 for what is no nearer than the start."""
        return max(0.0, 1.0 - distance / self.start_distance)


_PROBED: Final = {"c": c.probed, "python": python.probed}
_SHOWN: Final = {"c": c.shown, "python": python.shown}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a target on one input."""

    size: int  # of the input, in bytes
    problem: str = ""  # why the program did not end well
    printed: str = ""
    trace: Trace | None = None  # None where there is a problem
    distance: float  # to the target


class Ground:
    """Where one task's program at a time is run. Not thread-safe; give it back with `close`.

    Raises:
        CapabilityError: the backend does not isolate programs here.
        InfraError: no sandbox could be started.
    """

    def __init__(self, *, backend: str = "native", unsafe: bool = False) -> None:
        self._bench = Bench.open(backend=backend, unsafe=unsafe)
        self._ready: tuple[Puzzle, Program] | None = None

    def close(self) -> None:
        """Give the sandbox back."""
        self._bench.close()

    def run(self, puzzle: Puzzle, text: str) -> Run:
        """Run a puzzle's program on an input.

        Raises:
            InputError: the text stands for no input.
            VerifierError: the program cannot be built.
            InfraError: the sandbox failed.
        """
        data = decode(text, puzzle.target.most)
        program = self._program(puzzle)
        limits = program.limits(LIMITS)
        result = self._bench.run(program, data, limits)
        if result.signal is not None and not (result.timed_out or result.oom):
            result = self._bench.run(program, data, limits)  # it ends no other way by itself: somebody killed it
        problem = trouble(result, limits)
        trace = None if problem else Trace.read(result.stderr)
        if trace is None:
            problem = problem or "the program did not say what it did"
            return Run(size=len(data), problem=problem, distance=farthest(puzzle.target))
        printed = result.stdout.decode(errors="replace").strip()
        return Run(size=len(data), printed=printed, trace=trace, distance=trace.distance(puzzle.target))

    def judge(self, puzzle: Puzzle, text: str, *, pays_nearness: bool = False) -> Verdict:
        """Return the verdict on an input: passed if the target is reached each time that it is run.

        Args:
            puzzle: of the task.
            text: the input, as `decode` reads it.
            pays_nearness: score an input that comes nearer than the start, up to `ONLY_NEAR`.

        Raises:
            VerifierError: the program cannot be built.
            InfraError: the sandbox failed.
        """
        try:
            runs = [self.run(puzzle, text) for _ in range(_TIMES)]
        except InputError as error:
            return Verdict.of([Check(name="input", passed=False, evidence=str(error))])
        far = max(run.distance for run in runs)
        is_same = all(run == runs[0] for run in runs)
        missed = runs[0].problem or f"distance {far:g}"
        checks = (
            Check(name="input", passed=True, evidence=f"{runs[0].size} bytes"),
            Check(name="target reached", passed=far == 0.0, evidence=missed if far else ""),
            Check(name="the same again", passed=is_same, evidence="" if is_same else "run again, it went another way"),
        )
        verdict = Verdict.of(checks)
        if verdict.passed or not is_same or not pays_nearness:
            return verdict
        return Verdict(score=ONLY_NEAR * puzzle.closeness(far), passed=False, checks=checks)

    def _program(self, puzzle: Puzzle) -> Program:
        if self._ready is None or self._ready[0] != puzzle:
            try:
                source = puzzle.probed()
            except (ValueError, KeyError) as error:
                raise VerifierError(f"the target's program cannot be built: {error}") from error
            made: Program | Attempt
            if puzzle.language == "python":
                made = Program.python(source)
            else:
                made = self._bench.prepare(find_language(puzzle.language), source)
            if isinstance(made, Attempt):
                if made.is_timeout:
                    raise InfraError(f"the target's program was not built: {made.problem}")
                told = made.stderr.decode(errors="replace")[-300:]
                raise VerifierError(f"the target's program cannot be built: {made.problem}: {told}")
            self._ready = puzzle, made
        return self._ready[1]
