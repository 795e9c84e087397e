"""What becomes of sandboxes when the daemon, or what it started, is killed: on a daemon of these tests' own."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from palestra.sandbox.base import Capabilities, InfraError, Limits, SandboxSnapshot, Spec
from palestra.sandbox.conformance.case import descendants
from palestra.sandbox.docker.backend import DockerBackend
from palestra.sandbox.docker.client import connect
from palestra.sandbox.docker.sandbox import DockerSandbox
from palestra.sandbox.pool import SandboxPool

pytestmark = pytest.mark.slow
PROVEN = Capabilities(network_off=True, terminal=True, image=True, snapshot=True, fork=True)
START_S = 60.0


class Daemon:
    """A dockerd that is killed and started again on the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = f"unix://{folder}/docker.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        places = [f"--{name}={self.folder / name}" for name in ("data-root", "exec-root", "pidfile")]
        apart = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--userns-remap=default"]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["dockerd", "--host", self.host, *places, *apart],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        assert eventually(self._answers), (self.folder / "log").read_text()[-2000:]

    def kill(self) -> None:
        """End it by SIGKILL, and wait for what it started for itself."""
        assert self.process is not None
        containerd = (self.folder / "exec-root/containerd/containerd.pid").read_text().strip()
        self.process.kill()
        self.process.wait()
        assert eventually(lambda: not Path(f"/proc/{containerd}").exists())  # a new one would wait for it in vain

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=START_S)

    def holds(self) -> list[str]:
        """Return what there is of any container: in its books, processes and mounts.

        A shim that was being started when its containerd was killed may stay, with nothing below it.
        """
        asked = subprocess.run(["docker", "--host", self.host, "ps", "-aq"], capture_output=True, text=True, check=True)
        shims = [
            str(pid) for pid in running(str(self.folder / "exec-root")) if "shim" in words_of(pid) and descendants(pid)
        ]
        return [*asked.stdout.split(), *shims, *mounts(str(self.folder / "data-root"))[1:]]

    def _answers(self) -> bool:
        asked = subprocess.run(["docker", "--host", self.host, "version"], capture_output=True)
        return asked.returncode == 0


@pytest.fixture(scope="module")
def daemon(docker_daemon: str) -> Iterator[Daemon]:
    """A daemon of one's own, where one may be started; `docker_daemon` says whether that is so."""
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        pytest.fail("only root can start a daemon to kill; dockerd is in Debian's docker.io")
    with tempfile.TemporaryDirectory(prefix="palestra-dockerd-") as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        folder.chmod(0o711)  # the users that containers have outside must get to their files
        made = Daemon(folder)
        patch.setenv("DOCKER_HOST", made.host)
        made.start()
        try:
            yield made
        finally:
            made.stop()
            for shim in running(name):  # that no daemon knows of any more
                os.kill(shim, signal.SIGKILL)
            for line in mounts(name):
                subprocess.run(["umount", line.split()[4]], check=True)


@pytest.fixture
def backend(daemon: Daemon) -> Iterator[DockerBackend]:
    with closing(DockerBackend(PROVEN)) as made:
        yield made


def eventually(claim: Callable[[], bool], seconds: float = START_S) -> bool:
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def running(word: str) -> list[int]:
    """Return the processes whose command line holds a word."""
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdecimal() and word.encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


def words_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def mounts(word: str) -> list[str]:
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if word in line]


def traces(container: str) -> list[str]:
    """Return what there is of a container on the host: processes, mounts and control groups."""
    groups = [group for group, _, _ in os.walk("/sys/fs/cgroup") if container in group]
    return [*groups, *mounts(container), *map(str, running(container))]


def until_it_works(backend: DockerBackend, spec: Spec) -> bytes:
    """Create a sandbox, as often as a fault says that one may try again; return what a program in it says."""
    for _ in range(100):
        with contextlib.suppress(InfraError), closing(backend.create(spec)) as sandbox:
            return sandbox.exec(["echo", "works"]).stdout
        time.sleep(0.1)
    pytest.fail("no sandbox could be created")


@contextlib.contextmanager
def meanwhile(action: Callable[[], object], after_s: float = 0.5) -> Iterator[None]:
    """Do something a while after a program was started."""
    timer = threading.Timer(after_s, action)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@pytest.mark.parametrize("is_terminal", [False, True], ids=["programs", "terminal"])
def test_a_killed_daemon_is_told_at_once_and_nothing_stays(
    daemon: Daemon, backend: DockerBackend, is_terminal: bool
) -> None:
    spec = Spec(terminal=is_terminal, limits=Limits(wall_s=300.0, cpu_s=300.0))
    sandbox = backend.create(spec)
    container = sandbox._container.id
    assert traces(container)
    shell = sandbox.shell() if is_terminal else None
    with meanwhile(daemon.kill), pytest.raises(InfraError, match="create another"):
        shell.run("sleep 300", timeout_s=300.0) if shell else sandbox.exec(["sleep", "300"])
    for again in (lambda: sandbox.exec(["true"]), sandbox.snapshot, sandbox.check):
        with pytest.raises(InfraError, match="create another"):
            again()
    with pytest.raises(InfraError, match=r"does not answer: .*; start it .*, then create another sandbox"):
        backend.create(spec)
    sandbox.close()
    daemon.start()
    assert until_it_works(backend, spec) == b"works\n"
    assert eventually(lambda: traces(container) == []), traces(container)


