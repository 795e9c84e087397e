"""A docker daemon, the image of terminals in it, and an image that Dockerfiles can begin with."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.cli.conftest import run
from tests.sandbox.conftest import docker_daemon

from palestra.sandbox.docker.client import connect
from palestra.sandbox.docker.images import provide
from palestra.sandbox.images import list_images
from palestra.sandbox.images.build import build_image
from palestra.sandbox.images.recipe import find_recipe
from palestra.sandbox.images.store import remove_image

__all__ = ["docker_daemon", "run"]

BASE = "palestra.test/alma:9"  # stands for an image of a registry, of which there is none here
USUAL = "debian:palestra-test"  # likewise, and its name is that of a usual base


@pytest.fixture(scope="session")
def terminals(docker_daemon: str) -> str:
    """The address of a daemon, when the image of terminals is built."""
    build_image(find_recipe("terminal"))
    return docker_daemon


@pytest.fixture(scope="session")
def base(docker_daemon: str) -> Iterator[str]:
    """An image in the daemon's store; what is built of it for tasks is removed at the end."""
    before = {image.name for image in list_images()}
    with closing(connect()) as client:
        for name in (BASE, USUAL):
            client.images.get(provide(client, "").id).tag(name)
        yield BASE
        for name in (BASE, USUAL):
            client.images.remove(name, force=True)
    for image in list_images():
        if image.is_foreign and image.name not in before:
            remove_image(image)
