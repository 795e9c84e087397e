"""What an image is made of: a short file that names Debian packages and a few files.

summary = "A shell and an editor"
extends = "base"
packages = ["vim-tiny"]
[files]
"/etc/motd" = "hello"
[links]
"/usr/local/bin/vi" = "/usr/bin/vim.tiny"
"""

import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from palestra.sandbox.base import PermanentInfraError

RECIPES = Path(__file__).with_name("recipes")
Variant = Literal["extract", "essential", "apt"]

_FORMAT = 1  # of a built image; a new one is built anew
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_SUITE = re.compile(r"[a-z][a-z-]*")


class RecipeError(ValueError):
    """A recipe cannot be read or asks for what makes no sense; the message names the file and the field."""


class UnknownImageError(PermanentInfraError, LookupError):
    """No image and no recipe has this name; the message lists those that there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One image's ingredients, what it extends already merged in."""

    name: str
    summary: str
    suite: str  # the Debian release
    variant: Variant  # "extract" unpacks the packages and runs nothing of them; the others start from Debian's essence
    packages: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)  # absolute path: text; executable if it begins with "#!"
    links: Mapping[str, str] = field(default_factory=dict)  # absolute path: what the link says

    @property
    def digest(self) -> str:
        """The sha256 of everything that decides the content, in hex; the summary does not."""
        parts = {**asdict(self), "packages": sorted(set(self.packages)), "format": _FORMAT}
        del parts["summary"]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def known_recipes() -> list[str]:
    """Return the names of the recipes that palestra comes with."""
    return sorted(file.stem for file in RECIPES.glob("*.toml"))


def find_recipe(name: str) -> Recipe:
    """Return one of palestra's own recipes.

    Raises:
        UnknownImageError: there is none of this name.
    """
    known = known_recipes()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}; or give the path of a .toml file"
        raise UnknownImageError(f"no recipe for an image named {name!r}; {hint}")
    return load_recipe(RECIPES / f"{name}.toml")


def load_recipe(file: Path) -> Recipe:
    """Return the recipe in a file; its name is the file's, without ``.toml``.

    Raises:
        RecipeError: it cannot be read, or a field makes no sense.
        UnknownImageError: it extends a recipe that palestra does not have.
    """
    try:
        fields = tomllib.loads(file.read_text(encoding="utf-8"))
        return _merge(file.stem, fields)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecipeError) as error:
        raise RecipeError(f"the recipe {str(file)!r} cannot be used: {error}") from error


def _merge(name: str, fields: dict[str, Any]) -> Recipe:
    kinds = {"summary": str, "extends": str, "suite": str, "variant": str, "packages": list, "files": dict}
    kinds["links"] = dict
    for key, value in fields.items():
        if key not in kinds:
            raise RecipeError(f"unknown field {key!r}; known: {', '.join(kinds)}")
        if not isinstance(value, kinds[key]):
            raise RecipeError(f"{key} must be a {kinds[key].__name__}, not {value!r}")
    base = find_recipe(fields["extends"]) if "extends" in fields else None
    recipe = Recipe(
        name=name,
        summary=fields.get("summary", ""),
        suite=fields.get("suite", base.suite if base else "bookworm"),
        variant=fields.get("variant", base.variant if base else "essential"),
        packages=(*(base.packages if base else ()), *fields.get("packages", ())),
        files={**(base.files if base else {}), **fields.get("files", {})},
        links={**(base.links if base else {}), **fields.get("links", {})},
    )
    _check(recipe)
    return recipe


def _check(recipe: Recipe) -> None:
    if not _NAME.fullmatch(recipe.name):
        raise RecipeError(f"the name must be of small letters, digits, '.', '_' and '-', not {recipe.name!r}")
    if not _SUITE.fullmatch(recipe.suite):
        raise RecipeError(f"suite must name a Debian release such as 'bookworm', not {recipe.suite!r}")
    if recipe.variant not in get_args(Variant):
        raise RecipeError(f"variant must be one of {', '.join(get_args(Variant))}, not {recipe.variant!r}")
    for package in recipe.packages:
        if not isinstance(package, str) or not _PACKAGE.fullmatch(package):
            raise RecipeError(f"packages holds {package!r}, which is no Debian package's name")
    for path, text in (*recipe.files.items(), *recipe.links.items()):
        if not path.startswith("/") or path.endswith("/") or ".." in PurePosixPath(path).parts or "\0" in path:
            raise RecipeError(f"{path!r} must be an absolute path of a file, without '..'")
        if not isinstance(text, str):
            raise RecipeError(f"{path!r} must be text, not {text!r}")
    if both := sorted(set(recipe.files) & set(recipe.links)):
        raise RecipeError(f"{both[0]!r} is among the files and among the links")
