"""Episodes on pages of MiniWoB++, in a real browser."""

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import palestra
from palestra.envs.actions import call_text
from palestra.envs.base import Budget, EpisodeOver, Snapshot, Task, TaskError
from palestra.envs.web.chromium import Chromium
from palestra.envs.web.miniwob.env import MiniWobEnv
from palestra.envs.web.miniwob.names import PAGES
from palestra.rewards.base import Scored, Truncated
from palestra.sandbox.base import InfraError

MakePage = Callable[..., MiniWobEnv]


def test_a_page_is_shown_played_and_paid(make_page: MakePage) -> None:
    env = make_page("click-test-2")
    observation, info = env.reset(seed=1)
    assert env.task.instruction == "Click button ONE."
    assert "Click button ONE." in observation
    assert "] button 'ONE'" in observation
    assert info["messages"][-1]["content"] == "Click button ONE.\n\n" + observation.rpartition("\n\n")[2]
    assert (info["task_id"], env.task.provenance["split"]) == ("miniwob/click-test-2/train/1", "train")
    wrong, right = (observation.split(f"] button '{name}'")[0].rpartition("[")[2] for name in ("TWO", "ONE"))
    _, reward, terminated, _, info = env.step(f"click('{right}')")
    assert (reward, terminated, info["is_success"]) == (1.0, True, True)
    env.reset(seed=1)
    observation, reward, terminated, _, info = env.step(call_text("click", {"bid": wrong}))
    assert (reward, terminated, info["is_success"]) == (-1.0, True, False)
    assert observation == "The page has ended with a reward of -1."
    assert info["outcome"] == Scored(-1.0, False)


def test_the_end_is_the_end(make_page: MakePage) -> None:
    env = make_page("click-test")
    env.reset(seed=0)
    [action] = env.oracle()
    env.step(action)
    for text in (action, "noop()", "keyboard_press('Enter')"):
        with pytest.raises(EpisodeOver, match=r"call reset\(\)"):
            env.step(text)
    assert env.reset(seed=0)[1]["outcome"] is None


def test_what_cannot_be_done_is_told_and_changes_nothing_else(make_page: MakePage) -> None:
    env = make_page("form-sequence-2")
    page = env.reset(seed=0)[0].rpartition("\n\n")[2]
    for text, told in (
        ("click('999')", "there is no element [999] on the page now"),
        ("hello", "an action is one call"),
        ("goto('http://miniwob.test/')", "no action named 'goto'"),
        ("mouse_click(400, 3)", "the point (400, 3) is outside the page"),
        ("keyboard_press('Nonsense')", "unknown key 'Nonsense'"),
        ("fill('1', 'x')", "a div cannot be filled"),
        ("select_option('1', 'x')", "a div has no options to select"),
        (f"keyboard_type({'x' * 2001!r})", "at most 2000 characters"),
        ("keyboard_type('\\ud800')", "a text holds half of a character"),
    ):
        observation, reward, terminated, _, info = env.step(text)
        assert observation.startswith(f"Error of the last action: {told}"), text
        assert observation.partition("\n")[2] == page
        assert (reward, terminated, info["is_success"]) == (0.0, False, False)


def test_the_same_seed_shows_the_same_page_and_others_show_others(make_page: MakePage) -> None:
    env, twin = make_page("click-checkboxes"), make_page("click-checkboxes")
    texts = [env.reset(seed=seed)[0] for seed in (3, 4, 3)]
    assert texts[0] == texts[2] != texts[1]
    assert twin.reset(seed=3)[0] == texts[0]
    heldout = make_page("click-checkboxes", split="heldout")
    assert heldout.reset(seed=3)[0] != texts[0]
    assert heldout.task.hidden == {"seed": "heldout 3", "mode": "test"}


@pytest.mark.parametrize(
    ("their_seed", "asked"),
    [(3, "Select Gh and click Submit."), (4, "Select yobHFFp, 6yzfh6u, KvTvR and click Submit.")],
)
def test_seeds_are_those_of_miniwob(make_page: MakePage, their_seed: int, asked: str) -> None:
    """As BrowserGym 0.14.3 showed them, which draws the page's own seed from the one that it is given."""
    seed = int(np.random.RandomState(their_seed).randint(0, 1_000_000))
    assert make_page("click-checkboxes").tasks.sample(seed).instruction == asked


