"""Where CI is set, a backend that cannot be tried is a failure and never a skip."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
LAW = "test_a_new_sandbox_is_empty"
NO_BWRAP = "for place in /usr/bin/bwrap /bin/bwrap /usr/local/bin/bwrap; do "
NO_BWRAP += "[ ! -e $place ] || mount --bind /dev/null $place || exit 99; done"
NO_NAMESPACE = "for kind in user mnt pid; do echo 0 >/proc/sys/user/max_${kind}_namespaces || exit 99; done"


def conformance(file: str, prepare: str = "true", **env: str) -> str:
    """Try one law as CI would, where something is missing; return what pytest said, that it failed being asserted."""
    apart = [str(shutil.which("unshare")), "--user", "--map-root-user", "--mount"]
    pytest_run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", LAW, str(HERE / file)]
    done = subprocess.run(
        [*apart, "/bin/sh", "-c", f'{prepare}; exec "$@"', "sh", *pytest_run],
        cwd=HERE.parents[1],
        env={**os.environ, "CI": "1", "PYTHONPATH": os.pathsep.join(sys.path), **env},
        capture_output=True,
        text=True,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    summary = done.stdout.splitlines()[-1]
    assert "passed" not in summary, done.stdout
    assert "skipped" not in summary, done.stdout
    return done.stdout


@pytest.mark.parametrize("file", ["test_conformance_native.py", "terminal/test_conformance_native_terminal.py"])
def test_native_without_namespaces(file: str) -> None:
    assert "InfraError: " in conformance(file, NO_NAMESPACE)


def test_bubblewrap_without_bwrap() -> None:
    assert "apt-get install bubblewrap" in conformance("test_conformance_bubblewrap.py", NO_BWRAP)


def test_docker_without_a_daemon(tmp_path: Path) -> None:
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock", "PATH": str(tmp_path)}
    told = conformance("docker/test_conformance_docker.py", **nowhere)
    assert "no docker daemon answers, and only root can start one; dockerd is in Debian's docker.io" in told


def test_a_slow_law_for_which_no_time_is_left() -> None:
    told = conformance("docker/test_conformance_docker.py", PALESTRA_TEST_DEADLINE="0", PYTEST_ADDOPTS="-m slow")
    assert "CI may not leave this out, and it was: " in told
    assert "time budget is spent" in told
