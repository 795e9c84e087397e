"""Episodes: what runs and submissions say and pay, forks, leaks, faults and what is refused."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

import palestra
from palestra import sandbox
from palestra.envs.actions import call_text
from palestra.envs.base import SPLITS, EpisodeOver, Split, Task, TaskError
from palestra.envs.code.attacks import ATTACKS
from palestra.envs.code.env import CodeEnv
from palestra.envs.code.generate import CodeTasks
from palestra.envs.code.judge.bench import NEEDS
from palestra.envs.code.oracle import solution_of
from palestra.envs.code.program import READS
from palestra.envs.env import Shaping
from palestra.envs.scripts import SCRIPTS, play
from palestra.envs.submission import MOST_CALLS
from palestra.rewards.base import Scored, Truncated, VerifierError
from palestra.sandbox.base import CapabilityError, Spec

ENV_ID = "palestra/Code-v0"


@pytest.fixture
def env() -> Iterator[CodeEnv]:
    with closing(CodeEnv()) as made:
        yield made


def run(code: str) -> str:
    return call_text("run", {"code": code})


def submit(code: str) -> str:
    return call_text("submit", {"code": code})


def table_of(examples: list[dict[str, str]]) -> str:
    """Return a program that passes these examples and no others."""
    table = {case["input"].strip(): case["output"] for case in examples}
    return f"import sys\nprint({table!r}.get(sys.stdin.read().strip(), 'none'))\n"


@pytest.mark.parametrize("split", SPLITS)
def test_the_oracle_earns_one_and_doing_nothing_earns_nothing(split: Split) -> None:
    with closing(CodeEnv(split=split)) as env:
        for number, kind in enumerate(sorted(READS)):
            env.difficulty = {"kind": kind, "steps": 1 + number % 4}
            episode = play(env, SCRIPTS["oracle"], seed=number)
            assert (episode.reward, episode.is_success, len(episode.actions)) == (1.0, True, 2), env.task.id
            assert play(env, SCRIPTS["nop"], seed=number).reward == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
def test_the_oracle_earns_one_on_many_tasks(split: Split) -> None:
    with closing(CodeEnv(split=split)) as env:
        for seed in range(1000, 1200):
            env.difficulty = {"steps": 1 + seed % 5, "size": 4 + seed % 37}
            episode = play(env, SCRIPTS["oracle"], seed)
            assert (episode.reward, episode.is_success) == (1.0, True), env.task.id


def test_a_run_pays_the_share_of_examples_and_the_end_takes_it_back(env: CodeEnv) -> None:
    env.reset(seed=5)
    examples = env.task.public["examples"]
    rewards = [env.step(run(table_of(examples[:count])))[1] for count in (0, 2, 1, 3)]
    assert rewards == [0.0, 0.5, 0.0, 0.25]  # three examples and the hidden tests, a quarter each
    _, reward, terminated, truncated, info = env.step(submit("print(1)"))
    assert (reward, terminated, truncated, info["is_success"]) == (-0.75, True, False, False)
    assert info["reward_parts"] == {"outcome": 0.0, "potential": -0.75}
    assert info["outcome"] == Scored(0.0, False)
    with pytest.raises(EpisodeOver):
        env.step(run("print(1)"))


def test_progress_is_not_taken_back_and_none_pays_the_outcome_alone() -> None:
    earned = {}
    choices: tuple[Shaping, ...] = ("progress", "none")
    for shaping in choices:
        with closing(CodeEnv(shaping=shaping)) as env:
            earned[shaping] = play(env, SCRIPTS["oracle"], seed=1).reward
    assert earned == {"progress": 1.75, "none": 1.0}


def test_turns_run_out(env: CodeEnv) -> None:
    env.reset(seed=5)
    ends = [env.step("let me think")[2:4] for _ in range(env.task.budget.turns)]
    assert ends == [(False, False)] * 4 + [(False, True)]
    env.reset(seed=5)
    assert env.step(run(solution_of(env.task)))[1] == 0.75
    assert env.cut("deadline")[0] == -0.75


def test_a_run_shows_what_a_program_did(env: CodeEnv) -> None:
    env.reset(seed=5)
    wanted = env.task.public["examples"][0]["output"].strip()
    told = env.step(run("import sys; print('mine'); print('oops', file=sys.stderr)"))[0]
    assert told.splitlines() == [
        "passed 0 of 3 examples",
        "example 1: wrong output",
        "expected:",
        *wanted.splitlines(),
        "printed:",
        "mine",
        "errors:",
        "oops",
        "example 2: wrong output",
        "example 3: wrong output",
    ]
    told = env.step(run("1/0"))[0]
    assert "example 1: exit code 1" in told
    assert "ZeroDivisionError" in told
    told = env.step(run("print('x' * 9000)"))[0]
    assert told.count("x") <= 450


def test_calls_of_one_turn_are_done_in_order_until_one_hands_in(env: CodeEnv) -> None:
    env.reset(seed=5)
    solution = solution_of(env.task)
    observation, reward, terminated, _, info = env.step(run("print(1)") + submit(solution) + submit("") + run(""))
    assert (reward, terminated, info["is_success"]) == (1.0, True, True)
    assert observation.splitlines()[-2:] == ["error: not done; the episode is over"] * 2
    env.reset(seed=5)
    observation, *_ = env.step(run("print(1)") * (MOST_CALLS + 2))
    assert observation.count("passed 0 of 3 examples") == MOST_CALLS
    assert observation.count("at most 4 calls") == 2


def test_a_program_that_sleeps_is_not_tried_on_the_other_examples(env: CodeEnv) -> None:
    task = CodeTasks().sample(5)
    env.reset(options={"task": replace(task, public={**task.public, "limits": quick_limits()})})
    told = env.step(run("import time; time.sleep(60)"))[0].splitlines()
    assert told == ["passed 0 of 3 examples", "example 1: out of time", "the other examples were not tried"]


def quick_limits() -> dict[str, float]:
    return {"cpu_s": 1, "wall_s": 0.5, "memory_mb": 64, "output_kb": 16}


def test_forks_in_mid_episode_are_equal_and_independent(env: CodeEnv) -> None:
    env.reset(seed=7)
    solution, partial = solution_of(env.task), table_of(env.task.public["examples"][:2])
    env.step(run("open('mark', 'w').write('x')"))
    env.step(run(partial))
    left, right = env.fork(2)
    moves = [run(solution), "no call", submit(solution)]
    with closing(left), closing(right):
        assert [left.step(move)[:4] for move in moves] == [env.step(move)[:4] for move in moves]
        assert right.step(submit("print(1)"))[1:4] == (-0.5, True, False)


def test_a_snapshot_is_json_and_goes_back_in_time(env: CodeEnv) -> None:
    env.reset(seed=7)
    solution = solution_of(env.task)
    moment = env.snapshot()
    assert json.loads(moment.state)["family"] == {"best": 0}
    first = env.step(run(solution))
    env.restore(moment)
    assert env.snapshot().digest == moment.digest
    again = env.step(run(solution))
    assert first[:4] == again[:4]
    assert first[4]["state_key"] == again[4]["state_key"]


def test_nothing_hidden_is_shown(env: CodeEnv) -> None:
    looked_for = 0
    for seed in range(12):
        observation, info = env.reset(seed=seed, options={"difficulty": {"size": 20, "steps": 3}})
        seen = [observation, str(info)]
        # An echo on the examples may by chance look like a short hidden test, never like a long one.
        for action in (run("import sys\nprint(sys.stdin.read())"), run(""), submit("print(open(0).read())")):
            observation, _, _, _, info = env.step(action)
            seen += [observation, str(info), json.dumps(info["messages"])]
        hidden, shown = env.task.hidden, json.dumps(env.task.public) + env.task.instruction
        texts = [
            solution_of(env.task),
            *(case[name].strip() for case in hidden["tests"] for name in ("input", "output")),
        ]
        secrets = [text for text in texts if len(text) > 9 and text not in shown]
        looked_for += len(secrets)
        for secret in secrets:
            forms = (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], json.dumps(json.dumps(secret)[1:-1])[1:-1])
            assert not any(form in text for form in forms for text in seen), secret
    assert looked_for > 50


FAULT = """
import os, signal
from palestra.envs.actions import call_text
from palestra.envs.base import EpisodeOver
from palestra.envs.code.env import CodeEnv
from palestra.envs.code.oracle import solution_of
from palestra.sandbox.base import InfraError

