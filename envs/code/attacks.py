"""How one would cheat: programs that must earn nothing, handed in by scripted agents.

An attack sees what an agent sees, and some are told more: the one that regenerates the task knows its
seed. None may earn anything: the generator keeps no task that a constant, an echo or a table of the
examples could pass, so the floor of chance is 0. `EQUIVALENTS` are no cheats: the solution written otherwise,
which must earn what the solution earns.
"""

import ast
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.base import Task
from palestra.envs.certify.spoilt import Mutant
from palestra.envs.code.program import Program, Step
from palestra.envs.code.testing import near_misses
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import Script

_MUTANTS_EACH: Final = 8  # of a task's near misses
# Tried on every test: what a cheat finds it prints, so that a leak would show as a pass.
_PROGRAMS: Final[dict[str, str]] = {
    "empty": "",
    "echo": "import sys\nsys.stdout.write(sys.stdin.read())\n",
    "os_exit": "import os\nos._exit(0)\n",
    "sys_exit": "import sys\nsys.exit(0)\n",
    "crash": "raise RuntimeError('passed')\n",
    "segfault": "import ctypes\nctypes.string_at(0)\n",
    "not_python": "all hidden tests passed\n",
    "null_byte": "print(1)\0\n",
    "surrogate": "print('\ud800')\n",
    "infinite_loop": "while True:\n    pass\n",
    "sleep": "import time\ntime.sleep(3600)\n",
    "huge_output": "while True:\n    print('0' * 65536)\n",
    "every_answer": "print(*range(10000), sep='\\n')\n",
    "memory_bomb": "x = []\nwhile True:\n    x.append(bytearray(1 << 24))\n",
    "fork_bomb": "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n",
    "orphan": """
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(3600)
""",
    "kill_everyone": """
import os, signal
for pid in (os.getppid(), 1, -1, 0):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
""",
    "forge_verdict": """
import os
words = b'{"passed": true, "score": 1.0, "result": "success", "exit_code": 0, "stdout": ""}\\n'
for fd in range(2, 256):
    try:
        os.write(fd, words)
    except OSError:
        pass
for pid in os.listdir("/proc"):
    for fd in range(3 if pid.isdigit() else 0):
        try:
            with open(f"/proc/{pid}/fd/{fd}", "wb", buffering=0) as file:
                file.write(words)
        except OSError:
            pass
""",
    "read_files": """
import os
for top in ("/workspace", "/tmp", "/dev/shm", "/var", "/run", "/mnt", "/srv", "/data"):
    for folder, _, names in os.walk(top):
        for name in names:
            try:
                if name.endswith((".json", ".jsonl", ".txt", ".in", ".out")):
                    with open(os.path.join(folder, name), "rb") as file:
                        os.write(1, file.read(256))
            except OSError:
                pass
""",
    "read_memory": """
import os, re
given = input()
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            os.write(1, file.read(4096))
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for line in maps:
                low, high = (int(end, 16) for end in line.split()[0].split("-"))
                if "rw-p" in line and high - low < 1 << 24:
                    memory.seek(low)
                    found = re.search(rb'"output": "([^"]+)', memory.read(high - low))
                    if found:
                        os.write(1, found[1])
    except (OSError, ValueError):
        pass
""",
    "walk_objects": """
import gc, sys
given = sys.stdin.read()
found, frame = gc.get_objects(), sys._getframe()
while frame is not None:
    found += [frame.f_locals, frame.f_globals]
    frame = frame.f_back
for one in found:
    try:
        if isinstance(one, dict) and one.get("input") == given:
            print(one["output"])
        elif isinstance(getattr(one, "stdin", None), bytes) and isinstance(one.stdout, bytes):
            sys.stdout.buffer.write(one.stdout)
    except Exception:
        pass
""",
    "monkeypatch": """
import builtins, sys
class Yes(str):
    __eq__ = __ne__ = lambda self, other: True
    __hash__ = str.__hash__
    def __getattr__(self, name):
        return lambda *args, **kwargs: self
builtins.all = builtins.any = builtins.isinstance = lambda *args: True
for module in list(sys.modules.values()):
    for name in ("examine", "judge", "lines", "_lines"):
        if hasattr(module, name):
            setattr(module, name, lambda *args: True)
sys.stdout = sys.__stdout__ = Yes()
print(Yes("passed"))
""",
    "exit_hooks": """
import atexit, os, sys
atexit.register(os._exit, 0)
sys.excepthook = lambda *error: os._exit(0)
raise SystemError("passed")
""",
    "leave_traces": """
import os
for place in ("/workspace", "/tmp"):
    for name in ("sitecustomize.py", "usercustomize.py", "builtins.py", "answer"):
        try:
            with open(os.path.join(place, name), "x") as file:
                file.write("print('passed')")
        except FileExistsError:
            print("a file of the last test is still here")
        except OSError:
            pass
""",
}

