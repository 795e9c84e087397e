"""Terminal-v0 on docker: the same tasks, the same words and the same verdicts as on the native backend."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from palestra.envs.actions import call_text
from palestra.envs.terminal.compose import AREAS
from palestra.envs.terminal.env import TerminalEnv
from palestra.envs.terminal.generate import TerminalTasks

pytestmark = pytest.mark.slow
LIVE = "$ cd /srv; x=3; f() { echo f$x; }; umask 077; echo 1 > /tmp/a; echo 2 > /workspace/b; rm /etc/motd; false"


@pytest.fixture(scope="module")
def docker(terminals: str) -> Iterator[TerminalEnv]:
    with closing(TerminalEnv(sandbox="docker")) as made:
        yield made


@pytest.fixture(scope="module")
def native() -> Iterator[TerminalEnv]:
    with closing(TerminalEnv()) as made:
        yield made


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("name", ["oracle", "nop"])
def test_an_episode_is_told_and_judged_as_on_the_native_backend(
    native: TerminalEnv, docker: TerminalEnv, area: str, name: str
) -> None:
    for seed in range(2 if name == "oracle" else 1):
        task = TerminalTasks("train").sample(seed, {"area": area})
        told = []
        for env in (native, docker):
            seen = [str(env.reset(options={"task": task})[0])]
            for action in env.oracle() if name == "oracle" else [call_text("done", {})]:
                observation, *paid, _ = env.step(action)
                seen.append(f"{observation} {paid}")
            told.append((seen, env.verdict()))
        assert told[1] == told[0], task.id
        verdict = told[1][1]
        assert verdict is not None
        assert verdict.passed == (name == "oracle")


def test_a_fork_goes_on_in_the_same_shell(docker: TerminalEnv) -> None:
    docker.reset(seed=1)
    docker.step(LIVE)
    look = "$ echo $?; pwd; f; umask; cat /tmp/a /workspace/b; ls /etc/motd; echo 3 > /tmp/a"
    [fork] = docker.fork()
    with closing(fork):
        told = docker.step(look)
        assert told[0].startswith("1\n/srv\nf3\n0077\n1\n2\nls: cannot access '/etc/motd': No such file or directory\n")
        assert fork.step(look) == told
        fork.step("$ cd /; x=4; rm -rf /workspace/b")
        assert docker.step("$ f; cat /workspace/b; pwd")[0].startswith("f3\n2\n/srv\n")


def test_a_moment_is_restored_with_what_ran_beside_it(docker: TerminalEnv) -> None:
    docker.reset(seed=2)
    docker.step("$ mkdir /srv/site && cd /srv/site && echo hello > index.html")
    docker.step("$ (python3 -m http.server 8123 >/dev/null 2>&1 &); sleep 1")
    snapshot = docker.snapshot()
    docker.step("$ rm -rf /srv/site; exit")
    docker.restore(snapshot)
    assert docker.step("$ sleep 1; curl -s http://127.0.0.1:8123/; pwd")[0].startswith("hello\n/srv/site\n")


def test_the_oracle_solves_a_fork_and_a_restored_episode(docker: TerminalEnv) -> None:
    docker.reset(seed=3)
    first, *rest = list(docker.oracle())
    docker.step(first)
    snapshot = docker.snapshot()
    [fork] = docker.fork()
    with closing(fork):
        for env in (docker, fork):
            for action in rest:
                env.step(action)
            verdict = env.verdict()
            assert verdict is not None
            assert verdict.passed
    docker.restore(snapshot)
    for action in rest:
        docker.step(action)
    verdict = docker.verdict()
    assert verdict is not None
    assert verdict.passed
