"""A model of a few lines that writes good tasks, and attempts them now rightly and now not."""

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from palestra.envs.endpoint import Backend
from palestra.envs.terminal.pipeline.prompts import BUILD, DESCRIBE, EXAMINE
from palestra.envs.terminal.pipeline.run import Order
from palestra.envs.writing import Written, write

Json = dict[str, Any]
LOG, ERRORS, COUNT = "/workspace/app.log", "/workspace/errors.txt", "/workspace/count.txt"


def described(seed: str) -> Json:
    return {
        "title": "Errors of a log",
        "task": (
            f"The log {LOG} belongs to service {seed}. Write its lines whose second word is ERROR, "
            f"sorted by byte value, to {ERRORS}, and how many of them there are, as one number, to {COUNT}. "
            "Change no file that is there."
        ),
        "truth": f"service {seed}: three of six lines are errors; one says error in small letters elsewhere",
    }


def built(seed: str) -> Json:
    lines = [f"5 ERROR z{seed}", "4 INFO error", f"2 ERROR b{seed}", "3 WARN x", f"1 ERROR c{seed}", "6 INFO ERROR"]
    log = "".join(f"{line}\n" for line in lines)
    initial = [{"kind": "file", "path": LOG, "contains": "ERROR"}, {"kind": "mode", "path": LOG, "equals": "0640"}]
    files = {LOG: {"text": log, "mode": "0640"}, "/workspace/notes/readme.md": "nothing of concern\n"}
    return {"files": files, "setup": "", "services": [], "initial": initial}


def examined(seed: str) -> Json:
    errors = sorted([f"5 ERROR z{seed}", f"2 ERROR b{seed}", f"1 ERROR c{seed}"])
    find = f"awk '$2 == \"ERROR\"' {LOG}"
    return {
        "steps": [
            {
                "what": "errors",
                "checks": [{"kind": "file", "path": ERRORS, "lines": errors}],
                "solve": f"{find} | LC_ALL=C sort > {ERRORS}",
                "wrong": {"unsorted": f"{find} > {ERRORS}", "any": f"grep ERROR {LOG} | sort > {ERRORS}"},
            },
            {
                "what": "count",
                "checks": [{"kind": "file", "path": COUNT, "matches": r"\s*3\s*"}],
                "solve": f"{find} | wc -l > {COUNT}",
                "wrong": {"all": f"wc -l < {LOG} > {COUNT}"},
            },
        ],
        "changes": [],
    }


class Author:
    """Answers by stage; a test replaces the answer of a stage."""

    def __init__(self, answer: type) -> None:
        self._answer = answer
        self.describe: Callable[[str], Any] = described
        self.build: Callable[[str], Any] = built
        self.examine: Callable[[str], Any] = examined
        self.rightly: Callable[[int], bool] = lambda number: number % 2 == 0  # of a task's attempts, from 0
        self.begun: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, body: Json) -> Any:
        messages = body["messages"]
        system, user = messages[0]["content"], messages[1]["content"]
        if system.startswith(DESCRIBE):
            told = self.describe(hashlib.sha256(user.encode()).hexdigest()[:6])
        elif system.startswith((BUILD, EXAMINE)):
            seed = json.loads(user)["truth"].partition("service ")[2].partition(":")[0]
            told = (self.build if system.startswith(BUILD) else self.examine)(seed)
        else:
            return self.play(user, messages)
        return told if isinstance(told, self._answer) else self.say(told)

    def say(self, told: Any, **more: Any) -> Any:
        return self._answer(content=told if isinstance(told, str) else json.dumps(told), **more)

    def play(self, task: str, messages: list[Json]) -> Any:
        """Do the task in the first turn, and say so in the second."""
        if len(messages) > 2:
            return self.call("done", {})
        with self._lock:
            number = self.begun[task]
            self.begun[task] += 1
        steps = examined("")["steps"] if self.rightly(number) else examined("")["steps"][:1]
        return self.call("bash", {"command": "\n".join(step["solve"] for step in steps)})

    def call(self, name: str, arguments: Json) -> Any:
        function = {"name": name, "arguments": json.dumps(arguments)}
        return self._answer(calls=[{"id": "c", "type": "function", "function": function}], finish="tool_calls")


Writing = Callable[..., Written]


@pytest.fixture
def author(scripted: Any) -> Author:
    made = Author(scripted.Answer)
    scripted.answer = made
    return made


@pytest.fixture
def writing(scripted: Any, tmp_path: Path) -> Writing:
    """Return what writes tasks into ``tmp_path / "t.jsonl"``, with few and quick tries."""

    def run(**more: Any) -> Written:
        order = {name: more.pop(name) for name in tuple(more) if name in Order.__dataclass_fields__}
        timeout_s = more.pop("timeout_s", 60.0)
        with Backend(scripted.url, model="m", retries=1, pause_s=0.001, timeout_s=timeout_s) as backend:
            wanted = {"n": 1, "most": 1, "concurrency": 1, **more}
            return write(
                Order(**{"attempts": 2, "repairs": 1, **order}),
                tmp_path / "t.jsonl",
                backend=backend,
                player=backend,
                **wanted,
            )

    return run
