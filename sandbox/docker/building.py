"""Images of Dockerfiles: built by the daemon, taken out of it, and kept as every other image is.

A Dockerfile is a program of somebody else's. Its `RUN` lines are carried out by the daemon behind the daemon's own
walls, with the network that the daemon gives; what they leave is taken for data, and nothing in it is trusted.
"""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from palestra.sandbox.base import InfraError, PermanentInfraError
from palestra.sandbox.docker.client import connect, told
from palestra.sandbox.docker.container import LABEL, owner_label
from palestra.sandbox.images import Image, list_images, store
from palestra.sandbox.images.build import clear_privileges
from palestra.sandbox.images.tree import digest_tree

if TYPE_CHECKING:
    from docker import DockerClient

MOST_BYTES: Final = 8 << 30  # of an image's files
HELD: Final = "/.palestra/held"  # where that lies which belongs into a machine's folders of its own, as these
_MACHINES_OWN: Final = ("workspace", "tmp")  # mounted in every machine, so an image's own are not seen in it
_FOLDERS: Final = {"dev": 0o755, "proc": 0o755, "sys": 0o755, "run": 0o755, "etc": 0o755, "root": 0o700}
_WITHIN_S: Final = 600.0
LARGEST_FILE: Final = 4 << 30  # that a build may write
_REPOSITORY: Final = "palestra-task"
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_LINES, _CHARS = 4, 600  # of a build's output, told of one that failed


class DockerfileError(ValueError):
    """A Dockerfile could not be built, or not to what a machine can be made of; the message says why."""


@dataclass(frozen=True, slots=True)
class _Built:
    """What the daemon says of an image."""

    env: Mapping[str, str]
    workdir: str


def build_dockerfile(name: str, context: bytes, *, within_s: float = _WITHIN_S) -> Image:
    """Return the image of a Dockerfile, built now unless one of its name was built before.

    Args:
        name: of the image; equal contexts should have equal names.
        context: the folder of the Dockerfile as a tar archive.
        within_s: a build that takes longer is ended.

    Raises:
        DockerfileError: the build fails, or the image says what no sandbox does.
        InfraError: the daemon does not answer, or there is no room.
        PermanentInfraError: there is no program "docker", or no package of that name.
    """
    if done := [image for image in list_images() if image.name == name]:
        return done[-1]
    if not shutil.which("docker"):
        raise PermanentInfraError("a Dockerfile is built by the program docker, which is not installed here")
    tag = f"{_REPOSITORY}:{name}-{os.getpid()}-{threading.get_ident()}"  # nobody else removes it meanwhile
    with contextlib.closing(connect()) as client:
        try:
            _build(tag, context, within_s)
            with told():
                config: Mapping[str, Any] = client.images.get(tag).attrs.get("Config") or {}
            return _kept(client, tag, name, _checked(config))
        except OSError as error:
            raise InfraError(f"image {name!r} could not be kept: {error}; free some room") from error
        finally:
            _forget(client, tag)


