"""What counts as solved: a module that shows what the golden one shows, at every moment of the hidden stimulus.

Golden and candidate are simulated apart, on the same stimulus, and compared here. A bit that the golden module leaves
undefined may be anything; an undefined bit of the candidate is wrong wherever the golden one is defined. Whoever passes
must also be read by Yosys as hardware with exactly the ports that were asked for.

Source of the idea: CodeV-R1, arXiv:2505.24183.
"""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from palestra.envs.base import Json, Task
from palestra.envs.code.judge.bench import Bench
from palestra.envs.verilog.bench import Simulation, Synthesis, simulate, synthesise
from palestra.envs.verilog.design import CLOCK, TICK
from palestra.envs.verilog.stimulus import Interface, Vector, vectors
from palestra.envs.verilog.syntax import refusal
from palestra.rewards.base import Check, Verdict, VerifierError

MOST_CYCLES: Final = 100_000
_KEPT: Final = 64  # golden simulations
_TRIES: Final = 6  # for a short stimulus that tells something
_DULL: Final = 0.9  # the share of moments that a constant gets right there


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a task's modules are simulated on, and what the golden one shows there."""

    interface: Interface
    stimulus: Sequence[Vector]
    wanted: tuple[str, ...]

    def wrong(self, rows: Sequence[str]) -> list[int]:
        """Return the moments at which other rows are not what is wanted."""
        return [at for at, (want, got) in enumerate(zip(self.wanted, rows, strict=True)) if not is_row(want, got)]

    def level(self) -> float:
        """Return the greatest share of moments that a constant could get right."""
        rows = Counter(self.wanted)
        partly = [(row, count) for row, count in rows.items() if not row.isdecimal()]
        found = (
            count + sum(others for want, others in partly if is_row(want, row))
            for row, count in rows.items()
            if row.isdecimal()
        )
        return max(found, default=0) / len(self.wanted)


