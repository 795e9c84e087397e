"""Languages by name: ours, a user's, and other packages'.

Ours are the YAML files beside this module. A user's are in the folders that ``$PALESTRA_LANGUAGES`` lists,
separated by colons; they may replace ours. Another package names, in the entry-point group
``palestra.languages``, a package of its own whose folder holds such files: nothing of it is run.
"""

import difflib
import importlib.util
import os
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final

from palestra.envs.code.languages.language import Language, LanguageError, load_language

ENTRY_POINT_GROUP: Final = "palestra.languages"
VARIABLE: Final = "PALESTRA_LANGUAGES"
_OURS: Final = Path(__file__).parent


class UnknownLanguageError(LookupError):
    """No language has this name; the message names the nearest."""


def language_files() -> dict[str, Path]:
    """Return the file of every language by its name, sorted; the files are not read.

    Raises:
        LanguageError: a folder is missing, or two of other packages have a language of the same name.
    """
    files = {file.stem: file for file in _OURS.glob("*.yaml")}
    owners: dict[str, EntryPoint] = {}
    for point, folder in _folders_of_packages():
        for file in folder.glob("*.yaml"):
            if file.stem in files:
                owner = f"the entry point {owners[file.stem].name!r}" if file.stem in owners else "palestra itself"
                raise LanguageError(f"{file}: the language {file.stem!r} is told of by {owner} already")
            files[file.stem], owners[file.stem] = file, point
    for place in filter(None, os.environ.get(VARIABLE, "").split(":")):
        if not Path(place).is_dir():
            raise LanguageError(f"{place}: ${VARIABLE} lists folders with YAML files, and this is none")
        files.update({file.stem: file for file in Path(place).glob("*.yaml")})
    return dict(sorted(files.items()))


def find_language(name: str) -> Language:
    """Return the language of a name.

    Raises:
        UnknownLanguageError: there is none.
        LanguageError: its file cannot be used.
    """
    files = language_files()
    if name not in files:
        near = difflib.get_close_matches(name, files, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(files)}"
        raise UnknownLanguageError(f"no language named {name!r}; {hint}")
    return load_language(files[name])


def _folders_of_packages() -> Iterator[tuple[EntryPoint, Path]]:
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            spec = importlib.util.find_spec(point.value)
        except (ImportError, ValueError) as error:
            raise LanguageError(f"the entry point {point.name!r} names no package: {error}") from error
        if spec is None or not spec.submodule_search_locations:
            raise LanguageError(f"the entry point {point.name!r} must name a package, not {point.value!r}")
        yield from ((point, Path(folder)) for folder in spec.submodule_search_locations)
