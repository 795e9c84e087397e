"""``palestra init``: write a small package with one environment, to build a family of one's own from."""

import keyword
import sys
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from palestra.cli.app import command
from palestra.cli.output import console
from palestra.envs.base import TaskError

NAME = "my_env"  # what the package is called in the files that are copied
SUFFIX = ".in"  # of these files, which are no code of palestra


@command("init")
def init_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the package, such as my_env.")],
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="FOLDER", help="Where to write it; ./NAME when not given.")
    ] = None,
) -> None:
    """Write a package with one small environment.

    It has tasks, an oracle, a verifier, attacks and tests, and passes the check as it is. Nothing is overwritten.
    """
    package = _package(name)
    target = folder or Path(name)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise TaskError(f"{str(target)!r} is there already; choose another name, or another --dir")
    try:
        for place, text in _rendered(package):
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            (target / place).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise TaskError(f"cannot write {str(target)!r}: {error.strerror or error}") from error
    out = console()
    out.print(f"{target}: a package with the environment {package}/Ledger-v0. Go on with:")
    out.print(f"    pip install -e {target}\n    palestra check {package}/Ledger-v0 --level full")


def _package(name: str) -> str:
    package = name.replace("-", "_")
    taken = {*sys.stdlib_module_names, "palestra", "tests", "gymnasium", "numpy"}
    if not (package.isascii() and package.isidentifier() and package == package.lower() and package.strip("_")):
        raise TaskError(f"a package's name is lower-case letters, digits and _, unlike {name!r}")
    if keyword.iskeyword(package) or package in taken:
        raise TaskError(f"{name!r} is Python's own or another package's name; choose another")
    return package


def _rendered(package: str) -> Iterator[tuple[Path, str]]:
    """Yield each file's place and text, the package being called by its name."""
    for place, file in _templates(files("palestra.envs").joinpath("scaffold"), Path()):
        yield (
            Path(str(place).removesuffix(SUFFIX).replace(NAME, package)),
            file.read_text("utf-8").replace(NAME, package),
        )


def _templates(folder: Traversable, place: Path) -> Iterator[tuple[Path, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _templates(entry, place / entry.name)
        elif entry.name.endswith(SUFFIX):
            yield place / entry.name, entry
