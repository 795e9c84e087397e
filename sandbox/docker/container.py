"""The host's end of one container: starts it, asks its keeper, and notices when it is gone."""

import contextlib
import errno
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from palestra.sandbox import wire
from palestra.sandbox.base import MIB, InfraError, Limits, PermanentInfraError, SandboxFileError
from palestra.sandbox.docker.channel import Channel
from palestra.sandbox.docker.client import reach, told
from palestra.sandbox.docker.images import Provided
from palestra.sandbox.docker.profile import build_profile
from palestra.sandbox.docker.python import KEEPER_DIR, PYTHON
from palestra.sandbox.faults import advice
from palestra.sandbox.native.plan import AGENT_ID, ROOT_ID, WORKSPACE, bootstrap
from palestra.sandbox.native.syscalls import machine
from palestra.sandbox.outcome import program_environment

if TYPE_CHECKING:
    from docker import DockerClient

LABEL = "palestra.sandbox"  # on every container and snapshot: the process that it belongs to
# What root may do with its own files, users and processes, as in Docker's own list. The system call
# filter, which knows no difference, refuses what else of that list would reach further.
_TERMINAL_CAPABILITIES = [
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP"),
    *("SETGID", "SETPCAP", "SETUID"),
]
_START_S, GRACE_S = 30.0, 15.0
_KEEPER_PROCESSES, _WARDENS = 1, 1
_SHELL_PROCESSES = 3  # beside the programs of a machine: what waits for the shell, reads its reports, and it itself
_ROOM_STEP = 2 * MIB  # in which the memory limit follows what is held, so that it seldom has to be set
_OPEN_FILES = 4096
_SHARED_MEMORY_BYTES = 16 * MIB
_CONFLICT = 409
_TOO_LONG = "file name too long"


