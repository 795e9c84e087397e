"""The interpreter of a keeper: the image's own where we built it, else one that is brought along.

What is brought along is Debian's, of the image "base", with the libraries that it needs and started by its own
loader: so it runs in any image of the same processor, whatever C library that has, or none.
"""

import io
import os
import tarfile
from pathlib import Path
from typing import Final

from palestra.sandbox.base import PermanentInfraError
from palestra.sandbox.images import Image, find_image

PYTHON: Final = "/usr/bin/python3"
KEEPER_DIR: Final = "/usr/lib/palestra-keeper"
BROUGHT_DIR: Final = f"{KEEPER_DIR}/bin"  # a folder for the end of a PATH: python3 is in it where it was brought along
_HOME: Final = f"{KEEPER_DIR}/python"
_SOURCE: Final = "base"  # the image that it is taken from
_LIBRARIES: Final = ("ld-linux", "libbz2.", "libc.", "libcrypto.", "libexpat.", "libffi.", "liblzma.", "libm.")
_MORE: Final = ("libsqlite3.", "libssl.", "libuuid.", "libz.")
_WITHOUT: Final = ("__pycache__", "test", "idlelib", "tkinter", "lib2to3", "ensurepip", "pydoc_data")


def has_own(image: Image) -> bool:
    """Tell whether a keeper can run by the image's own interpreter; that of somebody else's image is never used.

    Raises:
        PermanentInfraError: the image is of our building, and has none.
    """
    if image.is_foreign:
        return False
    own = image.root / PYTHON[1:]
    if not own.is_symlink() and not own.is_file():
        raise PermanentInfraError(
            f"image {image.name!r} has no {PYTHON}, which serves a container from inside; "
            "add python3 to the packages of its recipe, or use backend='native'"
        )
    return True


def words(image: Image) -> list[str]:
    """Return the words that start the interpreter in a container of an image.

    Raises:
        ImageNotBuiltError: the image that it is taken from is not built.
        PermanentInfraError: there is none.
    """
    if has_own(image):
        return [PYTHON]
    binary, libraries, _ = _parts()
    loader = next(path.name for path in libraries if path.name.startswith("ld-linux"))
    return [f"{_HOME}/lib/{loader}", "--library-path", f"{_HOME}/lib", f"{_HOME}/bin/{binary.name}"]


def pack(archive: tarfile.TarFile, image: Image) -> None:
    """Put the interpreter into an archive, where one must be brought along; raises as `words`."""
    if has_own(image):
        return
    binary, libraries, modules = _parts()
    start = " ".join(words(image))
    _add(archive, f"{BROUGHT_DIR}/python3", f'#!/bin/sh\nexec {start} "$@"\n'.encode())
    _add(archive, f"{_HOME}/bin/{binary.name}", binary.read_bytes())
    for path in libraries:
        _add(archive, f"{_HOME}/lib/{path.name}", path.read_bytes())
    for folder, inner, names in os.walk(modules):
        inner[:] = sorted(set(inner) - set(_WITHOUT))
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file():
                _add(archive, f"{_HOME}/lib/{modules.name}/{path.relative_to(modules)}", path.read_bytes())


def _parts() -> tuple[Path, list[Path], Path]:
    """Return the program, the libraries and the modules of the interpreter that is brought along."""
    root = find_image(_SOURCE).root
    binary = (root / PYTHON[1:]).resolve()
    libraries = sorted(path for path in root.glob("usr/lib/*-linux-gnu/*") if path.name.startswith(_LIBRARIES + _MORE))
    modules = root / "usr/lib" / binary.name
    if not binary.is_relative_to(root) or not modules.is_dir() or not libraries:
        raise PermanentInfraError(f"image {_SOURCE!r} has no interpreter to bring along; build it again")
    return binary, libraries, modules


def _add(archive: tarfile.TarFile, path: str, content: bytes) -> None:
    member = tarfile.TarInfo(path.strip("/"))
    member.size, member.mode = len(content), 0o755 if "/bin/" in path or "/ld-linux" in path else 0o644
    archive.addfile(member, io.BytesIO(content))
