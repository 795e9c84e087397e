"""A tiny environment whose tasks are solved by one text: a word written backwards. Some of its tasks are broken."""

import os
from collections.abc import Iterator, Mapping
from typing import ClassVar

from palestra.envs.actions import Action, call_text, function_tool
from palestra.envs.base import Json, Split, Task, derive_seed, merge_knobs
from palestra.envs.env import AgentEnv, StepResult
from palestra.envs.registry import EnvEntry, register
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import InfraError

ENTRY = EnvEntry(id="toy/Word-v0", entry_point="wordgym.env:WordEnv", family="word", summary="a word, backwards")
GIVES_UP = EnvEntry(
    id="toy/WordGivesUp-v0", entry_point="wordgym.env:GivesUpEnv", family="word", summary="its oracle gives up"
)
PAYS_ALL = EnvEntry(
    id="toy/WordPaysAll-v0", entry_point="wordgym.env:PaysAllEnv", family="word", summary="it pays for any word"
)
TOOLS = (function_tool("submit", "Hand the word in.", {"text": {"type": "string"}}),)


def register_words() -> None:
    """Add the environments of this module to the registry."""
    for entry in (ENTRY, GIVES_UP, PAYS_ALL):
        register(entry)


class WordTasks:
    """Words of drawn letters."""

    knobs: Mapping[str, Json] = {"letters": 8}

    def __init__(self, split: Split) -> None:
        self.split: Split = split

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        knobs = merge_knobs(self.knobs, difficulty)
        drawn = derive_seed("word", self.split, seed, "letters")
        word = "".join(chr(ord("a") + (drawn >> 5 * place) % 26) for place in range(knobs["letters"])) + "z"
        return Task(
            id=f"word/{self.split}/{seed}",
            family="word",
            seed=seed,
            instruction=f"Hand in {word!r} backwards.",
            difficulty=knobs,
            tools=TOOLS,
            hidden={"word": word, "answer": word[::-1]},
            provenance={"template": "word", "split": self.split},
        )

    def __iter__(self) -> Iterator[Task]:
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1


class WordEnv(AgentEnv):
    """`submit(text)` ends the episode. Hidden fields say how a task goes wrong: "broken", "lost", "shy", "deadly"."""

    env_id: ClassVar[str] = "toy/Word-v0"
    judged: ClassVar[list[str]] = []  # of which tasks texts were judged in this process

    def _source(self, split: Split) -> WordTasks:
        return WordTasks(split)

    def _begin(self, task: Task) -> None:
        pass

    def _act(self, action: Action) -> StepResult:
        if not action.calls:
            return StepResult(replies=("call submit",))
        replies = ("handed in",) * len(action.calls)
        passed = self.judge(self.task, action.calls[0].arguments["text"]).passed
        return StepResult(replies=replies, parts={"outcome": float(passed)}, done=True, is_success=passed)

    def artefact(self, task: Task) -> str:
        return "word.txt"

    def judge(self, task: Task, text: str) -> Verdict:
        self.judged.append(task.id)
        if task.hidden.get("deadly"):
            os._exit(3)
        if task.hidden.get("broken"):
            raise VerifierError("the task has no tests")
        if task.hidden.get("lost", 0) >= self.judged.count(task.id):
            raise InfraError("the sandbox went away")
        right = text.strip() == task.hidden["answer"]
        return Verdict.of([Check(name="word", passed=right, evidence="" if right else f"not {text.strip()!r:.60}")])

    def explain(self, task: Task, check: Check) -> str:
        if task.hidden.get("shy"):
            raise KeyError("answer")
        return f"input:\n{task.hidden['word']}\nwanted:\n{task.hidden['answer']}"

    def _dump(self) -> Json:
        return {}

    def _load(self, state: Json) -> None:
        pass

    def oracle(self) -> Iterator[str]:
        yield call_text("submit", {"text": self.task.hidden["answer"]})


class GivesUpEnv(WordEnv):
    """Its oracle does not know the word."""

    env_id: ClassVar[str] = "toy/WordGivesUp-v0"

    def oracle(self) -> Iterator[str]:
        yield call_text("submit", {"text": "?"})


class PaysAllEnv(WordEnv):
    """It takes any word for the right one."""

    env_id: ClassVar[str] = "toy/WordPaysAll-v0"

    def judge(self, task: Task, text: str) -> Verdict:
        return Verdict.of([Check(name="word", passed=bool(text))])
