"""Built images: plain folders in a cache, each found by its name and its recipe's digest.

    <cache>/images/<name>-<recipe digest>/root         the root file system
    <cache>/images/<name>-<recipe digest>/image.json   what it is made of

A folder of that form is whole: it is built under another name and renamed. Names that begin with a dot
are being built or removed.
"""

import contextlib
import difflib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from palestra.sandbox.base import PermanentInfraError
from palestra.sandbox.images.recipe import Recipe, UnknownImageError, find_recipe, known_recipes

_DIGITS = 16  # of the digest, in a folder's name
_LOCK = "lock"


class ImageNotBuiltError(PermanentInfraError):
    """The image has a recipe and was not built on this machine; the message says how to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A built image. Its files have the owners they have inside, where it was built by root."""

    name: str
    folder: Path
    recipe_digest: str
    digest: str  # of the content: names, kinds, permissions, owners and bytes; not of times
    size_bytes: int
    built_at: str  # ISO 8601, UTC
    packages: tuple[str, ...]  # "name=version" of everything installed
    is_foreign: bool = False  # built by somebody's Dockerfile: nothing in it is ours
    env: Mapping[str, str] = field(default_factory=dict, hash=False)  # what its Dockerfile sets
    workdir: str = "/"

    @property
    def root(self) -> Path:
        """The root file system, shared by every sandbox made of it: nobody may write to it.

        /dev, /proc, /sys, /tmp, /run, /root and /workspace are folders in it, and user 1000 is ``agent``.
        """
        return self.folder / "root"

    @property
    def is_current(self) -> bool:
        """Whether palestra's recipe of this name, if it has one, is still the one that it was built by."""
        return self.name not in known_recipes() or find_recipe(self.name).digest == self.recipe_digest


def image_folder(name: str) -> Path:
    """Return the root file system of a built image; nobody may write to it.

    Raises:
        ImageNotBuiltError: it was not built here yet; the message has the command.
        UnknownImageError: neither an image nor a recipe has this name; the message names the nearest.
    """
    return find_image(name).root


def find_image(name: str) -> Image:
    """Return the built image of a name: by palestra's recipe of the name or, for others, the last built.

    Raises:
        ImageNotBuiltError: it was not built here yet; the message has the command.
        UnknownImageError: neither an image nor a recipe has this name.
    """
    built = [image for image in list_images() if image.name == name and image.is_current]
    if built:
        return max(built, key=lambda image: image.built_at)
    if name not in known_recipes():
        raise UnknownImageError(
            f"image {name!r} is not known here; {_nearest(name)}; "
            f"build one of your own with `palestra image build path/to/{name}.toml`"
        )
    raise ImageNotBuiltError(f"image {name!r} is not built on this machine; run: palestra image build {name}")


def _nearest(name: str) -> str:
    """Return the name that was probably meant, and how to build it; else every known one."""
    built = {image.name for image in list_images() if image.is_current}
    known = list(dict.fromkeys([*known_recipes(), *sorted(built)]))
    near = difflib.get_close_matches(name, known, n=1)
    if not near:
        return f"known: {', '.join(known)}"
    how = "it is built" if near[0] in built else f"build it with `palestra image build {near[0]}`"
    return f"did you mean {near[0]!r}? {how}"


def list_images() -> list[Image]:
    """Return every built image, by name, the oldest of a name first."""
    found = []
    for file in images_dir().glob("[!.]*/image.json"):
        with contextlib.suppress(FileNotFoundError):  # removed just now
            fields = json.loads(file.read_text(encoding="utf-8"))
            found.append(Image(**{**fields, "packages": tuple(fields["packages"])}, folder=file.parent))
    return sorted(found, key=lambda image: (image.name, image.built_at))


def remove_image(image: Image) -> None:
    """Remove a built image. Sandboxes that still use it lose their files: close them first."""
    with _alone():
        doomed = Path(tempfile.mkdtemp(dir=image.folder.parent, prefix=".removing-"))
        with contextlib.suppress(FileNotFoundError):
            image.folder.rename(doomed / "image")
    shutil.rmtree(doomed, ignore_errors=True)  # who builds next removes what is left


def images_dir() -> Path:
    """Return where images are kept: in ``$PALESTRA_CACHE``, else below ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    cache = os.environ.get("PALESTRA_CACHE")
    home = Path(cache) if cache else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "palestra"
    return home / "images"


def folder_of(recipe: Recipe) -> Path:
    """Return where a recipe's image goes."""
    return images_dir() / f"{recipe.name}-{recipe.digest[:_DIGITS]}"


@contextmanager
def staging() -> Iterator[Path]:
    """Give a new folder beside the images, removed afterwards; what a killed build left is removed first."""
    images_dir().mkdir(parents=True, exist_ok=True)
    with _alone():
        _remove_abandoned()
        folder = Path(tempfile.mkdtemp(dir=images_dir(), prefix=".building-"))
        lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)  # who finds it free knows that we are dead
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def publish(image: Image, staged: Path) -> Image:
    """Put what was built in place, in one step, and return it; another process may have been faster."""
    fields = {key: value for key, value in asdict(image).items() if key != "folder"}
    (staged / "image.json").write_text(json.dumps(fields, indent=1), encoding="utf-8")
    with contextlib.suppress(OSError):  # there is one already
        staged.rename(image.folder)
    if not (image.folder / "image.json").is_file():
        raise PermanentInfraError(f"the image cannot be put in place: {str(image.folder)!r} is in the way; remove it")
    return image


@contextmanager
def _alone() -> Iterator[None]:
    """Hold what only one process at a time may: a folder without its lock is then nobody's."""
    place = os.open(images_dir(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def _remove_abandoned() -> None:
    """Remove what is being built or removed by nobody any more."""
    for folder in images_dir().glob(".*-*"):
        with contextlib.ExitStack() as held:
            with contextlib.suppress(OSError):  # there is none: killed before it was made, or being removed
                lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
                held.callback(os.close, lock)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:  # its builder lives
                    continue
            shutil.rmtree(folder, ignore_errors=True)
