"""What CI installs works: every language there compiles, runs, is limited and is told of by its doctor."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from palestra.cli import main
from palestra.envs.code.doctor import examine_languages
from palestra.envs.code.judge.bench import Bench, Program
from palestra.envs.code.judge.case import Case
from palestra.envs.code.languages.shelf import VARIABLE, find_language, language_files
from palestra.sandbox.base import Limits, PermanentInfraError

IN_CI = ("python", "c", "cpp", "javascript", "lua", "ocaml", "fortran", "r", "perl", "ruby")
COMMANDS = {"c": "gcc", "cpp": "g++", "fortran": "gfortran", "go": "go", "haskell": "ghc", "java": "javac"}
COMMANDS |= {"javascript": "node", "julia": "julia", "lua": "lua5.4", "ocaml": "ocamlopt", "perl": "perl"}
COMMANDS |= {"python": "python3", "r": "Rscript", "ruby": "ruby", "rust": "rustc"}


def is_there(name: str) -> bool:
    """Whether a language must work: CI has it, or this machine does where programs see it."""
    found = shutil.which(COMMANDS[name], path="/usr/bin")
    return bool(found) or name == "python" or (name in IN_CI and "CI" in os.environ)


THERE = [name for name in COMMANDS if is_there(name)]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with closing(Bench.open(disk_mb=512)) as made:
        yield made


def test_every_language_of_ours_is_looked_for() -> None:
    assert set(COMMANDS) == set(language_files())


@pytest.mark.parametrize("name", THERE)
def test_a_hello_world_is_right_and_another_answer_is_wrong(bench: Bench, name: str) -> None:
    language = find_language(name)
    assert bench.greet(language) == ""
    made = bench.prepare(language, language.hello.program)
    assert isinstance(made, Program)
    limits = Limits(wall_s=30, cpu_s=5)
    assert bench.attempt(made, Case(b"1 2\n", b"hello 3\n"), limits).passed
    assert bench.attempt(made, Case(b"1 2\n", b"hello 4\n"), limits).problem == "wrong output"
    assert bench.version(language)


@pytest.mark.parametrize("name", THERE)
def test_what_does_not_compile_or_run_says_why(bench: Bench, name: str) -> None:
    language = find_language(name)
    made = bench.prepare(language, "this is no program (\n")
    if isinstance(made, Program):
        made = bench.attempt(made, Case(b"", b""), Limits(wall_s=30, cpu_s=5))
    elif language.compile:
        assert made.problem.startswith("does not compile")
    assert not made.passed
    assert made.problem != "wrong output"
    assert made.stderr


def test_the_doctor_tells_of_every_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["palestra", "code", "doctor", *words])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0)

    assert run("perl", "python", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["works"] is True
    assert [(one["name"], one["works"], one["trouble"]) for one in told["languages"]] == [
        ("perl", True, ""),
        ("python", True, ""),
    ]
    assert run("perl") == 0
    assert "perl v5" in capsys.readouterr().out
    assert run("lau") == 2
    assert "did you mean 'lua'" in capsys.readouterr().err


SHELL: dict[str, Any] = {
    "name": "mine",
    "title": "My language",
    "file": "main.txt",
    "compile": "cp main.txt copy.txt",
    "execute": "cat copy.txt",
    "version": "cat --version",
    "packages": ["coreutils"],
    "hello": {"program": "hello\n", "input": "", "output": "hello\n"},
    "prompt": "Write what shall be printed.",
}


def test_a_language_of_ones_own_needs_no_python(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(**changes: Any) -> None:
        (tmp_path / f"{changes.get('name', 'mine')}.yaml").write_text(yaml.safe_dump({**SHELL, **changes}))

    write()
    write(name="gone", execute="no_such_interpreter copy.txt", version="no_such_interpreter")
    write(name="wrong", hello={**SHELL["hello"], "output": "other\n"})
    write(name="broken", compile="false")
    (tmp_path / "odd.yaml").write_text("name: odd\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    own = ("mine", "gone", "wrong", "broken", "odd")
    monkeypatch.setattr(
        "palestra.envs.code.doctor.language_files", lambda: {name: tmp_path / f"{name}.yaml" for name in own}
    )
    found = {finding.name: finding for finding in examine_languages()}
    assert {name for name, finding in found.items() if finding.works} == {"mine"}
    assert found["mine"].version.startswith("cat (GNU coreutils)")
    assert found["gone"].trouble == "no_such_interpreter is not installed where the sandbox sees it"
    assert found["gone"].remedy == "apt-get install coreutils"
    assert found["wrong"].trouble == "its hello world printed b'hello\\n', not 'other\\n'"
    assert found["broken"].trouble == "its hello world: does not compile: exit code 1"
    assert "odd.yaml" in found["odd"].trouble
    made = bench.prepare(find_language("mine"), "anything\n")
    assert isinstance(made, Program)
    assert bench.attempt(made, Case(b"", b"anything\n"), Limits(wall_s=30)).passed
    with pytest.raises(PermanentInfraError, match="My language does not work here"):
        bench.prepare(find_language("gone"), "anything\n")
    capsys.readouterr()
