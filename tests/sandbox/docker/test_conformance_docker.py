"""The docker backend keeps what every sandbox promises."""

import contextlib
from contextlib import closing

import pytest

from palestra.sandbox.base import Backend, InfraError, Sandbox
from palestra.sandbox.conformance import SandboxConformance, TerminalConformance
from palestra.sandbox.conformance.case import Case
from palestra.sandbox.docker.backend import DockerBackend
from palestra.sandbox.docker.client import connect
from palestra.sandbox.docker.container import LABEL, owner_label
from palestra.sandbox.docker.sandbox import DockerSandbox


class DockerCase(Case):
    """How to make the backend, and what it would leave."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def daemon(cls, docker_daemon: str) -> None:
        """Have a daemon before the backend is made."""

    def make_backend(self) -> Backend:
        return DockerBackend()

    def leftovers(self) -> set[str]:
        with closing(connect()) as client:
            label = f"{LABEL}={owner_label()}"
            containers = client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
            found = {f"container {container.id}" for container in containers}
            found |= {f"image {image.id}" for image in client.images.list(all=True)}
        # The client keeps a few connections to dockerd.
        return found | {name for name in super().leftovers() if not name.startswith("descriptor")}

    def processes_of(self, sandbox: Sandbox, before: set[int]) -> list[int]:
        assert isinstance(sandbox, DockerSandbox)
        with closing(connect()) as client, contextlib.suppress(InfraError):
            return [int(client.api.inspect_container(sandbox._container.id)["State"]["Pid"])]
        return []


class TestDocker(DockerCase, SandboxConformance):
    pass


class TestDockerTerminal(DockerCase, TerminalConformance):
    deep = 12  # nothing is piled up: every snapshot is whole
