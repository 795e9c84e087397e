"""The docker backend keeps what every sandbox promises."""

import contextlib
from collections.abc import Iterator
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
            containers = client.api.containers(all=True, filters={"label": label})
            found = {f"container {container['Id']}" for container in containers}
            found |= {f"image {image['Id']}" for image in client.api.images(all=True)}
        return found | super().leftovers()

    def processes_of(self, sandbox: Sandbox, before: set[int]) -> list[int]:
        assert isinstance(sandbox, DockerSandbox)
        with closing(connect()) as client, contextlib.suppress(InfraError):
            return [int(client.api.inspect_container(sandbox._container.id)["State"]["Pid"])]
        return []


class TestDocker(DockerCase, SandboxConformance):
    """What needs one sandbox and no more gets the one before it, emptied: that must be as good as a new one."""

    @pytest.fixture(scope="class")
    @classmethod
    def kept(cls, backend: Backend) -> Iterator[list[DockerSandbox]]:
        """The sandbox of the test before, if there was one."""
        kept: list[DockerSandbox] = []
        yield kept
        for sandbox in kept:
            sandbox.close()

    @pytest.fixture
    def sandbox(self, backend: Backend, kept: list[DockerSandbox]) -> Sandbox:
        """A sandbox that is as new; a new one if the one before was closed or has died."""
        try:
            kept[0].reset()
        except (IndexError, ValueError, InfraError):
            for closed_or_dead in kept:
                closed_or_dead.close()
            made = backend.create(self.spec)
            assert isinstance(made, DockerSandbox)
            kept[:] = [made]
        return kept[0]


@pytest.mark.slow
class TestDockerTerminal(DockerCase, TerminalConformance):
    deep = 12  # nothing is piled up: every snapshot is whole
