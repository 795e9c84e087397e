"""What a model wrote, tried on machines: nothing that it says of them is taken on trust."""

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Final

from palestra.envs.base import Json, Task, TaskError
from palestra.envs.terminal.machine import Machine
from palestra.envs.terminal.pipeline.answers import Refused
from palestra.envs.terminal.predicates import RUNNING
from palestra.envs.terminal.proofs import tree_hash
from palestra.envs.terminal.start import lay_out, new_sandbox, started
from palestra.envs.terminal.step import HOME
from palestra.envs.terminal.tree import File, Tree
from palestra.envs.terminal.verify import end_processes, predicates_of, verify
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import MIB, InfraError, ProcessesRunningError, Sandbox, SandboxFileError

SETUP_S: Final = 20  # the longest that a setup may take here; episodes wait longer, on machines that are busier
STEP_S: Final = 30  # the longest that a step of a solution may take
_SCRIPT: Final = "/tmp/.setup.sh"
_SHOWN: Final = 300
_MOST_BYTES: Final = 16 * MIB  # below `HOME`
_MOST_KIB: Final = 64 * 1024  # in all, since starts are kept for later episodes
_PROGRAMS: Final = (
    *("bash", "awk", "sed", "grep", "find", "sort", "tar", "gzip", "bzip2", "xz", "zip", "unzip", "jq", "bc", "git"),
    *("sqlite3", "python3", "perl", "make", "gcc", "curl", "ss", "ps", "file", "rsync", "xxd", "crontab", "iconv"),
)
_slots = threading.BoundedSemaphore(
    max(2, len(os.sched_getaffinity(0)))
)  # trials at one time, however many ideas are in work


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of some lines of bash in a task's machine."""

    passed: bool
    reasons: tuple[str, ...]  # why checks failed
    shown: tuple[bytes, ...]  # what each line printed
    tree: Tree  # what is there afterwards
    files: str  # a hash of what the checks are about

    @property
    def why(self) -> str:
        """The first reasons."""
        return "; ".join(self.reasons[:3])


@cache
def programs() -> str:
    """Return which of the usual programs a machine has, by name.

    Raises:
        InfraError: there is no machine.
    """
    task = Task(id="terminal/programs", family="terminal", seed=0, instruction="")
    with closing(new_sandbox(task, "native", unsafe=False)) as sandbox:
        told = Machine(sandbox).run(f"for one in {' '.join(_PROGRAMS)}; do type -P $one; done", STEP_S)
    found = [line.rpartition("/")[2] for line in told.output.decode("utf-8", "replace").split()]
    return ", ".join([*(name for name in _PROGRAMS if name in found), "coreutils"])


def set_up(task: Task) -> Tree:
    """Lay a task's start out, and return what is there then.

    Raises:
        Refused: it does not end well, leaves something running, or cannot be looked at.
        InfraError: the machine failed.
    """
    with _slots, closing(new_sandbox(task, "native", unsafe=False)) as sandbox:
        try:
            lay_out(sandbox, Tree.from_json(task.hidden["start"]), "")
            machine = Machine(sandbox)
            if setup := str(task.hidden["setup"]):
                sandbox.write(_SCRIPT, setup.encode())
                told = machine.run(f"bash {_SCRIPT} </dev/null; _code=$?; rm -f {_SCRIPT}; (exit $_code)", SETUP_S)
                if told.exit_code != 0:
                    code = "does not end" if told.exit_code is None else f"exit code {told.exit_code}"
                    raise Refused(f"setup: {told.note or code}: {_end(told.output)}")
            used = machine.run("df -k --output=used /", STEP_S).output.split()
            if not used or not used[-1].isdigit() or int(used[-1]) > _MOST_KIB:
                raise Refused(f"setup writes more than {_MOST_KIB // 1024} MiB, or leaves no df to tell")
            sandbox.snapshot()
        except ProcessesRunningError as error:
            raise Refused(f"setup leaves something running, which is for services: {error!s:.200}") from error
        except (ValueError, SandboxFileError) as error:
            raise error if isinstance(error, Refused) else Refused(f"the start cannot be laid out: {error}") from error
        return collected(sandbox)


