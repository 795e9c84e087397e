"""The docker backend."""

import atexit
import os
import sys
import threading
import weakref
from typing import TYPE_CHECKING

from palestra.sandbox.base import Capabilities, CapabilityError, PermanentInfraError, Spec
from palestra.sandbox.canary import examine
from palestra.sandbox.docker.client import connect
from palestra.sandbox.docker.container import sweep
from palestra.sandbox.docker.images import DEFAULT
from palestra.sandbox.docker.sandbox import DockerSandbox
from palestra.sandbox.docker.terminal import DockerTerminalSandbox
from palestra.sandbox.limits import check_spec

if TYPE_CHECKING:
    from docker import DockerClient


class DockerBackend:
    """A warm container a sandbox, of images that are built on this machine. Thread-safe.

    A program costs a few milliseconds, since a keeper inside the container starts it: dockerd takes part in
    starting and ending containers only. `Spec.image` "" means the image "base".

    What it does not stop: programs share a kernel with the host, so a hole in the kernel is a hole in the
    sandbox. Programs of one sandbox have one /dev/shm and one user, one after another; all of that is
    emptied between them. Whoever may speak to the daemon is root on the host, palestra's process included.
    """

    name = "docker"

    def __init__(self, proven: Capabilities | None = None) -> None:
        """Reach the daemon, and remove what processes that were killed have left there.

        Args:
            proven: what `probe` returned in another process with this daemon, not to run it again.

        Raises:
            InfraError: the daemon does not answer.
            PermanentInfraError: this is not Linux, or the docker package is not installed.
        """
        if sys.platform != "linux":
            raise PermanentInfraError(f"the docker backend needs Linux; this is {sys.platform}")
        self._lock = threading.RLock()  # the canary makes sandboxes while it is held
        self._capabilities = proven
        self._client: DockerClient | None = connect()
        self._open: weakref.WeakSet[DockerSandbox] = weakref.WeakSet()
        sweep(self._client)
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._forget)

    def probe(self) -> Capabilities:
        """Run the canary (once; cached) and return what is really enforced by this daemon.

        Raises:
            InfraError: no sandbox could be started.
        """
        with self._lock:
            if self._capabilities is None:
                self._capabilities = examine(self.create_unproven, terminal=True, image=DEFAULT)
            return self._capabilities

    def create(self, spec: Spec) -> DockerSandbox:
        """Return a sandbox that holds to the spec, with an empty workspace.

        Raises:
            CapabilityError: a need of the spec was not proven by the canary.
            ImageNotBuiltError: the image was not built on this machine.
            InfraError: no sandbox could be started.
            ValueError: a limit or a need makes no sense.
        """
        check_spec(self.name, spec, self.probe())
        if spec.preload:
            raise CapabilityError(
                f"the docker backend cannot preload {', '.join(spec.preload)}: its containers have an interpreter of "
                "their own; put the packages into an image (`palestra image build`), or use backend='native'"
            )
        return self.create_unproven(spec)

    def create_unproven(self, spec: Spec) -> DockerSandbox:
        """Return a sandbox without asking what was proven, which the canary needs before anything is.

        Raises:
            InfraError: no sandbox could be started.
        """
        with self._lock:
            if self._client is None:
                self._client = connect()
            client, capabilities = self._client, self._capabilities or Capabilities()
        kind = DockerTerminalSandbox if spec.terminal else DockerSandbox
        made = kind(client, spec, capabilities, self.create_unproven)
        self._open.add(made)
        return made

    def close(self) -> None:
        """End every container."""
        for sandbox in list(self._open):
            sandbox.close()
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _forget(self) -> None:
        self._lock = threading.RLock()
        self._client = None  # its connections are the parent's
        self._open = weakref.WeakSet()
