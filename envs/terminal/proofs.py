"""What a generated task must stand: its two references agree on a machine, and nothing less than all of it passes.

`prove` plays on one machine without an environment around it, from the task's start for each trial; what is left there
is the task's own, so it is judged right here. What can be asked through the step API is asked there by the gate as
well, see `attacks`.
"""

import hashlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.base import Json, Task, merge_knobs
from palestra.envs.draws import Draws
from palestra.envs.env import AgentEnv
from palestra.envs.terminal.catalogue import OPERATORS
from palestra.envs.terminal.compose import Composed
from palestra.envs.terminal.frozen import Frozen
from palestra.envs.terminal.generate import TerminalTasks, make_task, step_knobs
from palestra.envs.terminal.harder import MENDS, damaged
from palestra.envs.terminal.predicates import RUNNING
from palestra.envs.terminal.predicates.judging import reason
from palestra.envs.terminal.runs import judge_running
from palestra.envs.terminal.start import laid_out, start_services
from palestra.envs.terminal.step import Artefact, Knobs, Step
from palestra.envs.terminal.tree import File, Folder, Link, Tree
from palestra.envs.terminal.verify import declared, end_processes, predicates_of

_SECONDS: Final = 60.0  # for one step's bash
_TWIN_SEED: Final = 10**6
_TWIN_DRAWS: Final = 400  # of one step, until it has the same choices


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of a task's trials."""

    trials: int
    failures: tuple[str, ...]  # none: the task stands

    @property
    def ok(self) -> bool:
        """True if the task stands."""
        return not self.failures


class Prover:
    """Tries tasks of one backend.

    Args:
        backend: of the machines.
        unsafe: accept a backend that does not isolate programs.
    """

    def __init__(self, backend: str = "native", *, unsafe: bool = False) -> None:
        self._backend, self._unsafe = backend, unsafe

    def prove(self, task: Task, composed: Composed, twin: Composed | None = None) -> Proof:
        """Return whether a task stands.

        Args:
            task: what was made of it.
            composed: with the references in Python.
            twin: of the same template with other values; its solution must not pass. None: there is none to try.

        Raises:
            InfraError: a machine failed.
            TaskError: the task has no start.
        """
        with closing(Bench(task, self._backend, unsafe=self._unsafe)) as bench:
            return Proof(failures=tuple(_failures(bench, composed, twin)), trials=bench.trials)

    def prove_seed(self, source: TerminalTasks, seed: int, difficulty: Mapping[str, Json] | None = None) -> Proof:
        """Return whether the task of a seed stands, and whether a twin's solution solves it.

        Raises:
            InfraError, TaskError: as `prove` and `TerminalTasks.sample`.
        """
        knobs = merge_knobs(source.knobs, difficulty)
        composed = source.composed(seed, knobs)
        twin = twin_of(composed, step_knobs(knobs), heldout=source.split == "heldout", seed=seed + _TWIN_SEED)
        return self.prove(make_task(composed, source.split, seed, knobs), composed, twin)


class Bench:
    """A machine in which a task is tried, every time from its start. Give it back with `close`."""

    def __init__(self, task: Task, backend: str = "native", *, unsafe: bool = False) -> None:
        """Start a machine.

        Raises:
            InfraError: none could be started.
            TaskError: the task has no start.
        """
        self.trials = 0
        self.why = ""  # the last trial failed
        self._task, self._backend, self._unsafe = task, backend, unsafe
        self._asked, self._paths = predicates_of(task), declared(task)
        self._sandbox = laid_out(task, backend, unsafe=unsafe)
        try:
            self._start = self._sandbox.snapshot(end_processes=True)
        except BaseException:
            self._sandbox.close()
            raise

    def close(self) -> None:
        """Give the machine back."""
        self._sandbox.close()

    def attempt(self, lines: Sequence[str]) -> tuple[bool, Tree]:
        """Return whether the task is solved by some lines of bash, and what they leave where it looks."""
        self.trials += 1
        self._sandbox.restore(self._start)
        start_services(self._task, self._sandbox)
        shell = self._sandbox.shell()
        late = any(shell.run(line, timeout_s=_SECONDS).timed_out for line in lines)
        end_processes(self._sandbox)
        frozen = Frozen.collect(self._sandbox, self._paths)
        tree = Tree()
        for archive in frozen.archives:
            tree = tree.joined(Tree.from_tar(archive))
        self.why = f"a step took longer than {_SECONDS:g} s" if late else self._trouble(frozen, tree)
        return not self.why, tree

    def _trouble(self, frozen: Frozen, tree: Tree) -> str:
        """Return why a check does not hold, or ""; what has to be run is not if another check has failed."""
        still = [reason(tree, one) for one in self._asked if one["kind"] not in RUNNING]
        if trouble := next(filter(None, [*frozen.troubles.values(), *still]), ""):
            return trouble
        moving = [one for one in self._asked if one["kind"] in RUNNING]
        image = str(self._task.public.get("image", ""))
        tried = judge_running(frozen, moving, image=image, backend=self._backend, unsafe=self._unsafe)
        return next(filter(None, tried), "")


