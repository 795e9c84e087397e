"""`palestra/BFCLSingleTurn-v0`: one request, to be met by the right calls in one turn or to be declined."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal, Unpack

from palestra.envs.actions import Action, compact_json
from palestra.envs.base import Json, Split, Task, TaskError, TaskSource
from palestra.envs.bfcl.singleturn.load import FAMILY, SingleTurnSource
from palestra.envs.bfcl.singleturn.oracle import requests_of, solution
from palestra.envs.bfcl.singleturn.verify import DECLINE, own_words, verify, verify_as_bfcl
from palestra.envs.env import AgentEnv, EnvOptions, StepResult

NO_CALL = compact_json({"error": f"call the functions that the request needs, or {DECLINE}"})
TAKEN = compact_json({"taken": True})


class SingleTurnEnv(AgentEnv):
    """BFCL's single-turn categories under rules of our own; needs the package `bfcl-eval`.

    The first action whose calls can be read answers a request: they must be exactly the wanted ones (see
    `match`), in any order. Nothing is executed. Where no function fits the request, ``decline`` is wanted, and
    saying nothing earns nothing. Such a request, and one that a call without arguments meets, comes before or
    after another one with tools of its own. The outcome is 1.0 when all requests, one or two, were met, else 0.0.

    Args:
        rules: "ours", or "bfcl" to judge as the leaderboard does (see `compatible`), where text without a call
            declines. The leaderboard's own tasks are those of the difficulty ``{"paired": False}``.
        options: those of `AgentEnv`.
    """

    env_id: ClassVar[str] = "palestra/BFCLSingleTurn-v0"
    system_prompt: ClassVar[str] = (
        "Call the functions that the request needs, all in one turn and with no other. "
        f"If none of them fits, or a value that they need was not given, call {DECLINE}."
    )

    state_tells_answer: ClassVar[bool] = True

    _requests: list[dict[str, Json]]
    _judged: list[list[list[Json]]]  # for each request that was judged, see `own_words`
    _passed: bool  # whether they all were right

    def __init__(self, *, rules: Literal["ours", "bfcl"] = "ours", **options: Unpack[EnvOptions]) -> None:
        if rules not in ("ours", "bfcl"):
            raise ValueError(f"rules must be 'ours' or 'bfcl', not {rules!r}")
        super().__init__(**options)
        self.rules: Literal["ours", "bfcl"] = rules

    def _source(self, split: Split) -> TaskSource:
        return SingleTurnSource(split)

    @property
    def _request(self) -> Mapping[str, Json]:
        return self._requests[min(len(self._judged), len(self._requests) - 1)]

    def _begin(self, task: Task) -> None:
        try:
            self._requests, self._judged, self._passed = requests_of(task), [], True
        except (KeyError, TypeError, ValueError) as error:
            raise TaskError(f"the hidden part of {task.id!r} holds no requests: {error!r}") from error
        if task.family != FAMILY or not self._requests:
            raise TaskError(f"{task.id!r} is not a {FAMILY} task, or it poses no request")

    def _tools(self) -> Sequence[Mapping[str, Json]]:
        return self._request["tools"]  # type: ignore[no-any-return]

    def _act(self, action: Action) -> StepResult:
        if not action.calls and self.rules == "ours":
            return StepResult(replies=(NO_CALL,))
        judge = verify if self.rules == "ours" else verify_as_bfcl
        self._passed = judge(self._request, action.calls).passed
        self._judged.append(own_words(self._request, action.calls))
        taken = (TAKEN,) * (max(1, len(action.calls)) - 1)
        if self._passed and len(self._judged) < len(self._requests):
            return StepResult(replies=(*taken, compact_json({"taken": True, "next_request": self._request["text"]})))
        return StepResult(
            replies=(*taken, TAKEN),
            parts={"outcome": float(self._passed)},
            done=True,
            is_success=self._passed,
        )

    def _dump(self) -> Json:
        return {"judged": self._judged, "passed": self._passed}

    def _load(self, state: Json) -> None:
        self._requests, self._judged, self._passed = requests_of(self.task), state["judged"], state["passed"]

    def oracle(self) -> Iterator[str]:
        """Yield the actions that solve the current task, one for each request."""
        return solution(self.task)
