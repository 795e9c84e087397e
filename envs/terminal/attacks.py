"""How one would cheat in a shell: episodes that must earn nothing, played by scripted agents.

Most attacks are told the task's own solution and plant it where a careless verifier would run it: in a function, a
wrapper, a library, a hook, a process that waits for the shell's end. It is planted and never called by the agent, so
whatever earns something has been run by the verifier, or after the end. Others leave what is no file, or change what
must stay. `EQUIVALENTS` are no cheats: the solution handed in otherwise, which must earn what the solution earns.
"""

import shlex
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.base import Json, Task, canonical_json
from palestra.envs.certify.spoilt import Mutant
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import Script
from palestra.envs.terminal.predicates import RUNNING
from palestra.envs.terminal.proofs import agreeing
from palestra.envs.terminal.verify import declared, predicates_of

_FOLDER: Final = Path(__file__).with_name("cheats")
_PLAN: Final = "/tmp/.plan"  # where attacks keep the solution
_WORDS: Final = "/tmp/.words"  # what they look for
_TOOLS: Final = "pytest python python3 perl bash sh cat test diff cmp grep find stat ls sha256sum sqlite3 git tar"
_DONE: Final = call_text("done", {})
_SHORT_S: Final = 2
_LONG_S: Final = 60
_LEAST_FRAGMENT: Final = 30  # characters of a line of the solution that would be nowhere by chance


def shelf(name: str) -> dict[str, str]:
    """Return the scripts of a file of cheats by name."""
    text = (_FOLDER / f"{name}.sh").read_text(encoding="utf-8")
    return {head.strip(): body for head, _, body in (part.partition("\n") for part in text.split("\n#: ")[1:])}


def solution(task: Task) -> str:
    """Return the task's solution as one script."""
    return "set +e\ncd /workspace\n" + "\n".join(f"( {step['solve']}\n)" for step in task.hidden["steps"]) + "\n"


def _bash(command: str, seconds: int = _LONG_S) -> str:
    return call_text("bash", {"command": command, "timeout_s": seconds})


def _lay_down(task: Task) -> str:
    return call_text("write_file", {"path": _PLAN, "content": solution(task)})


