"""Containers on a real daemon: how they are made, what they leave, and what becomes of them when things are killed."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest

from palestra.sandbox.base import (
    CapabilityError,
    InfraError,
    Limits,
    PermanentInfraError,
    Python,
    Sandbox,
    Spec,
)
from palestra.sandbox.docker.backend import DockerBackend
from palestra.sandbox.docker.client import connect
from palestra.sandbox.docker.container import LABEL, is_orphaned, owner_label
from palestra.sandbox.docker.profile import build_profile
from palestra.sandbox.native.syscalls import machine

HANG_ON = """
import sys, time
from palestra.sandbox.base import Python, Spec
from palestra.sandbox.docker.backend import DockerBackend
from palestra.sandbox.base import Capabilities
sandbox = DockerBackend(Capabilities(network_off=True)).create_unproven(Spec())
print(sandbox._container.id, flush=True)
sandbox.exec(Python("import time; time.sleep(600)"), limits=None)
"""

COUNT = """
import os, time
started = 0
try:
    while started < 90:
        os.fork() or time.sleep(9)
        started += 1
except BlockingIOError:
    print(started)
"""


@pytest.fixture(scope="module")
def client(docker_daemon: str) -> Iterator["docker.DockerClient"]:
    with closing(connect()) as made:
        yield made


@pytest.fixture(scope="module")
def backend(docker_daemon: str) -> Iterator[DockerBackend]:
    with closing(DockerBackend()) as made:
        yield made


@pytest.fixture
def sandbox(backend: DockerBackend) -> Iterator[Sandbox]:
    with closing(backend.create(Spec())) as made:
        yield made


def own(client: "docker.DockerClient") -> list[str]:
    """Return this process's containers, running or not."""
    label = f"{LABEL}={owner_label()}"
    return [str(found["Id"]) for found in client.api.containers(all=True, filters={"label": label})]


def eventually(claim: Callable[[], bool]) -> bool:
    for _ in range(400):
        if claim():
            return True
        time.sleep(0.025)
    return False


def described(client: "docker.DockerClient") -> dict[str, Any]:
    [identity] = own(client)
    return dict(client.api.inspect_container(identity))


def test_everything_is_proven(backend: DockerBackend) -> None:
    proven = backend.probe()
    needs = {"network_off", "read_only_root", "memory_tree", "process_count", "pid_hidden", "socket_families"}
    assert proven.missing(frozenset(needs | {"syscall_filter", "image", "snapshot", "fork"})) == []


