"""Tests that a task brings run where nothing of the agent's is but its files; what they write is read strictly."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.envs.terminal.formats.conftest import HELLO, played, written

from palestra.envs.actions import call_text
from palestra.envs.base import Task, TaskError
from palestra.envs.scripts import play
from palestra.envs.terminal.env import TerminalEnv
from palestra.envs.terminal.formats.harbor import read_harbor
from palestra.rewards.base import Verdict, VerifierError

GOOD = "echo hello > hello.txt"


def task_of(folder: Path, tests: str | None = None, settings: str = "") -> Task:
    files = {**HELLO, "task.toml": HELLO["task.toml"] + settings}
    [task] = read_harbor(written(folder / "hello", files if tests is None else {**files, "tests/test.sh": tests}))
    return task


def judged(env: TerminalEnv, task: Task, *commands: str) -> Verdict:
    """Return the verdict on what some commands leave."""
    actions = [*(call_text("bash", {"command": command}) for command in commands), call_text("done", {})]
    play(env, lambda env, rng: iter(actions), 0, task)
    verdict = env.verdict()
    assert verdict is not None
    return verdict


@pytest.fixture
def env() -> Iterator[TerminalEnv]:
    with closing(TerminalEnv(shaping="none")) as env:
        yield env


def test_the_shell_begins_where_the_task_says_with_its_variables(env: TerminalEnv, tmp_path: Path) -> None:
    env.reset(options={"task": task_of(tmp_path)})
    seen = env.step(call_text("bash", {"command": "echo $WORD; pwd; ls -A / | tr '\\n' ' '; cat made.txt given.txt"}))[
        0
    ]
    assert seen.startswith("hello\n/app\n")
    assert "hello\ngiven\n" in seen
    assert not {".palestra", "tests", "solution"} & set(seen.splitlines()[2].split())
    written_to = env.step(call_text("write_file", {"path": "hello.txt", "content": "hello\n"}))[0]
    assert "/app/hello.txt is written" in written_to
    assert env.step(call_text("done", {}))[1] == 1.0


def test_the_solution_solves_it_and_nothing_does_not(env: TerminalEnv, tmp_path: Path) -> None:
    task = task_of(tmp_path)
    assert played(env, task, "oracle").is_success, env.verdict()
    assert played(env, task, "nop").reward == 0.0
    assert judged(env, task, GOOD).passed


@pytest.mark.parametrize(
    ("script", "score", "told"),
    [
        ("echo 1 > $L/reward.txt", 1.0, ""),
        ("echo 0.25 > $L/reward.txt", 0.25, ""),
        ("echo 1 > $L/reward.txt; echo '{\"reward\": 0}' > $L/reward.json", 0.0, ""),
        ('echo 0 > $L/reward.txt; echo \'{"reward": 1, "style": 0}\' > $L/reward.json', 1.0, ""),
        ('echo \'{"a": 1, "b": 0.5}\' > $L/reward.json', 0.5, ""),
        ("echo '{\"reward\": NaN}' > $L/reward.json; echo 1 > $L/reward.txt", 0.0, "reward.json is no object"),
        ("echo '{\"reward\": true}' > $L/reward.json", 0.0, "no finite number for 'reward'"),
        ("echo '[1]' > $L/reward.json", 0.0, "reward.json is no object"),
        ("echo '{}' > $L/reward.json", 0.0, "reward.json is no object"),
        ("echo nan > $L/reward.txt", 0.0, "no finite number"),
        ("echo inf > $L/reward.txt", 0.0, "no finite number"),
        ("echo yes > $L/reward.txt", 0.0, "holds no number"),
        ("echo 7 > $L/reward.txt", 1.0, ""),
        ("echo -7 > $L/reward.txt", 0.0, ""),
        (": > $L/reward.txt", 0.0, "holds no number"),
        ("exit 0", 0.0, "the tests wrote no reward"),
        ("echo 1 > /tmp/1; ln -s /tmp/1 $L/reward.txt", 0.0, "the tests wrote no reward"),
        ("mkdir $L/reward.txt", 0.0, "the tests wrote no reward"),
    ],
)
def test_rewards(script: str, score: float, told: str, env: TerminalEnv, tmp_path: Path) -> None:
    verdict = judged(env, task_of(tmp_path, f"L=/logs/verifier\n{script}\n"))
    assert (verdict.score, verdict.passed) == (score, score == 1.0)
    assert told in verdict.checks[0].evidence


def test_tests_that_do_not_end_are_ended(env: TerminalEnv, tmp_path: Path) -> None:
    tests = "echo 1 > /logs/verifier/reward.txt\nsleep 60\n"
    verdict = judged(env, task_of(tmp_path, tests, "[verifier]\ntimeout_sec = 1.0\n"))
    assert not verdict.passed
    assert "out of time" in verdict.checks[0].evidence


ATTACKS = {
    "a reward that is there already": """
