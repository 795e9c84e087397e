"""The trainer learns, stops and goes on as if it had not stopped, and loses nothing when things fail."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from palestra.agents.base import ModelError
from palestra.agents.checkpoint import CheckpointError, list_checkpoints, load_checkpoint, save_checkpoint
from palestra.agents.config import TrainConfig, load_config
from palestra.agents.losses import Objective, ppo_clip
from palestra.agents.metrics import RunInUseError, read_metrics
from palestra.agents.model import Learner, load_causal_lm
from palestra.agents.nano import credit, policy_loss, rollout
from palestra.agents.nano import step as nano_step
from palestra.agents.progress import Progress
from palestra.agents.report import write_report
from palestra.agents.rows import rows_from_turns
from palestra.agents.trainer import Trainer, plan
from palestra.agents.update import UpdateSettings, train_rows, update
from palestra.rewards.base import Scored, Trajectory, Turn
from palestra.rewards.credit.group import turn_loo
from palestra.sandbox.base import InfraError


def config(folder: Path, out: Path, **changes: Any) -> TrainConfig:
    """A run of the two-turn toy task: everything trained, float32, nothing left to chance."""
    words = {
        "env": "toy/Pair-v0",
        "model": str(folder),
        "out": str(out),
        "sft_steps": 2,
        "sft_demos": 4,
        "sft_lr": 0.003,
        "rl_steps": 3,
        "tasks": 4,
        "attempts": 4,
        "rl_lr": 0.01,
        "lora_rank": 0,
        "autocast": False,
        "max_tokens": 2,
        "eval_tasks": 8,
        "checkpoint_every": 1,
        "keep_checkpoints": 99,
        "device": "cpu",
        "export": False,
        **changes,
    }
    return load_config(None, [f"{name}={json.dumps(value)}" for name, value in words.items()])


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in trainer.learner.trainable().items()}


def test_a_random_model_learns_the_two_turn_task_to_its_optimum(toys: None, tiny_folder: Path, tmp_path: Path) -> None:
    settings = config(
        tiny_folder, tmp_path, sft_steps=0, rl_steps=130, tasks=8, attempts=8, max_tokens=1, rl_lr=0.005, updates=2,
        eval_tasks=40, checkpoint_every=100, log_episodes=False,
    )  # fmt: skip
    evaluations = Trainer(settings, progress=Progress(None)).run()
    assert evaluations["base"].success_rate < 0.5
    assert evaluations["final"].success_rate == 1.0
    assert evaluations["final"].mean_reward == pytest.approx(1.0)


@pytest.mark.parametrize("lora_rank", [0, 4])
def test_a_resumed_run_is_bit_equal(toys: None, tiny_folder: Path, tmp_path: Path, lora_rank: int) -> None:
    whole = Trainer(config(tiny_folder, tmp_path / "whole", lora_rank=lora_rank), progress=Progress(None))
    whole.run()
    for stop in (1, 4, 6):  # in the cold start, after its evaluation, between reinforcement steps
        out = tmp_path / f"cut-{stop}"
        settings = config(tiny_folder, out, lora_rank=lora_rank)
        part = Trainer(settings, progress=Progress(None))
        part.units = part.units[:stop]
        part.run()
        with (out / "metrics.jsonl").open("a") as file:
            file.write('{"schema": 1, "phase": "rl", "step": 99, "lost": true}\n')  # written after the checkpoint
        torch.manual_seed(999)
        resumed = Trainer(settings, progress=Progress(None), resume=True)
        resumed.run()
        for name, value in weights(whole).items():
            assert torch.equal(value, weights(resumed)[name]), (stop, name)
        timed = ("seconds", "sample_seconds", "train_seconds")
        stripped = [
            [{k: v for k, v in line.items() if k not in timed} for line in read_metrics(folder)]
            for folder in (tmp_path / "whole", out)
        ]
        assert stripped[0] == stripped[1]
        for state_of in (whole, resumed):
            assert state_of.done == len(plan(settings))


class Stopped(Progress):
    """Stands for a person who presses Ctrl-C at a certain moment."""

    def __init__(self, phase: str, step: int) -> None:
        super().__init__(None)
        self.when = (phase, step)

    def step(self, phase: str, step: int, steps: int, stats: Any) -> None:
        if (phase, step) == self.when:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(("phase", "step"), [("sft", 0), ("rl", 1)])
def test_ctrl_c_finishes_the_update_at_hand_writes_a_checkpoint_and_the_run_goes_on(
    toys: None, tiny_folder: Path, tmp_path: Path, phase: str, step: int
) -> None:
    whole = Trainer(config(tiny_folder, tmp_path / "whole"), progress=Progress(None))
    whole.run()
    settings = config(tiny_folder, tmp_path / "cut", checkpoint_every=50)
    with pytest.raises(KeyboardInterrupt):
        Trainer(settings, progress=Stopped(phase, step)).run()
    assert len(list_checkpoints(tmp_path / "cut" / "checkpoints")) == 1
    resumed = Trainer(settings, progress=Progress(None), resume=True)
    resumed.run()
    assert all(torch.equal(value, weights(resumed)[name]) for name, value in weights(whole).items())


class FullDisk:
    """Stands for `open` on a disk that is full."""

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_told_in_one_line_and_older_checkpoints_stay(
    toys: None, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(config(tiny_folder, tmp_path), progress=Progress(None))
    first = trainer.save()
    trainer.done = 1
    monkeypatch.setattr(torch, "save", FullDisk())
    with pytest.raises(
        CheckpointError, match=r"No space left on device; free some space or choose another folder"
    ) as error:
        trainer.save()
    assert "\n" not in str(error.value)
    assert list_checkpoints(tmp_path / "checkpoints") == [first]
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [first.name]


def test_a_real_file_system_that_is_full_does_the_same(tmp_path: Path) -> None:
    """/dev/full cannot hold a folder, so a size limit of the process stands for the end of the disk."""
    code = (
        "import resource, signal, sys, torch\n"
        "from pathlib import Path\n"
        "from palestra.agents.checkpoint import CheckpointError, save_checkpoint\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "save_checkpoint(folder, 1, {'w': torch.zeros(10)}, {})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    save_checkpoint(folder, 2, {'w': torch.zeros(1_000_000)}, {})\n"
        "except CheckpointError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "no checkpoint could be written" in done.stdout
    assert [path.name for path in list_checkpoints(tmp_path)] == ["step-000001"]
    assert load_checkpoint(list_checkpoints(tmp_path)[0])[0]["w"].shape == (10,)


def test_kill_9_while_checkpoints_are_written_leaves_one_that_loads(tmp_path: Path) -> None:
    code = (
        "import itertools, torch\n"
        "from pathlib import Path\n"
        "from palestra.agents.checkpoint import save_checkpoint\n"
        "for step in itertools.count(1):\n"
        "    weights = torch.full((500_000,), float(step))\n"
        f"    save_checkpoint(Path({str(tmp_path)!r}), step, {{'w': weights}}, {{'done': step}})\n"
        "    print(step, flush=True)\n"
    )
    for moment_s in (0.0, 0.013, 0.05):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline()
        time.sleep(moment_s)
        child.kill()
        child.wait()
        child.stdout.close()
        newest = list_checkpoints(tmp_path)[-1]
        tensors, state = load_checkpoint(newest)
        assert torch.equal(tensors["w"], torch.full((500_000,), float(state["done"])))


def test_a_damaged_or_missing_checkpoint_is_named(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, 3, {"w": torch.zeros(3)}, {"done": 3})
    (path / "tensors.pt").write_bytes(b"half of a file")
    with pytest.raises(CheckpointError, match="step-000003' cannot be read"):
        load_checkpoint(path)


def test_only_the_newest_checkpoints_are_kept(tmp_path: Path) -> None:
    for step in range(5):
        save_checkpoint(tmp_path, step, {"w": torch.zeros(1)}, {}, keep=2)
    assert [path.name for path in list_checkpoints(tmp_path)] == ["step-000003", "step-000004"]


def test_resuming_without_or_with_another_models_checkpoint_is_refused(
    toys: None, tiny_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match="nothing to resume"):
        Trainer(config(tiny_folder, tmp_path), progress=Progress(None), resume=True)
    first = Trainer(config(tiny_folder, tmp_path), progress=Progress(None))
    first.save()
    with pytest.raises(RunInUseError, match="another process is at the run"):
        Trainer(config(tiny_folder, tmp_path), progress=Progress(None))
    first.close()
    with pytest.raises(CheckpointError, match="holds other weights"):
        Trainer(config(tiny_folder, tmp_path, lora_rank=4), progress=Progress(None), resume=True)
    with pytest.raises(CheckpointError, match="holds a run already; go on with --resume"):
        Trainer(config(tiny_folder, tmp_path), progress=Progress(None))


def test_a_run_whose_environment_is_broken_stops_with_its_reason(toys: None, tiny_folder: Path, tmp_path: Path) -> None:
    settings = config(tiny_folder, tmp_path, env="toy/Faulty-v0", sft_steps=0)
    with pytest.raises(InfraError, match="evaluation episodes were lost"):
        Trainer(settings, progress=Progress(None)).run()


def test_a_sampler_that_disagrees_stops_the_run(toys: None, tiny_folder: Path, tmp_path: Path) -> None:
    trainer = Trainer(config(tiny_folder, tmp_path, sft_steps=0, eval_tasks=0), progress=Progress(None))
    with torch.no_grad():
        for parameter in trainer.policy.sampler.model.parameters():
            parameter.mul_(3.0)
    trainer._sync = lambda: None  # type: ignore[method-assign]  # weights that never arrive
    with pytest.raises(ModelError, match="sampler and learner disagree"):
        trainer.run()


def test_the_report_shows_three_policies_and_their_gains(toys: None, tiny_folder: Path, tmp_path: Path) -> None:
    settings = config(tiny_folder, tmp_path)
    result = write_report(tmp_path, settings, Trainer(settings, progress=Progress(None)).run())
    assert list(result["evaluations"]) == ["base", "cold", "final"]
    assert set(result["gains"]) == {"cold over base", "final over cold", "final over base"}
    assert (tmp_path / "result.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "summary.json").read_text())["seed"] == 0
    lines = read_metrics(tmp_path)
    assert {line["schema"] for line in lines} == {1}
    assert [line["phase"] for line in lines] == ["base", "sft", "sft", "cold", "rl", "rl", "rl", "final"]
    assert all(line["first_ratio_off"] < 1e-4 for line in lines if line["phase"] == "rl")
    assert any((tmp_path / "tensorboard").iterdir())


def test_an_exported_model_is_the_learner_with_its_adapters_merged(
    toys: None, tiny_folder: Path, tmp_path: Path
) -> None:
    trainer = Trainer(config(tiny_folder, tmp_path / "run", lora_rank=4), progress=Progress(None))
    trainer.run()
    trainer.export(tmp_path / "model")
    exported = load_causal_lm(str(tmp_path / "model"), torch.float32, "cpu")
    ids = torch.arange(20)[None]
    with torch.inference_mode():
        ours = trainer.learner.model(ids, use_cache=False).logits
        assert torch.allclose(exported(ids, use_cache=False).logits, ours, atol=1e-5)


def groups(model: Any) -> list[list[Trajectory]]:
    """Two groups of unequal episodes with honest log-probabilities."""
    torch.manual_seed(3)
    made = []
    for name in "ab":
        group = []
        for size in (1, 2, 3):
            turns: list[Turn] = []
            prompt: tuple[int, ...] = (1, 2, 3)
            for k in range(size):
                output = tuple(int(x) for x in torch.randint(0, 250, (k + 2,)))
                ids = torch.tensor([[*prompt, *output]])
                with torch.no_grad():
                    logprobs = torch.log_softmax(model(ids).logits[0], -1)
                logp = tuple(float(logprobs[len(prompt) - 1 + i, token]) - 0.05 for i, token in enumerate(output))
                reward = float(torch.rand(()))
                turns.append(Turn(prompt_ids=prompt, output_ids=output, logprobs=logp, reward=reward))
                prompt = (*prompt, *output, 7, 8)
            group.append(
                Trajectory(env_id="e", task_id="t", group=name, turns=tuple(turns), outcome=Scored(0.0, False))
            )
        made.append(group)
    return made


def test_the_trainers_loss_and_gradient_are_those_of_the_page_without_options(tiny_folder: Path) -> None:
    model = load_causal_lm(str(tiny_folder), torch.float32, "cpu")
    made = groups(model)
    learner = Learner(model, lora=None)
    optimizer = torch.optim.SGD(list(learner.trainable().values()), lr=0.0)
    rows = []
    for group in made:
        for one, advantages in zip(group, turn_loo(group), strict=True):
            rows += train_rows(rows_from_turns(one.turns)[0], advantages)
    stats = update(
        learner, optimizer, rows, Objective(loss=ppo_clip), UpdateSettings(lr=0.0, token_budget=64, max_grad_norm=1e9)
    )
    ours: Sequence[torch.Tensor | None] = [p.grad.clone() if p.grad is not None else None for p in model.parameters()]
    model.zero_grad()
    loss = policy_loss(model, [pair for group in made for pair in zip(group, credit(group), strict=True)])
    loss.backward()
    assert stats["loss"] == pytest.approx(float(loss.detach()), abs=1e-6)
    for mine, parameter in zip(ours, model.parameters(), strict=True):
        assert mine is not None
        assert parameter.grad is not None
        assert torch.allclose(mine, parameter.grad, atol=1e-6)


def test_the_trainer_plays_and_learns_as_the_page_without_options(
    toys: None, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sgd(model: torch.nn.Module) -> torch.optim.Optimizer:  # Adam makes of the rounding of a 0 a whole step
        return torch.optim.SGD(model.parameters(), lr=0.0)

    monkeypatch.setattr(Trainer, "_new_optimizer", lambda self: sgd(self.learner.model))
    changes = {"sft_steps": 0, "eval_tasks": 0, "updates": 1, "warmup": 0, "rl_lr": 0.5, "attempts": 8}
    trainer = Trainer(config(tiny_folder, tmp_path, **changes), progress=Progress(None))
    model = load_causal_lm(str(tiny_folder), torch.float32, "cpu")
    optimizer, first, losses = sgd(model), weights(trainer), []
    for number in range(3):
        optimizer.param_groups[0]["lr"] = trainer._lr("rl", number)
        played: dict[str, list[Trajectory]] = {}
        for episode in trainer._episodes("rl", number):
            one = rollout(model, trainer.train_env, trainer.chat, episode, max_tokens=2)
            played.setdefault(episode.group, []).append(one)
        losses.append(nano_step(model, optimizer, list(played.values())))
    trainer.run()
    assert [line["loss"] for line in read_metrics(tmp_path)] == pytest.approx(losses, abs=1e-5)
    ours = dict(model.named_parameters())
    assert any(not torch.allclose(value, first[name], atol=1e-3) for name, value in ours.items())
    for name, value in weights(trainer).items():
        assert torch.allclose(value, ours[name], atol=1e-5), name
