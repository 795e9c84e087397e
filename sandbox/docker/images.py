"""Images in the daemon's store: a built root file system, and in a layer above it what keepers are made of."""

import contextlib
import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import palestra.sandbox
from palestra.sandbox.base import PermanentInfraError
from palestra.sandbox.docker import python
from palestra.sandbox.docker.client import told
from palestra.sandbox.images import Image, find_image

if TYPE_CHECKING:
    from docker import DockerClient

DEFAULT = "base"  # what `Spec.image` "" means here: a container cannot show the host's own /usr
_REPOSITORY = "palestra-sandbox"
_DIGITS = 16
_KEEPER = (
    *("__init__", "archive", "base", "capture", "copyout", "limits", "outcome", "sealed", "wire", "workspace"),
    *("docker/__init__", "docker/changes", "docker/keeper", "docker/machine"),
    *("native/__init__", "native/execution", "native/interpreter", "native/linux", "native/plan"),
    *("native/syscalls", "native/terminal/__init__", "native/terminal/files"),
)


@dataclass(frozen=True, slots=True)
class Provided:
    """An image in the daemon's store."""

    id: str
    python: list[str]  # the words that start a keeper's interpreter


def provide(client: "DockerClient", name: str) -> Provided:
    """Return an image in the daemon's store, put there if need be (some seconds, once for an image).

    Raises:
        ImageNotBuiltError: the image is not built on this machine.
        UnknownImageError: there is no such image.
        PermanentInfraError: the image holds no Python, which the keeper needs.
        InfraError: the daemon does not answer or has no room.
    """
    image = find_image(name or DEFAULT)
    words, code = python.words(image), _code()
    plain = f"{image.name}-{image.digest[:_DIGITS]}"
    ready = f"{plain}-{hashlib.sha256(code).hexdigest()[:_DIGITS]}"
    with told():
        if found := _find(client, ready):
            return Provided(found, words)
        if not _find(client, plain):
            _import_tree(client, image, plain)
        _add_code(client, plain, ready, _packed(_members(), image))
        _forget_older(client, plain, ready)
        return Provided(_find(client, ready), words)


def forget(client: "DockerClient", name: str) -> int:
    """Remove an image's copies from the daemon's store; return how many there were."""
    with told():
        doomed = [tag for tag in _tags(client) if tag.startswith(f"{_REPOSITORY}:{name}-")]
        for tag in doomed:
            client.images.remove(tag, force=True)
    return len(doomed)


def _find(client: "DockerClient", tag: str) -> str:
    found = client.api.images(f"{_REPOSITORY}:{tag}")
    return str(found[0]["Id"]) if found else ""


def _tags(client: "DockerClient") -> list[str]:
    """Return the tags of this module's images, asked for at once: one of them may be removed meanwhile."""
    return [str(tag) for image in client.api.images(_REPOSITORY) for tag in image["RepoTags"] or ()]


def _import_tree(client: "DockerClient", image: Image, tag: str) -> None:
    owners = [] if os.geteuid() == 0 else ["--owner=0", "--group=0"]  # who built it owns it all
    command = ["tar", "--create", "--numeric-owner", *owners, f"--directory={image.root}", "."]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as archive:
        client.api.import_image(src=archive.stdout, repository=_REPOSITORY, tag=tag)
    if archive.returncode:
        client.images.remove(f"{_REPOSITORY}:{tag}", force=True)
        raise PermanentInfraError(f"the files of image {image.name!r} cannot all be read; build it again")


def _add_code(client: "DockerClient", plain: str, ready: str, code: bytes) -> None:
    container = client.containers.create(f"{_REPOSITORY}:{plain}", ["/usr/bin/python3"], network_mode="none")
    try:
        container.put_archive("/", code)
        container.commit(_REPOSITORY, ready)
    finally:
        container.remove(force=True)


def _forget_older(client: "DockerClient", plain: str, ready: str) -> None:
    """Remove layers with keepers of other versions of palestra; those in use stay."""
    import docker.errors

    for tag in _tags(client):
        if tag.startswith(f"{_REPOSITORY}:{plain}-") and tag != f"{_REPOSITORY}:{ready}":
            with contextlib.suppress(docker.errors.APIError):  # a container uses it
                client.images.remove(tag)


def _code() -> bytes:
    """Return what a keeper imports as a tar archive, the same for the same code."""
    return _packed(_members())


def _packed(code: Iterable[tuple[str, bytes]], image: Image | None = None) -> bytes:
    """Return an archive of code and, for an image that has none of its own, an interpreter."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in code:
            member = tarfile.TarInfo(f"{python.KEEPER_DIR.strip('/')}/sandbox/{path}.py")
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
        if image is not None:
            python.pack(archive, image)
    return buffer.getvalue()


def _members() -> Iterator[tuple[str, bytes]]:
    folder = Path(palestra.sandbox.__file__).resolve().parent
    for path in _KEEPER:
        yield path, (folder / f"{path}.py").read_bytes()
