"""Moments of an episode: files and shell are held, what runs is done again, and forks are independent."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace

import pytest

from palestra.envs.actions import call_text
from palestra.envs.base import Held, Snapshot, SnapshotError
from palestra.envs.terminal.env import TerminalEnv

Make = Callable[..., TerminalEnv]
LIVE = "cd /srv; x=3; f() { echo f$x; }; alias g='echo galias'; shopt -s expand_aliases; set -o noclobber; umask 077"


def test_a_fork_goes_on_in_the_same_shell(env: TerminalEnv) -> None:
    env.step(f"$ {LIVE}; echo 1 > /tmp/a; false")
    forks = env.fork(2)
    look = "$ echo $?; pwd; f; umask; cat /tmp/a; g; echo 2 > /tmp/a"
    told = [one.step(look) for one in (env, *forks)]
    assert told[0][0].startswith("1\n/srv\nf3\n0077\n1\ngalias\nbash: /tmp/a: cannot overwrite existing file\n")
    assert told[1] == told[0] == told[2]
    assert forks[0].step("$ rm -rf /tmp/a in; cd /; x=4; echo $x")[0].startswith("4\n[exit code 0; in /;")
    assert env.step("$ cat /tmp/a; f; pwd")[0].startswith("1\nf3\n/srv\n")
    for fork in forks:
        fork.close()


def test_looking_changes_nothing(env: TerminalEnv) -> None:
    env.step(f"$ {LIVE}; false")
    first = env.snapshot()
    assert isinstance(first.blobs["machine"], Held)
    assert env.snapshot() == first
    assert env.step("$ echo $?; f")[0].startswith("1\nf3\n[exit code 0; in /srv")


def test_equal_episodes_are_equal_whenever_they_were_played(env: TerminalEnv, make_terminal: Make) -> None:
    twin = make_terminal()
    for one in (env, twin):
        one.reset(seed=1)
        one.step("$ echo a > new; sleep 0.02")
    assert env.snapshot() == twin.snapshot()
    twin.step("$ echo b > new")
    assert env.snapshot() != twin.snapshot()


def test_a_moment_travels_with_its_shell(env: TerminalEnv, make_terminal: Make) -> None:
    env.step(f"$ {LIVE}; echo 1 > /tmp/a")
    snapshot = env.snapshot()
    look = "$ pwd; f; stat -c '%a %s' /tmp/a; cat /workspace/list1.txt"
    told = env.step(look)
    for read in (pickle.loads(pickle.dumps(snapshot)), Snapshot.from_dict(json.loads(json.dumps(snapshot.to_dict())))):
        assert read == snapshot
        other = make_terminal()
        other.restore(read)
        assert other.step(look) == told
        assert other.step(call_text("done", {}))[2]


def test_a_machine_that_was_damaged_on_its_way_is_refused(env: TerminalEnv, make_terminal: Make) -> None:
    env.step("$ echo 1 > /tmp/a")
    told = env.snapshot().to_dict()
    told["blobs"]["machine"]["data"] = told["blobs"]["machine"]["data"][:-8]
    with pytest.raises(SnapshotError, match="damaged"):
        Snapshot.from_dict(told)
    snapshot = env.snapshot()
    for blobs in ({}, {"since": b"{}"}, {"since": b"["}, {"machine": b"x", "since": b'{"cwd": "", "calls": []}'}):
        broken = replace(snapshot, blobs=blobs)
        whole = Snapshot.take(broken.env_id, json.loads(broken.state), broken.blobs)
        with pytest.raises(SnapshotError):
            make_terminal().restore(whole)


def test_what_runs_is_done_again_from_the_last_still_moment(env: TerminalEnv) -> None:
    env.step("$ echo first >> /tmp/log")
    env.snapshot()
    env.step("$ echo second >> /tmp/log")
    env.step(call_text("bash", {"command": "python3 -q", "timeout_s": 1}))
    env.step(call_text("send_keys", {"keys": ["x = 6", "Enter"]}))
    since = env.snapshot().blobs["since"]
    assert isinstance(since, bytes)
    assert [name for name, _ in json.loads(since)["calls"]] == ["bash", "bash", "send_keys"]
    [fork] = env.fork()
    [again] = fork.fork()
    assert fork.snapshot() == env.snapshot() == again.snapshot()
    keys = call_text("send_keys", {"keys": ["x * 7", "Enter"]})
    told = [one.step(keys)[0] for one in (env, fork, again)]
    assert "42" in told[0]
    assert told == [told[0]] * 3
    for one in (env, fork, again):
        one.step(call_text("send_keys", {"keys": ["C-d"]}))
        assert one.step("$ cat /tmp/log")[0].startswith("first\nsecond\n[exit code 0")
    fork.close()
    again.close()


def test_services_run_in_every_copy(make_terminal: Make) -> None:
    env = make_terminal()
    task = env.tasks.sample(1)
    service = {"run": "while sleep 0.1; do date +%N > /tmp/b; mv /tmp/b /tmp/beat; done", "ready": "test -s /tmp/beat"}
    differs = '[ "$a" != "$(cat /tmp/beat)" ]'
    watch = f"$ a=$(cat /tmp/beat); for i in {{1..90}}; do {differs} && echo beats && break; sleep 0.1; done"
    hidden = {**task.hidden, "services": [service]}
    for _ in range(3):
        env.reset(options={"task": replace(task, hidden=hidden)})
        assert env.step(watch)[0].startswith("beats\n")
    [fork] = env.fork()
    assert fork.step(watch)[0].startswith("beats\n")
    fork.close()


def test_a_moment_after_the_end_needs_no_machine(env: TerminalEnv, make_terminal: Make) -> None:
    for action in env.oracle():
        env.step(action)
    snapshot = env.snapshot()
    assert snapshot.blobs == {}
    other = make_terminal()
    other.restore(snapshot)
    assert other.snapshot() == snapshot
    assert other.verdict() is None
