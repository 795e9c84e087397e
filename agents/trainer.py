"""The trainer: evaluate, cold start on demonstrations, evaluate, reinforce, evaluate.

A run is a list of units of work. After each the weights are consistent, so a run can stop between any
two and go on later as if it had not; what is random is derived from the seed and the unit.
"""

import asyncio
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from palestra.agents.base import ModelError
from palestra.agents.chat import TemplateChat
from palestra.agents.checkpoint import CheckpointError, list_checkpoints, load_checkpoint, save_checkpoint
from palestra.agents.config import TrainConfig
from palestra.agents.curricula.course import Course
from palestra.agents.demos import demonstration
from palestra.agents.distill.teacher import opening_of, taught
from palestra.agents.evaluate import Evaluation, summarise
from palestra.agents.interrupt import Interrupt
from palestra.agents.local import LocalPolicy
from palestra.agents.losses import IMITATION
from palestra.agents.metrics import RunLog
from palestra.agents.model import Learner, LoraSpec, load_causal_lm, load_tokenizer, pick_device
from palestra.agents.progress import Progress
from palestra.agents.recipe import advantages_of, anchored, is_overlong, objective_of
from palestra.agents.rollout import Episode, RolloutConfig, RolloutResult, Rollouts, episodes_for, is_success
from palestra.agents.rows import rows_from_turns
from palestra.agents.runners import RUNNERS, EnvMaker
from palestra.agents.sampler import Sampler
from palestra.agents.trees import TrainRow
from palestra.agents.update import UpdateSettings, train_rows, update
from palestra.envs.base import Split, Task, TaskError, derive_seed, merge_knobs
from palestra.envs.env import AgentEnv
from palestra.envs.registry import find, make
from palestra.envs.taskfile import TaskFile
from palestra.rewards.base import Trajectory
from palestra.rewards.combine import HackingWatch
from palestra.sandbox.base import InfraError

FIRST_RATIO_LIMIT = 0.25  # mean |ratio - 1| before any update: above it sampler and learner disagree

Unit = tuple[str, int]  # phase and step
Rows = list[list[TrainRow]]  # of each episode


def plan(config: TrainConfig) -> list[Unit]:
    """Return a run's units of work, in order."""
    units: list[Unit] = [("base", 0)]
    if config.sft_steps:
        units += [("sft", step) for step in range(config.sft_steps)] + [("cold", config.sft_steps)]
    if config.rl_steps:
        units += [("rl", step) for step in range(config.rl_steps)] + [("final", config.rl_steps)]
    return units if config.eval_tasks else [unit for unit in units if unit[0] in ("sft", "rl")]


