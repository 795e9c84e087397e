"""What this folder's tests share: tasks that were made by hand, one for each way to be judged."""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from palestra.envs.actions import call_text
from palestra.envs.base import Budget, Json, Split, Task, TaskSource, merge_knobs
from palestra.envs.terminal.env import TerminalEnv
from palestra.envs.terminal.tools import TOOLS
from palestra.envs.terminal.tree import Tree

LOG = "/workspace/app.log"
SUM = "/workspace/bin/total.sh"


def report_task(split: Split, seed: int, difficulty: Mapping[str, Json]) -> Task:
    """Return a task of three steps: pick lines of a log, count by level as JSON, and a script that adds numbers."""
    rng = random.Random(f"{split} {seed}")
    levels = ("ERROR", "INFO", "WARN")
    lines = [f"{n:03d} {rng.choice(levels)} {rng.choice('abcdef')}{rng.randrange(1000)}" for n in range(20)]
    lines += [f"{20 + n} {level} end" for n, level in enumerate(levels)]
    text = "".join(f"{line}\n" for line in lines)
    errors = [line for line in lines if line.split()[1] == "ERROR"]
    counts = {level: sum(line.split()[1] == level for line in lines) for level in levels}
    numbers = [[rng.randrange(-50, 50) for _ in range(4)] for _ in range(3)]
    start = Tree().put(LOG, text).put("/workspace/notes/readme.txt", f"seed {seed}\n")
    names = ", ".join(f'n["{level}"]' for level in levels)
    form = ", ".join(f'\\"{level}\\": %d' for level in levels)
    count = f"awk '{{ n[$2]++ }} END {{ printf \"{{{form}}}\\n\", {names} }}'"
    program = "#!/bin/bash\ntotal=0\nwhile read -r number; do total=$((total + number)); done\necho $total\n"
    write = f"mkdir -p bin; cat > {SUM} <<'END'\n{program}END\nchmod 755 {SUM}"
    steps: list[dict[str, Json]] = [
        {
            "operator": "pick",
            "choices": ["level"],
            "solve": f"mkdir -p out; grep ' ERROR ' {LOG} > out/errors.txt",
            "wrong": {"any case, anywhere": f"mkdir -p out; grep -i 'r' {LOG} > out/errors.txt"},
        },
        {
            "operator": "count",
            "choices": ["json"],
            "solve": f"mkdir -p out; {count} {LOG} > out/counts.json; chmod 640 out/counts.json",
            "wrong": {"permissions": f"mkdir -p out; {count} {LOG} > out/counts.json; chmod 644 out/counts.json"},
        },
        {
            "operator": "script",
            "choices": ["bash"],
            "solve": write,
            "wrong": {"last number": write.replace("$((total + number))", "$number")},
        },
    ]
    checks: list[dict[str, Json]] = [
        {"kind": "file", "group": 0, "path": "/workspace/out/errors.txt", "lines": errors},
        {"kind": "json", "group": 1, "path": "/workspace/out/counts.json", "equals": counts},
        {"kind": "mode", "group": 1, "path": "/workspace/out/counts.json", "equals": "0640"},
        {
            "kind": "runs",
            "group": 2,
            "command": [SUM],
            "files": [SUM],
            "cases": [{"stdin": "".join(f"{n}\n" for n in some), "stdout": f"{sum(some)}\n"} for some in numbers],
        },
    ]
    return Task(
        id=f"terminal/handmade/{split}/{seed}",
        family="terminal",
        seed=seed,
        instruction=(
            f"1. Write the lines of {LOG} whose second word is ERROR to out/errors.txt, in their order.\n"
            "2. Write out/counts.json, an object with the number of lines by second word, permissions 0640.\n"
            f"3. Write {SUM}, an executable script that prints the sum of the integers, one a line, on its stdin.\n"
            f"Paths begin at /workspace. Leave {LOG} as it is."
        ),
        tools=TOOLS,
        budget=Budget(turns=8),
        public={"limits": {}, "image": ""},
        hidden={
            "start": start.to_json(),
            "setup": "",
            "services": [],
            "checks": checks,
            "collect": ["/workspace"],
            "keeps": {LOG: hashlib.sha256(text.encode()).hexdigest()},
            "steps": steps,
        },
        provenance={"template": "handmade", "split": split},
        difficulty=dict(difficulty),
    )


class HandmadeTasks:
    """A source of them."""

    def __init__(self, split: Split = "train", make: Callable[..., Task] = report_task) -> None:
        self.split: Split = split
        self.knobs: Mapping[str, Json] = {}
        self._make = make

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        return self._make(self.split, seed, merge_knobs(self.knobs, difficulty))

    def __iter__(self) -> Iterator[Task]:
        yield from map(self.sample, range(2**31))


@pytest.fixture(scope="session")
def handmade() -> TaskSource:
    """Tasks of the train split."""
    return HandmadeTasks()


@pytest.fixture
def env(handmade: TaskSource) -> Iterator[TerminalEnv]:
    made = TerminalEnv(tasks=handmade)
    yield made
    made.close()


@pytest.fixture
def bash() -> Callable[..., str]:
    """Return the action that runs a command, and with ``done`` true says that the task is done."""

    def say(command: str, *, done: bool = False, **more: Any) -> str:
        return call_text("bash", {"command": command, **more}) + (call_text("done", {}) if done else "")

    return say