@pytest.mark.parametrize("is_terminal", [False, True], ids=["programs", "terminal"])
def test_a_container_is_made_as_tight_as_it_is_said_to_be(
    client: "docker.DockerClient", backend: DockerBackend, is_terminal: bool
) -> None:
    limits = Limits(processes=17, memory_bytes=96 << 20)
    with closing(backend.create(Spec(terminal=is_terminal, limits=limits))) as sandbox:
        status = sandbox.exec(["cat", "/proc/self/status"]).stdout.decode()
        assert sandbox.exec(["ls", "/sys/class/net"]).stdout == b"lo\n"
        config = described(client)
    host = config["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert set(config["NetworkSettings"]["Networks"]) <= {"none"}
    assert (host["IpcMode"], host["PidMode"], host["UTSMode"], host["UsernsMode"]) == ("private", "", "", "")
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges", f"seccomp={build_profile(machine())}"]
    assert host["ReadonlyRootfs"] is not is_terminal
    assert (host["Privileged"], host["Binds"], host.get("Mounts") or [], host["Devices"] or []) == (False, None, [], [])
    assert set(host["Tmpfs"]) == {"/tmp", "/workspace"}
    assert host["Memory"] == host["MemorySwap"] >= limits.memory_bytes
    assert host["Memory"] <= limits.memory_bytes + (32 << 20)  # the keeper's own
    assert host["PidsLimit"] == limits.processes + (2 if is_terminal else 1)
    assert host["NanoCpus"] == 1_000_000_000
    assert host["LogConfig"]["Type"] == "none"
    assert config["Config"]["User"] == ("0:0" if is_terminal else "1000:1000")
    assert {"Seccomp:\t2", "NoNewPrivs:\t1"} <= set(status.splitlines())


def test_programs_have_no_capability_and_machines_none_that_reaches_further(
    client: "docker.DockerClient", backend: DockerBackend
) -> None:
    with closing(backend.create(Spec())):
        assert described(client)["HostConfig"]["CapAdd"] is None
    with closing(backend.create(Spec(terminal=True))):
        given = {name.removeprefix("CAP_") for name in described(client)["HostConfig"]["CapAdd"]}
    assert not given & {
        "SYS_ADMIN",
        "SYS_PTRACE",
        "SYS_MODULE",
        "SYS_RAWIO",
        "NET_ADMIN",
        "NET_RAW",
        "MKNOD",
        "SYS_CHROOT",
    }


def test_nothing_but_the_container_is_made_and_close_removes_it(
    client: "docker.DockerClient", backend: DockerBackend
) -> None:
    images = {image.id for image in client.images.list(all=True)}
    sandbox = backend.create(Spec())
    assert len(own(client)) == 1
    sandbox.close()
    sandbox.close()
    assert own(client) == []
    assert {image.id for image in client.images.list(all=True)} == images
    assert client.volumes.list() == []
    with pytest.raises(ValueError, match="closed"):
        sandbox.exec(["true"])


def test_close_returns_when_it_is_gone_though_dockerd_had_begun_to_remove_it(
    client: "docker.DockerClient", backend: DockerBackend
) -> None:
    """What ends by itself is removed by dockerd, which refuses to do so twice."""
    for _ in range(5):
        with closing(backend.create(Spec())):
            os.kill(described(client)["State"]["Pid"], signal.SIGKILL)
        assert own(client) == []


def test_an_idle_sandbox_holds_its_own_connections_only(
    backend: DockerBackend, sockets: Callable[[], set[str]]
) -> None:
    """One for a keeper and two for a shell, whatever was asked of the daemon."""
    before = sockets()
    with closing(backend.create(Spec(terminal=True))) as sandbox:
        assert len(sockets() - before) == 1
        with closing(sandbox.shell()) as shell:
            shell.run("true")
            assert len(sockets() - before) == 3
        sandbox.restore(sandbox.snapshot())
        assert len(sockets() - before) == 1
    assert sockets() == before


def test_files_of_two_file_systems_are_two_files_in_a_snapshot(backend: DockerBackend) -> None:
    """Files in /tmp and in /workspace may have the same number there."""
    with closing(backend.create(Spec(terminal=True))) as sandbox:
        for number in range(20):
            for folder in ("/tmp", "/workspace", "/srv"):
                sandbox.write(f"{folder}/{number}", f"{folder} {number}".encode())
        with closing(sandbox.fork()) as fork:
            for number in range(20):
                for folder in ("/tmp", "/workspace", "/srv"):
                    assert fork.read(f"{folder}/{number}") == f"{folder} {number}".encode()


def test_who_forgets_a_sandbox_has_closed_it(client: "docker.DockerClient", backend: DockerBackend) -> None:
    sandbox = backend.create(Spec())
    sandbox.exec(["true"])
    del sandbox
    assert eventually(lambda: own(client) == [])


def test_limits_of_one_program_are_its_own(sandbox: Sandbox) -> None:
    hold = Python("x = bytearray(b'x') * (200 << 20); print('held')")
    assert sandbox.exec(hold).stdout == b"held\n"
    small = sandbox.exec(hold, limits=Limits(memory_bytes=64 << 20))
    assert (small.stdout, small.oom, small.timed_out) == (b"", True, False)
    assert sandbox.exec(hold).stdout == b"held\n"
    count = Python(COUNT)
    assert int(sandbox.exec(count, limits=Limits(processes=5)).stdout) == 4
    assert int(sandbox.exec(count, limits=Limits(processes=40)).stdout) == 39


def test_nothing_is_left_of_a_program_but_its_workspace(sandbox: Sandbox) -> None:
    leave = """
import ctypes, os
for folder in ("/tmp", "/dev/shm", "/dev/mqueue"):
    os.makedirs(folder + "/deep/er", exist_ok=True) if folder != "/dev/mqueue" else None
    open(folder + "/left", "w").close()
os.chmod("/tmp/deep", 0)
libc = ctypes.CDLL(None)
libc.shmget(4321, 4096, 0o1666); libc.semget(4321, 1, 0o1666); libc.msgget(4321, 0o1666)
open("kept", "w").close(); os.chmod(".", 0)
"""
    assert sandbox.exec(Python(leave)).ok
    look = "ls -A /tmp /dev/shm /dev/mqueue; tail -qn +2 /proc/sysvipc/shm /proc/sysvipc/sem /proc/sysvipc/msg; ls -A"
    shown = sandbox.exec(["sh", "-c", look])
    assert shown.stdout.split() == [b"/dev/mqueue:", b"/dev/shm:", b"/tmp:", b"kept"], shown


def test_a_program_cannot_end_or_change_the_keeper(sandbox: Sandbox) -> None:
    """It has the same user id, and still no way to it."""
    attack = """
import ctypes, os, resource, signal
reached = []
for number in range(1, 65):
    try: os.kill(1, number)
    except OSError as error: reached.append(number)
for path in ("/proc/1/mem", "/proc/1/oom_score_adj", "/proc/1/fd/3", "/proc/1/environ", "/proc/1/clear_refs"):
    try: open(path, "rb+").close(); reached.append(path)
    except OSError: pass
try: resource.prlimit(1, resource.RLIMIT_CPU, (0, 0)); reached.append("its limits")
except OSError: pass
print(reached, ctypes.CDLL(None).ptrace(16, 1, 0, 0))
"""
    assert sandbox.exec(Python(attack)).stdout == b"[] -1\n"
    assert sandbox.exec(["true"]).ok


def test_a_program_cannot_write_its_own_verdict(sandbox: Sandbox) -> None:
    """Whatever it prints, and into whatever is open, is output."""
    fake = """
import os
for descriptor in range(512):
    try: os.write(descriptor, bytes(36))
    except OSError: pass
os._exit(3)
"""
    result = sandbox.exec(Python(fake))
    assert (result.exit_code, result.stdout, result.stderr) == (3, bytes(36), bytes(36))


def test_what_cannot_be_is_refused_by_name(backend: DockerBackend) -> None:
    with pytest.raises(ValueError, match="image must be a name"):
        backend.create(Spec(image="../etc"))
    with pytest.raises(PermanentInfraError, match="image 'bsae' is not known here"):
        backend.create(Spec(image="bsae"))
    with pytest.raises(CapabilityError, match="cannot preload json"):
        backend.create(Spec(preload=("json",)))


def test_a_killed_container_is_a_fault_at_once_and_is_gone(
    client: "docker.DockerClient", backend: DockerBackend
) -> None:
    with closing(backend.create(Spec())) as sandbox:
        os.kill(described(client)["State"]["Pid"], signal.SIGKILL)
        with pytest.raises(InfraError, match="create another") as fault:
            sandbox.exec(["true"])
        assert fault.value.retryable
        assert isinstance(pickle.loads(pickle.dumps(fault.value)), InfraError)
    assert eventually(lambda: own(client) == [])


def test_a_container_ends_with_the_process_that_owns_it(client: "docker.DockerClient") -> None:
    """Killed by SIGKILL, it can do nothing for it; dockerd closes the keeper's input, and the keeper ends."""
    owner = subprocess.Popen([sys.executable, "-c", HANG_ON], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    with owner.stdout as told:
        identity = told.readline().decode().strip()
        assert client.containers.get(identity).status == "running"
        owner.kill()
        owner.wait()
    assert eventually(lambda: identity not in {str(found["Id"]) for found in client.api.containers(all=True)})


def test_what_a_killed_process_left_half_made_is_swept(client: "docker.DockerClient") -> None:
    label = "/".join([*owner_label().split("/")[:1], "4194303", "1"])
    assert is_orphaned(label)
    assert not is_orphaned(owner_label())
    assert not is_orphaned("another-machine/1/1")
    image = client.images.list("palestra-sandbox")[0].id
    left = client.containers.create(str(image), ["true"], labels={LABEL: label}, network_mode="none")
    DockerBackend().close()
    with pytest.raises(docker.errors.NotFound):
        left.reload()


def test_without_a_daemon_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(InfraError, match=r"none\.sock does not answer.*systemctl start docker.*DOCKER_HOST"):
        DockerBackend()


def test_without_the_package_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(PermanentInfraError, match=r"pip install 'palestra\[docker\]'"):
        DockerBackend()


def test_importing_palestra_does_not_import_docker() -> None:
    show = "import sys, palestra.sandbox, palestra.sandbox.docker.backend; print('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", show], capture_output=True, check=True).stdout == b"False\n"