def children():
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return list(map(int, file.read().split()))

env = CodeEnv()
env.reset(seed=5)
print("after reset:", len(children()))
solution = solution_of(env.task)
env.step(call_text("run", {"code": solution}))
moment = env.snapshot()
for pid in children():
    os.kill(pid, signal.SIGKILL)
for code in (solution, ""):
    try:
        print("reward:", env.step(call_text("submit", {"code": code}))[1])
    except (InfraError, EpisodeOver) as error:
        print(type(error).__name__)
env.restore(moment)
print("reward:", env.step(call_text("submit", {"code": solution}))[1])
env.close()
env.close()
"""


def test_a_dead_sandbox_is_an_infra_error_and_the_episode_can_go_on_in_another() -> None:
    """In a process of its own, whose children are all sandboxes; none is started before it is needed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FAULT],
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["after reset: 0", "InfraError", "EpisodeOver", "reward: 0.25"]


def test_a_task_without_tests_is_refused_at_once_and_at_the_end(env: CodeEnv) -> None:
    task = CodeTasks().sample(5)
    bare = replace(task, hidden={**task.hidden, "tests": []})
    with pytest.raises(TaskError, match="hidden tests"):
        env.reset(options={"task": bare})
    with pytest.raises(TaskError, match="examples"):
        env.reset(options={"task": Task(id="other/1", family="other", seed=1, instruction="Do it.")})
    env.reset(options={"task": task})
    assert isinstance(env.task.hidden, dict)
    env.task.hidden["tests"] = []
    with pytest.raises(VerifierError, match="hidden tests"):
        env.step(submit(""))


