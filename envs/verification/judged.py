"""One solution, judged as it would be if an agent handed it in: the result, and who gives it."""

import importlib
import inspect
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final, Literal, Protocol, Self

from palestra.envs.actions import MAX_ACTION_CHARS
from palestra.envs.base import Json, Judging, Task, TaskError
from palestra.envs.env import EnvOptions
from palestra.envs.registry import EnvEntry, find, list_envs, make
from palestra.rewards.base import Check, Verdict

Status = Literal["passed", "failed", "fault"]
MAX_SOLUTION_CHARS: Final = MAX_ACTION_CHARS  # what is longer no agent could hand in: it fails, unread
MAX_DETAIL_CHARS: Final = 1_000
MAX_EXPLANATION_CHARS: Final = 4_000
TRIES: Final = 2  # of a solution that a fault kept from a verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one solution.

    `status` is "passed", "failed" (the solution is wrong) or "fault" (the machine or the task's own tests are: nothing
    is known of the solution, and there is no score). `explanation` may hold hidden inputs: it is for a task's owner and
    never for who wrote the solution. Texts may hold whatever the solution put there, control characters included.
    """

    task_id: str
    env_id: str
    status: Status
    detail: str  # one line: the first failing check, or the fault
    score: float | None = None
    checks: tuple[Check, ...] = ()
    explanation: str = ""
    duration_s: float = 0.0  # for people to look at; nothing depends on it

    @property
    def passed(self) -> bool:
        """True when the solution is right."""
        return self.status == "passed"

    @property
    def first_failing(self) -> Check | None:
        """The check that failed first, if there is one."""
        return next((check for check in self.checks if not check.passed), None)

    def to_dict(self) -> dict[str, Json]:
        """Return the result as plain JSON data."""
        failing = self.first_failing
        told = {**asdict(self), "first_failing": None if failing is None else failing.name}
        return {**told, "checks": [asdict(check) for check in self.checks]}


class JudgingEnv(Judging, Protocol):
    """An environment that judges texts outside of episodes."""

    env_id: ClassVar[str]

    def close(self) -> None:
        """Give back what the environment holds."""
        ...


def judge_one(env: JudgingEnv, task: Task, text: str) -> Result:
    """Return what a text is worth as the solution of a task; whatever happens, there is a result.

    Args:
        env: an environment that takes the task; its current episode, if there is one, is left alone.
        task: with its hidden part.
        text: the solution, hostile or not.
    """
    begun = time.monotonic()
    try:
        verdict = _verdict(env, task, text)
    except Exception as error:  # the machine, the task or the family failed: that is not the solution's fault
        return Result(
            task_id=task.id,
            env_id=env.env_id,
            status="fault",
            detail=_line(f"{type(error).__name__}: {error}"),
            duration_s=time.monotonic() - begun,
        )
    failing = next((check for check in verdict.checks if not check.passed), None)
    return Result(
        task_id=task.id,
        env_id=env.env_id,
        status="passed" if verdict.passed else "failed",
        detail=_told(failing) if failing else "passed" if verdict.passed else f"scored {verdict.score:g}",
        score=verdict.score,
        checks=verdict.checks,
        explanation="" if verdict.passed or failing is None else _explanation(env, task, failing),
        duration_s=time.monotonic() - begun,
    )


class Judges:
    """Environments that judge, one for each name, made when they are first needed; for one thread at a time.

    One that met a fault is closed, and a new one judges the solution again: what is left was no passing fault.

    Args:
        options: passed to each environment, such as ``sandbox``.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._envs: dict[str, JudgingEnv] = {}

    def judge(self, env_id: str, task: Task, text: str) -> Result:
        """Return what a text is worth as the solution of a task.

        Raises:
            UnknownEnvError: no environment has this name.
            TaskError: the environment judges no texts.
        """
        result = judge_one(self.env(env_id), task, text)
        for _ in range(TRIES - 1):
            if result.status != "fault":
                break
            self._discard(env_id)
            result = judge_one(self.env(env_id), task, text)
        if result.status == "fault":
            self._discard(env_id)
        return result

    def env(self, env_id: str) -> JudgingEnv:
        """Return the environment of a name, which stays ours to close.

        Raises:
            UnknownEnvError, TaskError: as `judge` does, or the environment does not take an option.
        """
        entry = judging_entry(env_id)
        if entry.id not in self._envs:
            takes = inspect.signature(_class_of(entry).__init__).parameters
            for option in self._options:
                if option not in takes and option not in EnvOptions.__annotations__:
                    raise TaskError(f"{entry.id} has no option {option!r}")
            env: Any = make(entry.id, **self._options)  # `judging_entry` has seen that its class can judge
            self._envs[entry.id] = env
        return self._envs[entry.id]

    def _discard(self, env_id: str) -> None:
        if env := self._envs.pop(find(env_id).id, None):
            env.close()

    def close(self) -> None:
        """Give back what the environments hold; a second call does nothing."""
        while self._envs:
            self._envs.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def judging_entry(env_id: str) -> EnvEntry:
    """Return the entry of an environment that judges texts.

    Raises:
        UnknownEnvError: no environment has this name.
        TaskError: it judges none; the message names those that do.
    """
    entry = find(env_id)
    if not _judges(entry):
        can = ", ".join(judging_ids()) or "none that is installed"
        raise TaskError(
            f"the tasks of {entry.id} are not solved by one text that is handed in; those of these are: {can}"
        )
    return entry


def judging_ids() -> list[str]:
    """Return the names of the environments that judge texts, of those that can be imported here."""
    return list(_judging())


def _judging() -> Iterator[str]:
    for entry in list_envs():
        try:
            if _judges(entry):
                yield entry.id
        except ImportError:  # of an extra that is not installed
            continue


def _judges(entry: EnvEntry) -> bool:
    return issubclass(_class_of(entry), Judging)


def _class_of(entry: EnvEntry) -> Any:
    module, name = entry.entry_point.split(":")
    return getattr(importlib.import_module(module), name)


def _verdict(env: Judging, task: Task, text: str) -> Verdict:
    if len(text) > MAX_SOLUTION_CHARS:
        told = f"it has {len(text)} characters; at most {MAX_SOLUTION_CHARS} are read"
        return Verdict.of([Check(name="size", passed=False, evidence=told)])
    return env.judge(task, text)


def _told(check: Check) -> str:
    return _line(f"{check.name}: {check.evidence}" if check.evidence else check.name)


def _line(text: str) -> str:
    return " ".join(text[:MAX_DETAIL_CHARS].split())


def _explanation(env: Judging, task: Task, check: Check) -> str:
    try:
        text = env.explain(task, check)
    except Exception as error:  # what is told of a verdict does not change it
        return f"no explanation: {error!r}"
    over = len(text) - MAX_EXPLANATION_CHARS
    return text if over <= 0 else f"{text[:MAX_EXPLANATION_CHARS]}\n... ({over} more characters)"
