"""What judging a program costs beside running it with no isolation at all.

`code.py` runs it.

Python: an exam of ten tests, every test in namespaces of its own, beside one `subprocess.run([python, ...])` a test;
for programs with the imports that programs have, and for one without any. Compiled languages: a program that
computes for a while, judged, beside the same program run bare; and how many milliseconds a test costs more,
which a program that does nothing shows best. What is compared takes turns in one run; figures are medians
over the rounds with the least and the greatest, and ratios are those of the medians.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import code_corpora
import machine

from palestra.envs.code.judge.bench import Bench, Program
from palestra.envs.code.judge.case import Case
from palestra.envs.code.judge.exam import Exam, examine
from palestra.envs.code.languages.language import Language
from palestra.envs.code.languages.shelf import find_language
from palestra.sandbox.base import Limits

TESTS = 10
LEAST_ROUNDS = 3
LEAST_SPEEDUP, MOST_ADDED = 5.0, 0.25  # what is promised
LIMITS = Limits(wall_s=60.0, cpu_s=20.0)
IMPORTS = (
    "import bisect, collections, functools, heapq, itertools, json, math, random, re, string, sys\n"
    "from dataclasses import dataclass\nfrom typing import Optional\n"
)
SOLUTION = "numbers = list(map(int, input().split()))\nprint(sum(numbers), max(numbers), len(set(numbers)))\n"
PYTHON = {"with the usual imports": IMPORTS + SOLUTION, "without imports": SOLUTION}
LOOP = {  # n rounds of a generator of numbers, none of which a compiler can leave out
    "c": '#include <stdio.h>\nint main(void) { long n; unsigned long x = 1; scanf("%ld", &n);\n'
    'for (long i = 0; i < n; i++) x = x * 6364136223846793005UL + (x >> 33);\nprintf("%lu\\n", x); return 0; }\n',
    "cpp": "#include <cstdint>\n#include <iostream>\nint main() { long n; std::uint64_t x = 1; std::cin >> n;\n"
    "for (long i = 0; i < n; i++) x = x * 6364136223846793005UL + (x >> 33);\nstd::cout << x << '\\n'; }\n",
    "fortran": "program loop\n  implicit none\n  integer(kind=8) :: n, i, x\n  read (*, *) n\n  x = 1\n  do i = 1, n\n"
    "    x = ieor(ishft(x, 13), ishft(x, -7)) + i\n  end do\n  print '(i0)', x\nend program loop\n",
    "ocaml": 'let () = Scanf.scanf " %d" (fun n -> let x = ref 1 in\n  for i = 1 to n do x := !x * 25214903917 + '
    '(!x lsr 33) + i done;\n  Printf.printf "%d\\n" !x)\n',
    "rust": "fn main() {\n    let mut line = String::new();\n    std::io::stdin().read_line(&mut line).unwrap();\n"
    "    let n: u64 = line.trim().parse().unwrap();\n    let mut x: u64 = 1;\n    for _ in 0..n {\n"
    '        x = x.wrapping_mul(6364136223846793005).wrapping_add(x >> 33);\n    }\n    println!("{}", x);\n}\n',
}
ROUNDS_OF_LOOP = 100_000_000


def milliseconds(work: Callable[[], Any]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3


def in_turn(works: dict[str, Callable[[], Any]], seconds: float) -> dict[str, dict[str, float]]:
    """Return how long each takes, taking turns for some seconds, three at least."""
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or min(map(len, times.values())) < LEAST_ROUNDS:
        for name, work in works.items():
            times[name].append(milliseconds(work))
    return {name: machine.spread(seen) for name, seen in times.items()}


def bare(command: list[str], stdin: bytes) -> bytes:
    """Run a command as one would without a sandbox; return what it printed."""
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout


def python_exam(bench: Bench, source: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Return what ten tests of a Python program cost, locked in, in the sandbox alone, and bare."""
    file = folder / "main.py"
    file.write_text(source)
    inputs = [" ".join(map(str, range(n, 3 * n + 2))).encode() + b"\n" for n in range(TESTS)]
    command = [sys.executable, str(file)]
    exam = Exam(cases=tuple(Case(given, bare(command, given)) for given in inputs), limits=LIMITS)
    locked, free = bench.prepare(find_language("python"), source), Program.python(source)

    def judge(program: Any) -> None:
        if not examine(bench, program, exam, nonce="benchmark").passed:
            raise RuntimeError("the benchmark's own program failed")

    told = in_turn(
        {
            "bare": lambda: [bare(command, given) for given in inputs],
            "judged": lambda: judge(free),
            "judged, locked in": lambda: judge(locked),
        },
        seconds,
    )
    medians = {name: spread["median"] for name, spread in told.items()}
    return {
        "ms for ten tests": told,
        "times as fast": medians["bare"] / medians["judged"],
        "times as fast, locked in": medians["bare"] / medians["judged, locked in"],
    }


