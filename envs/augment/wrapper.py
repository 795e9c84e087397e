"""`Augmented`: any `AgentEnv` behind a stack of augmentations, itself an `AgentEnv`."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import gymnasium
from gymnasium.envs.registration import WrapperSpec

from palestra.envs.actions import Action
from palestra.envs.augment.layer import Layer, Tool
from palestra.envs.augment.operators import OPERATORS
from palestra.envs.augment.rehearse import Choice, draw, record, rehearse
from palestra.envs.augment.stack import Passage, Stack
from palestra.envs.base import (
    Blob,
    Budget,
    Json,
    Split,
    Task,
    TaskError,
    TaskSource,
    canonical_json,
    copy_json,
    digest,
)
from palestra.envs.env import AgentEnv, StepResult

_HIDDEN = frozenset({"base", "specs", "oracle", "optional"})
_KNOWN_TASKS = 64  # whose task below is kept


class Augmented(AgentEnv):
    """The environment's tasks, each behind its own stack of augmentations.

    It is an `AgentEnv` and no `gymnasium.Wrapper`: messages, budgets, forks and snapshots are those of the
    augmented conversation, and nothing reaches past them by ``unwrapped``. A task is augmented when it is
    sampled, or when `reset` is given one of the environment below; an augmented task holds that task, the stack's
    specs and the oracle's actions in its hidden part, so it can be written to a file and played anywhere.

    The turns that the oracle needs beyond those that it needs below are added to the budget. An episode in which
    a write was made that nobody asked for (see `Distract`) earns nothing at its end.

    Args:
        env: the environment below, or Gymnasium wrappers around one; used, and closed, by this one alone.
        operators: names, or mappings of ``operator`` and knobs; the first is the lowest.
        seed: of the stacks, with each task's digest.
        render_mode: that of the environment below if not given.
        known: the operators that there are, by name.

    Raises:
        TypeError: there is no `AgentEnv` below.
        TaskError: an operator is unknown.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        operators: Sequence[Choice] = (),
        *,
        seed: int = 0,
        render_mode: str | None = None,
        known: Mapping[str, type[Layer]] = OPERATORS,
    ) -> None:
        below = env.unwrapped
        if not isinstance(below, AgentEnv):
            raise TypeError(f"augmentations need an AgentEnv, not {type(below).__name__}")
        for choice in operators:
            name = choice if isinstance(choice, str) else choice.get("operator")
            if name not in known:
                raise TaskError(f"unknown augmentation operator {name!r}; known: {', '.join(known)}")
        self.env, self.operators, self.seed, self.known = below, tuple(operators), seed, known
        self._source_above = AugmentedTasks(below, self.operators, seed, known)
        super().__init__(
            difficulty=below.difficulty,
            shaping=below.shaping,
            render_mode=below.render_mode if render_mode is None else render_mode,
            tasks=self._source_above,
        )
        for name in ("system_prompt", "state_tells_answer"):  # it speaks as the environment below does
            setattr(self, name, getattr(below, name))
        vars(self)["env_id"] = f"{below.env_id}+augmented"
        self.spec = _spec(env.spec, self.operators, seed)
        self.stack = Stack((), known)
        self._below_of: dict[str, Task] = {}  # by the digest of the augmented task
        self._shown: tuple[Sequence[Tool], tuple[Tool, ...]] = ((), ())  # the tools below, and as the agent sees them

    def _source(self, split: Split) -> TaskSource:
        raise NotImplementedError("an augmented environment is given its tasks by the one below")

    def oracle(self) -> Iterator[str]:
        """Yield the actions that solve the current task, repeated calls and turned pages included."""
        yield from self.task.hidden["oracle"]

    def close(self) -> None:
        """Close the environment below, and the one in which oracles were recorded."""
        self.env.close()
        self._source_above.close()

    def _fresh(self) -> Self:
        other = type(self)(
            self.env._fresh(), self.operators, seed=self.seed, render_mode=self.render_mode, known=self.known
        )
        other._below_of, other.difficulty, other.shaping = self._below_of, self.difficulty, self.shaping
        return other

    def _chosen(self, seed: int | None, options: dict[str, Any]) -> Task:
        return self._source_above.augmented(super()._chosen(seed, options))

    def _begin(self, task: Task) -> None:
        self._enter(task)
        self.env._begin(self.env.task)

    def _enter(self, task: Task) -> None:
        """Set the task below and an unused stack."""
        if lacking := _HIDDEN - set(task.hidden):
            raise TaskError(f"{task.id!r} is no augmented task: its hidden part lacks {sorted(lacking)}")
        key = task.digest
        if key not in self._below_of:
            if len(self._below_of) >= _KNOWN_TASKS:
                self._below_of.clear()
            self._below_of[key] = Task.from_dict(task.hidden["base"])
        self.env._task = self._below_of[key]
        self.env.np_random = self.np_random
        self.stack = Stack(task.hidden["specs"], self.known)
        self._shown = ((), ())

    def _tools(self) -> Sequence[Tool]:
        below = self.env._tools()
        if below is not self._shown[0]:
            self._shown = (below, self.stack.tools(below))
        return self._shown[1]

    def _act(self, action: Action) -> StepResult:
        if not action.calls:
            return self._judged(self.env._act(action))
        passages = [self.stack.call(call) for call in action.calls]
        calls = tuple(passage.call for passage in passages if passage.call is not None)
        result = self.env._act(Action(action.content, calls)) if calls else StepResult(replies=())
        told = iter(result.replies)
        replies = tuple(self._reply(passage, told) for passage in passages)
        return self._judged(
            StepResult(replies=replies, parts=result.parts, done=result.done, is_success=result.is_success)
        )

    def _reply(self, passage: Passage, told: Iterator[str]) -> str:
        return passage.answer if passage.call is None else self.stack.reply(passage, next(told))

    def _judged(self, result: StepResult) -> StepResult:
        """Return the result, which is worth nothing at the end if somebody wrote what nobody asked for."""
        if not result.done or not self.stack.forbidden:
            return result
        parts = {name: min(0.0, value) for name, value in result.parts.items()}
        return StepResult(replies=result.replies, parts=parts, done=True)

    def _potential(self) -> float:
        return self.env._potential()

    def _dump(self) -> Json:
        return {"below": self.env._dump(), "layers": self.stack.dump()}

    def _load(self, state: Json) -> None:
        self._enter(self.task)
        self.env._load(state["below"])
        self.stack.load(state["layers"])

    def _state_text(self) -> str:
        return f'{{"below":{self.env._state_text()},"layers":{canonical_json(self.stack.dump())}}}'

    def _blobs(self) -> dict[str, Blob]:
        return self.env._blobs()

    def _load_blobs(self, blobs: Mapping[str, Blob]) -> None:
        self.env._load_blobs(blobs)


