"""Sandboxes for the tests: one of each backend, or the native one alone."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from palestra.sandbox import BACKENDS, create
from palestra.sandbox.base import Sandbox

START_S = 60.0
NEVER_LEFT_OUT = ("native", "docker", "bubblewrap")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI is set, have a law that is skipped for one of three backends be one that is broken."""
    report = yield
    kind, _, backend = item.path.stem.partition("conformance_")
    if os.environ.get("CI") and report.skipped and kind == "test_" and backend.startswith(NEVER_LEFT_OUT):
        report.outcome = "failed"
        report.longrepr = f"CI may not leave this out, and it was: {report.longrepr}"
    return report


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest) -> str:
    """Every backend's name."""
    if request.param == "docker":
        request.getfixturevalue("docker_daemon")
    return str(request.param)


@pytest.fixture
def sandbox(backend: str) -> Iterator[Sandbox]:
    """A sandbox of every backend."""
    with closing(create(backend=backend, unsafe=True)) as made:
        yield made


@pytest.fixture
def native() -> Iterator[Sandbox]:
    """A native sandbox."""
    with closing(create()) as made:
        yield made


@pytest.fixture(scope="session")
def docker_daemon() -> Iterator[str]:
    """The address of a docker daemon that holds the image "base": the one there is, or one of these tests' own."""
    from palestra.sandbox.images.build import build_image
    from palestra.sandbox.images.recipe import find_recipe

    with contextlib.ExitStack() as held:
        if not _answers(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")):
            if os.geteuid() != 0 or not shutil.which("dockerd"):
                missing = "no docker daemon answers, and only root can start one; dockerd is in Debian's docker.io"
                if os.environ.get("CI"):
                    pytest.fail(missing)
                pytest.skip(missing)
            patch = held.enter_context(pytest.MonkeyPatch.context())
            folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="palestra-docker-")))
            folder.chmod(0o711)  # the users that containers have outside must get to their files
            patch.setenv("DOCKER_HOST", held.enter_context(_own_daemon(folder)))
        build_image(find_recipe("base"))
        yield os.environ.get("DOCKER_HOST", "")


@contextlib.contextmanager
def _own_daemon(folder: Path) -> Iterator[str]:
    """Start a dockerd that touches nothing of the machine's network; end it with everything it started."""
    host = f"unix://{folder}/docker.sock"
    places = [f"--{name}={folder / name}" for name in ("data-root", "exec-root", "pidfile")]
    apart = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--userns-remap=default"]
    with open(folder / "log", "wb") as log:
        daemon = subprocess.Popen(
            ["dockerd", "--host", host, *places, *apart],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_S
        while not _answers(host):
            if daemon.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"dockerd did not start: {(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.1)
        yield host
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(timeout=START_S)


def _answers(host: str) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(host.removeprefix("unix://"))
        return True
    except OSError:
        return not host.startswith("unix://")  # a daemon elsewhere is not ours to judge
