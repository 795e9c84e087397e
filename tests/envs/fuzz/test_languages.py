"""Four programs of each target, shown and probed in C and in Python, do the same on every input."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from palestra.envs.base import SPLITS, Split
from palestra.envs.fuzz import c, python
from palestra.envs.fuzz.coverage import cover
from palestra.envs.fuzz.encoding import decode
from palestra.envs.fuzz.fuzzers import draws_of, mutated
from palestra.envs.fuzz.generate import FuzzTasks
from palestra.envs.fuzz.stages import HELDOUT_STAGES, STAGES
from palestra.envs.fuzz.target import REACHED, Target
from palestra.envs.fuzz.trace import Trace
from palestra.envs.fuzz.verify import Puzzle

STRICT = ("-std=c17", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-Wno-unused-but-set-variable")
SANITIZED = (*STRICT, "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def built(folder: Path, source: str, name: str) -> Path:
    """Compile C with every warning an error, and with what ends it on undefined behaviour and wrong memory."""
    (folder / f"{name}.c").write_text(source)
    gcc = shutil.which("gcc")
    assert gcc, "these tests need gcc"
    subprocess.run([gcc, *SANITIZED, "-o", folder / name, folder / f"{name}.c"], check=True)
    return folder / name


def run(command: list[str], data: bytes) -> tuple[bytes, bytes]:
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def inputs_of(witness: bytes, start: bytes, count: int) -> Iterator[bytes]:
    """Yield inputs that get far: pieces of the witness, and changes of it and of the start."""
    draw = draws_of(len(witness))
    yield from (witness, start, b"", b"\0" * 64, b"\xff" * 256)
    yield from (witness[:length] for length in range(len(witness)))
    for number in range(count):
        yield mutated(witness if number % 4 else start, draw, 256)


def agree(target: Target, inputs: Iterator[bytes], folder: Path) -> int:
    """Return on how many inputs the programs were seen to agree."""
    shown, probed = built(folder, c.shown(target), "shown"), built(folder, c.probed(target), "probed")
    plain, tracing = python.plain_in_process(target), python.probed_in_process(target)
    given = list(inputs)
    for data in given:
        printed, silence = run([str(shown)], data)
        again, report = run([str(probed)], data)
        trace = tracing(data)
        assert printed == again == b"%d\n" % plain(data), data
        assert silence == b""
        assert Trace.read(report) == trace, data
        assert trace.hits(target) == (plain(data) == REACHED) == (trace.distance(target) == 0.0), data
        assert trace.hits(target) or trace.stop(target) is not None, data
    return len(given)


@pytest.mark.parametrize("split", SPLITS)
def test_c_and_python_agree(split: Split, tmp_path: Path) -> None:
    task = FuzzTasks(split).sample(5, {"depth": 4, "layout": "guards"})
    witness, start = (decode(text, 999) for text in (task.hidden["witness"], task.public["start"]))
    assert agree(Puzzle.of(task).target, inputs_of(witness, start, 8), tmp_path) > 20


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(STAGES))
def test_c_and_python_agree_on_two_hundred_inputs_of_every_kind(kind: str, tmp_path: Path) -> None:
    seen = 0
    for seed, layout in enumerate(("guards", "nested", "late")):
        split: Split = "heldout" if kind in HELDOUT_STAGES or seed == 1 else "train"
        task = FuzzTasks(split).sample(seed, {"kind": kind, "layout": layout, "depth": 2 + seed, "decoys": 3})
        witness, start = (decode(text, 999) for text in (task.hidden["witness"], task.public["start"]))
        seen += agree(Puzzle.of(task).target, inputs_of(witness, start, 60), tmp_path)
    assert seen >= 200


def test_the_little_parser_agrees_with_itself(target: Target, tmp_path: Path) -> None:
    inputs = iter([b"", b"A", b"AB", b"AB3", b"AB501", b"AB20", b"AB3x", b"AB0003", b"AB" + b"0" * 70])
    assert agree(target, inputs, tmp_path) == 9


@pytest.mark.parametrize("language", ["c", "python"])
def test_lines_are_those_of_the_shown_program(language: str) -> None:
    for seed in range(12):
        task = FuzzTasks().sample(seed, {"language": language, "depth": 2 + seed % 5})
        puzzle = Puzzle.of(task)
        lines = task.public["source"].splitlines()
        assert task.public["source"] == puzzle.shown()
        assert lines[task.public["target_line"] - 1].split() == ["return", *mark(language)]
        for number, line in enumerate(puzzle.decision_lines()):
            assert re.match(r" *(\} else )?(el)?(if|while) ", lines[line - 1]), (number, lines[line - 1])
        assert f"line {task.public['target_line']}," in task.instruction


def mark(language: str) -> list[str]:
    return ["100;", "//", "target"] if language == "c" else ["100", "#", "target"]


@pytest.mark.parametrize("language", ["c", "python"])
def test_gcov_and_the_interpreter_count_what_the_probes_count(language: str) -> None:
    task = FuzzTasks().sample(3, {"language": language, "depth": 4})
    puzzle = Puzzle.of(task)
    witness, start = (decode(text, 999) for text in (task.hidden["witness"], task.public["start"]))
    inputs = [witness, start, b"", witness[:-1], witness + b"x"]
    covered = cover("c" if language == "c" else "python", task.public["source"], inputs)
    assert not covered.problems
    tracing = python.probed_in_process(puzzle.target)
    counts = dict.fromkeys(puzzle.decision_lines(), 0)
    for data in inputs:
        for number, taken in tracing(data).taken.items():
            counts[puzzle.decision_lines()[number]] += taken.true + taken.false
    assert {line: covered.lines[line] for line in counts} == counts
    assert covered.lines[task.public["target_line"]] == 1
