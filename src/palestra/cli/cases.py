"""What came of each task that was played: a table, and cases for JUnit."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from palestra.agents.rollout import Episode, RolloutResult, is_success
from palestra.cli.output import printable
from palestra.envs.junit import Case, Suite
from palestra.rewards.base import Trajectory

_MOST_ROWS = 200
_TOLD_CHARS = 4000


def cases_of(
    env_id: str, agent: str, result: RolloutResult, episodes: Sequence[Episode], left_out: Mapping[str, str]
) -> list[Case]:
    """Return a case for each episode, in their order, and one for each task that was left out.

    A case has passed if the task was solved; for the agent that does nothing, if it was not.
    """
    place = {(episode.group, episode.seed): number for number, episode in enumerate(episodes)}
    attempts: dict[str, int] = {}
    found: list[tuple[int, Case]] = []
    for one in result.trajectories:
        attempts[one.group] = attempts.get(one.group, 0) + 1
        case = _played(env_id, agent, one, attempts[one.group])
        found.append((place.get((one.group, one.seed), len(place)), case))
    for fault in result.faults:
        task_id = fault.episode.task.id
        case = Case(classname=env_id, name=task_id, status="fault", message=f"{fault.kind}: {fault.message}")
        found.append((place.get((fault.episode.group, fault.episode.seed), len(place)), case))
    absent = [
        Case(classname=env_id, name=folder, status="absent", message=reason) for folder, reason in left_out.items()
    ]
    return [case for _, case in sorted(found, key=lambda one: one[0])] + absent


def _played(env_id: str, agent: str, one: Trajectory, attempt: int) -> Case:
    solved = is_success(one)
    is_right = solved != (agent == "nop")
    wrong = "solved by doing nothing" if solved else "not solved"
    last = next((str(message["content"]) for message in reversed(one.messages) if message["role"] != "assistant"), "")
    return Case(
        classname=env_id,
        name=one.task_id + (f" #{attempt}" if attempt > 1 else ""),
        status="passed" if is_right else "failed",
        message="" if is_right else wrong,
        text=f"reward {one.reward:g} in {len(one.turns)} turns\n{last[-_TOLD_CHARS:]}",
        duration_s=one.duration_s,
    )


def suite_of(agent: str, env_id: str, cases: Sequence[Case]) -> Suite:
    """Return the cases as a suite."""
    return Suite(name=f"palestra run {env_id} --agent {agent}", cases=cases, properties={"agent": agent})


def cases_table(cases: Sequence[Case]) -> Table:
    """Return a row for each case; where there are many, only for the first."""
    table = Table()
    table.add_column("task", overflow="fold")
    table.add_column("result")
    table.add_column("seconds", justify="right")
    table.add_column("why", overflow="fold")
    for case in cases[:_MOST_ROWS]:
        seconds = "" if case.duration_s is None else f"{case.duration_s:.1f}"
        why = case.message or case.text.partition("\n")[0]
        table.add_row(printable(case.name), _WORDS[case.status], seconds, printable(why))
    if len(cases) > _MOST_ROWS:
        table.add_row(f"and {len(cases) - _MOST_ROWS} more", "", "", "")
    return table


_WORDS = {"passed": "passed", "failed": "FAILED", "fault": "lost", "absent": "left out"}
