"""Servers, sandboxes and workers are killed in mid-episode, and no reward of 0 comes of it.

Whoever acts here always does what the oracle does, so a reward other than 1 would be a fault's.
"""

import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import palestra
from palestra.agents.chat import ByteChat, MessagesChat
from palestra.agents.evaluate import summarise
from palestra.agents.http import ChatServerPolicy
from palestra.agents.rollout import (
    Episode,
    Fault,
    OnEpisode,
    RolloutConfig,
    RolloutResult,
    Rollouts,
    episodes_for,
)
from palestra.agents.runners import RUNNERS, EnvMaker, EnvRunner, RunnerKind
from palestra.agents.scripted import ScriptedPolicy
from palestra.envs.actions import call_text, parse_action
from palestra.envs.base import EpisodeOver
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import SCRIPTS, play
from palestra.rewards.base import Scored, Trajectory
from palestra.rewards.credit import CREDITS
from palestra.sandbox.base import InfraError

TOOLS, CODE = "palestra/ToolUseMini-v0", "palestra/Code-v0"
N = 6  # tasks of a rollout


def check_no_leak(result: RolloutResult, episodes: list[Episode]) -> None:
    """Every episode either earned what the oracle earns, or is a typed fault that nothing is computed from."""
    assert len(result.trajectories) + len(result.faults) == len(episodes)
    assert result.faults, "nothing was killed in mid-episode"
    assert {fault.kind for fault in result.faults} == {"infra"}
    assert not any(hasattr(fault, "reward") for fault in result.faults)
    for one in result.trajectories:
        assert one.outcome == Scored(one.reward, True)
        assert one.reward == pytest.approx(1.0)
    played = {(one.task_id, one.seed) for one in result.trajectories}
    assert not played & {(fault.episode.task.id, fault.episode.seed) for fault in result.faults}
    for name in ("rloo", "grpo"):  # a sibling with a reward of 0 would move the baseline
        for row in CREDITS[name](result.trajectories):
            assert row == pytest.approx([0.0] * len(row))
    if result.trajectories:
        evaluation = summarise(result, episodes)
        assert (evaluation.success_rate, evaluation.n) == (1.0, len(result.trajectories))
        assert evaluation.faults == len(result.faults)


# -- a policy's server -----------------------------------------------------------------------

