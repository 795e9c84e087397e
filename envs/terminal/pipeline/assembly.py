"""Tasks of the family put together of what a model wrote: what an agent is told, and what only the verifier knows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from palestra.envs.base import Budget, Json, Task
from palestra.envs.terminal.pipeline.answers import Exam, Layout
from palestra.envs.terminal.pipeline.pools import Place
from palestra.envs.terminal.statement import RULES
from palestra.envs.terminal.step import HOME
from palestra.envs.terminal.tools import TOOLS

VERSION: Final = 1  # of what is asked of a model and of what is made of it
_TURNS_EACH: Final = 8  # for a step of the solution
_LEAST_TURNS: Final = 16


def staged(place: Place, start: Layout | Mapping[str, Json]) -> Task:
    """Return the task of looking at a start: its checks are what should hold before anything is done."""
    if isinstance(start, Layout):
        services = list(start.services)
        hidden: dict[str, Json] = {"start": start.files.to_json(), "setup": start.setup, "services": services}
        checks = list(start.initial)
    else:
        hidden, checks = dict(start), [{"kind": "folder", "path": HOME, "group": 0}]
    more = {"checks": checks, "collect": [HOME], "keeps": {}, "steps": []}
    return replace(_bare(place), hidden={**hidden, **more})


def tasked(place: Place, told: Mapping[str, Json], start: Mapping[str, Json], exam: Exam) -> Task:
    """Return a task as an agent may play it; what its solution shows is not in it yet."""
    turns = max(_LEAST_TURNS, _TURNS_EACH * (len(exam.steps) + 1))
    rules = [*RULES, f"There are {turns} turns. Say that all is done with `done`; what is there then is judged."]
    hidden = {
        **start,
        "checks": exam.checks,
        "collect": [HOME],
        "keeps": {},
        "made": {},
        "steps": [{"operator": "written", "choices": [], "solve": step.solve, "wrong": {}} for step in exam.steps],
    }
    bare = _bare(place)
    return replace(
        bare,
        provenance={**bare.provenance, "title": told["title"]},
        instruction="\n".join(
            [f"Your shell on this Linux machine begins in `{HOME}`. Do this:", "", str(told["task"]), ""]
            + [f"- {rule}" for rule in rules]
        ),
        budget=Budget(turns=turns, seconds=600.0),
        hidden=hidden,
    )


def solving(bash: str, *, is_quiet: bool = False) -> str:
    """Return lines of bash as a step does them: in `HOME`, in a shell of their own."""
    return f"(\ncd {HOME}\n{bash}\n)" + " >/dev/null 2>&1" * is_quiet


def _bare(place: Place) -> Task:
    idea = place.idea
    return Task(
        id=f"terminal/{idea.template}/{place.split}/{place.number}",
        family="terminal",
        seed=place.number,
        instruction="",
        tools=TOOLS,
        public={"limits": {}, "image": ""},
        provenance={
            "template": idea.template,
            "split": place.split,
            "generator": f"pipeline {VERSION}",
            "idea": idea.to_json(),
        },
    )
