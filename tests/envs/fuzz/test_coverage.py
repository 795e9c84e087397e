"""The tool for coverage: lines of programs of one's own, and what is told when one does not work."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from palestra.envs.fuzz.coverage import WATCH, cover
from palestra.envs.fuzz.generate import FuzzTasks

PYTHON = """import sys

def sign(number):
    if number < 0:
        return "less"
    return "more"

for word in sys.stdin.read().split():
    print(sign(int(word)))
"""
C = """#include <stdio.h>
int main(void) {
    int number;
    while (scanf("%d", &number) == 1) {
        if (number < 0)
            puts("less");
        else
            puts("more");
    }
    return 0;
}
"""


def test_python_lines_are_counted_over_all_inputs() -> None:
    some = cover("python", PYTHON, [b"1 2", b"", b"3"])
    assert (some.lines[4], some.lines[5], some.lines[6]) == (3, 0, 3)
    assert some.lines[1] == 3
    assert some.share < 1.0
    assert cover("python", PYTHON, [b"1 -1"]).share == 1.0


def test_c_lines_are_counted_over_all_inputs() -> None:
    some = cover("c", C, [b"1 2", b"", b"3"])
    assert (some.lines[5], some.lines[6], some.lines[8]) == (3, 0, 3)
    assert some.share < 1.0
    assert cover("c", C, [b"1 -1"]).share == 1.0


@pytest.mark.parametrize(("language", "source"), [("c", C), ("python", PYTHON)])
def test_without_inputs_nothing_is_reached(language: Literal["c", "python"], source: str) -> None:
    none = cover(language, source, [])
    assert none.share == 0.0
    assert set(none.lines.values()) <= {0}


def test_a_program_that_fails_is_told_of_and_still_counted() -> None:
    found = cover("python", "x = int(input())\nprint(1 // x)\nprint(x)\n", [b"1", b"0", b"word"])
    assert found.lines == {1: 3, 2: 2, 3: 1}
    assert set(found.problems) == {1, 2}
    assert all(problem == "exit code 1" for problem in found.problems.values())


@pytest.mark.parametrize("language", ["c", "python"])
def test_a_program_that_does_not_compile_is_told_of(language: Literal["c", "python"]) -> None:
    with pytest.raises(ValueError, match="does not compile"):
        cover(language, "return return", [b""])


def test_other_languages_are_refused() -> None:
    with pytest.raises(ValueError, match="c and python, not of 'rust'"):
        cover("rust", "", [])  # type: ignore[arg-type]


def test_every_interpreter_counts_alike(tmp_path: Path) -> None:
    """Those without `sys.monitoring` and, where one is installed, those with it."""
    source = FuzzTasks().sample(1, {"language": "python", "depth": 4}).public["source"]
    known = [sys.executable, *filter(None, (shutil.which(f"python3.{minor}") for minor in (12, 13, 14)))]
    counts: list[dict[str, int]] = []
    for interpreter in known:
        report = tmp_path / f"{len(counts)}.json"
        done = subprocess.run(
            [interpreter, "-I", "-c", WATCH, source, str(report)], input=b"\3abc", capture_output=True, check=False
        )
        if interpreter != sys.executable and not report.exists():  # a name without an interpreter behind it
            continue
        assert done.stdout.strip().isdigit(), done.stderr
        counts.append(json.loads(report.read_bytes()))
    assert sum(counts[0].values()) > 10
    assert all(one == counts[0] for one in counts)