SERVER = """
import itertools, json, os, signal, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import palestra

port, fatal, how = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
env, scripts, served = palestra.make("palestra/ToolUseMini-v0"), {}, itertools.count(1)
for seed in range(int(sys.argv[4])):
    env.reset(seed=seed)
    scripts[env.task.instruction] = list(env.oracle())

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({"data": [{"id": "oracle"}]})

    def do_POST(self):
        fault = next(served) == fatal
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"]
        script = next(scripts[m["content"]] for m in said if m["content"] in scripts)
        call = script[min(sum(m["role"] == "assistant" for m in said), len(script) - 1)]
        call = json.loads(call.removeprefix("<tool_call>").removesuffix("</tool_call>"))
        function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
        message = {"content": None, "tool_calls": [{"id": "c", "type": "function", "function": function}]}
        if fault and how == "abort":  # what was said until then would be a wrong answer
            message = {"content": '<tool_call>{"name":"answer","arguments":{"value":"I wo"}}'}
            self.answer({"choices": [{"message": message, "finish_reason": "abort"}]})
        elif fault and how == "proxy":
            self.answer({"error": {"message": "the server behind us has died", "code": 502}})
        else:
            self.answer({"choices": [{"message": message, "finish_reason": "stop"}]}, fault and how == "kill")

    def answer(self, data, dies=False):
        payload = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload[: len(payload) // 2] if dies else payload)
        self.wfile.flush()
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)

    def log_message(self, *args):
        pass

server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""

StartServer = Callable[..., int]


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """Start servers that know the oracle; return the port. One request may be their last."""
    running: list[subprocess.Popen[str]] = []

    def start(*, port: int = 0, fatal: int = 0, how: str = "kill") -> int:
        program = f"import sys; sys.path[:0] = {sys.path!r}\n{SERVER}"
        words = [sys.executable, "-c", program, str(port), str(fatal), how, str(N)]
        running.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        assert running[-1].stdout is not None
        return int(running[-1].stdout.readline())

    yield start
    for server in running:
        server.kill()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


def roll(
    env_id: str,
    policy: Any,
    *,
    kind: RunnerKind = "inline",
    n: int = N,
    attempts: int = 2,
    retries: int = 0,
    on_episode: OnEpisode | None = None,
    chat: Any = None,
) -> tuple[RolloutResult, list[Episode]]:
    env = palestra.make(env_id)
    episodes = episodes_for([env.tasks.sample(seed) for seed in range(n)], attempts=attempts)
    rollouts = Rollouts(env_id, lambda: RUNNERS[kind](EnvMaker(palestra.find(env_id), {})), policy, chat or ByteChat())
    config = RolloutConfig(concurrency=3, retries=retries)

    async def all_of_it() -> RolloutResult:
        try:
            return await rollouts.play(episodes, config, on_episode)
        finally:
            await rollouts.close()
            if not callable(policy):
                await policy.close()

    return asyncio.run(all_of_it()), episodes


def roll_over_http(port: int, **settings: Any) -> tuple[RolloutResult, list[Episode]]:
    return roll(TOOLS, ChatServerPolicy(f"http://127.0.0.1:{port}"), chat=MessagesChat(), **settings)


def test_a_server_that_is_killed_in_mid_answer_loses_episodes_and_no_reward(start_server: StartServer) -> None:
    port = start_server(fatal=12)
    result, episodes = roll_over_http(port)
    check_no_leak(result, episodes)
    assert result.trajectories, "nothing was played before the kill"
    start_server(port=port)  # and once it is back, everything goes on
    result, _ = roll_over_http(port)
    assert (len(result.trajectories), result.faults) == (2 * N, [])


@pytest.mark.parametrize("how", ["abort", "proxy"])
def test_a_reply_that_was_broken_off_is_not_the_policys(start_server: StartServer, how: str) -> None:
    result, episodes = roll_over_http(start_server(fatal=12, how=how))
    check_no_leak(result, episodes)
    assert len(result.faults) == 1
    result, _ = roll_over_http(start_server(fatal=12, how=how), retries=1)
    assert (len(result.trajectories), result.faults) == (2 * N, [])


@pytest.mark.slow
def test_environments_killed_in_mid_rollout_lose_episodes_and_no_reward(start_server: StartServer) -> None:
    done: list[Trajectory | Fault] = []

    def kill_after_three(one: Trajectory | Fault) -> None:
        done.append(one)
        if len(done) == 3:
            for process in multiprocessing.active_children():
                process.kill()

    result, episodes = roll_over_http(start_server(), kind="process", on_episode=kill_after_three)
    check_no_leak(result, episodes)
    assert len(result.trajectories) >= 3 + N, "the rest went on"


# -- sandboxes -------------------------------------------------------------------------------


def below(pid: int) -> set[int]:
    """Return every process below one, but for those that have ended."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            if fields[0] not in "ZX":
                children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found, left = set[int](), [pid]
    while left:
        for child in children.get(left.pop(), []):
            found.add(child)
            left.append(child)
    return found


def ids(pid: int) -> list[int]:
    """Return a process's number in each of its namespaces, the outermost first."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return [int(word) for line in lines if line.startswith("NSpid:") for word in line.split()[1:]]
    return []


def parent(pid: int) -> int:
    """Return a process's parent."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def running_slot(of: int) -> dict[str, int]:
    """Return the processes of a native slot that runs a program, by what they are; none while no slot does."""
    inner = {pid: numbers for pid in below(of) if len(numbers := ids(pid)) == len(ids(os.getpid())) + 2}
    for program, numbers in inner.items():
        with contextlib.suppress(OSError):  # it has just ended
            server = parent(program)
            first = [pid for pid, others in inner.items() if others[-1] == 1 and parent(pid) == server]
            if numbers[-1] != 1 and first:
                return {"program": program, "init": first[0], "fork-server": server, "launcher": parent(server)}
    return {}