def test_what_is_held_down_is_let_go_before_the_next_episode(make_page: MakePage) -> None:
    env = make_page("drag-circle", observe="elements")
    first = env.reset(seed=0)[0]
    circle = first.split("] circle")[0].rpartition("[")[2]
    assert "circle" in env.step(f"hover('{circle}')")[0]
    env.step("mouse_down(80, 120)")
    env.step("keyboard_down('Shift')")
    assert env.reset(seed=0)[0] == first
    before = env.step("mouse_move(20, 100)")[0]
    assert env.step("mouse_move(120, 150)")[0] == before  # nothing is dragged along


@pytest.mark.slow
def test_another_process_makes_the_same_tasks_and_pages(make_page: MakePage) -> None:
    pages = ("email-inbox", "book-flight", "click-shape", "terminal", "social-media")
    code = (
        "import sys, json, palestra\n"
        f"for page in {pages!r}:\n"
        "    env = palestra.make(f'palestra/MiniWob-{page}-v0', observe='elements')\n"
        "    first = env.reset(seed=5)[0]\n"
        "    steps = [env.step(action)[0] for action in env.oracle()]\n"
        "    print(json.dumps([env.task.digest, first, steps]))\n"
        "    env.close()\n"
    )
    command = [sys.executable, "-W", "error", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"]
    other = {**os.environ, "TZ": "Asia/Tokyo", "LANG": "C", "PYTHONHASHSEED": "7"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=other)
    for page, line in zip(pages, done.stdout.splitlines(), strict=True):
        env = make_page(page, observe="elements")
        first = env.reset(seed=5)[0]
        steps = [env.step(action)[0] for action in env.oracle()]
        assert json.loads(line) == [env.task.digest, first, steps]


def test_forks_go_on_from_where_the_episode_stands(make_page: MakePage) -> None:
    env = make_page("enter-password")
    env.reset(seed=2)
    first, *rest = list(env.oracle())
    env.step(first)
    saved = Snapshot.from_dict(json.loads(json.dumps(env.snapshot().to_dict())))
    one, two = env.fork(2)
    told = [env.step(action)[:2] for action in rest]
    assert [one.step(action)[:2] for action in rest] == told
    assert told[-1][1] == 1.0
    assert two.step("noop()")[1] == 0.0  # it does not see what its sister did
    env.restore(saved)
    assert [env.step(action)[:2] for action in rest] == told
    assert pickle.loads(pickle.dumps(saved)) == saved
    for fork in (one, two):
        fork.close()


def test_time_stands_still_until_somebody_acts(make_page: MakePage) -> None:
    env = make_page("button-delay")
    env.reset(seed=0)
    actions = list(env.oracle())
    assert [env.step(action)[1] for action in actions][-1] == 1.0
    env.reset(seed=0)
    assert [env.step(action)[1] for action in (actions[0], actions[-1])][-1] < 1.0  # not waited for


def test_a_time_limit_is_asked_for_and_counts_the_pages_own_time(make_page: MakePage) -> None:
    env = make_page("enter-text", difficulty={"timed": True})
    env.reset(seed=0)
    assert env.step("noop(9000)")[1:3] == (0.0, False)
    _, reward, terminated, _, info = env.step("noop(2000)")
    assert (reward, terminated, info["is_success"]) == (-1.0, True, False)
    patient = make_page("enter-text")
    patient.reset(seed=0)
    assert patient.step("noop(60000)")[1:3] == (0.0, False)


def test_rewards_are_raw_decayed_or_success(make_page: MakePage) -> None:
    paid = dict[str, float]()
    for reward in ("raw", "decayed", "success"):
        env = make_page("enter-text", reward=reward)
        env.reset(seed=1)
        paid[reward] = [env.step(action)[1] for action in env.oracle()][-1]
    assert paid == {"raw": 1.0, "decayed": pytest.approx(0.95), "success": 1.0}  # 500 of 10,000 ms had passed
    env = make_page("click-checkboxes-large", reward="raw")
    env.reset(seed=0)
    *_, submit = env.oracle()
    _, part, terminated, _, info = env.step(submit)  # nothing was checked
    assert terminated
    assert part < 1.0
    assert not info["is_success"]
    twin = make_page("click-checkboxes-large", reward="success")
    twin.reset(seed=0)
    assert twin.step(submit)[1] == 0.0


def test_turns_run_out(make_page: MakePage) -> None:
    env = make_page("click-test")
    env.reset(seed=0)
    env.reset(options={"task": replace(env.task, budget=Budget(turns=2))})
    assert env.step("noop()")[2:4] == (False, False)
    *_, truncated, info = env.step("noop()")
    assert truncated
    assert isinstance(info["outcome"], Truncated)


def test_pictures_and_elements_show_what_the_tree_does_not(make_page: MakePage) -> None:
    env = make_page("click-color", observe="elements", render_mode="rgb_array")
    observation, _ = env.reset(seed=3)
    assert "colour" not in env.task.instruction
    assert "div.color, at (23, 77), 52 x 52, background=#ffff00, clickable" in observation
    picture = env.render()
    assert (picture.shape, picture.dtype) == ((210, 160, 3), np.uint8)
    assert tuple(picture[100, 50]) == (255, 255, 0)
    seen = make_page("click-color", observe="screenshot")
    assert (seen.reset(seed=3)[1]["screenshot"] == picture).all()


def test_what_cannot_be_seen_is_not_told(make_page: MakePage) -> None:
    """The numbers of turned cards are in the page, in letters of no size."""
    for observe in ("axtree", "elements"):
        env = make_page("find-greatest", observe=observe)
        observation, _ = env.reset(seed=3)
        page = observation.rpartition("\n\n")[2]
        assert "'Submit'" in page
        assert "13" not in page.replace("(", " ").split()
        env.step("click('4')")
        assert "13" in env.messages[-1]["content"]


def test_a_task_is_data_and_names_its_fields(make_page: MakePage) -> None:
    env = make_page("enter-text")
    task = env.tasks.sample(0)
    assert Task.from_dict(json.loads(json.dumps(task.to_dict()))).digest == task.digest
    word = task.instruction.split('"')[1]
    assert task.public == {"page": "enter-text", "fields": {"target": word}}
    twin = make_page("click-test", split="heldout")
    twin.reset(options={"task": task.to_dict()})  # any page's task can be played
    assert twin.task.instruction == task.instruction
    with pytest.raises(TaskError, match="is not a task of MiniWoB"):
        env.reset(options={"task": replace(task, public={"page": "../core"})})
    with pytest.raises(TaskError, match="a seed must be an integer"):
        env.tasks.sample(-1)


def test_wrong_arguments_are_named(make_page: MakePage) -> None:
    for options in ({"reward": "binary"}, {"observe": "html"}, {"split": "test"}, {"render_mode": "human"}):
        with pytest.raises(ValueError, match=repr(next(iter(options.values())))):
            make_page("click-test", **options)


def test_pages_without_a_solver_say_so(make_page: MakePage) -> None:
    env = make_page("use-colorwheel")
    env.reset(seed=0)
    with pytest.raises(
        TaskError, match=r"nobody wrote a solver for 'use-colorwheel'; there are some for: .*click-test"
    ):
        env.oracle()


def test_a_browser_that_is_killed_costs_the_episode_and_no_more(make_page: MakePage) -> None:
    env = make_page("click-test")
    env.reset(seed=0)
    killed = browsers()
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(InfraError):
        env.step("noop()")
    with pytest.raises(EpisodeOver):
        env.step("noop()")
    env.reset(seed=0)
    assert [env.step(action)[1] for action in env.oracle()] == [1.0]


def browsers() -> list[int]:
    """Return the main processes of the browsers that this process has started."""
    assert Chromium.shared().is_running
    told = subprocess.run(
        ["ps", "-ww", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in told.splitlines()]
    parents = {int(pid): int(parent) for pid, parent, *_ in rows}

    def is_ours(pid: int) -> bool:
        while pid in parents and pid != os.getpid():
            pid = parents[pid]
        return pid == os.getpid()

    found = [int(row[0]) for row in rows if "--remote-debugging-pipe" in row[2] and "--type=" not in row[2]]
    return [pid for pid in found if is_ours(pid)]


def test_every_page_has_a_class_of_its_own_name() -> None:
    assert len(set(PAGES)) == len(PAGES) == 129
    for page in ("click-test", "drag-items-grid", "login-user-popup"):
        env = palestra.make(f"MiniWob-{page}-v0")
        assert (env.env_id, env.spec.id if env.spec else "") == (f"palestra/MiniWob-{page}-v0",) * 2
        assert pickle.loads(pickle.dumps(type(env))) is type(env)