def test_a_backend_that_isolates_nothing_is_refused_unless_asked_for() -> None:
    with closing(CodeEnv(sandbox="process")) as env:
        env.reset(seed=1)
        with pytest.raises(CapabilityError, match="isolates nothing"):
            env.step(submit(""))
    with closing(CodeEnv(sandbox="process", unsafe=True)) as env:
        assert play(env, SCRIPTS["oracle"], seed=1).reward == 1.0
    with closing(CodeEnv(sandbox="nativ")) as env:
        env.reset(seed=1)
        with pytest.raises(LookupError, match="native"):
            env.step(submit(""))


def test_what_a_sandbox_must_prove() -> None:
    """All but the memory limit of whole process trees, which an ordinary user without control groups lacks."""
    assert palestra.find(ENV_ID).needs == NEEDS
    assert "memory_tree" not in NEEDS
    assert {"network_off", "read_only_root", "pid_hidden", "socket_families"} <= NEEDS
    with pytest.raises(CapabilityError, match="network_off"):
        sandbox.create(Spec(needs=NEEDS), backend="process", unsafe=True)


def test_gymnasium_accepts_it() -> None:
    with closing(palestra.make(ENV_ID)) as env:
        check_env(env, skip_render_check=True)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vectors_of_it_play(mode: str) -> None:
    envs = gymnasium.make_vec(ENV_ID, num_envs=2, vectorization_mode=mode)
    try:
        envs.reset(seed=3)
        solutions = [solution_of(CodeTasks().sample(seed)) for seed in (3, 4)]
        _, rewards, ended, _, _ = envs.step([submit(solutions[0]), submit("print()")])
        assert rewards.tolist() == [1.0, 0.0]
        assert ended.tolist() == [True, True]
    finally:
        envs.close()


def test_random_calls_and_every_kind_of_text_do_no_harm(env: CodeEnv) -> None:
    assert play(env, SCRIPTS["random"], seed=2).reward == 0.0
    env.reset(seed=2)
    for action in ("", "```python\nprint(1)\n```", call_text("submit", {}), call_text("run", {"code": 3})):
        observation, reward, terminated, _, _ = env.step(action)
        assert observation.startswith("error")
        assert (reward, terminated) == (0.0, False)
    hostile: Any = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "submit"}}]}
    observation, _, terminated, truncated, info = env.step(hostile)
    assert info["outcome"] == Truncated("turns", 0.0)
    assert (terminated, truncated) == (False, True)


def test_every_attack_has_a_name_and_the_rooms_are_complete() -> None:
    assert len(ATTACKS) >= 25
    assert all(name.isidentifier() for name in ATTACKS)
