"""What an episode in a shell costs, and whether it holds to what is promised of it.

    python benchmarks/terminal.py [--quick] [--json] [--soak N]

Resets are of tasks that were never seen before, the end of the machine before included; those of tasks with services,
which are started in every machine, are told apart. The trivial commands are `echo`, `cd` and `ls`; a command that may
have changed a file is followed by a look at the milestones, which is told beside them. An oracle's episode has five
commands in tasks of four operators, from its reset to the verdict. docker plays episodes in turns with the native
backend where a daemon answers (DOCKER_HOST) and `palestra image build terminal` was run. With --soak N, that many
episodes are played by oracles and by agents that do harm, and what this process and its children hold afterwards is
compared with what they held after the first of them.
"""

import contextlib
import gc
import itertools
import os
import random
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import machine
from bars import AT_LEAST, AT_MOST, TITLES, Bar, bar_line, judge
from sandbox_terminal import control_groups, descendants, held_bytes, timed

from palestra import sandbox as sandboxes
from palestra.envs.actions import call_text
from palestra.envs.base import Task
from palestra.envs.terminal.env import TerminalEnv
from palestra.envs.terminal.generate import TerminalTasks
from palestra.sandbox.base import MIB, InfraError
from palestra.sandbox.images import image_folder

_COMPARED = 10  # episodes of docker's, all of logs
_UNSEEN = 100_000  # seeds of tasks that begin only once, so that no start of theirs is kept
_TRIVIAL = ("echo hello", "cd /workspace", "pwd", "ls >/dev/null; :", "echo $HOME")
_FIRST = 200  # episodes of a soak, at most, before what is held is looked at: caches fill
_LEFT = {  # what episodes may leave behind
    "descriptors": 0.0,
    "processes": 0.0,
    "mounts": 0.0,
    "control groups": 0.0,
    "temporary files": 0.0,
    "MiB of this process": 20.0,
    "MiB of its children": 20.0,
}
_HARM = (
    "rm -rf --no-preserve-root /usr 2>/dev/null",
    "(sleep 300 &); setsid sleep 300 & disown",
    "yes | head -c 20000000",
    "exit 3",
    "kill -9 $$",
    ":(){ :|:& };:",
    "head -c 100000000 /dev/zero > /tmp/big",
)


def main() -> None:
    """Measure, print, and say what was promised."""
    parser = machine.arguments(__doc__, quick="a few rounds of each: under 50 seconds")
    parser.add_argument("--soak", type=int, default=0, metavar="N", help="play N episodes, and compare what is held")
    chosen = parser.parse_args()
    report = measure(chosen.quick)
    if chosen.soak:
        report["soak"], bars = soak(chosen.soak)
        report["bars"] += [asdict(bar) for bar in bars]
    machine.tell(report, show, as_json=chosen.json)


def measure(quick: bool) -> dict[str, Any]:
    """Measure everything but the soak."""
    rounds = 8 if quick else 40
    times, ratios = episodes(rounds)
    count = 20 if quick else 100
    held = held_bytes(lambda stack: _idle(stack, count)) / MIB / count
    failed, seconds = crowd(100)
    bars = [
        judge("reset to the first prompt", AT_MOST, 80.0, "ms", times["reset, a new task"]),
        judge("reset of a task with services", AT_MOST, 80.0, "ms", times["reset, with services"]),
        judge("trivial command, there and back", AT_MOST, 3.0, "ms", times["trivial command"]),
        judge("oracle's episode, 5 commands, verified", AT_MOST, 400.0, "ms", times["oracle's episode, any tasks"]),
        judge(
            "docker / native, the same episode",
            AT_LEAST,
            5.0,
            "x",
            ratios,
            "" if ratios else "no docker daemon answers, or the image terminal is not built",
        ),
        judge("fork of a live episode", AT_MOST, 100.0, "ms", times["fork, to its first answer"]),
        judge("memory of an idle episode", AT_MOST, 20.0, "MiB", [held], f"of {count}"),
        judge("failures of 100 episodes at once", AT_MOST, 0.0, "", [float(failed)], f"{seconds:.1f} s"),
    ]
    return {
        "benchmark": "terminal",
        "machine": machine.describe(),
        "load": [round(value, 1) for value in os.getloadavg()],
        "bars": [asdict(bar) for bar in bars],
        "milliseconds": {name: machine.spread(values) for name, values in times.items()},
    }


