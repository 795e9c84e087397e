"""Tasks made by hand, and environments that play them."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import pytest

from palestra.envs.actions import call_text
from palestra.envs.base import Budget, Json, Split, Task, merge_knobs
from palestra.envs.terminal.env import TerminalEnv
from palestra.envs.terminal.tools import TOOLS
from palestra.envs.terminal.tree import File, Folder, Link, Tree

MakeTerminal = Callable[..., TerminalEnv]
STARTS: Mapping[str, Tree] = {
    split: Tree(
        {
            "/workspace/in/words.txt": File(f"pear\napple\n{split}\n".encode()),
            "/workspace/in/secret": File(b"\x00\xff", 0o600, mtime=1_600_000_000),
            "/workspace/in/link": Link("words.txt"),
            "/srv/data/x": File(b"1\n", owner=7),
            "/srv/empty": Folder(0o700),
        }
    )
    for split in ("train", "heldout")
}


class Handmade:
    """Tasks in two steps: sort a file with a number of the seed in it, and count its lines."""

    def __init__(self, split: Split = "train") -> None:
        self.split: Split = split
        self.knobs: Mapping[str, Json] = {"lines": 3}

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        knobs = merge_knobs(self.knobs, difficulty)
        lines = [f"word{(7 * number + seed) % 11}" for number in range(knobs["lines"])]
        start = STARTS[self.split].put(f"/workspace/list{seed}.txt", "".join(f"{line}\n" for line in lines))
        made = "".join(f"{line}\n" for line in sorted(lines))
        return Task(
            id=f"terminal/handmade/{self.split}/{seed}",
            family="terminal",
            seed=seed,
            instruction=f"1. Sort the lines of /workspace/list{seed}.txt by bytes into /workspace/sorted.txt.\n"
            "2. Write how many lines that file has into /workspace/count.txt, as a decimal number and a newline.",
            difficulty=knobs,
            tools=TOOLS,
            budget=Budget(turns=12),
            public={"limits": {}, "image": ""},
            hidden={
                "start": start.to_json(),
                "setup": "mkdir -p /workspace/made && date -d @0 +%Y > /workspace/made/year",
                "services": [],
                "steps": [
                    {"operator": "sort", "solve": f"LC_ALL=C sort list{seed}.txt > sorted.txt"},
                    {"operator": "count", "solve": "wc -l < sorted.txt > count.txt"},
                ],
                "checks": [
                    {"kind": "file", "group": 0, "path": "/workspace/sorted.txt", "equals": made},
                    {"kind": "file", "group": 1, "path": "/workspace/count.txt", "equals": f"{len(lines)}\n"},
                ],
                "collect": ["/workspace"],
                "keeps": {"/workspace/in/words.txt": hashlib.sha256(start.data("/workspace/in/words.txt")).hexdigest()},
            },
            provenance={"template": "handmade", "split": self.split, "generator": "1"},
        )

    def __iter__(self) -> Iterator[Task]:
        return map(self.sample, count())


@pytest.fixture
def make_terminal() -> Iterator[MakeTerminal]:
    """Make environments that play tasks made by hand; every one is closed at the end."""
    made: list[TerminalEnv] = []

    def make(*, split: Split = "train", **options: Any) -> TerminalEnv:
        options.setdefault("tasks", Handmade(split))
        made.append(TerminalEnv(split=split, **options))
        return made[-1]

    yield make
    for env in made:
        env.close()


@pytest.fixture
def env(make_terminal: MakeTerminal) -> TerminalEnv:
    """An environment at the beginning of a task."""
    env = make_terminal()
    env.reset(seed=1)
    return env


Do = Callable[..., str]


@pytest.fixture
def do(env: TerminalEnv) -> Do:
    """Call a tool in the environment, and return what is told of it; the tool is bash if only a text is given."""

    def call(name: str, **arguments: Any) -> str:
        if not arguments and name != "done":
            return str(env.step(call_text("bash", {"command": name}))[0])
        return str(env.step(call_text(name, arguments))[0])

    return call
