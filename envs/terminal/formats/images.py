"""Images of tasks whose Dockerfiles ask for more than files and commands on a usual base: a docker daemon builds them.

The image is named by what it is built from. It is built when the task is read, and again when the task is played where
it is not there.
"""

import hashlib
import os
import posixpath
import re
from typing import Final

from palestra.envs.base import Task, TaskError, canonical_json
from palestra.envs.terminal.formats.package import Package
from palestra.envs.terminal.tree import File, Tree
from palestra.sandbox.base import InfraError
from palestra.sandbox.docker.building import HELD, DockerfileError, build_dockerfile
from palestra.sandbox.images import Image, list_images

PREFIX: Final = "task-"  # of the names
_DIGITS: Final = 16
_WITHIN_S: Final = 600.0
_MOST_S: Final = 3600.0
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][\w./:@-]{0,300}")


def image_of(package: Package, where: str) -> Image:
    """Return the image in which a task is played, built now if it is not there.

    Args:
        package: the task.
        where: its folder's name for messages.

    Raises:
        TaskError: Docker is missing, or the image cannot be built or used; the message says why.
    """
    context = _context(package, where)
    within_s = min(float(package.settings.get("environment", {}).get("build_timeout_sec", _WITHIN_S)), _MOST_S)
    try:
        image = build_dockerfile(_name(context), context.to_tar(), within_s=within_s)
    except (DockerfileError, InfraError) as error:
        raise TaskError(f"{where}/environment/Dockerfile: {error}") from error
    if not any(os.path.lexists(image.root / place) for place in ("bin/bash", "usr/bin/bash")):
        raise TaskError(f"{where}/environment/Dockerfile: its image has no bash, for which solutions and tests are")
    return image


def provide(task: Task, name: str) -> None:
    """Build the image of a task where it is not there.

    Raises:
        TaskError: as `image_of`, or the image is none of this task's.
    """
    if any(image.name == name for image in list_images()):
        return
    try:
        package = Package.from_json(task.hidden["package"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TaskError(f"{task.id!r} has image {name!r}, and not what it is built from: {error!r}") from error
    if (own := _name(_context(package, task.id))) != name:
        raise TaskError(f"{task.id!r} has image {name!r}, and what would be built is {own!r}")
    image_of(package, task.id)


def setup_of(image: Image) -> str:
    """Return the script that brings to light what an image has in folders that are mounted in every machine."""
    return f"cp -a {HELD}/. / && rm -rf {posixpath.dirname(HELD)}\n" if (image.root / HELD[1:]).is_dir() else ""


def _context(package: Package, where: str) -> Tree:
    """Return what is built: the task's folder, or a Dockerfile for the image that it names."""
    if "/Dockerfile" in package.environment:
        return package.environment
    named = str(package.settings.get("environment", {}).get("docker_image", ""))
    if not _REFERENCE.fullmatch(named):
        raise TaskError(f"{where}/task.toml: environment.docker_image: {named!r:.80} is no name of an image")
    return Tree({"/Dockerfile": File(f"FROM {named}\n".encode())})


def _name(context: Tree) -> str:
    return PREFIX + hashlib.sha256(canonical_json(context.to_json()).encode()).hexdigest()[:_DIGITS]
