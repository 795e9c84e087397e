"""What a generated task must stand: its two references agree on a machine, and nothing less than all of it passes.

`prove` plays on machines without an environment around them, which costs a tenth of a second for each trial. What can
be asked through the step API is asked there by the gate as well, see `attacks`.
"""

import hashlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.base import Json, Task, merge_knobs
from palestra.envs.draws import Draws
from palestra.envs.env import AgentEnv
from palestra.envs.terminal.catalogue import OPERATORS
from palestra.envs.terminal.compose import Composed
from palestra.envs.terminal.generate import TerminalTasks, make_task, step_knobs
from palestra.envs.terminal.start import started
from palestra.envs.terminal.step import Artefact, Knobs, Step
from palestra.envs.terminal.tree import File, Folder, Link, Tree
from palestra.envs.terminal.verify import declared, end_processes, verify
from palestra.sandbox.base import Sandbox, SandboxFileError

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
        self._backend, self._unsafe, self._trials = backend, unsafe, 0

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
        self._trials = 0
        return Proof(failures=tuple(self._failures(task, composed, twin)), trials=self._trials)

    def prove_seed(self, source: TerminalTasks, seed: int, difficulty: Mapping[str, Json] | None = None) -> Proof:
        """Return whether the task of a seed stands, and whether a twin's solution solves it.

        Raises:
            InfraError, TaskError: as `prove` and `TerminalTasks.sample`.
        """
        knobs = merge_knobs(source.knobs, difficulty)
        composed = source.composed(seed, knobs)
        twin = twin_of(composed, step_knobs(knobs), heldout=source.split == "heldout", seed=seed + _TWIN_SEED)
        return self.prove(make_task(composed, source.split, seed, knobs), composed, twin)

    def _failures(self, task: Task, composed: Composed, twin: Composed | None) -> Iterator[str]:
        solves = [step.solve for step in composed.steps]
        passed, start = self._try(task, [])
        if passed:
            yield "doing nothing passes"
        yield from (f"at the start, {path} is not what it should be" for path in _unlike(composed.start, start))
        passed, end = self._try(task, solves)
        if not passed:
            yield f"the solution does not pass: {self._why}"
            return
        yield from _disagreements(composed.steps, start, end)
        _, again = self._try(task, solves)
        if tree_hash(again) != tree_hash(end):
            yield "done again, the solution leaves something else"
        for at, step in enumerate(composed.steps):
            if self._try(task, [*solves[:at], *solves[at + 1 :]])[0]:
                yield f"without step {at + 1} ({step.operator}), the rest passes"
            for name, wrong in step.wrong.items():
                if self._try(task, [*solves[:at], wrong, *solves[at + 1 :]])[0]:
                    yield f"step {at + 1} ({step.operator}) done wrongly passes: {name}"
        if twin is not None and self._try(task, [step.solve for step in twin.steps])[0]:
            yield "the solution for other values passes"

    def _try(self, task: Task, lines: Sequence[str]) -> tuple[bool, Tree]:
        """Return whether a task is solved by some lines of bash, and what they leave where it looks."""
        self._trials += 1
        self._why = ""
        with closing(started(task, self._backend, unsafe=self._unsafe)) as sandbox:
            shell = sandbox.shell()
            for line in lines:
                if shell.run(line, timeout_s=_SECONDS).timed_out:
                    self._why = f"a step took longer than {_SECONDS:g} s"
                    break
            end_processes(sandbox)
            left = _left(sandbox, task)
            verdict = verify(task, sandbox, backend=self._backend, unsafe=self._unsafe)
        if not verdict.passed:
            self._why = self._why or next(check.evidence for check in verdict.checks if not check.passed)
        return verdict.passed, left


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
    for count in range(_TWIN_DRAWS):
        draws = Draws("terminal", step.operator, seed, f"twin/{count}")
        found = OPERATORS[step.operator].draw(draws, folder, given, knobs, heldout=heldout)
        if found is not None and found.choices == step.choices and found.solve != step.solve:
            return found
    return None


def _left(sandbox: Sandbox, task: Task) -> Tree:
    """Return what is at the paths that a task declares."""
    tree = Tree()
    for path in declared(task):
        with suppress(SandboxFileError):  # there is nothing
            tree = tree.joined(Tree.from_tar(sandbox.collect(path)))
    return tree


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
