"""What counts as solved: files that are as every predicate of the task asks, when nothing of the agent's runs any more.

The agent's processes are ended, its shell first. What the task declares is copied out by the sandbox, not by a
program in it, and judged elsewhere: in a slot of our own, and in a third machine what has to be run.
"""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from palestra.envs.base import Json, Task, canonical_json
from palestra.envs.terminal.formats.judge import judge_by_tests
from palestra.envs.terminal.frozen import Frozen, judge_frozen
from palestra.envs.terminal.predicates import RUNNING, Predicate, check_predicate, name_of
from palestra.envs.terminal.predicates.judging import reason
from palestra.envs.terminal.recent import Recent
from palestra.envs.terminal.runs import judge_running
from palestra.envs.terminal.start import image_for
from palestra.envs.terminal.tree import Tree
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import CapabilityError, InfraError, Sandbox, SandboxFileError

KEPT: Final = "kept"  # what checks of inputs that must stay are called
_BESIDE: Final = ("-wal", "-journal")  # what of a database may lie beside its file
_milestones: Final = Recent[frozenset[int]](64)  # the steps that have some, by a task's digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending(Verdict):
    """A verdict, and what it is on."""

    files: str = ""  # a hash of what the checks are about, to tell whether two episodes ended alike

    @classmethod
    def on(cls, verdict: Verdict, files: str = "") -> "Ending":
        """Return a verdict with what it is on."""
        return cls(score=verdict.score, passed=verdict.passed, checks=verdict.checks, files=files)


def verify(task: Task, sandbox: Sandbox, *, backend: str = "native", unsafe: bool = False) -> Ending:
    """Return the verdict on what an episode left; everything that runs in its sandbox is ended.

    Args:
        task: what was asked.
        sandbox: where the agent worked. Its shell is closed.
        backend: of that sandbox, and of the machine in which scripts are tried.
        unsafe: accept a backend that does not isolate programs.

    Raises:
        VerifierError: the task's predicates are missing or malformed.
        InfraError: a sandbox failed.
    """
    predicates = predicates_of(task)
    end_processes(sandbox)
    if "tests" in task.hidden:
        return Ending.on(judge_by_tests(task, sandbox, backend=backend, unsafe=unsafe))
    frozen = Frozen.collect(sandbox, declared(task))
    still = [one for one in predicates if one["kind"] not in RUNNING]
    moving = [one for one in predicates if one["kind"] in RUNNING]
    judged = judge_frozen(frozen, still)
    reasons = dict(zip(map(id, still), judged.reasons, strict=True))
    image = image_for(task, backend)
    tried = judge_running(frozen, moving, image=image, backend=backend, unsafe=unsafe)
    reasons |= dict(zip(map(id, moving), tried, strict=True))
    return Ending.on(Verdict.of([_check(one, reasons[id(one)]) for one in predicates]), files=judged.digest)


def end_processes(sandbox: Sandbox) -> None:
    """End everything that runs in a sandbox: the shell by force, so that nothing it has planned for its end is done.

    Raises:
        InfraError: the sandbox failed.
    """
    try:
        sandbox.shell().close()
    except CapabilityError:  # without a shell nothing outlives its `exec`
        return
    except InfraError:  # an agent may have left no program that can be a shell; a dead machine is told of below
        pass
    with suppress(SandboxFileError):  # an agent may have left what no snapshot can hold; what ran was ended before that
        sandbox.snapshot(end_processes=True)


def predicates_of(task: Task) -> list[Predicate]:
    """Return all that a task asks: its checks, and that its inputs are as they were; none if it brings its own tests.

    Raises:
        VerifierError: there are none, or one is malformed.
    """
    if "tests" in task.hidden:
        return []
    checks, keeps = task.hidden.get("checks"), task.hidden.get("keeps", {})
    if not isinstance(checks, Sequence) or isinstance(checks, str) or not checks or not isinstance(keeps, Mapping):
        raise VerifierError(f"a shell task needs at least one check, in a list, not {checks!r:.80}")
    for check in checks:
        check_predicate(check)
    kept: list[Predicate] = [{"kind": "same", "group": -1, "path": path, "sha256": keeps[path]} for path in keeps]
    return [*checks, *kept]


def declared(task: Task) -> list[str]:
    """Return the paths that are copied out of the agent's machine, none below another.

    They are those that the task declares and those of its predicates.
    """
    wanted = [*task.hidden.get("collect", ())]
    for predicate in predicates_of(task):
        wanted += predicate["files"] if predicate["kind"] in RUNNING else [predicate["path"]]
        if predicate["kind"] == "sqlite":
            wanted += [predicate["path"] + ending for ending in _BESIDE]
    return outermost(wanted)


def outermost(paths: Iterable[str]) -> list[str]:
    """Return the paths that are not below another of them, sorted."""
    found: list[str] = []
    for path in sorted({path.rstrip("/") for path in paths}, key=lambda path: path.split("/")):
        if not found or not path.startswith(f"{found[-1]}/"):
            found.append(path)
    return list(dict.fromkeys(found))


def partial(verdict: Verdict) -> dict[int, bool]:
    """Return which steps, counted from 0, passed all their checks; inputs that were changed are group -1."""
    groups = itertools.groupby(sorted((_group(check), check.passed) for check in verdict.checks), lambda one: one[0])
    return {group: all(passed for _, passed in checks) for group, checks in groups}


def progress(task: Task, sandbox: Sandbox) -> float:
    """Return the share of steps whose milestones are reached, from 0 to below 1; nothing is ended or changed.

    A step's milestones are the differences that the oracle makes with it: its checks, where they do not all hold of the
    start. What has to be run is left to the end; a step that asks for nothing else has no milestone. Nothing counts
    while an input that must stay is changed. So what makes no difference earns nothing, doing it twice earns nothing
    more, undoing it takes it back, and only the outcome makes it 1.

    Raises:
        VerifierError: the task's predicates are missing or malformed.
        InfraError: a sandbox failed.
    """
    still = [one for one in predicates_of(task) if one["kind"] not in RUNNING]
    steps = _milestones.get(task.digest)
    if steps is None:
        start = Tree.from_json(task.hidden.get("start", {}))
        steps = frozenset(one["group"] for one in still if one["group"] >= 0 and reason(start, one))
        _milestones.put(task.digest, steps)
    if not steps:
        return 0.0
    judged = judge_frozen(Frozen.collect(sandbox, declared(task)), still)
    failed = {one["group"] for one, told in zip(still, judged.reasons, strict=True) if told}
    return 0.0 if -1 in failed else len(steps - failed) / (len(steps) + 1)


def _check(predicate: Predicate, reason: str) -> Check:
    name = f"{KEPT} {predicate['path']}" if predicate["group"] < 0 else name_of(predicate)
    return Check(name=name, passed=not reason, evidence=reason)


def _group(check: Check) -> int:
    found = re.match(r"step (\d+): ", check.name)
    return int(found[1]) - 1 if found else -1


def explain(task: Task, check: Check) -> str:
    """Return the predicates that a check is about, as JSON; "" if there are none. Never to be shown to an agent."""
    found: list[Json] = [one for one in predicates_of(task) if _check(one, "").name == check.name]
    return "\n".join(map(canonical_json, found))