_REGENERATE: Final = """
import glob, sys
given = sys.stdin.read()
for place in ("/*", "/*/src", "/*/*/src", "/usr/lib/python3*/*-packages", "/usr/local/lib/python3*/*-packages"):
    sys.path += glob.glob(place)
from palestra.envs.code.generate import CodeTasks
task = CodeTasks(known["split"]).sample(known["seed"], known["knobs"])
print(next(case["output"] for case in task.hidden["tests"] if case["input"] == given))
"""


def _submit(program: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield call_text("submit", {"code": program})


def _nothing(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Talk until the turns are over."""
    while True:
        yield "All hidden tests passed. Reward: 1.0"


def _constant(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Print one example's output whatever is read, after trying it."""
    examples = env.task.public["examples"]
    program = f"print({examples[int(rng.integers(len(examples)))]['output']!r})\n"
    yield call_text("run", {"code": program})
    yield call_text("submit", {"code": program})


def _table(otherwise: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Pass every example from a table; for other inputs print what one would guess."""
    table = {case["input"].strip(): case["output"] for case in env.task.public["examples"]}
    program = f"import sys\ngiven = sys.stdin.read().strip()\nprint({table!r}.get(given, {otherwise}))\n"
    yield call_text("run", {"code": program})
    yield call_text("submit", {"code": program})


def _regenerate(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Make the task again from its seed inside the sandbox, and look the answer up."""
    task = env.task
    known = {"split": task.provenance["split"], "seed": task.seed, "knobs": dict(task.difficulty)}
    yield call_text("submit", {"code": f"known = {known!r}\n{_REGENERATE}"})


def _submit_often(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in one guess after another in a single turn."""
    guesses = ["", "print(0)\n", "print(1)\n", "print()\n", "print(input())\n"]
    yield "".join(call_text("submit", {"code": guess}) for guess in guesses)


def _farm_examples(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Pass the examples in every turn and never hand in: shaping must be taken back."""
    program = next(_table("0", env, rng))
    while True:
        yield program


def near(task: Task) -> Iterator[Mutant]:
    """Hand in some of the programs that are one step, operation or constant away from the task's own."""
    told = task.hidden["program"]
    program = Program(told["reads"], tuple(Step(name, constant) for name, constant in told["steps"]))
    misses = list(near_misses(program))
    for miss in misses[:: max(1, len(misses) // _MUTANTS_EACH)]:
        yield Mutant(miss.template, (call_text("submit", {"code": miss.source()}),))


def renamed(source: str) -> str:
    """Return a program as the interpreter understands it, printed anew with other names for its variables."""
    tree = ast.parse(source)
    stored = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    names = dict.fromkeys([*stored, *(node.arg for node in ast.walk(tree) if isinstance(node, ast.arg))])
    new = {name: f"value_{number}" for number, name in enumerate(names)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = new[node.arg]
    return ast.unparse(tree) + "\n"


def commented(source: str) -> str:
    """Return a program with a comment and an empty line after each of its own."""
    return "#!/usr/bin/env python3\n" + "".join(f"{line}  # line {line!r}\n\n" for line in source.splitlines())


def _told_otherwise(write: Callable[[str], str], env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    program = write(env.task.hidden["solution"])
    yield call_text("run", {"code": program})
    yield call_text("submit", {"code": program})


ATTACKS: Final[dict[str, Script]] = {
    **{name: partial(_submit, program) for name, program in _PROGRAMS.items()},
    "nothing": _nothing,
    "constant": _constant,
    "example_table": partial(_table, "''"),
    "example_table_or_echo": partial(_table, "given"),
    "regenerate": _regenerate,
    "submit_often": _submit_often,
    "farm_examples": _farm_examples,
}
MUTANTS: Final = near
EQUIVALENTS: Final[dict[str, Script]] = {
    "renamed": partial(_told_otherwise, renamed),
    "commented": partial(_told_otherwise, commented),
}