@pytest.mark.parametrize("is_terminal", [False, True], ids=["programs", "terminal"])
@pytest.mark.parametrize("victim", ["shim", "init"])
def test_what_holds_a_container_is_killed(
    daemon: Daemon, backend: DockerBackend, victim: str, is_terminal: bool
) -> None:
    sandbox: DockerSandbox = backend.create(Spec(terminal=is_terminal, limits=Limits(wall_s=300.0, cpu_s=300.0)))
    container = sandbox._container.id
    (shim,) = [pid for pid in running(container) if "containerd-shim" in Path(f"/proc/{pid}/cmdline").read_text()]
    init = int(sandbox._client.api.inspect_container(container)["State"]["Pid"])
    doomed = shim if victim == "shim" else init
    with meanwhile(lambda: os.kill(doomed, signal.SIGKILL)), pytest.raises(InfraError, match="create another"):
        sandbox.exec(["sleep", "300"])
    sandbox.close()
    assert eventually(lambda: traces(container) == []), traces(container)
    assert until_it_works(backend, Spec()) == b"works\n"


def test_a_pool_recovers_when_its_daemon_is_back(daemon: Daemon, backend: DockerBackend) -> None:
    with SandboxPool(Spec(), backend=backend, size=2) as pool:
        with pool.borrow() as sandbox:
            assert sandbox.exec(["echo", "1"]).stdout == b"1\n"
        daemon.kill()
        with pytest.raises(InfraError), pool.borrow(timeout_s=20) as sandbox:
            sandbox.exec(["true"])
        daemon.start()

        def works() -> bool:
            with contextlib.suppress(InfraError), pool.borrow(timeout_s=20) as sandbox:
                return sandbox.exec(["echo", "2"]).stdout == b"2\n"
            return False

        assert eventually(works)


def test_a_daemon_that_was_killed_leaves_no_socket_open(
    daemon: Daemon, backend: DockerBackend, sockets: Callable[[], set[str]]
) -> None:
    until_it_works(backend, Spec(terminal=True))
    before = sockets()
    for _ in range(2):
        sandbox = backend.create(Spec(terminal=True))
        sandbox.shell().run("true")
        daemon.kill()
        with pytest.raises(InfraError):
            sandbox.exec(["true"])
        sandbox.close()
        assert sockets() == before
        daemon.start()
        until_it_works(backend, Spec(terminal=True))
    assert sockets() == before


def operations(
    backend: DockerBackend, sandbox: DockerSandbox, snapshot: SandboxSnapshot
) -> dict[str, Callable[[], object]]:
    """Return what a daemon may be killed in the middle of, by name."""

    def refill() -> None:
        with SandboxPool(sandbox._spec, backend=backend, size=2) as pool, pool.borrow(timeout_s=20.0) as borrowed:
            borrowed.exec(["true"])

    return {
        "create": lambda: backend.create(Spec()).close(),
        "exec": lambda: sandbox.exec(["sh", "-c", "sleep 0.05; echo 1"]).stdout,
        "shell": lambda: sandbox.shell().run("sleep 0.05; echo 1").output,
        "snapshot": lambda: sandbox.snapshot().digest,
        "restore": lambda: sandbox.restore(snapshot),
        "fork": lambda: sandbox.fork().close(),
        "refill": refill,
    }


@pytest.mark.parametrize(
    ("name", "share"),
    [
        *(("create", 0.2), ("create", 0.7), ("exec", 0.5), ("shell", 0.3), ("snapshot", 0.5), ("restore", 0.4)),
        *(("fork", 0.6), ("refill", 0.5)),
    ],
)
def test_a_daemon_that_is_killed_in_the_middle_is_a_fault_and_leaves_nothing(
    daemon: Daemon, backend: DockerBackend, name: str, share: float
) -> None:
    """The moment is a share of the time that the operation took just before."""
    sandbox = backend.create(Spec(terminal=True))
    sandbox.write("kept", b"1" * (8 << 20))
    operation = operations(backend, sandbox, sandbox.snapshot())[name]
    start = time.monotonic()
    expected = operation()
    took_s = time.monotonic() - start
    faults: list[InfraError] = []
    with meanwhile(daemon.kill, after_s=took_s * share):
        try:
            assert operation() == expected
        except InfraError as error:
            faults.append(error)
    assert all(fault.retryable and "create another" in str(fault) for fault in faults), faults
    sandbox.close()
    daemon.start()
    assert until_it_works(backend, Spec()) == b"works\n"
    assert eventually(lambda: daemon.holds() == []), daemon.holds()


def test_no_container_is_ever_on_a_network(daemon: Daemon, backend: DockerBackend) -> None:
    """Not even the one that puts the keeper into an image: of all that this daemon was asked, "none" was meant."""
    with closing(backend.create(Spec(terminal=True))) as sandbox, closing(connect()) as client:
        sandbox.exec(["true"])
        told = client.api.events(since=0, until=int(time.time()) + 1, filters={"type": "network"}, decode=True)
        assert {event["Actor"]["Attributes"]["name"] for event in told} <= {"none"}
        assert [network.name for network in client.networks.list(names=["bridge"])] == []
