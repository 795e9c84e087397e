"""Which lines of a program its inputs reach, for programs of one's own in Python and C.

    from palestra.envs.fuzz.coverage import cover

    print(cover("c", source, [b"1 2", b""]).share)

C is compiled with ``--coverage`` and read with gcov. Python is watched by `sys.monitoring` where the interpreter has
it (3.12 and newer) and by `sys.settrace` elsewhere. Programs run in a sandbox, but what they did is counted within
their own process: these counts help to find inputs, and judge nobody. `Fuzz-v0` does not judge by them.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Literal

from palestra import sandbox as sandboxes
from palestra.envs.code.judge.bench import NEEDS
from palestra.envs.code.judge.case import trouble
from palestra.sandbox.base import MIB, InfraError, Limits, PermanentInfraError, Python, Sandbox, Spec

LIMITS: Final = Limits(wall_s=20.0, cpu_s=10.0, memory_bytes=512 * MIB, output_bytes=1 * MIB)
_REPORT: Final = "coverage.json"
_COMPILE: Final = ("gcc", "-std=c17", "-O0", "--coverage", "-o", "program", "main.c", "-lm")
_READ: Final = ("gcov", "--json-format", "--stdout", "program-main.gcno")
_NOT_FOUND: Final = 127
WATCH: Final = """
import atexit, json, sys

source, report = sys.argv.pop(1), sys.argv.pop(1)
code = compile(source, "main.py", "exec", dont_inherit=True)
codes = [code]
for one in codes:
    codes += [inner for inner in one.co_consts if hasattr(inner, "co_lines")]
seen = {line: 0 for one in codes for *_, line in one.co_lines() if line}


def count(found, line):
    if found.co_filename == "main.py" and line:
        seen[line] = seen.get(line, 0) + 1


def trace(frame, event, _):
    if frame.f_code.co_filename != "main.py":
        return None
    if event == "line":
        count(frame.f_code, frame.f_lineno)
    return trace


def tell():
    sys.settrace(None)
    with open(report, "w") as file:
        json.dump(seen, file)


atexit.register(tell)
if hasattr(sys, "monitoring"):
    sys.monitoring.use_tool_id(sys.monitoring.COVERAGE_ID, "palestra")
    sys.monitoring.register_callback(sys.monitoring.COVERAGE_ID, sys.monitoring.events.LINE, count)
    sys.monitoring.set_events(sys.monitoring.COVERAGE_ID, sys.monitoring.events.LINE)
else:
    sys.settrace(trace)
exec(code, {"__name__": "__main__"})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What some inputs reached together."""

    lines: Mapping[int, int]  # how often each line that can run was begun
    problems: Mapping[int, str]  # of inputs, by number: how the program did not end well; it may not have been counted

    @property
    def share(self) -> float:
        """The share of lines that were reached, in [0, 1]."""
        return sum(times > 0 for times in self.lines.values()) / max(1, len(self.lines))


def cover(
    language: Literal["c", "python"],
    source: str,
    inputs: Iterable[bytes],
    *,
    backend: str = "native",
    unsafe: bool = False,
) -> Coverage:
    """Run a program on each input and return which of its lines were reached.

    Args:
        language: "c" or "python".
        source: of a program that reads stdin, in one file.
        inputs: one run each.
        backend: a name in `palestra.sandbox.BACKENDS`.
        unsafe: accept a backend that does not isolate programs.

    Raises:
        ValueError: the language is another, or the program does not compile.
        PermanentInfraError: gcc or gcov is not installed.
        InfraError: the sandbox failed.
    """
    if language not in _COVER:
        raise ValueError(f"coverage is known of {' and '.join(_COVER)}, not of {language!r}")
    spec = Spec(needs=frozenset() if unsafe else NEEDS, env={"PYTHONHASHSEED": "0"}, limits=LIMITS)
    with closing(sandboxes.create(spec, backend=backend, unsafe=unsafe)) as sandbox:
        return _COVER[language](sandbox, source, inputs)


def _cover_python(sandbox: Sandbox, source: str, inputs: Iterable[bytes]) -> Coverage:
    try:
        compile(source, "main.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"the program does not compile: {error}") from error
    lines: Counter[int] = Counter()
    problems: dict[int, str] = {}
    for number, data in enumerate(inputs):
        sandbox.write(_REPORT, b"{}")
        result = sandbox.exec(Python(WATCH, (source, _REPORT)), stdin=data, limits=LIMITS)
        if problem := trouble(result, LIMITS):
            problems[number] = problem
        told = json.loads(sandbox.read(_REPORT) or b"{}")
        for line, times in told.items():
            lines[int(line)] += times
    return Coverage(lines=dict(sorted(lines.items())), problems=problems)


def _cover_c(sandbox: Sandbox, source: str, inputs: Iterable[bytes]) -> Coverage:
    sandbox.write("main.c", source.encode())
    built = sandbox.exec(_COMPILE, limits=LIMITS)
    if built.exit_code == _NOT_FOUND:
        raise PermanentInfraError("gcc is not installed where the sandbox sees it; on Debian: apt-get install gcc")
    if problem := trouble(built, LIMITS):
        told = built.stderr.decode(errors="replace")[-600:]
        raise ValueError(f"the program does not compile: {problem}: {told}")
    problems: dict[int, str] = {}
    for number, data in enumerate(inputs):
        result = sandbox.exec(("./program",), stdin=data, limits=LIMITS)
        if problem := trouble(result, LIMITS):
            problems[number] = problem
    read = sandbox.exec(_READ, limits=LIMITS)
    if read.exit_code == _NOT_FOUND:
        raise PermanentInfraError("gcov is not installed where the sandbox sees it; on Debian it comes with gcc")
    try:
        files = json.loads(read.stdout)["files"]
        found = [line for file in files if file["file"] == "main.c" for line in file["lines"]]
        lines: Counter[int] = Counter()
        for line in found:
            lines[int(line["line_number"])] += int(line["count"])
    except (ValueError, KeyError, TypeError) as error:
        raise InfraError(f"gcov does not say what ran: {read.stderr[-300:]!r}: {error!r}") from error
    return Coverage(lines=dict(sorted(lines.items())), problems=problems)


_COVER: Final[Mapping[str, Callable[[Sandbox, str, Iterable[bytes]], Coverage]]] = {
    "c": _cover_c,
    "python": _cover_python,
}
