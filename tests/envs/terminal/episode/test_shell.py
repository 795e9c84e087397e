"""What an agent does in its shell, and what it is told."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from palestra.envs.actions import call_text
from palestra.envs.base import Budget, EpisodeOver, TaskError
from palestra.envs.submission import ENDED, TOO_MANY
from palestra.envs.terminal.env import BUSY, IDLE, NO_CALL, TerminalEnv
from palestra.envs.terminal.verify import partial

Do = Callable[..., str]
Make = Callable[..., TerminalEnv]


def test_the_shell_keeps_its_state(do: Do) -> None:
    assert do("x=5; f() { echo f$x; }; cd /tmp").startswith("[exit code 0; in /tmp; left: 11 turns, 300 s, ")
    assert do("f; pwd; false").startswith("f5\n/tmp\n[exit code 1; in /tmp; left: 10 turns")
    assert do("echo $?").startswith("1\n[")
    assert do("echo out; echo err >&2; printf 'no end'").startswith("out\nerr\nno end\n[exit code 0")


def test_several_lines_are_one_command(do: Do) -> None:
    assert do("for i in 1 2\ndo\n  echo $i\ndone\ncat <<'EOF'\nit's $HOME\nEOF").startswith("1\n2\nit's $HOME\n[exit")


def test_the_episode_starts_with_the_tasks_files(do: Do) -> None:
    told = do("stat -c '%A %u %Y %N' in/words.txt in/secret in/link /srv/data/x /srv/empty /tmp; cat made/year")
    lines = [line.replace("'", "") for line in told.splitlines()[:7]]
    assert lines[:2] == ["-rw-r--r-- 0 1735689600 in/words.txt", "-rw------- 0 1600000000 in/secret"]
    assert [re.sub(r" \d{9,}", "", line) for line in lines[2:]] == [
        "lrwxrwxrwx 0 in/link -> words.txt",
        "-rw-r--r-- 7 /srv/data/x",
        "drwx------ 0 /srv/empty",
        "drwxrwxrwt 0 /tmp",
        "1970",
    ]
    assert do("find /tmp /root /workspace -name '.s*'").startswith("[exit")  # nothing of how it was laid out


def test_much_output_is_cut_in_the_middle(do: Do) -> None:
    told = do("seq 1 1000000")
    assert told.startswith("1\n2\n")
    assert "\n1000000\n[exit code 0" in told
    count = re.search(r"\[\.\.\. at least ([\d,]+) characters left out \.\.\.\]", told)
    assert count
    assert len(told) < 11_000


def test_a_command_that_takes_long_goes_on(do: Do) -> None:
    told = do("bash", command="echo begun; sleep 1.5; echo over", timeout_s=1)
    assert told.startswith("begun\n[still running")
    assert "299 s" in told
    assert do("ls") == BUSY
    assert do("bash", command=" ", timeout_s=5).startswith("over\n[exit code 0; in /workspace; left: 9 turns, 299 s")
    assert do("bash", command="").startswith("[exit code 0")


def test_keys_reach_what_runs(do: Do) -> None:
    assert do("send_keys", keys=["ls", "Enter"]) == IDLE
    do("bash", command="read -p 'name? ' name; echo hello $name", timeout_s=1)
    assert "hello you there\n[exit code 0" in do("send_keys", keys=["you ", "there", "Enter"])
    do("bash", command="sleep 100", timeout_s=1)
    assert "[exit code 130" in do("send_keys", keys=["C-c"])
    assert do("echo fine").startswith("fine\n[exit code 0")


def test_a_screen_program_is_used_by_keys(do: Do) -> None:
    assert ">>>" in do("bash", command="python3 -q", timeout_s=1)
    assert "42" in do("send_keys", keys=["6*7", "Enter"])
    assert "[exit code 0" in do("send_keys", keys=["C-d"])


def test_a_shell_that_has_ended_is_started_again(do: Do) -> None:
    do("cd /tmp; x=1")
    assert "[exit code 3; the shell has ended; another was started; in /workspace" in do("exit 3")
    assert do('echo "[$x]"').startswith("[]\n[exit code 0; in /workspace")


def test_hanging_up_helps_where_nothing_else_does(do: Do) -> None:
    assert "still running" in do("bash", command="kill -STOP $$", timeout_s=1)
    assert do("pwd") == BUSY
    assert "this is a new shell; in /workspace" in do("send_keys", keys=["Hangup"])
    assert do("pwd").startswith("/workspace\n[exit code 0")


def test_files_are_written(do: Do) -> None:
    content = "a\n'b' $c\n\x1b é\n\0"
    assert do("write_file", path="new/deep/a.txt", content=content).startswith("/workspace/new/deep/a.txt is written\n")
    assert do("sha256sum new/deep/a.txt").startswith(hashlib.sha256(content.encode()).hexdigest())
    do("cd /tmp")
    assert do("write_file", path="../srv/./x", content="").startswith("/srv/x is written")
    assert do("write_file", path="x", content="").startswith("/tmp/x is written")


@pytest.mark.parametrize("path", ["", "/", "/workspace", "/proc/x", "a\0b", "\ud800", "x" * 5000, "in/words.txt/a"])
def test_paths_that_are_none_are_told_of(do: Do, path: str) -> None:
    assert do("write_file", path=path, content="x").startswith("error: ")
    assert do("echo fine").startswith("fine\n")


@pytest.mark.parametrize("command", ["a\0b", "\ud800", "echo \x03\x04", "echo '", "fi", "x" * 60_000])
def test_odd_commands_are_told_of(do: Do, command: str) -> None:
    assert re.match(r"(error: |.*\[exit code \d+|.*\[still)", do("bash", command=command, timeout_s=1), re.DOTALL)
    do("send_keys", keys=["C-c"])
    assert do("echo fine").startswith("fine\n[exit code 0")


def test_long_commands_are_run(do: Do) -> None:
    text = "".join(f"echo 'line {number} of it'\n" for number in range(1500))
    assert "line 1499 of it\n[exit code 0" in do("bash", command=text, timeout_s=10)


def test_a_text_may_be_a_command(env: TerminalEnv) -> None:
    key = env.step("hello")[4]["state_key"]
    assert env.step("ls -la")[0] == NO_CALL
    told, *_, info = env.step("I write it.\n```bash\ntouch /tmp/a\n```")
    assert told.startswith("[exit code 0")
    assert info["messages"][-1] == {"role": "user", "content": told}
    assert info["state_key"] != key


def test_a_turn_may_hold_several_calls(env: TerminalEnv) -> None:
    calls = [call_text("bash", {"command": f"echo {number} >> /tmp/log"}) for number in range(5)]
    told = env.step("".join(calls))[4]["messages"][-5:]
    assert [message["content"][:9] for message in told[:4]] == ["[exit cod"] * 4
    assert told[4]["content"] == TOO_MANY
    assert env.step("$ cat /tmp/log")[0].startswith("0\n1\n2\n3\n[exit")
    _, _, terminated, _, info = env.step(call_text("done", {}) + calls[0])
    assert terminated
    assert [message["content"] for message in info["messages"][-2:]] == ["not all of the task is done", ENDED]


def test_the_oracle_is_paid_and_its_milestones_are_taken_back(env: TerminalEnv) -> None:
    steps = [env.step(action) for action in env.oracle()]
    assert [step[4]["reward_parts"] for step in steps] == [
        {"potential": pytest.approx(1 / 3)},
        {"potential": pytest.approx(1 / 3)},
        {"outcome": 1.0, "potential": pytest.approx(-2 / 3)},
    ]
    verdict = env.verdict()
    assert verdict
    assert partial(verdict) == {-1: True, 0: True, 1: True}


def test_a_part_of_the_task_earns_nothing_but_is_told(env: TerminalEnv) -> None:
    assert env.verdict() is None
    first, _, last = env.oracle()
    env.step(first)
    *_, info = env.step(last)
    verdict = env.verdict()
    assert (info["is_success"], info["outcome"].reward) == (False, pytest.approx(0.0))
    assert verdict
    assert partial(verdict) == {-1: True, 0: True, 1: False}


def test_changed_inputs_earn_nothing(env: TerminalEnv) -> None:
    *steps, last = env.oracle()
    for action in [call_text("bash", {"command": "echo >> in/words.txt"}), *steps]:
        assert env.step(action)[4]["reward_parts"] == {"potential": 0.0}
    assert env.step(last)[4]["reward_parts"] == {"outcome": 0.0, "potential": 0.0}


def test_who_runs_out_of_turns_is_paid_nothing_and_can_be_judged(make_terminal: Make) -> None:
    env = make_terminal()
    task = env.tasks.sample(1)
    env.reset(options={"task": replace(task, budget=Budget(turns=2))})
    *steps, _ = env.oracle()
    *_, (_, _, terminated, truncated, info) = [env.step(action) for action in steps]
    assert (terminated, truncated, info["is_success"]) == (False, True, False)
    verdict = env.verdict()
    assert verdict
    assert verdict.passed


@pytest.mark.parametrize(
    ("limits", "command"), [({"seconds": 2}, "sleep 30"), ({"output_chars": 1000}, "seq 1 100000")]
)
@pytest.mark.parametrize("is_done", [False, True])
def test_a_spent_budget_ends_the_episode_and_what_is_there_is_judged(
    make_terminal: Make, limits: dict[str, int], command: str, is_done: bool
) -> None:
    env = make_terminal(shaping="none")
    env.reset(options={"task": replace(env.tasks.sample(1), public={"limits": limits})})
    *steps, _ = env.oracle()
    for action in steps if is_done else ():
        env.step(action)
    told, reward, terminated, _, info = env.step(call_text("bash", {"command": command}) * 3)
    assert (reward, terminated, info["is_success"]) == (float(is_done), True, is_done)
    assert "[the budget is spent, which ends the episode: " in told
    assert told.count(ENDED) == 2
    assert len(told) < 2000


def test_escapes_are_shown_to_who_asks_for_them(make_terminal: Make, do: Do) -> None:
    command = "printf '\\033[31mred\\033[0m\\n'"
    assert do(command).startswith("red\n[")
    env = make_terminal(ansi=True)
    env.reset(seed=1)
    assert env.step(call_text("bash", {"command": command}))[0].startswith("\x1b[31mred\x1b[0m\n[")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"hidden": {}}, "needs steps, and checks or tests"),
        ({"public": {"limits": {"seconds": 0}}}, "seconds=0"),
        ({"public": {"limits": {"hours": 3}}}, "hours=3"),
        ({"start": {"relative": {"text": ""}}}, "'relative'"),
        ({"start": 3}, "has no start"),
        ({"setup": "echo trouble; exit 9"}, r"its setup fails \(exit code 9\): trouble"),
        ({"services": [{"run": "true", "ready": "false"}]}, r"a service does not get ready \(exit code 1\): true"),
    ],
)
def test_tasks_that_are_none_are_refused(make_terminal: Make, change: dict[str, Any], told: str) -> None:
    env = make_terminal()
    task = env.tasks.sample(1)
    fields = {name: value for name, value in change.items() if name in ("hidden", "public")}
    hidden = {**task.hidden, **{name: value for name, value in change.items() if name not in fields}}
    with pytest.raises(TaskError, match=told):
        env.reset(options={"task": replace(task, **{"hidden": hidden, **fields})})
    env.reset(seed=1)


def test_a_closed_environment_has_no_episode_to_go_on_with(env: TerminalEnv) -> None:
    env.close()
    with pytest.raises(EpisodeOver, match=r"call reset\(\)"):
        env.step("$ ls")
    env.reset(seed=1)
    assert env.step("$ pwd")[0].startswith("/workspace\n")
