"""The way to the docker daemon, and what is said when there is none."""

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

from palestra.sandbox.base import InfraError, PermanentInfraError

if TYPE_CHECKING:
    from docker import DockerClient

_TIMEOUT_S = 60
_OLDEST_API, _USUAL_PLACE = "1.24", "unix:///var/run/docker.sock"


def connect() -> "DockerClient":
    """Return a client of the daemon that DOCKER_HOST or docker's own default names.

    Raises:
        InfraError: the daemon does not answer.
        PermanentInfraError: the docker package is not installed.
    """
    try:
        import docker
    except ModuleNotFoundError as error:
        raise PermanentInfraError(
            "the docker backend needs the Python package docker; install it with: pip install 'palestra[docker]'"
        ) from error
    with told():
        reach()
    # Asked apart, since a client that cannot be made leaves its connection open.
    with told(), contextlib.closing(docker.from_env(timeout=_TIMEOUT_S, version=_OLDEST_API)) as asker:
        spoken = str(asker.version(api_version=False)["ApiVersion"])
    client = docker.from_env(timeout=_TIMEOUT_S, version=spoken)
    client.api.headers["Connection"] = "close"  # else one stays open for each of the last 25 addresses asked
    return client


def reach() -> None:
    """Raise OSError if nobody listens, before the SDK tries, which leaves its socket open then."""
    host = os.environ.get("DOCKER_HOST") or _USUAL_PLACE
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.connect(host.removeprefix("unix://"))


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Raise what the daemon or the way to it refuses as an InfraError that says what to do."""
    import docker.errors
    import requests

    try:
        yield
    except docker.errors.APIError as error:
        raise InfraError(f"the docker daemon refused: {error.explanation or error}; create another sandbox") from error
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        place = os.environ.get("DOCKER_HOST") or _USUAL_PLACE
        raise InfraError(
            f"the docker daemon at {place} does not answer: {error}; start it (`systemctl start docker`, or `dockerd` "
            "as root) or set DOCKER_HOST, then create another sandbox"
        ) from error
