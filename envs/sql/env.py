"""`palestra/Sql-v0`: answer a question in words by one SQL query, tried on a database and judged on others."""

import json
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final, Unpack

from palestra.envs.actions import ToolCall
from palestra.envs.base import Json, Split, Task, TaskError, TaskSource
from palestra.envs.code.judge.bench import Bench
from palestra.envs.env import EnvOptions
from palestra.envs.sql.generate import SqlTasks
from palestra.envs.sql.oracle import solve
from palestra.envs.sql.pay import REWARDS, Reward, reasoning_sql
from palestra.envs.sql.verify import Answer, ask, exam, explain, is_right, judge
from palestra.envs.submission import SubmissionEnv
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.kept import Kept

SHOWN_ROWS: Final = 20
SHOWN_CHARS: Final = 200  # of one row, of an error, and of the columns' names


class SqlEnv(SubmissionEnv):
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
    no_call: ClassVar[str] = "error: call query or submit with your SQL"
    submits: ClassVar[str] = "sql"
    told: ClassVar[tuple[str, str]] = ("right on all hidden databases", "wrong on a hidden database")
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
        self._bench = Kept(lambda: Bench.open(backend=sandbox, unsafe=unsafe))
        self._matched = False  # whether a query was right on the example database

    def close(self) -> None:
        self._bench.close()

    def oracle(self) -> Iterator[str]:
        return solve(self.task)

    def artefact(self, task: Task) -> str:
        """Return the name of a file with a solution."""
        return "answer.sql"

    def judge(self, task: Task, text: str) -> Verdict:
        """Return the verdict on a query."""
        return self._bench.use(lambda bench: judge(bench, task, text))

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

    def _try(self, call: ToolCall) -> str:
        answer = self._ask(call.arguments["sql"])
        self._matched = self._matched or is_right(self.task, answer)
        return report(answer)

    def _ask(self, sql: str) -> Answer:
        return self._bench.use(lambda bench: ask(bench, self.task, sql))

    def _pay(self, text: str, verdict: Verdict) -> Mapping[str, float]:
        if self.reward == "exact":
            return super()._pay(text, verdict)
        task, passed = self.task, verdict.passed
        runs = passed or not self._ask(text).error
        return reasoning_sql(task.hidden["solution"], text, task.public["tables"], is_right=passed, runs=runs)

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
