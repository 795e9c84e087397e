"""``palestra image``: root file systems for sandboxes, built from Debian packages."""

from pathlib import Path
from typing import Annotated

import typer

from palestra.cli.app import AsJson, app, command
from palestra.cli.output import console, print_json, printable
from palestra.envs.base import Json
from palestra.sandbox.images import store
from palestra.sandbox.images.build import build_image
from palestra.sandbox.images.recipe import UnknownImageError, find_recipe, known_recipes, load_recipe

_group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Build, list and remove root file systems.")
app.add_typer(_group, name="image")

_DIGITS = 12  # of a digest, for people


@command("build", _group)
def build_command(
    recipe: Annotated[str, typer.Argument(metavar="NAME", help="A recipe that `image list` names, or a .toml file.")],
    sources: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take packages from these APT sources.", exists=True)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build an image, unless it is built already; the first time takes about half a minute and root.

    A recipe is a TOML file with the fields summary, extends, suite, variant, packages, files and links.
    """
    found = load_recipe(Path(recipe)) if "/" in recipe or recipe.endswith(".toml") else find_recipe(recipe)
    image = build_image(found, sources=sources, told=console(stderr=True).print)
    if as_json:
        print_json(_image_data(image))
    else:
        print(f"{image.name}  {image.digest[:_DIGITS]}  {_mib(image)}  {image.root}")


@command("list", _group)
def list_command(as_json: AsJson = False) -> None:
    """List the images that are built here, and the recipes that are not."""
    built = store.list_images()
    waiting = [name for name in known_recipes() if not any(i.name == name and i.is_current for i in built)]
    if as_json:
        not_built: list[Json] = [{"name": name, "summary": find_recipe(name).summary} for name in waiting]
        print_json({"images": [_image_data(image) for image in built], "not_built": not_built})
        return
    rows = [
        (i.name, i.digest[:_DIGITS], _mib(i), str(i.root) if i.is_current else "outdated: build again") for i in built
    ]
    rows += [(name, "-", "not built", find_recipe(name).summary) for name in waiting]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), printable(row[3])]))


@command("rm", _group)
def rm_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An image that `image list` names.")],
    as_json: AsJson = False,
) -> None:
    """Remove an image, all that were built under its name; no sandbox may be using it."""
    doomed = [image for image in store.list_images() if image.name == name]
    if not doomed:
        known = ", ".join(dict.fromkeys(image.name for image in store.list_images())) or "none"
        raise UnknownImageError(f"no image named {name!r} is built here; built: {known}")
    for image in doomed:
        store.remove_image(image)
    if as_json:
        print_json({"removed": [_image_data(image) for image in doomed]})
    else:
        print(f"removed {name}, {sum(image.size_bytes for image in doomed) >> 20} MiB")


def _image_data(image: store.Image) -> dict[str, Json]:
    """Return an image as plain JSON data."""
    return {
        "name": image.name,
        "root": str(image.root),
        "digest": image.digest,
        "recipe_digest": image.recipe_digest,
        "size_bytes": image.size_bytes,
        "built_at": image.built_at,
        "is_current": image.is_current,
        "packages": list(image.packages),
    }


def _mib(image: store.Image) -> str:
    return f"{image.size_bytes / (1 << 20):.0f} MiB"
