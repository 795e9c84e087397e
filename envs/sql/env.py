"""`palestra/Sql-v0`: answer a question in words by one SQL query, tried on a database and judged on others."""

import json
from collections.abc import Callable, Iterator
from typing import ClassVar, Final, TypeVar, Unpack

from palestra import sandbox as sandboxes
from palestra.envs.actions import Action
from palestra.envs.base import Json, Split, Task, TaskError, TaskSource
from palestra.envs.code.judge.bench import NEEDS, Bench
from palestra.envs.env import AgentEnv, EnvOptions, StepResult
from palestra.envs.sql.generate import SqlTasks
from palestra.envs.sql.oracle import solve
from palestra.envs.sql.pay import REWARDS, Reward, reasoning_sql
from palestra.envs.sql.verify import Answer, ask, exam, explain, is_right, judge
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import InfraError, Spec

MOST_CALLS: Final = 4  # carried out in one turn
SHOWN_ROWS: Final = 20
SHOWN_CHARS: Final = 200  # of one row, of an error, and of the columns' names
NO_CALL: Final = "error: call query or submit with your SQL"
TOO_MANY: Final = f"error: not done; at most {MOST_CALLS} calls are carried out in one turn"
ENDED: Final = "error: not done; the episode is over"

Made = TypeVar("Made")


class SqlEnv(AgentEnv):
    """Questions over small relational databases, each answered by one query for SQLite.

    ``query(sql)`` runs a query on the task's example database and shows its rows; ``submit(sql)`` ends the episode
    with the outcome 1.0 if the query's rows are the reference's on every hidden database, else 0.0. The potential is
    a half once a query was right on the example database.

    Queries run in a sandbox that is started at the first call and given back by `close`, by a program of ours that
    lets them read and nothing else.

    Args:
        reward: "exact", the outcome alone; "reasoning_sql", parts of it (see `pay`).
        sandbox: the backend that runs the queries.
        unsafe: accept a backend that does not isolate them from this machine.
    """

    env_id: ClassVar[str] = "palestra/Sql-v0"
    system_prompt: ClassVar[str] = "Answer with one SQLite query. Try it with query, then hand it in with submit."

    def __init__(
        self,
        *,
        reward: Reward = "exact",
        sandbox: str = "native",
        unsafe: bool = False,
        **options: Unpack[EnvOptions],
    ) -> None:
        if reward not in REWARDS:
            raise ValueError(f"reward must be one of {', '.join(REWARDS)}, not {reward!r}")
        super().__init__(**options)
        self.reward: Reward = reward
        self._backend = sandbox
        self._unsafe = unsafe
        self._bench: Bench | None = None
        self._matched = False  # whether a query was right on the example database

    def close(self) -> None:
        bench, self._bench = self._bench, None
        if bench is not None:
            bench.close()

    def oracle(self) -> Iterator[str]:
        return solve(self.task)

    def artefact(self, task: Task) -> str:
        """Return the name of a file with a solution."""
        return "answer.sql"

    def judge(self, task: Task, text: str) -> Verdict:
        """Return the verdict on a query."""
        return self._with_bench(lambda bench: judge(bench, task, text))

    def explain(self, task: Task, check: Check) -> str:
        """Return the hidden database that a check is about, and the rows that were wanted there."""
        return explain(task, check)

    def _source(self, split: Split) -> TaskSource:
        return SqlTasks(split)

    def _begin(self, task: Task) -> None:
        try:
            exam(task)
        except VerifierError as error:
            raise TaskError(f"{task.id!r} is not an SQL task: {error}") from error
        self._matched = False

    def _act(self, action: Action) -> StepResult:
        if not action.calls:
            return StepResult(replies=(NO_CALL,))
        replies: list[str] = []
        for call in action.calls[:MOST_CALLS]:
            sql = call.arguments["sql"]
            if call.name == "query":
                replies.append(self._query(sql))
                continue
            passed = self.judge(self.task, sql).passed
            replies.append("right on all hidden databases" if passed else "wrong on a hidden database")
            left = len(action.calls) - len(replies)
            return StepResult(
                replies=(*replies, *[ENDED] * left), parts=self._parts_of(sql, passed), done=True, is_success=passed
            )
        return StepResult(replies=(*replies, *[TOO_MANY] * (len(action.calls) - len(replies))))

    def _query(self, sql: str) -> str:
        answer = self._ask(sql)
        self._matched = self._matched or is_right(self.task, answer)
        return report(answer)

    def _ask(self, sql: str) -> Answer:
        return self._with_bench(lambda bench: ask(bench, self.task, sql))

    def _parts_of(self, sql: str, passed: bool) -> dict[str, float]:
        if self.reward == "exact":
            return {"outcome": float(passed)}
        task = self.task
        runs = passed or not self._ask(sql).error
        return reasoning_sql(task.hidden["solution"], sql, task.public["tables"], is_right=passed, runs=runs)

    def _with_bench(self, job: Callable[[Bench], Made]) -> Made:
        """Do a job on the environment's bench, set up if need be; one that failed is not used again."""
        try:
            if self._bench is None:
                spec = Spec(needs=frozenset() if self._unsafe else NEEDS, env={"PYTHONHASHSEED": "0"})
                self._bench = Bench(sandboxes.create(spec, backend=self._backend, unsafe=self._unsafe))
            return job(self._bench)
        except InfraError:
            self.close()
            raise

    def _potential(self) -> float:
        return 0.5 * self._matched

    def _dump(self) -> Json:
        return {"matched": self._matched}

    def _load(self, state: Json) -> None:
        self._matched = bool(state["matched"])


def report(answer: Answer) -> str:
    """Return what an agent is shown of a result: how many rows, the columns' names, and the first rows as JSON."""
    if answer.error:
        return f"error: {answer.error[:SHOWN_CHARS]}"
    count = "1 row" if len(answer.rows) == 1 else f"{len(answer.rows)} rows"
    lines = [f"{count}: {', '.join(answer.columns)}"[:SHOWN_CHARS]]
    lines += [json.dumps([_shown(value) for value in row])[:SHOWN_CHARS] for row in answer.rows[:SHOWN_ROWS]]
    return "\n".join(lines + ["..."] * (len(answer.rows) > SHOWN_ROWS))


def _shown(value: Json | bytes) -> Json:
    """Return a value as JSON; of a real, as many digits as every version of SQLite agrees on."""
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return float(f"{value:.10g}") if isinstance(value, float) else value
