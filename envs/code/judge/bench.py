"""Where programs are compiled once and run on one input at a time, each in a workspace of its own.

Every run is a new process in new namespaces, with pipes that the sandbox makes; its workspace holds what the
compiler left and nothing of another run; its input comes through stdin and is on no disk.
"""

import contextlib
import functools
import hashlib
import json
import marshal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from palestra import sandbox as sandboxes
from palestra.envs.code.judge.case import TIMEOUT, WRONG, Attempt, Case, Checker, trouble
from palestra.envs.code.judge.checkers import LINES
from palestra.envs.code.languages.language import Language, Runtime
from palestra.sandbox.base import (
    MIB,
    Command,
    ExecResult,
    InfraError,
    Limits,
    PermanentInfraError,
    Python,
    Sandbox,
    SandboxFileError,
    SandboxSnapshot,
    Spec,
)

NEEDS: Final = frozenset({"network_off", "read_only_root", "process_count", "pid_hidden", "socket_families"})
NOT_FOUND: Final = 127  # the exit code of a command that is not there
NOT_TEXT: Final = "the program is not valid Unicode text"
HELLO_LIMITS: Final = Limits(wall_s=30.0, cpu_s=10.0, memory_bytes=256 * MIB)
_FOLDER: Final = Path(__file__).parent
_BEGIN: Final = (  # one expression, since the program would find its names
    "(lambda sys, version, code, text: exec(__import__('marshal').loads(bytes.fromhex(code)) "
    "if version == sys.version else text, {'__name__': '__cell__'}))"
    "(*(lambda sys: [sys, *(sys.argv.pop(1) for _ in range(3))])(__import__('sys')))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program ready to run: its command, what its language needs, and the files that the compiler left."""

    command: Command
    digest: bytes  # of its language and source
    env: Mapping[str, str] = field(default_factory=dict)
    runtime: Runtime = field(default_factory=Runtime)
    files: SandboxSnapshot | None = None  # None: an empty workspace

    @classmethod
    def python(cls, source: str) -> "Program | Attempt":
        """Return a Python program that is not locked in, or why it is none: it may read and run what the sandbox shows.

        It is the cheapest to run: `Bench.prepare` returns one that is locked in where that is possible.
        """
        if not is_text(source):
            return Attempt(NOT_TEXT)
        return cls(command=Python(source), digest=hashlib.sha256(source.encode()).digest())

    def limits(self, allowed: Limits) -> Limits:
        """Return what the program may use where its task allows this much."""
        own = self.runtime
        return replace(
            allowed,
            wall_s=allowed.wall_s + own.seconds,
            cpu_s=allowed.cpu_s + own.seconds,
            memory_bytes=allowed.memory_bytes + own.memory_mb * MIB,
            processes=max(allowed.processes, own.processes),
        )


class Bench:
    """Compiles and runs programs in one sandbox, one at a time. Not thread-safe; give it back with `close`."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Take over a sandbox; it is closed if it turns out not to work."""
        self._sandbox = sandbox
        self._works: set[str] = set()  # languages whose hello world was seen here
        self._paths: dict[str, Mapping[str, list[str]]] = {}  # by language: what its programs must reach
        try:
            self._empty = sandbox.snapshot()
        except InfraError:
            sandbox.close()
            raise
        self._holds: SandboxSnapshot | None = self._empty  # what the workspace is; None: nobody knows

    @classmethod
    def open(cls, *, backend: str = "native", unsafe: bool = False, disk_mb: int = 256) -> Self:
        """Return a bench with a sandbox of its own.

        Args:
            backend: a name in `palestra.sandbox.BACKENDS`.
            unsafe: accept a backend that does not isolate programs.
            disk_mb: the most that a compiler may leave.

        Raises:
            CapabilityError: the backend does not isolate programs here.
            InfraError: no sandbox could be started.
        """
        needs: frozenset[str] = frozenset() if unsafe else NEEDS
        spec = Spec(needs=needs, env={"PYTHONHASHSEED": "0"}, limits=Limits(disk_bytes=disk_mb * MIB))
        return cls(sandboxes.create(spec, backend=backend, unsafe=unsafe))

    def close(self) -> None:
        """Give the sandbox back."""
        self._sandbox.close()

    @property
    def limits_trees(self) -> bool:
        """Whether memory is limited for all of a program's processes together, and not by each one's address space."""
        return self._sandbox.capabilities.memory_tree

    @functools.cached_property
    def locks(self) -> bool:
        """Whether programs can be locked in to their own language and its libraries: Linux 5.13 with Landlock."""
        self._lay_out(self._empty)
        self._holds = None
        return sees_landlock(self._sandbox)

    def prepare(self, language: Language, source: str) -> Program | Attempt:
        """Return a program ready to run, or what the compiler said of it.

        Raises:
            PermanentInfraError: the language does not work in this sandbox, as its hello world showed.
            InfraError: the sandbox failed.
        """
        if language.name not in self._works:
            if problem := self.greet(language):
                remedy = f"apt-get install {' '.join(language.packages)}, or see " if language.packages else "see "
                raise PermanentInfraError(
                    f"{language.title} does not work here: {problem}; {remedy}what `palestra code doctor` says"
                )
            self._works.add(language.name)
        return self._prepare(language, source)

    def greet(self, language: Language) -> str:
        """Compile and run a language's hello world; return what went wrong, or "".

        Raises:
            InfraError: the sandbox failed.
        """
        hello = language.hello
        program = self._prepare(language, hello.program)
        made = self.attempt(program, Case(hello.input.encode(), hello.output.encode()), HELLO_LIMITS)
        if made.problem == WRONG:
            return f"its hello world printed {made.stdout[:80]!r}, not {hello.output!r}"
        said = (made.stderr.strip() or made.stdout.strip()).decode(errors="replace").splitlines()
        return f"its hello world: {made.problem}{': ' + said[0][:200] if said else ''}" if made.problem else ""

    def attempt(self, program: Program | Attempt, case: Case, limits: Limits, checker: Checker = LINES) -> Attempt:
        """Return what a program did on a case; what did not become a program fails it.

        Args:
            program: as `prepare` returned it.
            case: its own limits, if any, take the place of the others.
            limits: what the task allows.
            checker: decides whether the output is right.

        Raises:
            InfraError: the sandbox failed, which no program can cause.
            VerifierError: the checker is broken.
        """
        if isinstance(program, Attempt):
            return program
        allowed = program.limits(case.limits or limits)
        result = self.run(program, case.stdin, allowed)
        if result.signal is not None and not (result.timed_out or result.oom):
            # By its own doing or by somebody outside, which looks the same; what it does itself it does again.
            result = self.run(program, case.stdin, allowed)
        problem = trouble(result, allowed)
        if not problem and not checker.accepts(case, result.stdout):
            problem = WRONG
        return Attempt(problem, result.stdout, result.stderr)

    def run(
        self, program: Program, stdin: bytes, limits: Limits, extra_files: Mapping[str, bytes] | None = None
    ) -> ExecResult:
        """Run a program in its workspace, with some more files in it.

        Raises:
            InfraError: the sandbox failed.
        """
        self._lay_out(program.files or self._empty)
        for name, data in (extra_files or {}).items():
            self._holds = None
            self._sandbox.write(name, data)
        self._holds = None
        return self._sandbox.exec(program.command, stdin=stdin, env=program.env, limits=limits)

    def version(self, language: Language) -> tuple[str, str]:
        """Return the first line that a language's version command prints, and what went wrong with it, or "".

        Raises:
            InfraError: the sandbox failed.
        """
        self._lay_out(self._empty)
        self._holds = None
        result = self._sandbox.exec(language.version, env=language.env, limits=language.compiling)
        told = (result.stdout.strip() or result.stderr.strip()).decode(errors="replace").splitlines()
        if result.exit_code == NOT_FOUND:
            return "", f"{language.version[0]} is not installed where the sandbox sees it"
        problem = trouble(replace(result, truncated=False), language.compiling)
        return (told or [""])[0], f"{language.version[0]}: {problem}" if problem else ""

    def _prepare(self, language: Language, source: str) -> Program | Attempt:
        if not is_text(source):
            return Attempt(NOT_TEXT)
        digest = hashlib.sha256(f"{language.name}\0{source}".encode()).digest()
        program = Program(command=self._command(language, source), digest=digest)
        program = replace(program, env=language.env, runtime=language.runtime)
        if language.engine == "python":
            return program
        self._lay_out(self._empty)
        self._holds = None
        try:
            self._sandbox.write(language.file, source.encode())
            if problem := self._compile(language):
                return problem
            return replace(program, files=self._sandbox.snapshot())
        except SandboxFileError as error:
            return Attempt("does not fit on the disk", stderr=str(error).encode())

    def _compile(self, language: Language) -> Attempt | None:
        if not language.compile:
            return None
        result = self._sandbox.exec(language.compile, env=language.env, limits=language.compiling)
        if not (problem := trouble(replace(result, truncated=False), language.compiling)):
            return None  # with however many warnings
        problem = f"compiler {problem}" if problem == TIMEOUT else f"does not compile: {problem}"
        return Attempt(problem, result.stdout, result.stderr)

    def _command(self, language: Language, source: str) -> Command:
        if not self.locks and language.engine == "command":
            return language.execute
        if language.name not in self._paths:
            self._lay_out(self._empty)  # what a program left must not be imported by what looks around
            self._holds = None
            self._paths[language.name] = survey(self._sandbox, language.reads, language.runs, language.execute)
        plan = {**self._paths[language.name], "locks": self.locks, "argv": []}
        becomes = {"source": source} if language.engine == "python" else {"command": language.execute}
        return _in_cell({**plan, **becomes})

    def _lay_out(self, files: SandboxSnapshot) -> None:
        if self._holds is not files:
            self._holds = None
            self._sandbox.restore(files)
            self._holds = files


def sees_landlock(sandbox: Sandbox) -> bool:
    """Return whether a program in a sandbox can be locked in, by doing it.

    Raises:
        InfraError: the sandbox failed, or it cannot be told.
    """
    plan = {"locks": True, "reads": [], "runs": [], "argv": [], "source": ""}
    result = sandbox.exec(_in_cell(plan), limits=HELLO_LIMITS)
    if not result.ok and b"Landlock does not work here" not in result.stderr:
        raise InfraError(f"the sandbox does not say whether it has Landlock: {result.stderr[-300:]!r}")
    return result.ok


def survey(
    sandbox: Sandbox, reads: Sequence[str] = (), runs: Sequence[str] = (), command: Sequence[str] = ()
) -> Mapping[str, list[str]]:
    """Return the files and folders that a program must reach in a sandbox: what it ``reads`` and what it ``runs``.

    Args:
        sandbox: in which no program of others may run now.
        reads: patterns of what it reads beside shared libraries.
        runs: patterns of what it runs beside its own command.
        command: its own; none for Python.

    Raises:
        InfraError: the sandbox failed.
    """
    asked = json.dumps({"reads": [*reads], "runs": [*runs], "command": [*command]})
    begin = "exec(__import__('sys').argv.pop(1), {'__name__': '__survey__'})"
    result = sandbox.exec(Python(begin, (_source("survey"), asked)), limits=HELLO_LIMITS)
    try:
        found: Mapping[str, list[str]] = json.loads(result.stdout)
    except ValueError:
        raise InfraError(f"the sandbox does not say what it has: {result.stderr[-300:]!r}") from None
    return found


def is_text(source: str) -> bool:
    """Return whether a source can be written to a file: no half of a character is in it."""
    with contextlib.suppress(UnicodeEncodeError):
        source.encode()
        return True
    return False


def _in_cell(plan: Mapping[str, object]) -> Python:
    return Python(_BEGIN, (sys.version, _compiled_cell(), _source("cell"), json.dumps(plan)))


@functools.cache
def _compiled_cell() -> str:
    return marshal.dumps(compile(_source("cell"), "<cell>", "exec", dont_inherit=True)).hex()


@functools.cache
def _source(name: str) -> str:
    return (_FOLDER / f"{name}.py").read_text(encoding="utf-8")
