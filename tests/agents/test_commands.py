"""The commands run, train and eval, as a person and as a program use them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ENV = "palestra/ToolUseMini-v0"


def palestra(*words: str, extra: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-m", "palestra", *words],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, **(extra or {})},
    )


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of standard error; there is no traceback."""
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(("agent", "rate"), [("oracle", 1.0), ("nop", 0.0)])
def test_run_prints_one_json_object(agent: str, rate: float) -> None:
    done = palestra("run", ENV, "--agent", agent, "-n", "12", "-k", "2", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert {"env_id", "agent", "n", "success_rate", "mean_reward", "interval"} <= set(result)
    assert (result["env_id"], result["agent"], result["n"], result["success_rate"]) == (ENV, agent, 24, rate)
    assert result["interval"][0] <= rate <= result["interval"][1]
    assert set(result["pass_at"]) == {"1", "2"}


def test_run_shows_a_table_and_writes_episodes_that_replay(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "episodes.jsonl"
    done = palestra("run", ENV, "-a", "oracle", "-n", "5", "--seed", "3", "-o", str(out))
    assert done.returncode == 0
    assert "100.0%" in done.stdout
    episodes = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(episodes) == 5
    assert all(len(turn["output_ids"]) == len(turn["logprobs"]) for one in episodes for turn in one["turns"])
    again = palestra("run", ENV, "-a", f"replay:{out}", "-n", "5", "--seed", "3", "--json")
    assert json.loads(again.stdout)["success_rate"] == 1.0
    other = palestra("run", ENV, "-a", f"replay:{out}", "-n", "5", "--seed", "300")
    assert other.returncode == 2
    assert "has no episode of" in one_line(other)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", "palestra/ToolUze-v0"), 2, "did you mean 'palestra/ToolUse-v0'"),
        (("run", ENV, "-a", "gpt-x"), 2, "no model named 'gpt-x'; use 'smollm2-135m'"),
        (("run", ENV, "-a", "replay:nowhere.jsonl"), 2, "cannot be read: No such file"),
        (("run", ENV, "-d", "hopz=2"), 2, "unknown difficulty knob 'hopz'"),
        (("run", ENV, "-n", "0"), 2, ""),
        (("run", ENV, "-o", "/proc/nowhere/x.jsonl"), 2, "cannot write the episodes"),
        (("run", ENV, "-a", "http://127.0.0.1:9", "-n", "1"), 1, "nothing to evaluate"),
        (("train", "rl_stepz=1"), 2, "did you mean 'rl_steps'"),
        (("train", "env=palestra/None-v0"), 2, "no environment named"),
        (("train", "model=gpt-x"), 2, "no model named 'gpt-x'"),
        (("train", "difficulty.hops=9"), 2, "hops"),
        (("train", "--config", "nowhere.toml"), 2, "the config file 'nowhere.toml' cannot be read"),
        (("train", "--resume", "out=nowhere"), 1, "nothing to resume"),
        (("eval", "nowhere"), 2, "cannot be read"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_without_a_traceback(
    words: tuple[str, ...], code: int, said: str, tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = (f"model={tiny_folder}",) if words[0] == "train" and not any("model" in word for word in words) else ()
    done = palestra(*words, *model)
    assert done.returncode == code, done.stderr
    assert said in one_line(done)


def test_train_then_eval_then_run_the_exported_model(tmp_path: Path, tiny_folder: Path) -> None:
    out = tmp_path / "run"
    small = ["sft_steps=1", "sft_demos=2", "rl_steps=1", "tasks=1", "attempts=2", "eval_tasks=3", "max_tokens=8"]
    settings = [*small, "difficulty.domain=shop", "max_context=1024", f"out={out}", f"model={tiny_folder}"]
    done = palestra("train", *settings, "--json", extra={"COLUMNS": "120"})
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result["evaluations"]) == {"base", "cold", "final"}
    assert "rl 1/1" in done.stderr
    for name in ("config.toml", "metrics.jsonl", "episodes.jsonl", "summary.json", "result.png", "model/config.json"):
        assert (out / name).exists(), name
    before = (out / "metrics.jsonl").read_bytes()
    measured = palestra("eval", str(out), "eval_tasks=2", "--json")
    assert measured.returncode == 0, measured.stderr
    assert json.loads(measured.stdout)["n"] == 2
    assert (out / "metrics.jsonl").read_bytes() == before
    played = palestra("run", ENV, "-a", str(out / "model"), "-n", "1", "--max-tokens", "4", "--json")
    assert played.returncode == 0, played.stderr
    assert json.loads(played.stdout)["n"] == 1
    again = palestra("train", *settings)
    assert again.returncode == 1
    assert "holds a run already; go on with --resume" in one_line(again)


def test_ctrl_c_leaves_a_checkpoint_and_resume_finishes(tmp_path: Path, tiny_folder: Path) -> None:
    out = tmp_path / "run"
    settings = ["sft_steps=400", "sft_demos=2", "rl_steps=0", "eval_tasks=0", "checkpoint_every=100000", "export=false"]
    words = ["train", *settings, f"out={out}", f"model={tiny_folder}"]
    with subprocess.Popen([sys.executable, "-m", "palestra", *words], stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        for line in child.stderr:
            if line.startswith("sft 3/"):
                break
        child.send_signal(signal.SIGINT)
        rest = child.stderr.read()
        assert child.wait() == 130
    assert "Traceback" not in rest
    assert "interrupted" in rest
    (checkpoint,) = (out / "checkpoints").iterdir()
    assert int(checkpoint.name.removeprefix("step-")) >= 3
    done = palestra("train", "--resume", "sft_steps=30", f"out={out}")
    assert done.returncode == 0, done.stderr
    assert "sft 30/30" in done.stderr or int(checkpoint.name.removeprefix("step-")) >= 30
