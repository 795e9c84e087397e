"""What goes wrong in one member of a pool is that member's, typed and without a reward; the others go on."""

import math
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import palestra
from palestra.envs.base import EpisodeOver, TaskError
from palestra.envs.pool import Batch, EnvPool
from palestra.envs.registry import EnvEntry, register
from palestra.envs.workers import WORKERS, EnvMaker, ProcessWorker, ThreadWorker, WorkerKind
from palestra.rewards.base import RecordError, Turn, VerifierError
from palestra.sandbox.base import InfraError, PermanentInfraError

KINDS: list[WorkerKind] = list(WORKERS)
OBEY = EnvEntry(id="toy/Obey-v0", entry_point="obeygym.env:ObeyEnv", family="obey", summary="does as it is told")
MakePool = Callable[..., EnvPool]


@pytest.fixture(autouse=True)
def obedient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the obedient environment importable, here and in processes started from here."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    register(OBEY)


@pytest.fixture
def make_pool() -> Iterator[MakePool]:
    """Make pools of the obedient environment; all are closed, and nothing of them is left."""
    made: list[EnvPool] = []

    def make(num_envs: int, **settings: Any) -> EnvPool:
        made.append(EnvPool(OBEY.id, num_envs, **settings))
        return made[-1]

    yield make
    for pool in made:
        pool.close()
    assert not multiprocessing.active_children()


def check_lost(batch: Batch, place: int) -> Exception:
    """Return why an entry's episode was lost, after checking that it has no reward at all."""
    fault = batch.infos[place]["fault"]
    assert batch.faults[fault.env_id] is fault
    assert fault.env_id == batch.env_ids[place]
    assert math.isnan(batch.rewards[place])
    assert batch.observations[place] is None
    assert (batch.terminated[place], batch.truncated[place]) == (False, True)
    assert set(batch.infos[place]) == {"fault"}
    with pytest.raises(RecordError):
        Turn(prompt_ids=(), output_ids=(), logprobs=(), reward=float(batch.rewards[place]))
    error: Exception = fault.error
    return error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("word", "fault", "error", "told"),
    [
        ("infra", "infra", InfraError, "went away"),
        ("permanent", "infra", PermanentInfraError, "lacks a feature"),
        ("verifier", "verifier", VerifierError, "no verdict"),
        ("nan", "environment", RecordError, "must be finite, not nan"),
        ("bug", "environment", KeyError, "a bug"),
        ("odd", "environment", Exception, "1 and 2"),
        ("exit", "environment", RuntimeError, r"SystemExit\(3\)"),
    ],
)
def test_a_fault_is_an_item_and_the_others_go_on(
    make_pool: MakePool, kind: WorkerKind, word: str, fault: str, error: type[Exception], told: str
) -> None:
    pool = make_pool(3, workers=kind)
    pool.reset(seed=0)
    pool.step(["step"] * 3)
    batch = pool.step(["win", word, "step"])
    raised = check_lost(batch, 1)
    assert isinstance(raised, error)
    assert re.search(told, str(raised))
    assert batch.faults[1].kind == fault
    assert np.array_equal(batch.rewards[[0, 2]], [1.0, 0.0])
    after = pool.step(["step", "not used", "win"])
    assert after.observations[1].startswith("Task ")
    assert (after.rewards[1:].tolist(), after.faults) == ([0.0, 1.0], {})
    assert pool.step(["lose", "win", "not used"]).rewards[1] == 1.0


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_a_killed_worker_is_a_fault_and_is_replaced(make_pool: MakePool, mode: str) -> None:
    pool = make_pool(3, workers="process", autoreset_mode=mode)
    pool.reset(seed=0)
    before = pool.step(["pid"] * 3).observations
    batch = pool.step(["step", "die", "win"])
    error = check_lost(batch, 1)
    assert isinstance(error, InfraError)
    assert "was killed by signal 9" in str(error)
    assert error.retryable
    assert batch.rewards[[0, 2]].tolist() == [0.0, 1.0]
    if mode == "Disabled":
        with pytest.raises(EpisodeOver, match="environment 1 was lost"):
            pool.send(["pid"], [1])
        pool.async_reset(seed=5)
    else:
        pool.send(["step", "not used", "lose"])
    assert pool.recv().observations[1].startswith("Task ")
    after = pool.step(["pid"] * 3).observations
    assert before[1] != after[1]
    assert before[0] == after[0]
    assert int(after[1]) in [process.pid for process in multiprocessing.active_children()]


