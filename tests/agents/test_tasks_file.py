"""Agents on tasks of a file: played by ``palestra run``, and learnt from."""

import dataclasses
import json
from pathlib import Path

import pytest

from palestra.agents.base import ConfigError
from palestra.agents.config import TrainConfig
from palestra.agents.progress import Progress
from palestra.agents.trainer import Trainer
from palestra.cli import main
from palestra.envs.base import Split, TaskError
from palestra.envs.certify.certificate import Certificate, code_digest
from palestra.envs.certify.factory import Order, generate
from palestra.envs.certify.findings import CheckResult
from palestra.envs.registry import find, make
from palestra.envs.taskfile import StaleTasksWarning, write_records

ENV = "palestra/ToolUseMini-v0"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "tasks.jsonl"
    generate(Order(env_id=ENV, level="quick", difficulty={"hops": 2}), 4, path)
    return path


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["palestra", *words])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr()
    return int(left.value.code or 0), said.out, said.err


def test_run_plays_the_tasks_of_a_file(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "episodes.jsonl"
    code, said, _ = run(capsys, monkeypatch, "run", ENV, "--tasks", str(made), "--json", "-o", str(out))
    assert (code, json.loads(said)["n"], json.loads(said)["success_rate"]) == (0, 4, 1.0)
    ids = [json.loads(line)["task"]["id"] for line in made.read_text().splitlines()]
    assert sorted(json.loads(line)["task_id"] for line in out.read_text().splitlines()) == sorted(ids)
    code, said, _ = run(capsys, monkeypatch, "run", ENV, "--tasks", str(made), "-n", "2", "--seed", "3", "--json")
    assert (code, json.loads(said)["n"]) == (0, 2)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-n", "5"), "holds 4 tasks, fewer than -n 5"),
        (("-d", "hops=2"), "give either --tasks or -d"),
        (("--tasks", "none.jsonl"), "cannot read the task file 'none.jsonl'"),
    ],
)
def test_run_refuses_what_a_file_cannot_give(
    made: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    told: str,
) -> None:
    code, out, err = run(capsys, monkeypatch, "run", ENV, "--tasks", str(made), *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err


def test_a_file_is_played_in_its_own_environment(
    made: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = run(capsys, monkeypatch, "run", "Code-v0", "--tasks", str(made))
    assert (code, out, err) == (2, "", f"error: '{made}' holds tasks of {ENV}, not of palestra/Code-v0\n")


def test_certificates_of_other_code_are_told_in_one_line(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = tmp_path / "stale.jsonl"
    stale.write_text(made.read_text().replace(code_digest(find(ENV).entry_point), "0" * 64))
    code, out, err = run(capsys, monkeypatch, "run", ENV, "--tasks", str(stale), "--json")
    assert (code, json.loads(out)["success_rate"]) == (0, 1.0)
    assert err.splitlines()[0].startswith(f"warning: the certificates in '{stale}' were made by other code of {ENV}")
    code, out, err = run(capsys, monkeypatch, "run", ENV, "--tasks", str(stale), "--strict")
    assert (code, out, err.count("\n")) == (2, "", 1)


def pairs(path: Path, split: Split = "train", code: str = "") -> Path:
    """Write three tasks of the two-turn toy, with certificates that say that they passed."""
    entry = find("toy/Pair-v0")
    passed = (CheckResult(name="oracle", status="passed", detail=""),)
    records = []
    for seed in (7, 8, 9):
        task = dataclasses.replace(make(entry.id).tasks.sample(seed), provenance={"split": split})
        certificate = Certificate(
            env_id=entry.id, task_id=task.id, task_digest=task.digest, level="quick", seed=0, trace="x", version="0",
            code=code or code_digest(entry.entry_point), results=passed,
        )  # fmt: skip
        records.append((task.to_dict(), certificate.to_dict()))
    write_records(path, records)
    return path


def settings(model: Path, out: Path, tasks: Path, **changes: object) -> TrainConfig:
    small = TrainConfig(
        env="toy/Pair-v0", model=str(model), out=str(out), tasks_file=str(tasks), sft_steps=1, sft_demos=2, rl_steps=2,
        tasks=2, attempts=2, lora_rank=0, autocast=False, max_tokens=2, eval_tasks=2, device="cpu", export=False,
    )  # fmt: skip
    return dataclasses.replace(small, **changes)  # type: ignore[arg-type]


def test_a_model_is_trained_on_the_tasks_of_a_file(toys: None, tiny_folder: Path, tmp_path: Path) -> None:
    config = settings(tiny_folder, tmp_path / "run", pairs(tmp_path / "tasks.jsonl"))
    Trainer(config, progress=Progress(None)).run()
    played = [json.loads(line) for line in (tmp_path / "run" / "episodes.jsonl").read_text().splitlines()]
    trained = {one["task_id"] for one in played if one["phase"] == "rl"}
    assert trained
    assert trained <= {"pair/train/7", "pair/train/8", "pair/train/9"}
    (tmp_path / "tasks.jsonl").unlink()
    evaluator = Trainer(config, progress=Progress(None), resume=True, is_readonly=True)
    assert evaluator.evaluate().n == 2, "to measure a run its training tasks need not be there"


def test_what_is_not_for_training_is_refused(toys: None, tiny_folder: Path, tmp_path: Path) -> None:
    heldout = settings(tiny_folder, tmp_path / "run", pairs(tmp_path / "heldout.jsonl", "heldout"))
    with pytest.raises(TaskError, match="tasks of the split 'heldout', which are not for training"):
        Trainer(heldout, progress=Progress(None))
    stale = pairs(tmp_path / "stale.jsonl", code="0" * 64)
    with pytest.raises(TaskError, match="made by other code"):
        Trainer(settings(tiny_folder, tmp_path / "run", stale, strict_tasks=True), progress=Progress(None))
    with pytest.warns(StaleTasksWarning, match="made by other code"):
        Trainer(settings(tiny_folder, tmp_path / "run", stale), progress=Progress(None)).close()
    with pytest.raises(ConfigError, match=r"difficulty\.hops cannot be set"):
        settings(tiny_folder, tmp_path / "run", stale, difficulty={"hops": 1})