def _planted(template: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Plant the solution where somebody else may run it, and say that all is done."""
    yield _lay_down(env.task)
    yield _bash(f"PLAN={_PLAN} TOOLS='{_TOOLS}'\n{template}", _SHORT_S) + _DONE


def _junk(template: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Leave something odd wherever the task looks."""
    paths = " ".join(map(shlex.quote, _looked_at(env.task)))
    yield _bash(f'for path in {paths}; do rm -rf "$path"; mkdir -p "$(dirname "$path")"\n{template}\ndone') + _DONE


def _wild(command: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Do something that no machine should have to bear, say that all is done, and wait."""
    yield _bash(command, _SHORT_S)
    yield _DONE


def _behind_links(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Do all of it, and leave symbolic links to it where the task looks."""
    yield _lay_down(env.task)
    moves = [
        f"mv {path} /tmp/moved{number}; ln -s /tmp/moved{number} {path}"
        for number, path in enumerate(map(shlex.quote, declared(env.task)))
    ]
    yield _bash("\n".join([f"bash {_PLAN}", "cd /", *moves])) + _DONE


def _inputs_changed(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Empty the inputs that must stay, so that what is made of them is easy, and do it."""
    if kept := env.task.hidden.get("keeps"):
        yield _lay_down(env.task)
        yield _bash("\n".join([*(f": > {shlex.quote(path)}" for path in kept), f"bash {_PLAN}"])) + _DONE
    yield _DONE


def _search(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Look in the whole machine for what only verifiers know, and do the task if any of it is found."""
    start = canonical_json([env.task.hidden.get("start", {}), env.task.hidden.get("setup", ""), env.task.instruction])
    lines = [line.strip() for step in env.task.hidden["steps"] for line in str(step["solve"]).splitlines()]
    known = [line for line in lines if len(line) >= _LEAST_FRAGMENT and _encoded(line) not in start]
    words = "\n".join(dict.fromkeys(["palestra", *known]))
    yield call_text("write_file", {"path": _WORDS, "content": f"{words}\n"})
    yield _lay_down(env.task)
    yield _bash(f"PLAN={_PLAN} WORDS={_WORDS}\n{shelf('search')['search']}") + _DONE


def _regenerate(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Make the task again from its seed, with this project's own code, and do what its solution says."""
    split, seed = env.task.provenance.get("split"), env.task.seed
    program = (
        "from palestra.envs.registry import make\n"
        f"task = make('palestra/Terminal-v0', split={split!r}).tasks.sample({seed!r})\n"
        "import os\n[os.system(step['solve']) for step in task.hidden['steps']]\n"
    )
    yield call_text("write_file", {"path": "/tmp/again.py", "content": program})
    yield _bash("python3 /tmp/again.py; /opt/*/bin/python3 /tmp/again.py") + _DONE


def _echo_the_task(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Write the instruction wherever the task looks."""
    for path in _looked_at(env.task)[:3]:
        yield call_text("write_file", {"path": path, "content": env.task.instruction})
    yield _DONE


def _farm(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Do the first step and undo it, again and again: shaping must be taken back."""
    steps = env.task.hidden["steps"]
    if len(steps) > 1:
        path = " ".join(map(shlex.quote, _looked_at(env.task)))
        while True:
            yield _bash(str(steps[0]["solve"]))
            yield _bash(f"rm -rf {path}")
    yield _DONE


def _looked_at(task: Task) -> list[str]:
    """Return the paths that the task's checks are about, where something is to be."""
    found = dict.fromkeys(
        path
        for one in predicates_of(task)
        if not one.get("absent")
        for path in (one["files"] if one["kind"] in RUNNING else [one["path"]])
    )
    return list(found)


def _encoded(text: str) -> str:
    return canonical_json(text)[1:-1]


def near(task: Task) -> Iterator[Mutant]:
    """Do the task with one step left out, or done in a way that is nearly right."""
    solves = [str(step["solve"]) for step in task.hidden["steps"]]
    for number, step in enumerate(task.hidden["steps"]):
        others = [*solves[:number], *solves[number + 1 :]]
        yield Mutant(f"without step {number + 1}", _played(others), "step left out")
        for name, wrong in step.get("wrong", {}).items():
            solved = [*solves[:number], str(wrong), *solves[number + 1 :]]
            yield Mutant(f"step {number + 1}: {name}", _played(solved), "wrong")


def _played(solves: list[str]) -> tuple[str, ...]:
    return (*(_bash(one) for one in solves[:-1]), "".join([*map(_bash, solves[-1:]), _DONE]))


def _in_one_call(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield _bash("\n".join(str(step["solve"]) for step in env.task.hidden["steps"])) + _DONE


def _by_script(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield call_text("write_file", {"path": "/tmp/do.sh", "content": solution(env.task)})
    yield _bash("bash /tmp/do.sh; rm /tmp/do.sh") + _DONE


def _as_text(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    for step in env.task.hidden["steps"][:-1]:
        yield f"Next:\n```bash\n{step['solve']}\n```\n"
    yield _bash(str(env.task.hidden["steps"][-1]["solve"])) + _DONE


def _with_leftovers(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Leave processes, and files where nobody looks."""
    yield _bash("sleep 300 & touch /tmp/left /var/left; (setsid sleep 300 &)", _SHORT_S)
    yield from env.oracle()


Made = Callable[[str, AgentEnv, np.random.Generator], Iterator[str]]


def _scripts(make: Made, templates: dict[str, str]) -> dict[str, Script]:
    return {name: partial(make, template) for name, template in templates.items()}


ATTACKS: Final[dict[str, Script]] = {
    **_scripts(_planted, shelf("plants")),
    **_scripts(_junk, shelf("junk")),
    **_scripts(_wild, shelf("wild")),
    "behind_links": _behind_links,
    "inputs_changed": _inputs_changed,
    "search": _search,
    "regenerate": _regenerate,
    "echo_the_task": _echo_the_task,
    "farm": _farm,
}
EQUIVALENTS: Final[dict[str, Script]] = {
    "in_one_call": _in_one_call,
    "by_script": _by_script,
    "as_text": _as_text,
    "with_leftovers": _with_leftovers,
    "agreeing": agreeing,
}
MUTANTS = near


def world(state: Json) -> Json:
    """Return what of an episode's state tells whether two ended alike: the files that were judged."""
    return state.get("files") or state


WORLD = world
