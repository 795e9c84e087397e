"""No cheat earns anything, what is spoilt fails, the kernel serves whoever comes after one."""

import re

import pytest

from palestra.envs.base import SPLITS, Split
from palestra.envs.cad.attacks import ATTACKS, EQUIVALENTS, MUTANTS, OTHERWISE, boxed, build, is_spoilt_by, spoil
from palestra.envs.cad.cheats import BOXES, PROGRAMS, SPOILT
from palestra.envs.cad.env import CadEnv
from palestra.envs.cad.generate import MODES, CadTasks, Mode
from palestra.envs.scripts import SCRIPTS, play

SLOW = ("endless", "endless_boolean", "memory")
SAID = {  # what the agent is told of each program that leaves no part
    "yes_object": "nothing was made",
    "patched_modules": "no shape in `result`",
    "asked": "NoneType",
    "exited_hard": r"exit code 0\) before its shape",
    "killed": "before its shape could be taken",
    "threads": "new thread",
    "deep": "RecursionError",
    "nested": "too many nested parentheses",
    "huge": "no valid part",
    "nan": "no valid part",
    "infinite": "no valid part",
    "crumbs": "at most 64",
    "soup": "at most 2000",
    "empty_compound": "without a solid",
    "wire": "no solid",
    "text": "the type str",
    "none": "NoneType",
    "not_utf8": "surrogates",
}


@pytest.mark.parametrize("name", sorted({*ATTACKS} - {*SLOW}))
def test_an_attack_earns_nothing(env: CadEnv, name: str) -> None:
    episode = play(env, ATTACKS[name], seed=7)
    assert not episode.is_success
    assert episode.reward <= 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_what_never_ends_is_ended(env: CadEnv, name: str) -> None:
    assert play(env, ATTACKS[name], seed=7).reward == 0.0
    assert play(env, SCRIPTS["oracle"], seed=8).is_success


@pytest.mark.parametrize("name", sorted(SAID))
def test_who_leaves_no_part_is_told_why(env: CadEnv, name: str) -> None:
    env.reset(seed=7)
    told = env.step(build(PROGRAMS[name]))[0]
    assert told.startswith("error: ")
    assert re.search(SAID[name], told)
    assert len(told) < 600


@pytest.mark.parametrize("name", sorted(BOXES))
def test_what_is_made_of_the_box_is_no_part(env: CadEnv, name: str) -> None:
    for split in SPLITS:
        task = CadTasks("text", split).sample(11)
        verdict = env.judge(task, boxed(task, BOXES[name]))
        assert (verdict.passed, verdict.score) == (False, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SPOILT))
@pytest.mark.parametrize("split", SPLITS)
def test_a_spoilt_part_fails(env: CadEnv, name: str, split: Split) -> None:
    tasks = [task for seed in range(12) if is_spoilt_by(task := CadTasks("text", split).sample(seed), name)]
    assert tasks
    for task in tasks[:4]:
        verdict = env.judge(task, spoil(task, name))
        assert not verdict.passed, (task.id, verdict)
        assert verdict.score < 1.0


def test_a_part_of_flat_faces_may_be_of_facets() -> None:
    task = next(one for one in CadTasks() if not is_spoilt_by(one, "facets"))
    assert not any(test["kind"] == "hole" for test in task.hidden["tests"])


def test_a_solution_may_be_written_otherwise(env: CadEnv) -> None:
    task = env.tasks.sample(9)
    assert all(env.judge(task, write(task)).score == 1.0 for write in OTHERWISE)
    assert play(env, EQUIVALENTS["otherwise"], seed=9).reward == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_near_miss_fails(env: CadEnv, mode: Mode) -> None:
    for seed in range(4):
        task = CadTasks(mode).sample(seed)
        for kind, program in task.hidden["near_misses"]:
            assert not env.judge(task, program).passed, (task.id, kind)
        for mutant in MUTANTS(task):
            env.reset(options={"task": task})
            assert not [env.step(action)[4] for action in mutant.actions][-1]["is_success"]


def test_the_kernel_serves_whoever_comes_after(env: CadEnv) -> None:
    for name in ("killed", "patched_modules", "closed", "threads"):
        env.reset(seed=10)
        env.step(build(PROGRAMS[name]))
        assert env.step(build(env.task.hidden["program"]))[0].startswith("built: ")