def episodes(rounds: int) -> tuple[dict[str, list[float]], list[float]]:
    """Time the steps of episodes, in milliseconds; and how many times as long docker takes."""
    times: dict[str, list[float]] = {}
    ratios: list[float] = []
    with ExitStack() as stack:
        env = stack.enter_context(closing(TerminalEnv()))
        docker = stack.enter_context(closing(TerminalEnv(sandbox="docker"))) if _has_docker() else None
        _play(env, 10_000)  # which starts what is started once a process
        serving = _with_services(4)
        for seed in range(rounds):
            _note(times, "reset, a new task", lambda seed=seed: env.reset(seed=seed))  # type: ignore[misc]
            served = serving[seed % len(serving)]
            _note(times, "reset, with services", lambda task=served: env.reset(options={"task": task}))  # type: ignore[misc]
            env.reset(seed=seed)
            for command in _TRIVIAL:
                _note(times, "trivial command", lambda command=command: _run(env, command))  # type: ignore[misc]
            _note(times, "command that may change files", lambda: _run(env, "touch /tmp/a"))
            _note(times, "fork, to its first answer", lambda: _forked(env))
            for again in range(3):
                name = "reset, a task begun before" if again else "reset, a task begun once"
                _note(times, name, lambda seed=seed: env.reset(seed=seed))  # type: ignore[misc]
            _note(times, "oracle's episode, any tasks", lambda seed=seed: _play(env, seed))  # type: ignore[misc]
            if docker is None or seed >= _COMPARED:
                continue
            ours, theirs = (
                _note(times, f"oracle's episode, logs, {name}", lambda one=one, seed=seed: _play(one, seed, "logs"))  # type: ignore[misc]
                for name, one in (("native", env), ("docker", docker))
            )
            ratios.append(theirs / ours)
    return times, ratios


def crowd(count: int) -> tuple[int, float]:
    """Play so many episodes at once, each turn of all before the next; return how many failed, and the seconds."""
    started = time.perf_counter()
    with ExitStack() as stack, ThreadPoolExecutor(4) as threads:
        envs = [stack.enter_context(closing(TerminalEnv())) for _ in range(count)]
        list(threads.map(lambda pair: pair[1].reset(seed=pair[0]), enumerate(envs)))
        scripts = [iter([*env.oracle()]) for env in envs]
        ended: set[int] = set()
        solved: set[int] = set()
        while len(ended) < count:
            left = [number for number in range(count) if number not in ended]
            for number, step in zip(left, threads.map(lambda n: envs[n].step(next(scripts[n])), left), strict=True):
                if step[2] or step[3]:
                    ended.add(number)
                    solved |= {number} if step[4]["is_success"] else set()
    return count - len(solved), time.perf_counter() - started


def soak(count: int) -> tuple[dict[str, Any], list[Bar]]:
    """Play episodes; return what was held before and after, and whether anything was left."""
    draws = random.Random(0)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="palestra-soak-") as folder, closing(TerminalEnv()) as env:
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        for number in range(min(count, _FIRST)):
            _one_of_many(env, _UNSEEN - 1 - number, draws)
        env.close()
        before = _held(folder)
        started = time.perf_counter()
        for number in range(count):
            failed += not _one_of_many(env, _UNSEEN + number, draws)
        env.close()
        seconds, after = time.perf_counter() - started, _held(folder)
        tempfile.tempdir = None
        del os.environ["TMPDIR"]
    bars = [judge(f"oracles that failed, of {count:,} episodes", AT_MOST, 0.0, "", [float(failed)])]
    for name, bound in _LEFT.items():
        bars.append(judge(f"{name} left by them", AT_MOST, bound, "", [after[name] - before[name]]))
    return {"episodes": count, "seconds": seconds, "failed": failed, "before": before, "after": after}, bars