class Examiner:
    """Judges modules on one bench; golden modules are simulated once for each task. Not thread-safe."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._trials: OrderedDict[tuple[str, bool], Trial] = OrderedDict()

    def close(self) -> None:
        """Give the bench back."""
        self.bench.close()

    def trial(self, task: Task, *, is_hidden: bool) -> Trial:
        """Return what a task's modules are judged on, or what they are tried on.

        Raises:
            VerifierError: the task's own module or stimulus is missing, malformed, or shows nothing.
            InfraError: the sandbox failed.
        """
        key = task.digest, is_hidden
        if key not in self._trials:
            self._trials[key] = self._tried(task, is_hidden=is_hidden)
            while len(self._trials) > _KEPT:
                self._trials.popitem(last=False)
        self._trials.move_to_end(key)
        return self._trials[key]

    def judge(self, task: Task, text: str) -> Verdict:
        """Return the verdict on a module: passed only if it is right at every moment.

        Checks tell no input and no output.

        Raises:
            VerifierError: as `trial`.
            InfraError: the sandbox failed.
        """
        if refused := looked_at(task, text):
            return refused
        trial = self.trial(task, is_hidden=True)
        shown = simulate(self.bench, trial.interface, text, trial.stimulus)
        if shown.problem:
            return Verdict.of([Check(name="simulation", passed=False, evidence=shown.problem)])
        if wrong := trial.wrong(shown.rows):
            told = f"wrong at {len(wrong)} of {len(shown.rows)} moments"
            return Verdict.of([Check(name=f"hidden moment {wrong[0]}", passed=False, evidence=told)])
        problem = port_problem(trial.interface, synthesise(self.bench, trial.interface.name, text))
        return Verdict.of(
            [
                Check(name="hidden stimulus", passed=True, evidence=""),
                Check(name="ports", passed=not problem, evidence=problem),
            ]
        )

    def try_out(self, task: Task, text: str) -> tuple[str, float]:
        """Return what an agent is told of a module on the public stimulus, and how good it is, from 0 to 1.

        What a constant could get right counts as 0.

        Raises:
            VerifierError: as `trial`.
            InfraError: the sandbox failed.
        """
        if refused := looked_at(task, text):
            return refused.checks[0].evidence, 0.0
        trial = self.trial(task, is_hidden=False)
        shown = simulate(self.bench, trial.interface, text, trial.stimulus)
        if shown.problem:
            return _failed(shown), 0.0
        read = synthesise(self.bench, trial.interface.name, text)
        warned = f"\nyosys: {' '.join(read.told.split())[:400]}" if read.told.strip() else ""
        if problem := port_problem(trial.interface, read):
            return problem + warned, 0.0
        wrong = trial.wrong(shown.rows)
        share = 1 - len(wrong) / len(trial.wanted)
        level = trial.level()
        good = max(0.0, (share - level) / (1 - level)) if level < 1 else 0.0
        count = len(trial.wanted)
        if not wrong:
            return f"right at all {count} moments{warned}", good
        told = f"right at {count - len(wrong)} of {count} moments\n{mismatch(trial, wrong[0], shown.rows[wrong[0]])}"
        return told + warned, good

    def explain(self, task: Task, moment: int) -> str:
        """Return the inputs of the hidden stimulus around a moment and the outputs that are wanted then."""
        return mismatch(self.trial(task, is_hidden=True), moment, "")

    def _tried(self, task: Task, *, is_hidden: bool) -> Trial:
        interface, golden = told_by(task)
        cycles = (task.hidden if is_hidden else task.public).get("cycles")
        if type(cycles) is not int or not 1 <= cycles <= MOST_CYCLES:
            raise VerifierError(f"a Verilog task's cycles are from 1 to {MOST_CYCLES}, not {cycles!r:.80}")
        made: list[Trial] = []
        for attempt in range(_TRIES):
            nonce = f"{task.digest}/{'hidden' if is_hidden else 'public'}/{attempt}"
            stimulus = vectors(interface, cycles, nonce)
            shown = simulate(self.bench, interface, golden, stimulus)
            if shown.problem:
                raise VerifierError(f"the golden module of {task.id!r} fails: {shown.problem}: {shown.told[:300]}")
            made.append(Trial(interface=interface, stimulus=stimulus, wanted=shown.rows))
            if is_hidden or made[-1].level() <= _DULL:
                break
        trial = made[0] if is_hidden else min(made, key=Trial.level)
        if is_hidden and (problem := port_problem(interface, synthesise(self.bench, interface.name, golden))):
            raise VerifierError(f"the golden module of {task.id!r} is not what its interface tells: {problem}")
        if not any(bit in "01" for row in trial.wanted for bit in row):
            raise VerifierError(f"the golden module of {task.id!r} shows nothing defined")
        return trial


def looked_at(task: Task, text: str) -> Verdict | None:
    """Return the verdict on a text that is no candidate for a task's module, for which nothing is run; None of others.

    Raises:
        VerifierError: the task's own interface or module is missing or malformed.
    """
    interface, _ = told_by(task)
    problem = refusal(text, interface.name)
    return Verdict.of([Check(name="words", passed=False, evidence=problem)]) if problem else None


def told_by(task: Task) -> tuple[Interface, str]:
    """Return the interface and the golden module of a task.

    Raises:
        VerifierError: they are missing or malformed.
    """
    interface = Interface.of(task.public.get("module"), task.public.get("interface"))
    golden: Json = task.hidden.get("golden")
    if not isinstance(golden, str):
        raise VerifierError(f"a Verilog task needs the text of its golden module, not {golden!r:.80}")
    return interface, golden


def is_row(wanted: str, shown: str) -> bool:
    """Return whether outputs are what is wanted, wherever that is defined."""
    return wanted == shown or (
        len(wanted) == len(shown) and all(a == b or a in "xXzZ" for a, b in zip(wanted, shown, strict=True))
    )


def port_problem(interface: Interface, read: Synthesis) -> str:
    """Return how a module that Yosys read is not the one that was asked for, or ""."""
    if read.problem:
        return f"{read.problem}: {' '.join(read.told.split())[:400]}"
    wanted = {CLOCK: ("input", 1)} if interface.clock else {}
    wanted |= {name: ("input", bits) for name, bits in interface.inputs}
    wanted |= {name: ("output", bits) for name, bits in interface.outputs}
    for name in [*wanted, *read.ports]:
        want, found = wanted.get(name), read.ports.get(name)
        if want != found:
            told = [f"an {way} of {bits} bit{'s' * (bits != 1)}" for way, bits in (one for one in (want, found) if one)]
            if want is None:
                return f"there is a port {name}, which was not asked for"
            if found is None:
                return f"there is no port {name}, which is to be {told[0]}"
                return (
                    f"there is {'no' if want else 'a'} port {name}, which is to be {told[0]}"
                    if want
                    else (f"there is a port {name}, which was not asked for")
                )
            return f"the port {name} is {told[1]} and is to be {told[0]}"
    return ""


def mismatch(trial: Trial, at: int, shown: str) -> str:
    """Return a moment in words: inputs, those of the cycles before, wanted outputs, and others if there are any."""
    interface = trial.interface
    per_cycle = 2 if interface.clock else 1
    cycle = at // per_cycle
    when = ""
    if interface.clock:
        edge = "rising" if interface.clock == "posedge" else "falling"
        when = (
            f", {'after' if at % 2 else 'before'} the {edge} edge"
            if trial.stimulus[cycle].get(TICK, 1)
            else ", without an edge"
        )
    lines = [f"cycle {cycle}{when}:"]
    for before in range(max(0, cycle - 3), cycle) if interface.clock else ():
        lines.append(f"  inputs of cycle {before}: {_told(trial.stimulus[before])}")
    lines.append(f"  inputs: {_told(trial.stimulus[cycle])}")
    lines.append(f"  expected: {_outputs(interface, trial.wanted[at])}")
    return "\n".join([*lines, f"  got: {_outputs(interface, shown)}"] if shown else lines)


def _told(vector: Vector) -> str:
    told = " ".join(f"{name}={value}" for name, value in vector.items() if name != TICK)
    return told if vector.get(TICK, 1) else f"{told} (and no edge of the clock)"


def _outputs(interface: Interface, row: str) -> str:
    parts, at = [], 0
    for name, bits in interface.outputs:
        text = row[at : at + bits]
        at += bits
        parts.append(f"{name}={int(text, 2) if set(text) <= {'0', '1'} else text}")
    return " ".join(parts)


def _failed(shown: Simulation) -> str:
    told = "\n".join(shown.told.strip().splitlines()[:8])[:800]
    return f"{shown.problem}\n{told}" if told else shown.problem
