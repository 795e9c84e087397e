"""``palestra code label`` writes data sets of lines and says what is in them."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from palestra.envs.base import Task
from palestra.envs.code.writing import program_task


def double(name: str, oracle: str = "") -> Task:
    cases = [{"input": f"{n}\n", "output": f"{2 * n}\n"} for n in (1, 3, 40)]
    provenance = {"template": "double", "split": "train"}
    return program_task(
        name=name, seed=0, statement="Twice it.", examples=cases, tests=cases, provenance=provenance, oracle=oracle
    )


def written(path: Path, *tasks: Task) -> str:
    path.write_text("".join(json.dumps(task.to_dict()) + "\n" for task in tasks))
    return str(path)


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_lines_are_labelled_and_counted(run: Run, tmp_path: Path, form: str) -> None:
    tasks = written(
        tmp_path / "tasks.jsonl", double("double", oracle="n = int(input())\nprint(2 * n)\n"), double("bare")
    )
    out = tmp_path / f"labels.{form}"
    said = run("code", "label", tasks, "--out", str(out), "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert (told["tasks"], list(told["left_out"])) == (1, ["bare"])
    assert told["changed_lines"]["mutant: arithmetic"] == {"good": 0, "bad": 1}
    assert told["changed_lines"]["refactoring: temporary"] == {"good": 2, "bad": 0}
    assert out.stat().st_size > 0
    table = run("code", "label", tasks, "--out", str(out))
    assert "bare is left out: 'bare' has no reference" in table.out


def test_what_cannot_be_labelled_is_told(run: Run, tmp_path: Path) -> None:
    tasks = written(tmp_path / "tasks.jsonl", double("bare"))
    assert run("code", "label", tasks, "--out", str(tmp_path / "labels.jsonl")).code == 1
    said = run("code", "label", tasks, "--out", str(tmp_path / "labels.csv"))
    assert said.code == 2
    assert "ends in .jsonl or .parquet" in said.err
    said = run("code", "label", tasks, "--out", str(tmp_path / "missing" / "labels.jsonl"))
    assert said.code == 2
    assert "cannot write" in said.err