class Killer(threading.Thread):
    """Kills one process of a slot as soon as a program runs in it, as often as it is told to."""

    def __init__(self, victim: str, times: int = 1) -> None:
        super().__init__(daemon=True)
        self.victim, self.times, self.kills = victim, times, 0

    def run(self) -> None:
        deadline = time.monotonic() + 120
        while self.kills < self.times and time.monotonic() < deadline:
            if slot := running_slot(os.getpid()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(slot[self.victim], signal.SIGKILL)
                    self.kills += 1
                time.sleep(0.3)
            time.sleep(0.005)


def slow_solution(env: AgentEnv) -> str:
    """Return the oracle's submission, each run of which takes long enough to be met."""
    (*_, last) = env.oracle()
    (call,) = parse_action(last, env.task.tools).calls
    return call_text("submit", {"code": f"import time\ntime.sleep(0.25)\n{call.arguments['code']}"})


@pytest.fixture
def code() -> Iterator[AgentEnv]:
    """The Code family's environment, on a machine whose sandboxes were proven before."""
    env = palestra.make(CODE)
    assert play(env, SCRIPTS["oracle"], 0).is_success
    yield env
    env.close()


def kill_while_judged(env: AgentEnv, victim: str) -> tuple[Killer, Any]:
    env.reset(seed=1)
    action = slow_solution(env)
    killer = Killer(victim)
    killer.start()
    try:
        return killer, env.step(action)
    except InfraError as error:
        return killer, error
    finally:
        killer.join()


@pytest.mark.parametrize("victim", ["launcher", "fork-server", "init"])
def test_a_sandbox_killed_while_it_judges_is_a_fault(code: AgentEnv, victim: str) -> None:
    killer, told = kill_while_judged(code, victim)
    assert killer.kills == 1
    assert isinstance(told, InfraError)
    assert told.retryable
    with pytest.raises(EpisodeOver, match="lost it to a fault"):
        code.step("hello")
    episode = play(code, SCRIPTS["oracle"], 1)  # the next one gets another sandbox
    assert episode.is_success
    assert episode.reward == pytest.approx(1.0)


def test_a_program_killed_from_outside_is_tried_again(code: AgentEnv) -> None:
    killer, told = kill_while_judged(code, "program")
    assert killer.kills == 1
    *_, terminated, _, info = told
    assert (terminated, info["is_success"], info["outcome"].reward) == (True, True, pytest.approx(1.0))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_program_that_kills_itself_is_scored(code: AgentEnv, number: int) -> None:
    code.reset(seed=1)
    program = f"import os\nos.kill(os.getpid(), {int(number)})"
    *_, terminated, _, info = code.step(call_text("submit", {"code": program}))
    assert (terminated, info["is_success"], info["outcome"]) == (True, False, Scored(0.0, False))


@pytest.mark.slow
@pytest.mark.usefixtures("code")
def test_sandboxes_killed_in_mid_rollout_lose_episodes_and_no_reward() -> None:
    def policy(runner: EnvRunner, episode: Episode) -> ScriptedPolicy:
        return ScriptedPolicy(iter([slow_solution(runner.env)]))

    killer = Killer("fork-server", times=2)
    killer.start()
    result, episodes = roll(CODE, policy, kind="thread", n=3)
    killer.join()
    check_no_leak(result, episodes)
    assert 1 <= len(result.faults) <= killer.kills == 2
    assert len(result.trajectories) >= 4


@pytest.mark.slow
def test_a_pools_worker_killed_while_its_sandbox_judges_takes_only_its_own_along() -> None:
    before = below(os.getpid())
    env = palestra.make(CODE)
    with palestra.EnvPool(CODE, 2, workers="process") as pool:
        pool.reset(seed=1)
        actions = []
        for seed in (1, 2):
            env.reset(seed=seed)
            actions.append(slow_solution(env))
        pool.send(actions)
        first = min(multiprocessing.active_children(), key=lambda process: process.pid or 0)
        assert first.pid is not None
        deadline = time.monotonic() + 120
        while not running_slot(first.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        first.kill()
        batch = pool.recv()
        ((lost, fault),) = batch.faults.items()
        assert isinstance(fault.error, InfraError)
        assert np.isnan(batch.rewards[lost])
        assert batch.rewards[1 - lost] == pytest.approx(1.0)
        assert pool.step(["not used", "not used"]).faults == {}
    env.close()
    deadline = time.monotonic() + 120
    while left := below(os.getpid()) - before:
        assert time.monotonic() < deadline, [Path(f"/proc/{pid}/cmdline").read_text() for pid in left]
        time.sleep(0.05)


def test_faults_are_told_apart_from_rewards_in_what_is_written(start_server: StartServer, tmp_path: Path) -> None:
    """`palestra run` on a server that dies: what was lost is listed, and is in no rate."""
    port = start_server(fatal=8)
    words = ["run", TOOLS, "-a", f"http://127.0.0.1:{port}", "-n", str(N), "--split", "train", "--concurrency", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "palestra", *words, "--json", "-o", str(tmp_path / "episodes.jsonl")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert (told["success_rate"], told["n"] + len(told["faults"])) == (1.0, N)
    assert {fault["kind"] for fault in told["faults"]} == {"infra"}
    written = [json.loads(line) for line in (tmp_path / "episodes.jsonl").read_text().splitlines()]
    assert [one["is_success"] for one in written] == [True] * told["n"]
