"""What an agent that is root can do to its own machine: it is told of, judged, and never raises."""

from collections.abc import Callable, Sequence

import pytest

from palestra.envs.actions import call_text
from palestra.envs.terminal.env import TerminalEnv

DEEDS = {
    "bash is replaced": ["printf '#!/nothing\\n' > /tmp/b; chmod +x /tmp/b; mv /tmp/b /bin/bash", "exit"],
    "there is no shell": ["rm -f /bin/bash /bin/sh /bin/dash /usr/bin/bash /usr/bin/sh /usr/bin/dash", "exit"],
    "there is nothing": ["rm -rf --no-preserve-root / 2>/dev/null"],
    "the shell is killed": ["kill -9 $$"],
    "the shell is stopped": ["kill -STOP $$"],
    "the shell's reports are flooded": ["head -c 6000000 /dev/zero | tr '\\0' x > /dev/shell/reports"],
    "the shell's reports are false": ["printf '\\0P99 0\\0\\0E7\\0' > /dev/shell/reports"],
    "the prompt is unset": ["unset PROMPT_COMMAND"],
    "the prompt is read-only": ["readonly PROMPT_COMMAND", "exit"],
    "the prompt is another": ["PS1='more> '; PS2='# '; PROMPT_COMMAND='echo x'"],
    "nothing is read": ["exec 0</dev/null"],
    "nothing is shown": ["exec >/tmp/out 2>&1"],
    "the terminal is raw": ["stty raw -echo"],
    "the end is trapped": ["trap 'while :; do :; done' EXIT", "exit"],
    "signals are trapped": ["trap '' INT QUIT HUP TERM TSTP", "sleep 50"],
    "the shell is another program": ["exec sleep 50"],
    "processes breed": [":(){ :|:& };:"],
    "memory is filled": ["python3 -c 'b=[]\nwhile 1: b.append(bytearray(1<<24))'"],
    "the disk is filled": ["head -c 400000000 /dev/zero > big; head -c 400000000 /dev/zero > /tmp/big"],
    "there is no end of output": ["yes"],
    "the folder is a lie": ["printf '\\033]7;/etc\\007\\033]7770;99\\007'"],
    "the folder is gone": ["mkdir d; cd d; rmdir ../d"],
    "the state is huge": ["x=$(head -c 5000000 /dev/zero | tr '\\0' y)"],
    "the clock is set": ["date -s 1999-01-01; TZ=Asia/Tokyo"],
    "much is typed that nobody reads": ["sleep 50", *["KEYS"] * 3],
}


@pytest.mark.parametrize("deeds", DEEDS.values(), ids=DEEDS)
def test_whatever_becomes_of_the_machine_the_episode_goes_on_to_its_end(env: TerminalEnv, deeds: Sequence[str]) -> None:
    for deed in deeds:
        keys = call_text("send_keys", {"keys": ["y", "Enter"] * 400})
        env.step(keys if deed == "KEYS" else call_text("bash", {"command": deed, "timeout_s": 1}))
    for call in (
        call_text("bash", {"command": "pwd", "timeout_s": 1}),
        call_text("bash", {"command": "", "timeout_s": 1}),
        call_text("send_keys", {"keys": ["C-c", "C-d"]}),
        call_text("write_file", {"path": "note", "content": "x"}),
        call_text("send_keys", {"keys": ["Hangup"]}),
    ):
        told, reward, terminated, truncated, _ = env.step(call)
        assert (bool(told), terminated, truncated, abs(reward) <= 1.0) == (True, False, False, True)
    _, _, terminated, _, info = env.step(call_text("done", {}))
    assert (terminated, info["is_success"]) == (True, False)
    assert info["outcome"].reward == pytest.approx(0.0)


@pytest.mark.parametrize("deed", ["bash is replaced", "there is no shell", "the shell is stopped", "the state is huge"])
def test_such_a_machine_is_forked_and_judged(
    env: TerminalEnv, make_terminal: Callable[..., TerminalEnv], deed: str
) -> None:
    for line in DEEDS[deed]:
        env.step(call_text("bash", {"command": line, "timeout_s": 1}))
    [fork] = env.fork()
    try:
        action = call_text("bash", {"command": "pwd", "timeout_s": 1})
        assert fork.step(action)[0] == env.step(action)[0]
        ends = [one.step(call_text("done", {})) for one in (env, fork)]
        assert [(end[0], end[1], end[2]) for end in ends] == [("not all of the task is done", 0.0, True)] * 2
    finally:
        fork.close()


def test_nothing_of_one_episode_is_left_to_the_next(env: TerminalEnv) -> None:
    for _ in range(3):
        env.step("$ echo mine > /tmp/mine; echo more >> in/words.txt; rm -rf /usr/bin/sort made; (sleep 300 &)")
        env.reset(seed=1)
        told = env.step("$ cat /tmp/mine; wc -l < in/words.txt; echo b | sort; cat made/year; pgrep sleep")[0]
        assert told.startswith("cat: /tmp/mine: No such file or directory\n3\nb\n1970\n[exit code 1")
