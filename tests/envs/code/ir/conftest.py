"""Programs that together use every statement, builtin and reader, with what they are run on."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from palestra.envs.code.ir.nodes import Program
from palestra.envs.code.ir.parse import parse

FOLDER = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Sample:
    """A program and its inputs."""

    name: str
    source: str
    inputs: tuple[str, ...]

    @property
    def program(self) -> Program:
        return parse(self.source)


def read_corpus() -> list[Sample]:
    samples = []
    for file in sorted(FOLDER.glob("*.txt")):
        source, *inputs = file.read_text(encoding="utf-8").split("=====\n")
        samples.append(Sample(file.stem, source, tuple(inputs or [""])))
    return samples


@pytest.fixture(scope="session")
def corpus() -> list[Sample]:
    """Every sample, sorted by name."""
    return read_corpus()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", read_corpus(), ids=lambda sample: sample.name)