class AugmentedTasks:
    """The tasks of another source, augmented; their oracles are recorded in an environment of its own.

    Args:
        env: whose tasks; it is not used, only others like it.
        operators: names, or mappings of ``operator`` and knobs.
        seed: of the stacks.
        known: the operators that there are.
    """

    def __init__(
        self,
        env: AgentEnv,
        operators: Sequence[Choice],
        seed: int = 0,
        known: Mapping[str, type[Layer]] = OPERATORS,
    ) -> None:
        self.source, self.operators, self.seed, self.known = env.tasks, tuple(operators), seed, known
        self.split: Split = env.tasks.split
        self.knobs = env.tasks.knobs
        self._env = env
        self._scout: AgentEnv | None = None
        self._depth: int = 1 + (env._source_above._depth if isinstance(env, Augmented) else 0)

    @property
    def scout(self) -> AgentEnv:
        """The environment in which oracles are recorded."""
        if self._scout is None:
            self._scout = self._env._fresh()
            self._scout.shaping = "none"
        return self._scout

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the augmented task of a seed.

        Raises:
            TaskError: there is none below, or its oracle does not solve it.
        """
        return self.augmented(self.source.sample(seed, difficulty))

    def __iter__(self) -> Iterator[Task]:
        """Yield the source's tasks, augmented."""
        for task in self.source:
            yield self.augmented(task)

    def augmented(self, task: Task) -> Task:
        """Return the task behind a stack, or as it is if it is behind one already, as one from a file may be.

        Raises:
            TaskError: its oracle does not solve it.
        """
        return task if _depth(task.hidden) >= self._depth else augment(self, task)

    def close(self) -> None:
        """Close the environment in which oracles are recorded."""
        scout, self._scout = self._scout, None
        if scout is not None:
            scout.close()


def augment(tasks: AugmentedTasks, task: Task, specs: Sequence[Mapping[str, Json]] | None = None) -> Task:
    """Return a task behind a stack that is drawn for it, or behind the one of these specs.

    Raises:
        TaskError: the oracle does not solve the task, or does not get through the stack.
    """
    run = record(tasks.scout, task)
    drawn = draw(tasks.operators, run, tasks.seed, task.digest, tasks.known) if specs is None else list(specs)
    stack = Stack(drawn, tasks.known)
    rehearsal = rehearse(stack, run)
    more = len(rehearsal.actions) - len(run.turns)
    return Task(
        id=f"{task.id}+{digest(drawn)[:8]}",
        family=task.family,
        seed=task.seed,
        instruction=stack.instruction(task.instruction),
        difficulty=task.difficulty,
        tools=stack.tools(task.tools),
        budget=Budget(turns=task.budget.turns + more, seconds=task.budget.seconds),
        public=task.public,
        hidden={
            "base": task.to_dict(),
            "specs": copy_json(drawn),
            "oracle": list(rehearsal.actions),
            "optional": dict(rehearsal.optional),
        },
        provenance={**task.provenance, "augmented": [spec["operator"] for spec in drawn]},
    )


def _depth(hidden: Mapping[str, Json]) -> int:
    """Return how many stacks a task is behind."""
    return 1 + _depth(hidden["base"]["hidden"]) if set(hidden) >= _HIDDEN else 0


def _spec(spec: Any, operators: Sequence[Choice], seed: int) -> Any:
    """Return a Gymnasium spec that builds the environment and puts the augmentations on it."""
    if spec is None:
        return None
    made = copy.deepcopy(spec)
    kwargs = {"operators": list(operators), "seed": seed}
    wrapper = WrapperSpec("Augmented", f"{Augmented.__module__}:Augmented", kwargs)
    made.additional_wrappers = (*made.additional_wrappers, wrapper)
    return made