def try_out(task: Task, lines: Sequence[str]) -> Trial:
    """Run some lines of bash in a task's machine, one after the other in one shell, and judge what is there then.

    Raises:
        Refused: the start or the checks make no sense, a line does not end, or what is left cannot be looked at.
        InfraError: the machine failed.
    """
    shown = []
    with _slots, _sense(), closing(started(task, "native", unsafe=False)) as sandbox:
        machine = Machine(sandbox)
        for number, line in enumerate(lines, 1):
            told = machine.run(line, STEP_S)
            if told.exit_code is None:
                raise Refused(f"line {number} of the solution does not end in {STEP_S} s: {_end(told.output)}")
            if told.note:
                raise Refused(f"line {number} of the solution: {told.note}")
            shown.append(told.output)
        end_processes(sandbox)
        tree = collected(sandbox)
        verdict = verify(task, sandbox)
    return Trial(
        passed=verdict.passed,
        reasons=tuple(f"{check.name}: {check.evidence}" for check in verdict.checks if not check.passed),
        shown=tuple(shown),
        tree=tree,
        files=verdict.files,
    )


def collected(sandbox: Sandbox) -> Tree:
    """Return what is below `HOME`.

    Raises:
        Refused: it is too much, or cannot be told as a tree.
    """
    try:
        return Tree.from_tar(sandbox.collect(HOME, limit_bytes=_MOST_BYTES)).drop(f"{HOME}/.cache")
    except (SandboxFileError, ValueError) as error:
        raise Refused(f"what is below {HOME} cannot be looked at: {error}") from error


def apart(one: Tree, other: Tree) -> str:
    """Return a path at which two trees differ, times left out; "" if there is none."""
    if tree_hash(one) == tree_hash(other):
        return ""
    paths = (path for path in sorted({*one, *other}) if "/.git/" not in path)
    return next((path for path in paths if not _is_same(one, other, path)), HOME)


def changed(before: Tree, after: Tree) -> list[str]:
    """Return the files that are no more what they were."""
    return [
        path
        for path, node in before.items()
        if isinstance(node, File) and "/.git/" not in path and not _is_same(before, after, path)
    ]


def hashes(tree: Tree) -> dict[str, str]:
    """Return the hashes of all files, but those that git keeps to itself."""
    return {
        path: hashlib.sha256(node.data).hexdigest()
        for path, node in tree.items()
        if isinstance(node, File) and "/.git/" not in path
    }


def touching(task: Task) -> str:
    """Return bash that makes an empty file wherever the task looks for one: a check that this passes sees nothing."""
    asked: list[Mapping[str, Json]] = [one for one in predicates_of(task) if not one.get("absent")]
    paths = [path for one in asked for path in (one["files"] if one["kind"] in RUNNING else [one["path"]])]
    quoted = (path.replace("'", "'\\''") for path in dict.fromkeys(paths))
    return "\n".join(f"mkdir -p \"$(dirname '{path}')\"; [ -e '{path}' ] || : > '{path}'" for path in quoted)


def _is_same(one: Tree, other: Tree, path: str) -> bool:
    alone = [Tree({path: tree[path]} if path in tree else {}) for tree in (one, other)]
    return tree_hash(alone[0]) == tree_hash(alone[1])


@contextmanager
def _sense() -> Iterator[None]:
    """Tell what a task's own parts are to blame for from what the machine is."""
    try:
        yield
    except (InfraError, Refused):
        raise
    except TaskError as error:
        raise Refused(f"the start cannot be laid out: {error}") from error
    except VerifierError as error:
        raise Refused(f"the checks cannot be judged: {error}") from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:  # of a value in a check
        raise Refused(f"the checks cannot be judged: {type(error).__name__} {error}") from error


def _end(output: bytes) -> str:
    return output[-_SHOWN:].decode("utf-8", "replace").strip()