def _failures(bench: Bench, composed: Composed, twin: Composed | None) -> Iterator[str]:
    solves = [step.solve for step in composed.steps]
    passed, start = bench.attempt([])
    if passed:
        yield "doing nothing passes"
    yield from (f"at the start, {path} is not what it should be" for path in _unlike(composed.start, start))
    passed, end = bench.attempt(solves)
    if not passed:
        yield f"the solution does not pass: {bench.why}"
        return
    yield from _disagreements(composed.steps, start, end)
    _, again = bench.attempt(solves)
    if tree_hash(again) != tree_hash(end):
        yield "done again, the solution leaves something else"
    for at, step in enumerate(composed.steps):
        if bench.attempt([*solves[:at], *solves[at + 1 :]])[0]:
            yield f"without step {at + 1} ({step.operator}), the rest passes"
        for name, wrong in step.wrong.items():
            if bench.attempt([*solves[:at], wrong, *solves[at + 1 :]])[0]:
                yield f"step {at + 1} ({step.operator}) done wrongly passes: {name}"
    if twin is not None and bench.attempt([step.solve for step in twin.steps])[0]:
        yield "the solution for other values passes"


def twin_of(composed: Composed, knobs: Knobs, *, heldout: bool, seed: int) -> Composed | None:
    """Return a task of the same template with other values in the same folders, or None if none was drawn."""
    steps: list[Step] = []
    for at, step in enumerate(composed.steps):
        source = composed.sources[at]
        given = steps[source].gives if source >= 0 else None
        found = _like(step, composed.folders[at], given, knobs, heldout, seed + at)
        if found is None or (source >= 0 and given is None):
            return None
        steps.append(found)
    return replace(composed, steps=tuple(steps))


def tree_hash(tree: Tree) -> str:
    """Return a hash of all that a tree holds but for times, and repositories, whose objects are named by theirs."""
    hashed = hashlib.sha256()
    for path, node in tree.items():
        if "/.git/" in path:
            continue
        if isinstance(node, File):
            told = f"file {node.mode:o} {node.owner} {hashlib.sha256(node.data).hexdigest()}"
        elif isinstance(node, Folder):
            told = f"folder {node.mode:o} {node.owner}"
        else:
            told = f"link {node.target}"
        hashed.update(f"{path}\0{told}\0".encode("utf-8", "surrogateescape"))
    return hashed.hexdigest()


def agreeing(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Play the oracle, and say that all is done only if what the files hold is what the Python references make."""
    *lines, done = env.oracle()
    yield from lines
    if made := env.task.hidden.get("made"):
        listed = "".join(f"{value}  {path}\n" for path, value in made.items())
        yield call_text("bash", {"command": f"printf %s {shlex.quote(listed)} | sha256sum --check --status"})
        if "[exit code 0;" not in str(env.messages[-1]["content"]):
            return
    yield done


def _like(step: Step, folder: str, given: Artefact | None, knobs: Knobs, heldout: bool, seed: int) -> Step | None:
    operator, is_damaged = OPERATORS[step.operator], any(choice.startswith(MENDS) for choice in step.choices)
    for count in range(_TWIN_DRAWS):
        draws = Draws("terminal", step.operator, seed, f"twin/{count}")
        found = operator.draw(draws, folder, given, knobs, heldout=heldout)
        if found is not None and is_damaged:  # nothing else that makes a step harder changes its solution
            found = damaged(found, draws)
        if found is not None and found.choices == step.choices and found.solve != step.solve:
            return found
    return None


def _unlike(wanted: Tree, found: Tree) -> Iterator[str]:
    """Yield the paths of a start that are not there, or not so."""
    for path, node in wanted.items():
        there = found.get(path)
        if (
            isinstance(node, File)
            and not (
                isinstance(there, File) and (node.data, node.mode, node.owner) == (there.data, there.mode, there.owner)
            )
        ) or (isinstance(node, Link) and node != there):
            yield path


def _disagreements(steps: Sequence[Step], start: Tree, end: Tree) -> Iterator[str]:
    """Yield where Python and bash make different bytes of what there is."""
    meant = start
    for step in steps:
        try:
            meant = step.effect(meant)
        except (KeyError, ValueError) as error:
            yield f"the effect of {step.operator} raised {error!r}"
            return
    for step in steps:
        for path in step.makes:
            wanted, found = meant.get(path), end.get(path)
            if not (isinstance(wanted, File) and isinstance(found, File) and wanted.data == found.data):
                yield f"{step.operator}: Python and bash make different bytes of {path}"