class Trainer:
    """One run, in one process, on one device.

    Args:
        config: everything that decides the run.
        progress: where to show how it goes.
        resume: go on from the newest checkpoint in ``config.out``.
        is_readonly: leave the run's records as they are, to evaluate it only.

    Raises:
        UnknownEnvError, ModelError, TaskError, CheckpointError: the config asks for what is not there.
    """

    def __init__(
        self, config: TrainConfig, *, progress: Progress, resume: bool = False, is_readonly: bool = False
    ) -> None:
        self.config, self.progress = config, progress
        self.folder = Path(config.out)
        find(config.env)  # a wrong name is told before a model is loaded
        file = config.tasks_file if not is_readonly else ""
        self.train_env, heldout = self._env("train", self._tasks(file)), self._env("heldout")
        self.heldout = [
            heldout.tasks.sample(config.eval_seed + i, heldout.difficulty) for i in range(config.eval_tasks)
        ]
        self.course, self.watch = Course(config.curriculum, config.curriculum_grid, seed=config.seed), HackingWatch()
        for arm in self.course.sampler.arms:  # a wrong knob is told now, not when it is drawn
            merge_knobs(self.train_env.tasks.knobs, arm)
        if config.threads:
            torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        random.seed(config.seed)
        device = pick_device(config.device)
        self.tokenizer = load_tokenizer(config.model)
        self.chat = TemplateChat(self.tokenizer)
        lora = LoraSpec(rank=config.lora_rank, alpha=config.lora_alpha) if config.lora_rank else None
        self.learner = Learner(
            load_causal_lm(config.model, torch.float32, device),
            lora=lora,
            autocast=config.autocast,
            gradient_checkpointing=config.gradient_checkpointing,
            seed=config.seed,
        )
        dtype = _sample_dtype(config.sample_dtype, config.autocast)
        self.policy = LocalPolicy(Sampler(load_causal_lm(config.model, dtype, device)), max_batch=config.concurrency)
        self.rollouts = Rollouts(config.env, self._runner, self.policy, self.chat)
        self.optimizer = self._new_optimizer()
        self.units = plan(config)
        self.done = 0
        self.reference: dict[str, torch.Tensor] = {}  # the weights to stay near, where the loss has such
        self.evaluations: dict[str, Evaluation] = {}
        self.log = RunLog(self.folder if not is_readonly else None, episodes=config.log_episodes)
        try:
            (self._resume if resume else self._begin)()
        except BaseException:
            self.log.close()
            raise

    def run(self) -> dict[str, Evaluation]:
        """Do every unit that is left and return the evaluations, by phase.

        On Ctrl-C or SIGTERM the unit at hand is finished or dropped, a checkpoint is written, and
        KeyboardInterrupt is raised.
        """
        runner = asyncio.Runner()
        with Interrupt() as interrupt:
            try:
                while self.done < len(self.units):
                    self._unit(self.units[self.done], runner, interrupt)
                    self.done += 1
                    interrupt.check()
                    if self.done % self.config.checkpoint_every == 0 or self.done == len(self.units):
                        self.save()
            except CheckpointError:
                raise
            except (KeyboardInterrupt, InfraError):  # the unit at hand was dropped; what is done stays done
                self.save()
                raise
            finally:
                with interrupt.held():
                    runner.run(self._close())
                    runner.close()
                    self.log.close()
        return self.evaluations

    def evaluate(self) -> Evaluation:
        """Return how the weights as they are do on the held-out tasks."""
        self._sync()
        episodes = self._episodes("eval", 0)
        self.progress.begin("eval", 0, 1, len(episodes))
        with asyncio.Runner() as runner:
            result = runner.run(self.rollouts.play(episodes, self._rollout_config(greedy=True), self.progress.episode))
            runner.run(self._close())
        self.progress.finish()
        return summarise(result, episodes)

    def export(self, folder: Path) -> None:
        """Write the model as it is now, adapters merged, as a folder that transformers loads.

        Raises:
            CheckpointError: the disk is full or not writable.
        """
        self._sync()
        model = self.policy.sampler.model
        staging = folder.with_name(f".writing-{folder.name}")
        try:
            model.save_pretrained(staging)
            self.tokenizer.save_pretrained(staging)
            shutil.rmtree(folder, ignore_errors=True)
            staging.rename(folder)
        except (OSError, RuntimeError) as error:
            shutil.rmtree(staging, ignore_errors=True)
            raise CheckpointError(f"the model could not be written to {str(folder)!r}: {error}") from error

    def close(self) -> None:
        """Let go of the run's folder; `run` does so by itself, and a second call does nothing."""
        self.log.close()

    def save(self) -> Path:
        """Write a checkpoint of this moment."""
        state = {
            "done": self.done,
            "position": self.log.position(),
            "config": self.config.to_dict(),
            "evaluations": {phase: evaluation.to_dict() for phase, evaluation in self.evaluations.items()},
            "course": self.course.state(),
            "watch": self.watch.state(),
        }
        tensors = {
            "weights": {n: p.detach() for n, p in self.learner.trainable().items()},
            "optimizer": self.optimizer.state_dict(),
            **({"reference": self.reference} if self.reference else {}),
        }
        return save_checkpoint(
            self.folder / "checkpoints", self.done, tensors, state, keep=self.config.keep_checkpoints
        )

    # -- units of work -----------------------------------------------------------------------

    def _unit(self, unit: Unit, runner: asyncio.Runner, interrupt: Interrupt) -> None:
        phase, step = unit
        if phase in ("sft", "rl") and step == 0:
            self.optimizer = self._new_optimizer()
        if phase == "rl" and step == 0 and self.config.kl_coef:
            self.reference = {name: p.detach().clone() for name, p in self.learner.trainable().items()}
        if phase == "sft":
            with interrupt.held():
                self._sft_step(step)
            return
        self._sync()
        episodes = self._episodes(phase, step)
        total = {"rl": self.config.rl_steps}.get(phase, 1)
        self.progress.begin(phase, step, total, len(episodes))
        config = self._rollout_config(greedy=phase != "rl")
        with interrupt.open():
            result = runner.run(self.rollouts.play(episodes, config, self.progress.episode))
        with interrupt.held():
            self.log.episodes(phase, step, result.trajectories)
            if phase == "rl":
                self._rl_step(step, result, episodes)
            else:
                self._evaluated(phase, step, result, episodes)

    def _sft_step(self, step: int) -> None:
        config, started = self.config, time.monotonic()
        tasks = self._train_tasks("sft", step, config.sft_demos)
        rows = [demonstration(self.train_env, task, self.chat, self._encode) for task in tasks]
        stats = update(self.learner, self.optimizer, rows, IMITATION, self._settings("sft", step))
        stats |= {"seconds": time.monotonic() - started, "lr": self._lr("sft", step)}
        self.log.metrics("sft", step, stats)
        self.progress.step("sft", step, config.sft_steps, stats)

    def _rl_step(self, step: int, result: RolloutResult, episodes: Sequence[Episode]) -> None:
        config, started = self.config, time.monotonic()
        played = result.trajectories
        if not played:
            raise InfraError(f"every episode of step {step} was lost; the first: {result.faults[0].message}")
        advantages, seen = advantages_of(config, played, self.watch)
        built = [rows_from_turns(one.turns) for one in played]
        pushed = [[0.0] * len(row) for row in advantages] if config.distill_alone else advantages
        rows = [train_rows(rows, row) for (rows, _), row in zip(built, pushed, strict=True)]
        settings, stats = self._settings("rl", step), seen
        if config.overlong_filter:
            rows = [[] if is_overlong(one) else its_rows for one, its_rows in zip(played, rows, strict=True)]
            stats["overlong"] = sum(map(is_overlong, played)) / len(played)
        if config.distill != "none":
            rows, told = self._taught(played, rows, episodes, settings)
            stats |= told
        rows = anchored(config, self.learner, rows, self.reference, settings)
        order = list(range(len(rows)))
        random.Random(derive_seed("trainer", "order", config.seed, str(step))).shuffle(order)
        for number in range(config.updates):
            batch = [one for index in order[number :: config.updates] for one in rows[index]]
            objective = objective_of(config, self.tokenizer, seed=f"{step}/{number}")
            one = update(self.learner, self.optimizer, batch, objective, settings)
            if number == 0:
                self._check_first_ratio(one)
                stats["first_ratio_off"] = one.get("ratio_off", 0.0)
            for name, value in one.items():
                stats[name] = stats.get(name, 0.0) + value / config.updates
        self._tell_course(step, played, episodes)
        counted = [counts for _, counts in built]
        stats |= {
            "success": sum(map(is_success, played)) / len(played),
            "reward": sum(one.reward for one in played) / len(played),
            "turns": sum(len(one.turns) for one in played) / len(played),
            "flat_groups": _flat_groups(played, advantages),
            "clean": sum(c.clean for c in counted),
            "realign": sum(c.realign for c in counted),
            "fork": sum(c.fork for c in counted),
            "overwritten_tokens": sum(c.overwritten for c in counted),
            "sampled_tokens": result.tokens,
            "faults": len(result.faults),
            "sample_seconds": result.seconds,
            "train_seconds": time.monotonic() - started,
            "lr": self._lr("rl", step),
        }
        self.log.metrics("rl", step, stats)
        self.progress.step("rl", step, config.rl_steps, stats)

    def _tell_course(self, step: int, played: Sequence[Trajectory], episodes: Sequence[Episode]) -> None:
        returns: dict[str, list[float]] = {one.group: [] for one in episodes}
        for one in played:
            returns[one.group].append(float(is_success(one)))
        self.course.tell(step, list(returns.values()))

    def _taught(
        self, played: Sequence[Trajectory], rows: Rows, episodes: Sequence[Episode], settings: UpdateSettings
    ) -> tuple[Rows, dict[str, float]]:
        kind, tasks = self.config.distill, {one.group: one.task for one in episodes}
        openings = {
            group: opening_of(self.train_env, tasks[group], has_plan=kind == "privileged")
            for group in dict.fromkeys(one.group for one in played)
        }
        return taught(kind, self.learner, self.chat, played, rows, openings, settings)

    def _evaluated(self, phase: str, step: int, result: RolloutResult, episodes: Sequence[Episode]) -> None:
        if result.faults:
            raise InfraError(
                f"{len(result.faults)} of {len(episodes)} evaluation episodes were lost, so the phases could not be "
                f"compared task by task; the first: {result.faults[0].message}"
            )
        evaluation = summarise(result, episodes)
        self.evaluations[phase] = evaluation
        self.log.metrics(phase, step, {k: v for k, v in evaluation.to_dict().items() if k != "successes"})
        self.progress.evaluated(phase, evaluation)

    # -- inner parts -------------------------------------------------------------------------

    def _env(self, split: Split, tasks: TaskFile | None = None) -> AgentEnv:
        config = self.config
        return make(config.env, split=split, difficulty=config.difficulty, shaping=config.shaping, tasks=tasks)

    def _tasks(self, path: str) -> TaskFile | None:
        tasks = TaskFile(path, self.config.env, strict=self.config.strict_tasks) if path else None
        if tasks is not None and tasks.split != "train":
            raise TaskError(f"{path!r} holds tasks of the split {tasks.split!r}, which are not for training")
        return tasks

    def _runner(self) -> Any:
        knobs = {"difficulty": dict(self.config.difficulty), "shaping": self.config.shaping}
        return RUNNERS[self.config.runner](EnvMaker(find(self.config.env), knobs))

    def _episodes(self, phase: str, step: int) -> list[Episode]:
        config = self.config
        if phase != "rl":
            return episodes_for(self.heldout, seed=config.eval_seed)
        tasks = self._train_tasks("rl", step, config.tasks)
        return episodes_for(
            tasks, attempts=config.attempts, seed=derive_seed("trainer", "rl", config.seed, str(step)) % 2**31
        )

    def _train_tasks(self, phase: str, step: int, count: int) -> list[Task]:
        env = self.train_env
        first = derive_seed("trainer", phase, self.config.seed, f"tasks/{step}") % 2**31
        arms = self.course.settings(step, count) if phase == "rl" else [{}] * count
        return [env.tasks.sample(first + i, {**env.difficulty, **arm}) for i, arm in enumerate(arms)]

    def _rollout_config(self, *, greedy: bool) -> RolloutConfig:
        config = self.config
        return RolloutConfig(
            max_tokens=config.max_tokens,
            temperature=0.0 if greedy else config.temperature,
            concurrency=config.concurrency,
            max_context=config.max_context,
        )

    def _settings(self, phase: str, step: int) -> UpdateSettings:
        config = self.config
        return UpdateSettings(
            lr=self._lr(phase, step),
            token_budget=config.token_budget,
            max_grad_norm=config.max_grad_norm,
            temperature=config.temperature if phase == "rl" else 1.0,
        )

    def _lr(self, phase: str, step: int) -> float:
        """Rise over the warm-up, then fall linearly to a tenth at the phase's end."""
        config = self.config
        peak, steps = (config.sft_lr, config.sft_steps) if phase == "sft" else (config.rl_lr, config.rl_steps)
        if step < config.warmup:
            return peak * (step + 1) / (config.warmup + 1)
        left = (steps - step) / max(1, steps - config.warmup)
        return peak * (0.1 + 0.9 * left)

    def _sync(self) -> None:
        self.policy.sampler.load(self.learner.merged_weights(), self.done)

    def _check_first_ratio(self, stats: dict[str, float]) -> None:
        off = stats.get("ratio_off", 0.0)
        if off > FIRST_RATIO_LIMIT:
            raise ModelError(
                f"sampler and learner disagree: the mean |ratio - 1| before any update is {off:.3f}, above "
                f"{FIRST_RATIO_LIMIT}; try sample_dtype='float32' and autocast=false"
            )

    def _new_optimizer(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(list(self.learner.trainable().values()), lr=0.0, betas=(0.9, 0.99), weight_decay=0.0)

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def _begin(self) -> None:
        if list_checkpoints(self.folder / "checkpoints"):
            raise CheckpointError(
                f"{str(self.folder)!r} holds a run already; go on with --resume, choose another folder with out=..., "
                "or delete it"
            )
        self.log.cut_back({})
        (self.folder / "config.toml").write_text(self.config.to_toml(), encoding="utf-8")

    def _resume(self) -> None:
        found = list_checkpoints(self.folder / "checkpoints")
        if not found:
            raise CheckpointError(f"nothing to resume: there is no checkpoint in {str(self.folder / 'checkpoints')!r}")
        tensors, state = load_checkpoint(found[-1])
        weights = self.learner.trainable()
        if set(weights) != set(tensors["weights"]):
            raise CheckpointError(f"{str(found[-1])!r} holds other weights than model and lora_rank of this run")
        with torch.no_grad():
            for name, value in tensors["weights"].items():
                weights[name].copy_(value)
        self.optimizer.load_state_dict(tensors["optimizer"])
        self.done = state["done"]
        begun = ("rl", 0) in self.units[: self.done]
        if self.config.kl_coef and begun and "reference" not in tensors:
            raise CheckpointError(f"{str(found[-1])!r} was written without the reference that kl_coef needs")
        self.reference = {name: value.to(weights[name].device) for name, value in tensors.get("reference", {}).items()}
        self.evaluations = {phase: Evaluation(**data) for phase, data in state["evaluations"].items()}
        if "course" in state:  # runs from before there were courses had none
            self.course.load(state["course"])
            self.watch.load(state["watch"])
        self.log.cut_back(state["position"])

    async def _close(self) -> None:
        await self.rollouts.close()
        await self.policy.close()


def _sample_dtype(name: str, autocast: bool) -> torch.dtype:
    if name == "auto":
        return torch.bfloat16 if autocast else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]


def _flat_groups(played: Sequence[Any], advantages: Sequence[Sequence[float]]) -> float:
    """Return the share of groups in which nobody was better than anybody."""
    useful: dict[str, bool] = {}
    for one, row in zip(played, advantages, strict=True):
        useful[one.group] = useful.get(one.group, False) or any(abs(value) > 1e-12 for value in row)
    return 1.0 - sum(useful.values()) / len(useful)