class Container:
    """A running container with a keeper inside. Every method raises InfraError when it is gone or does not answer."""

    def __init__(self, client: "DockerClient", image: Provided, limits: Limits, *, is_terminal: bool) -> None:
        self.is_alive, self.has_shell = True, False
        self.client, self._is_terminal = client, is_terminal
        self._owner_pid = os.getpid()
        self._lock = threading.Lock()
        self._channel: Channel | None = None
        self.id = ""
        self._base_bytes = 8 * MIB  # until the keeper says what it holds
        self._set = self._numbers(limits, 0)
        try:
            self._start(image, limits)
        except BaseException:
            self._end_quietly()
            raise

    def ask(
        self,
        question: dict[str, Any],
        data: Iterable[bytes] = (),
        *,
        timeout_s: float = GRACE_S,
        limit_bytes: int = 0,
    ) -> tuple[dict[str, Any], bytes]:
        """Let the keeper do something with data; return its answer and the data that came back.

        Args:
            question: what to do.
            data: what to do it with.
            timeout_s: a keeper that takes longer is ended.
            limit_bytes: more than this never comes back from one that works.

        Raises:
            SandboxFileError: it refused.
        """
        with self._exchange() as channel:
            channel.allow(timeout_s)
            wire.send_question(channel.write, question, data)
            got = b"".join(wire.receive_data(channel.read, limit_bytes))
            answer = wire.receive_message(channel.read)
            self._base_bytes = int(answer.pop("held_bytes"))
        if "refused" in answer:
            code, reason = answer["refused"]
            raise SandboxFileError(int(code or 0), str(reason))
        return answer, got

    def limit(self, limits: Limits, extra_bytes: int = 0) -> None:
        """Set the limits of what is run next; cheap when they are as they were."""
        wanted = self._numbers(limits, extra_bytes)
        if wanted == self._set:
            return
        with self._exchange():
            api = self.client.api
            url = f"{api.base_url}/v{api.api_version}/containers/{self.id}/update"
            reply = api.post(url, json=wanted, timeout=GRACE_S)  # the SDK's own call knows no limit of processes
            if reply.status_code != 200:
                raise OSError(f"its limits cannot be set: {reply.text.strip()}")
        self._set = wanted

    def changed_paths(self) -> list[str]:
        """Return what the daemon sees to be other than in the image, without a slash before it.

        Raises:
            SandboxFileError: there are paths too long for the daemon.
        """
        import docker.errors

        try:
            found = self.client.api.diff(self.id) or []
        except docker.errors.APIError as error:
            if _TOO_LONG in str(error.explanation):
                raise SandboxFileError(errno.ENAMETOOLONG, "the machine has paths too long to be saved") from error
            raise InfraError(f"the docker daemon refused: {error.explanation}; create another sandbox") from error
        except OSError as error:
            raise InfraError(f"the docker daemon does not answer: {error}; create another sandbox") from error
        return [str(each["Path"]).lstrip("/") for each in found]

    def check(self) -> None:
        """Return if the container runs."""
        self.ask({"do": "others", "shell": False})

    def end(self) -> None:
        """End the container and everything in it; returns when it is gone. A second call does nothing."""
        self.is_alive = False
        channel, self._channel = self._channel, None
        identity, self.id = self.id, ""
        try:
            if identity and os.getpid() == self._owner_pid:
                self._remove(identity)
        finally:  # not before: the keeper would end then, and dockerd begin to remove the container by itself
            if channel is not None:
                channel.close()

    def _remove(self, identity: str) -> None:
        import docker.errors

        try:
            reach()
            try:
                self.client.api.remove_container(identity, force=True, v=True)
            except docker.errors.APIError as error:
                if error.status_code != _CONFLICT:
                    raise
                self.client.api.wait(identity, timeout=int(GRACE_S), condition="removed")  # dockerd had begun by itself
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            raise InfraError(f"the docker daemon could not remove {identity[:12]}: {error}") from error
        except (docker.errors.DockerException, OSError):  # without its daemon: the next one ends it when it starts
            return

    def interrupt(self) -> None:
        """End what runs, from another thread and without waiting for it."""
        with contextlib.suppress(OSError, AttributeError):
            if self._channel is not None:
                self._channel.shut()

    def _start(self, image: Provided, limits: Limits) -> None:
        with told():
            api = self.client.api
            kind = "terminal" if self._is_terminal else "programs"
            created = api.create_container(
                image.id,
                [*image.python, "-s", "-c", bootstrap("palestra.sandbox.docker.keeper"), KEEPER_DIR, kind],
                user=f"{ROOT_ID}:{ROOT_ID}" if self._is_terminal else f"{AGENT_ID}:{AGENT_ID}",
                environment=program_environment(PYTHON, "/tmp"),
                working_dir="/",
                hostname="sandbox",
                stdin_open=True,
                stop_signal="SIGKILL",  # a daemon that starts again ends it, and would wait ten seconds for others
                network_disabled=True,
                labels={LABEL: owner_label()},
                host_config=self._host_config(limits),
            )
            self.id = str(created["Id"])
            streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            self._channel = Channel(raw_socket(api.attach_socket(self.id, params=streams)))
            api.start(self.id)
        with self._exchange() as channel:
            channel.allow(_START_S)
            for _ in wire.receive_data(channel.read, 0):
                pass
            self._base_bytes = int(wire.receive_message(channel.read)["held_bytes"])

    def _host_config(self, limits: Limits) -> dict[str, Any]:
        from docker.types import LogConfig, Ulimit

        size = f"size={limits.disk_bytes},nr_inodes={max(256, limits.disk_bytes // 4096)},nosuid,nodev,exec"
        owner = ROOT_ID if self._is_terminal else AGENT_ID
        own = f"{size},uid={owner},gid={owner}"
        return self.client.api.create_host_config(
            network_mode="none",
            ipc_mode="private",
            auto_remove=True,
            cap_drop=["ALL"],
            cap_add=_TERMINAL_CAPABILITIES if self._is_terminal else [],
            security_opt=["no-new-privileges", f"seccomp={build_profile(machine())}"],
            read_only=not self._is_terminal,
            tmpfs={WORKSPACE: f"{own},mode=755", "/tmp": f"{own},mode=1777"},
            mem_limit=self._set["Memory"],
            memswap_limit=self._set["MemorySwap"],
            pids_limit=self._set["PidsLimit"],
            nano_cpus=1_000_000_000,  # one processor, as a native slot has
            shm_size=_SHARED_MEMORY_BYTES,
            ulimits=[Ulimit(name="nofile", soft=_OPEN_FILES, hard=_OPEN_FILES), Ulimit(name="core", soft=0, hard=0)],
            log_config=LogConfig(type=LogConfig.types.NONE),
        )

    def _numbers(self, limits: Limits, extra_bytes: int) -> dict[str, int]:
        """Return the limits as dockerd takes them; what the keeper and the files hold is added to the programs'."""
        held = self._base_bytes + extra_bytes
        memory = limits.memory_bytes + -(-held // _ROOM_STEP) * _ROOM_STEP
        beside = (
            _KEEPER_PROCESSES + (_WARDENS if self._is_terminal else 0) + (_SHELL_PROCESSES if self.has_shell else 0)
        )
        return {"Memory": memory, "MemorySwap": memory, "PidsLimit": limits.processes + beside}

    @contextlib.contextmanager
    def _exchange(self) -> Iterator[Channel]:
        """Hold the container for one question and its answer; whatever comes between them ends it."""
        if os.getpid() != self._owner_pid:
            raise InfraError("this sandbox belongs to the process that this one was forked from; create another here")
        if not self._lock.acquire(blocking=False):
            raise InfraError("this sandbox is busy for another thread; use one sandbox a thread")
        try:
            channel = self._channel
            if channel is None:
                raise InfraError("the sandbox has died or was closed; create another")
            try:
                yield channel
            except InfraError:
                raise
            except (EOFError, OSError, ValueError, KeyError) as error:
                complaint = channel.complaint.decode(errors="replace").strip()
                self._end_quietly()
                raise InfraError(f"the sandbox died: {error}. {complaint}".strip() + f"; {advice(error)}") from error
            except BaseException:
                self._end_quietly()
                raise
        finally:
            self._lock.release()

    def _end_quietly(self) -> None:
        with contextlib.suppress(InfraError):
            self.end()


def raw_socket(stream: Any) -> socket.socket:
    """Return the socket below what the SDK hands out for a stream in both directions, which is closed itself.

    Raises:
        PermanentInfraError: the daemon is reached over something that has none.
    """
    found = getattr(stream, "_sock", stream)
    if not isinstance(found, socket.socket):
        raise PermanentInfraError(
            f"the docker backend needs a daemon behind a UNIX or TCP socket; DOCKER_HOST is reached by {type(found)}"
        )
    own = found.dup()
    with contextlib.closing(found), contextlib.closing(stream), contextlib.closing(stream._response):
        return own


def owner_label() -> str:
    """Return what tells this process from every other on this machine, before and after a restart of it."""
    with open("/proc/self/stat") as file:
        started = file.read().rpartition(")")[2].split()[19]
    with open("/proc/sys/kernel/random/boot_id") as file:
        return f"{file.read().strip()}/{os.getpid()}/{started}"


def sweep(client: "DockerClient") -> None:
    """Remove the containers and snapshots of processes of this machine that ended without doing so."""
    import docker.errors

    with told():
        containers = client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)
        for container in containers:
            if is_orphaned(container.labels[LABEL]):
                with contextlib.suppress(docker.errors.APIError):  # somebody else removes it
                    container.remove(force=True, v=True)
        for image in client.images.list(filters={"label": LABEL}):
            if is_orphaned(image.labels[LABEL]):
                with contextlib.suppress(docker.errors.APIError):
                    client.images.remove(str(image.id), force=True)


def is_orphaned(label: str) -> bool:
    """Return whether the process that `owner_label` was called in ran on this machine, and has ended."""
    boot, _, rest = label.partition("/")
    pid, _, started = rest.partition("/")
    own = owner_label()
    if not (pid.isdecimal() and started.isdecimal() and own.startswith(f"{boot}/")):
        return False  # of another machine with the same daemon, or from before a restart, which ended all containers
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[19] != started
    except OSError:
        return True