def _build(tag: str, context: bytes, within_s: float) -> None:
    options = ["--force-rm", f"--ulimit=fsize={LARGEST_FILE}", f"--label={LABEL}={owner_label()}", f"--tag={tag}"]
    kept = {key: os.environ[key] for key in os.environ if key.startswith("DOCKER_") or key in ("PATH", "HOME")}
    with tempfile.TemporaryDirectory(prefix="palestra-build-", ignore_cleanup_errors=True) as folder:
        unpack = ["tar", "--extract", "--file=-", f"--directory={folder}", "--no-same-owner", "--same-permissions"]
        laid = subprocess.run(unpack, input=context, capture_output=True, check=False)
        if laid.returncode:
            raise DockerfileError(f"its folder cannot be laid out: {laid.stderr.decode(errors='replace')[-_CHARS:]}")
        try:
            done = subprocess.run(
                ["docker", "build", *options, folder],  # not as an archive, of which .dockerignore would not be read
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=within_s,
                env=kept | {"BUILDKIT_PROGRESS": "plain"},
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise DockerfileError(f"its build took more than {within_s:g} s") from late
    if done.returncode:
        shown = _COLOURS.sub("", done.stdout.decode(errors="replace"))
        lines = [line.strip() for line in shown.splitlines() if line.strip() and not line.startswith("Removing ")]
        raise DockerfileError(f"its build failed: {' / '.join(lines[-_LINES:])[-_CHARS:]}")


def _checked(config: Mapping[str, Any]) -> _Built:
    """Return what of an image's settings a sandbox keeps to; raises DockerfileError where it cannot."""
    if volumes := sorted(config.get("Volumes") or ()):
        raise DockerfileError(f"it has VOLUME {volumes[0]}, and what is in a volume is no part of an image")
    if (user := str(config.get("User") or "root")).split(":")[0] not in ("root", "0"):
        raise DockerfileError(f"it ends as USER {user}, and who works in a machine here is root")
    told: list[str] = list(config.get("Env") or ())
    env = {name: value for name, _, value in (each.partition("=") for each in told)}
    return _Built(env, str(config.get("WorkingDir") or "/"))


def _kept(client: "DockerClient", tag: str, name: str, built: _Built) -> Image:
    """Return the image as a folder among the others; the daemon's own copy is not needed afterwards."""
    with store.staging() as staged:
        (staged / "image").mkdir(mode=0o755)
        root = staged / "image" / "root"
        _unpack(client, tag, root)
        clear_privileges(root)
        _dress(root)
        digest, size_bytes = digest_tree(root)
        image = Image(
            name=name,
            folder=store.images_dir() / name,
            recipe_digest="",
            digest=digest,
            size_bytes=size_bytes,
            built_at=datetime.now(UTC).isoformat(timespec="microseconds"),
            packages=(),
            is_foreign=True,
            env=built.env,
            workdir=built.workdir,
        )
        return store.publish(image, staged / "image")


def _unpack(client: "DockerClient", tag: str, root: Path) -> None:
    """Unpack what the daemon has, without devices, into a folder that nobody else can get at."""
    root.mkdir(mode=0o755)
    owners = ["--numeric-owner", "--same-owner"] if os.geteuid() == 0 else ["--no-same-owner"]
    command = ["tar", "--extract", "--file=-", f"--directory={root}", "--same-permissions", *owners]
    with told():
        made = client.api.create_container(tag, ["/none"], entrypoint="", network_disabled=True)
        try:
            with subprocess.Popen(
                [*command, "--exclude=dev/*", "--anchored"], stdin=subprocess.PIPE, stderr=subprocess.PIPE
            ) as tar:
                said = _pour(client.api.export(made["Id"], chunk_size=1 << 20), tar)
        finally:
            client.api.remove_container(made["Id"], force=True, v=True)
    if tar.returncode:
        raise InfraError(f"the files of image {tag!r} cannot be unpacked: {said[-_CHARS:]}")


def _pour(chunks: Any, tar: "subprocess.Popen[bytes]") -> str:
    """Give an archive to a program that unpacks it; return what it complains about."""
    assert tar.stdin is not None  # both are pipes
    assert tar.stderr is not None
    total = 0
    try:
        for chunk in chunks:
            total += len(chunk)
            if total > MOST_BYTES:
                raise DockerfileError(f"its image has more than {MOST_BYTES >> 30} GiB of files")
            tar.stdin.write(chunk)
        tar.stdin.close()
    except BrokenPipeError:
        pass  # what it says is told
    except BaseException:
        tar.kill()
        raise
    return tar.stderr.read().decode(errors="replace").strip()


def _dress(root: Path) -> None:
    """Make what every machine expects, and put aside what its own folders would hide."""
    held = root / HELD[1:]
    for name in _MACHINES_OWN:
        place = root / name
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            place.unlink()
        if place.is_dir() and any(place.iterdir()):
            held.mkdir(parents=True, exist_ok=True)
            place.rename(held / name)
        place.mkdir(exist_ok=True)
        place.chmod(0o1777 if name == "tmp" else 0o755)
    for name, mode in _FOLDERS.items():
        place = root / name
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise DockerfileError(f"it has a /{name} that is no folder")
        if not place.exists():
            place.mkdir(mode=mode)


def _forget(client: "DockerClient", tag: str) -> None:
    """Remove the daemon's copy, if there is one."""
    import docker.errors

    with contextlib.suppress(docker.errors.APIError, OSError):
        client.images.remove(tag, force=True)
