"""An episode: simulate, revise, submit; what is told, what is paid, and what judges outside of episodes."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from palestra.envs.actions import call_text
from palestra.envs.base import Judging, Task, TaskError
from palestra.envs.scripts import SCRIPTS, play
from palestra.envs.submission import ENDED, TOO_MANY
from palestra.envs.verilog.env import VerilogEnv
from palestra.envs.verilog.mutants import near_misses


@pytest.fixture(scope="module")
def env() -> Iterator[VerilogEnv]:
    with closing(VerilogEnv()) as made:
        yield made


def test_the_oracle_simulates_and_submits(env: VerilogEnv) -> None:
    episode = play(env, SCRIPTS["oracle"], 0)
    assert (episode.reward, episode.is_success) == (1.0, True)
    env.reset(seed=0)
    simulate, submit = env.oracle()
    told, reward, terminated, _, _ = env.step(simulate)
    assert told.startswith("right at all ")
    assert (reward, terminated) == (0.5, False)
    told, reward, terminated, _, _ = env.step(submit)
    assert (told, reward, terminated) == ("right on the hidden stimulus", 0.5, True)


def test_a_wrong_module_is_told_of_and_revised(env: VerilogEnv) -> None:
    env.reset(seed=0)
    golden = env.task.hidden["golden"]
    told, reward, *_ = env.step(call_text("simulate", {"code": golden.replace("endmodule", "")}))
    assert (told, reward) == ("refused: the last module has no 'endmodule'", 0.0)
    told, reward, *_ = env.step(call_text("simulate", {"code": golden.replace(";", ";;;!", 1)}))
    assert told.startswith("does not compile")
    assert env.step(call_text("submit", {"code": golden}))[1] == 1.0


def test_calls_of_one_turn(env: VerilogEnv) -> None:
    env.reset(seed=0)
    assert env.step("I think.")[0] == env.no_call
    empty = call_text("simulate", {"code": ""})
    told = env.step(empty * 5)[0].splitlines()
    assert told[:4] == [f"refused: there is no module {env.task.public['module']!r}"] * 4
    assert told[4] == TOO_MANY
    told = env.step(call_text("submit", {"code": ""}) + empty)[0].splitlines()
    assert told == ["wrong on the hidden stimulus", ENDED]


def test_a_task_of_another_family_is_refused(env: VerilogEnv) -> None:
    with pytest.raises(TaskError, match="is not a Verilog task"):
        env.reset(options={"task": Task(id="x", family="y", seed=0, instruction="z")})


def test_it_judges_outside_of_episodes(env: VerilogEnv) -> None:
    assert isinstance(env, Judging)
    task = env.tasks.sample(1, {"template": "counter"})
    golden = task.hidden["golden"]
    assert env.artefact(task) == f"{task.public['module']}.v"
    assert env.judge(task, golden).passed
    _, source = next(near_misses(task))
    verdict = env.judge(task, source)
    assert not verdict.passed
    assert "expected: " in env.explain(task, verdict.checks[-1])
    refused = env.judge(task, "")
    assert env.explain(task, refused.checks[0]) == ""