def compiled(bench: Bench, language: Language, folder: Path, seconds: float) -> dict[str, Any]:
    """Return what one test of a compiled program costs, judged and bare, when it computes and when it does not."""
    source = LOOP[language.name]
    (folder / language.file).write_text(source)
    environment = {**os.environ, **language.env}
    subprocess.run(language.compile, cwd=folder, check=True, capture_output=True, env=environment)
    program, command = bench.prepare(language, source), [str(folder / "program")]
    told: dict[str, Any] = {}
    for name, count in (("computing", ROUNDS_OF_LOOP), ("doing nothing", 1)):
        given = b"%d\n" % count
        case = Case(given, bare(command, given))

        def judge(case: Case = case) -> None:
            attempt = bench.attempt(program, case, LIMITS)
            if not attempt.passed:
                raise RuntimeError(f"the benchmark's own program failed: {attempt}")

        spreads = in_turn({"bare": lambda given=given: bare(command, given), "judged": judge}, seconds)  # type: ignore[misc]
        more = spreads["judged"]["median"] - spreads["bare"]["median"]
        told[name] = {"ms": spreads, "ms more": more, "share added": more / spreads["bare"]["median"]}
    return told


def measure(quick: bool) -> dict[str, Any]:
    """Return every figure."""
    seconds = 2.0 if quick else 10.0
    result: dict[str, Any] = {"machine": machine.describe(), "python": {}, "compiled": {}, "left out": []}
    with closing(Bench.open()) as bench, tempfile.TemporaryDirectory() as place:
        result["locked in"] = bench.locks
        for name, source in PYTHON.items():
            result["python"][name] = python_exam(bench, source, Path(place), seconds)
        for name in LOOP:
            language = find_language(name)
            if shutil.which(language.compile[0], path="/usr/bin") is None:
                result["left out"].append(name)
                continue
            result["compiled"][name] = compiled(bench, language, Path(place), seconds)
    result["corpora"] = corpora = code_corpora.measure(quick)
    added = [told["computing"]["share added"] for told in result["compiled"].values()]
    usual = result["python"]["with the usual imports"]
    result["promised"] = {
        "times as fast": {"seen": usual["times as fast"], "least": LEAST_SPEEDUP},
        "times as fast, locked in": {"seen": usual["times as fast, locked in"], "least": LEAST_SPEEDUP},
        "share added": {"seen": statistics.median(added) if added else None, "most": MOST_ADDED},
        "false positives": {"seen": corpora["false positives"]["wrong"], "most": 0},
        "false negatives": {"seen": corpora["false negatives"]["wrong"], "most": 0},
    }
    return result


def show(result: dict[str, Any]) -> None:
    """Print the figures for people."""
    print(machine.line(result["machine"]))
    for name, told in result["python"].items():
        times = ", ".join(f"{what} {spread['median']:.1f} ms" for what, spread in told["ms for ten tests"].items())
        print(f"Python {name}, {TESTS} tests: {times}")
        print(f"  {told['times as fast']:.1f} times as fast; {told['times as fast, locked in']:.1f} when locked in")
    for name, told in result["compiled"].items():
        busy, idle = told["computing"], told["doing nothing"]
        spreads = busy["ms"]
        print(
            f"{name}: {spreads['bare']['median']:.1f} ms bare, {spreads['judged']['median']:.1f} ms judged, "
            f"{busy['share added']:+.1%}; a test costs {idle['ms more']:.1f} ms more"
        )
    code_corpora.show(result["corpora"])
    for name, told in result["promised"].items():
        print(f"promised: {name}: {json.dumps(told)}")
    if result["left out"]:
        print(f"left out, since not installed: {', '.join(result['left out'])}")


def main() -> None:
    """Measure, and print."""
    options = machine.arguments(__doc__, quick="fewer rounds and attacks, in a minute").parse_args()
    machine.tell(measure(options.quick), show, as_json=options.json)