mkdir -p /logs/verifier; echo 1 > /logs/verifier/reward.txt; echo '{"reward": 1}' > /logs/verifier/reward.json""",
    "tests that are there already": "mkdir -p /tests; echo 'echo 1 > /logs/verifier/reward.txt' > /tests/test.sh",
    "logs that lead elsewhere": "rm -rf /logs; mkdir -p /app/l/verifier; ln -s /app/l /logs",
    "programs of one's own": r"""
for p in cat grep bash sh; do printf '#!/bin/sh\necho hello\nexit 0\n' > /usr/bin/$p.x; done
for p in cat grep bash sh; do mv /usr/bin/$p.x /usr/bin/$p; done""",
    "a shim in the path": r"printf '#!/bin/bash\necho hello\n' > /usr/local/bin/cat; chmod 755 /usr/local/bin/cat",
    "start files": """
for f in ~/.bashrc ~/.profile ~/.bash_profile /etc/profile /etc/bash.bashrc; do
echo 'cat() { echo hello; }; grep() { true; }; export -f cat grep' >> $f; done""",
    "variables": """
echo 'BASH_ENV=/app/x' >> /etc/environment; echo 'cat() { echo hello; }' > /app/x; export BASH_ENV=/app/x""",
    "a library for all programs": "echo /app/x.so > /etc/ld.so.preload",
    "a process that goes on": """