def _one_of_many(env: TerminalEnv, seed: int, draws: random.Random) -> bool:
    """Play an oracle or do harm; return whether all was as it should be."""
    if draws.random() >= 0.3:
        return _play(env, seed)
    env.reset(seed=seed)
    for _ in range(2):
        _run(env, draws.choice(_HARM))
    if draws.random() < 0.3:
        env.fork()[0].close()
    return not env.step(call_text("done", {}))[4]["is_success"]


def _play(env: TerminalEnv, seed: int, area: str = "any") -> bool:
    """Play the oracle of a task of four operators, with one command more."""
    env.reset(seed=seed, options={"difficulty": {"operators": 4, "area": area}})
    _run(env, "ls -la")
    info: dict[str, Any] = {}
    for action in list(env.oracle()):
        *_, info = env.step(action)
    return bool(info["is_success"])


def _with_services(count: int) -> list[Task]:
    """Return tasks beside whose agent something runs."""
    tasks = TerminalTasks("train")
    drawn = (tasks.sample(seed, {"operators": 1, "area": "scripting"}) for seed in itertools.count())
    return list(itertools.islice((task for task in drawn if task.hidden["services"]), count))


def _run(env: TerminalEnv, command: str) -> str:
    return env.step(call_text("bash", {"command": command, "timeout_s": 1}))[0]


def _forked(env: TerminalEnv) -> None:
    [fork] = env.fork()
    with closing(fork):
        _run(fork, "pwd")


def _idle(stack: ExitStack, count: int) -> None:
    for seed in range(count):
        env = stack.enter_context(closing(TerminalEnv()))
        env.reset(seed=seed)
        _run(env, "ls")


def _has_docker() -> bool:
    try:
        return bool(image_folder("terminal")) and sandboxes.probe("docker").terminal
    except (InfraError, ImportError):
        return False


def _note(times: dict[str, list[float]], name: str, action: Callable[[], object]) -> float:
    times.setdefault(name, []).append(timed(action))
    return times[name][-1]


def _held(folder: str) -> dict[str, float]:
    """Return what this process and its children hold, and how many files lie in the folder for temporary ones."""
    gc.collect()
    own = Path("/proc/self")
    children = list(descendants(os.getpid()))
    sizes = [_resident_mib(pid) for pid in children]
    return {
        "descriptors": float(len(os.listdir(own / "fd"))),
        "processes": float(len(children)),
        "mounts": float(len((own / "mountinfo").read_text().splitlines())),
        "control groups": float(len(control_groups())),
        "temporary files": float(sum(1 for _ in Path(folder).rglob("*"))),
        "MiB of this process": _resident_mib(os.getpid()),
        "MiB of its children": sum(sizes),
    }


def _resident_mib(pid: int) -> float:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB
    return 0.0


def show(report: dict[str, Any]) -> None:
    """Print the figures as tables."""
    print(f"{machine.line(report['machine'])}; load {report['load']}")
    print(f"\n{'ms':50}{'median':>10}{'min':>10}{'max':>10}")
    for name, found in report["milliseconds"].items():
        print(f"{name:50}{found['median']:10.2f}{found['min']:10.2f}{found['max']:10.2f}")
    print(f"\n{TITLES}")
    for bar in report["bars"]:
        print(bar_line(Bar(**bar)))
    if "soak" in report:
        told = report["soak"]
        print(f"\n{told['episodes']} episodes in {told['seconds']:.0f} s, {told['failed']} oracles failed")
        for name, before in told["before"].items():
            print(f"{name:50}{before:10.1f}{told['after'][name]:10.1f}")


if __name__ == "__main__":
    main()