def test_a_kill_while_nobody_looks_and_all_at_once(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool(3, workers="process")
    pool.reset(seed=0)
    pool.send([f"wait {tmp_path / 'never'}"] * 3)
    for process in multiprocessing.active_children():
        process.kill()
    batch = pool.recv()
    assert [str(check_lost(batch, place)) for place in range(3)] == [
        "the environment's process was killed by signal 9 before it answered"
    ] * 3
    assert pool.step(["not used"] * 3).faults == {}
    for process in multiprocessing.active_children():
        process.kill()  # between two steps
        process.join()
    assert set(pool.step(["step"] * 3).faults) == {0, 1, 2}
    assert pool.step(["not used"] * 3).faults == {}
    assert pool.step(["win"] * 3).rewards.tolist() == [1.0] * 3


def test_what_follows_a_fault_follows_from_the_seed(make_pool: MakePool) -> None:
    def later(kind: WorkerKind, word: str) -> list[str]:
        pool = make_pool(2, workers=kind)
        pool.reset(seed=3)
        told: list[str] = []
        for _ in range(2):
            pool.step(["lose", word])
            told += pool.step(["not used", "not used"]).observations
        return told

    assert later("process", "die") == later("thread", "infra") == later("inline", "bug")
    assert len(set(later("thread", "infra"))) == 4


def test_a_fault_at_reset_is_told_and_the_same_step_keeps_the_reward(make_pool: MakePool, tmp_path: Path) -> None:
    door = tmp_path / "door"
    pool = make_pool(2, autoreset_mode="SameStep", refuses_reset=str(door))
    pool.reset(seed=0)
    door.touch()
    won = pool.step(["win", "step"])
    assert (won.rewards.tolist(), won.terminated.tolist(), won.faults) == ([1.0, 0.0], [True, False], {})
    assert won.infos[0]["final_info"]["is_success"]
    assert won.observations[0] == won.infos[0]["final_obs"]
    again = pool.step(["not used", "step"])
    assert "no sandbox could be started" in str(check_lost(again, 0))
    assert again.rewards[1] == 0.0
    door.unlink()
    assert pool.step(["not used", "step"]).observations[0].startswith("Task ")
    assert pool.step(["win", "win"]).rewards.tolist() == [1.0, 1.0]


def test_a_task_that_does_not_fit_is_that_environments_alone(make_pool: MakePool) -> None:
    task = palestra.make("palestra/ToolUseMini-v0").tasks.sample(0)
    batch = make_pool(2).reset(seed=0, options=[{"task": task}, None])
    assert isinstance(check_lost(batch, 0), TaskError)
    assert batch.observations[1].startswith("Task 1")


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_who_takes_too_long_is_lost_and_replaced(make_pool: MakePool, kind: WorkerKind, tmp_path: Path) -> None:
    door = tmp_path / "door"
    pool = make_pool(2, workers=kind, batch_size=1, call_s=1000.0)
    pool.async_reset(seed=0)
    pool.recv()
    pool.recv()
    pool.send([f"wait {door}"], [0])
    pool.call_s = 0.5
    error = check_lost(pool.recv(), 0)
    assert isinstance(error, InfraError)
    assert "environment 0 took longer than its 0.5 s" in str(error)
    pool.call_s = 1000.0
    door.touch()
    assert pool.step(["not used"], [0]).observations[0].startswith("Task ")
    assert pool.step(["win"], [0]).rewards.tolist() == [1.0]
    assert pool.step(["win"], [1]).rewards.tolist() == [1.0]


def test_closing_waits_for_nobody_who_hangs_in_a_process(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool(2, workers="process")
    pool.reset(seed=0)
    pool.send([f"wait {tmp_path / 'never'}", "step"])
    pool.close()
    assert not multiprocessing.active_children()
    assert "palestra-env" not in [thread.name for thread in threading.enumerate()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def test_workers_end_with_a_process_that_is_killed(tmp_path: Path) -> None:
    """One of them hangs, so it would never read that its pipe has ended."""
    program = tmp_path / "program.py"
    program.write_text(f"""
import sys
sys.path[:0] = {sys.path!r}
from palestra.envs.pool import EnvPool
from palestra.envs.registry import EnvEntry, register
if __name__ == "__main__":
    register(EnvEntry(id="toy/Obey-v0", entry_point="obeygym.env:ObeyEnv", family="obey", summary="a toy"))
    pool = EnvPool("toy/Obey-v0", 2, workers="process")
    pool.reset(seed=0)
    pids = pool.step(["pid", "pid"]).observations
    pool.send(["wait {tmp_path}/never", "step"])
    print(*pids, flush=True)
    pool.recv()
""")
    with subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        pids = [int(pid) for pid in running.stdout.readline().split()]
        assert len(pids) == 2
        running.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 120
    while not all(map(gone, pids)):
        assert time.monotonic() < deadline, "a worker is still there"
        time.sleep(0.05)


@pytest.mark.parametrize("kind", ["thread", "process"])
@pytest.mark.parametrize("is_interrupted", [True, False])
def test_a_program_that_does_not_close_its_pool_ends_quietly(
    tmp_path: Path, kind: WorkerKind, is_interrupted: bool
) -> None:
    """Ctrl-C reaches every process of a terminal's group, the workers too."""
    program = tmp_path / "program.py"
    program.write_text(f"""
import sys
sys.path[:0] = {sys.path!r}
import palestra
if __name__ == "__main__":
    pool = palestra.EnvPool("palestra/ToolUseMini-v0", 2, workers="{kind}")
    pool.reset(seed=0)
    print("ready", flush=True)
    while {is_interrupted}:
        pool.step(["hello"] * 2)
""")
    command = [sys.executable, "-W", "error", str(program)]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes, start_new_session=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        if is_interrupted:
            os.killpg(running.pid, signal.SIGINT)
        _, told = running.communicate(timeout=120)
    assert told.count("Traceback") == told.count("\nKeyboardInterrupt\n") == is_interrupted, told
    assert "ignored" not in told


def test_a_script_without_a_guard_is_told_what_it_lacks(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"""
import sys
sys.path[:0] = {sys.path!r}
from palestra.envs.pool import EnvPool
print(EnvPool("palestra/ToolUseMini-v0", 1, workers="process").reset().faults[0].error)
""")
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == (
        "the environment's process ended with code 1 before it answered; "
        "a script that uses processes does its work under `if __name__ == '__main__':`"
    )
    assert "a process that is being started cannot start others; a script that uses" in done.stderr


# -- workers ---------------------------------------------------------------------------------


def test_a_workers_job_that_cannot_travel_is_told_and_the_worker_goes_on() -> None:
    worker = ProcessWorker(EnvMaker(OBEY, {}))
    lock = threading.Lock()
    with pytest.raises(TypeError, match="pickle"):
        worker.submit(partial(print, lock)).result()
    with pytest.raises(TypeError, match=r"answer cannot travel: .*pickle"):
        worker.submit(attrgetter("lock")).result()
    assert worker.submit(attrgetter("pid")).result() != os.getpid()
    worker.retire()
    worker.retire()
    assert worker.join(60)


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_a_worker_that_is_given_up_says_why_and_does_nothing_more(kind: WorkerKind, tmp_path: Path) -> None:
    worker = WORKERS[kind](EnvMaker(OBEY, {}))
    door = tmp_path / "door"
    future = worker.submit(Waiting(door))
    worker.kill("it was in the way")
    with pytest.raises(InfraError, match="it was in the way"):
        future.result(60)
    door.touch()
    assert worker.join(60)


class Waiting:
    """A job that waits for a file."""

    def __init__(self, door: Path) -> None:
        self.door = door

    def __call__(self, env: Any) -> None:
        while not self.door.exists():
            time.sleep(0.01)


def test_a_worker_knows_its_environment_once_there_is_one_here() -> None:
    here, there = ThreadWorker(EnvMaker(OBEY, {})), ProcessWorker(EnvMaker(OBEY, {}))
    with pytest.raises(TypeError, match="reset it first"):
        _ = here.env
    assert here.submit(attrgetter("pid")).result() == os.getpid()
    assert here.env.env_id == OBEY.id
    with pytest.raises(TypeError, match="lives in another process"):
        _ = there.env
    for worker in (here, there):
        worker.retire()
        assert worker.join(60)