reward=/logs/verifier/reward.txt
(setsid sh -c "while :; do mkdir -p /logs/verifier; echo 1 > $reward; sleep 0.01; done" >/dev/null 2>&1 &)""",
    "a link in place of the folder": "cd /; rm -rf /app; ln -s /usr/bin /app",
    "modules beside the work": "for d in /app /workspace; do echo 'raise SystemExit(0)' > $d/json.py; done",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_earn_nothing(name: str, env: TerminalEnv, tmp_path: Path) -> None:
    verdict = judged(env, task_of(tmp_path), ATTACKS[name])
    assert (verdict.score, verdict.passed) == (0.0, False), verdict


PYTEST = "pytest /tests/test_it.py -rA && echo 1 > /logs/verifier/reward.txt || echo 0 > /logs/verifier/reward.txt\n"
PYTEST_ATTACK = """
echo 'def pytest_runtest_makereport(item, call): raise SystemExit(0)' > /app/conftest.py
cp /app/conftest.py /conftest.py; cp /app/conftest.py /root/conftest.py
printf '[pytest]\\naddopts = --collect-only\\n' > /app/pytest.ini; cp /app/pytest.ini /pytest.ini
echo 'import sys; sys.exit(0)' | tee /app/pytest.py /app/sitecustomize.py /app/pathlib.py >/dev/null
echo 'export PYTEST_ADDOPTS=--collect-only' >> ~/.bashrc
site=$(cd /; python3 -S -c 'import site; print(site.getusersitepackages())'); mkdir -p $site
cp /app/sitecustomize.py $site/usercustomize.py
"""


@pytest.mark.slow
def test_pytest_is_ours(env: TerminalEnv, tmp_path: Path) -> None:
    files = {**HELLO, "tests/test.sh": PYTEST, "tests/test_it.py": "def test_it():\n    open('/app/hello.txt')\n"}
    [task] = read_harbor(written(tmp_path / "hello", files))
    assert judged(env, task, GOOD).passed
    verdict = judged(env, task, PYTEST_ATTACK)
    assert not verdict.passed
    assert "1 failed" in verdict.checks[0].evidence


SHARED = "[verifier]\nenvironment_mode = 'shared'\n"


def test_a_task_may_ask_for_the_agents_machine(env: TerminalEnv, tmp_path: Path) -> None:
    tests = "grep -q root:x /etc/passwd.new && [ -x /usr/bin/mine ] && echo 1 > /logs/verifier/reward.txt\n"
    work = "echo root:x > /etc/passwd.new; printf '#!/bin/sh\\n' > /usr/bin/mine; chmod 755 /usr/bin/mine"
    assert judged(env, task_of(tmp_path / "a", tests, SHARED), work).passed
    assert not judged(env, task_of(tmp_path / "b", tests), work).passed
    for name in (
        "a reward that is there already",
        "tests that are there already",
        "a process that goes on",
        "variables",
    ):
        assert not judged(env, task_of(tmp_path / name, None, SHARED), ATTACKS[name]).passed, name


def test_only_what_is_declared_goes_to_the_tests(env: TerminalEnv, tmp_path: Path) -> None:
    tests = "[ -f /app/out/a ] && [ ! -e /app/b ] && [ ! -e /srv/c ] && echo 1 > /logs/verifier/reward.txt\n"
    files = {**HELLO, "tests/test.sh": tests, "task.toml": "artifacts = ['/app/out/']\n" + HELLO["task.toml"]}
    [task] = read_harbor(written(tmp_path / "hello", files))
    assert judged(env, task, "mkdir -p out /srv; touch out/a b /srv/c").passed


def test_owners_modes_and_deletions_go_to_the_tests(env: TerminalEnv, tmp_path: Path) -> None:
    tests = (
        "[ ! -e /app/given.txt ] && [ $(stat -c %a:%u /app/x) = 640:7 ] && [ $(readlink /app/l) = x ] "
        "&& [ $(stat -c %a /app/d) = 1777 ] && echo 1 > /logs/verifier/reward.txt\n"
    )
    work = "rm given.txt; touch x; chown 7 x; chmod 640 x; ln -s x l; mkdir -m 1777 d"
    assert judged(env, task_of(tmp_path, tests), work).passed


def test_programs_that_would_fetch_are_stood_in_for(env: TerminalEnv, tmp_path: Path) -> None:
    tests = (
        "set -e\napt-get update -qq\napt-get install -y --no-install-recommends curl=8.1 ca-certificates git\n"
        "pip install -q pytest==8.4.1\n! apt-get install -y surely-not-here 2>/tmp/why\n"
        "grep -q 'surely-not-here is wanted' /tmp/why\n! uv add surely-not-here\n"
        "uvx -p 3.13 -w pytest==8 echo fine | grep -q fine\n! curl -s http://127.0.0.1:9/\n"
        "echo 1 > /logs/verifier/reward.txt\n"
    )
    verdict = judged(env, task_of(tmp_path, tests))
    assert verdict.passed, verdict


def test_tests_that_are_none_are_no_verdict(env: TerminalEnv, tmp_path: Path) -> None:
    task = task_of(tmp_path)
    broken = Task.from_dict({**task.to_dict(), "hidden": {**task.hidden, "tests": {"mode": "odd"}}})
    env.reset(options={"task": broken})
    with pytest.raises(VerifierError, match="has no tests that could run"):
        env.step(call_text("done", {}))


def test_a_large_solution_is_typed_in_pieces(env: TerminalEnv, tmp_path: Path) -> None:
    blob = hashlib.shake_256(b"blob").hexdigest(60_000)
    files = {**HELLO, "solution/blob": blob, "solution/solve.sh": "cp /solution/blob .; echo hello > hello.txt\n"}
    files["tests/test.sh"] = (
        f"[ $(sha256sum < /app/blob | cut -c1-64) = {hashlib.sha256(blob.encode()).hexdigest()} ] "
        "&& echo 1 > /logs/verifier/reward.txt\n"
    )
    [task] = read_harbor(written(tmp_path / "hello", files))
    assert len(task.hidden["steps"]) > 1
    assert played(env, task, "oracle").is_success, env.verdict()


def test_what_a_dockerfile_cannot_have_here_is_named(env: TerminalEnv, tmp_path: Path) -> None:
    docker = "FROM python:3.11-slim\nRUN apt-get update && apt-get install -y tmux surely-not-here\n"
    [task] = read_harbor(written(tmp_path / "hello", {**HELLO, "environment/Dockerfile": docker}))
    with pytest.raises(TaskError, match=r"surely-not-here is wanted; there is no network(.|\n)*Dockerfile:2 fails"):
        env.reset(options={"task": task})
