"""The Dockerfile of an image, from its recipe: for those who build and share images through a registry.

It installs the same packages for the same user on Debian's own image, where `build_image` starts from
nothing. So the two hold the same programs, and are not the same bytes.
"""

import sys
from pathlib import Path

from palestra.sandbox.images.recipe import Recipe, RecipeError, find_recipe, known_recipes

FOLDER = Path("containers")
_DOCKERS_OWN = {"/etc/hostname", "/etc/hosts"}  # dockerd gives every container its own
_TEXT = """\
# {summary}.
# Written by `python -m palestra.sandbox.images.dockerfile` from sandbox/images/recipes/{name}.toml: change that.
ARG BASE=debian:{suite}-slim
FROM ${{BASE}}

RUN apt-get update \\
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \\
        {packages} \\
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*

# Programs are this user, or root without rights; nothing makes a user another.
RUN groupadd --gid 1000 agent \\
    && useradd --uid 1000 --gid 1000 --home-dir /workspace --no-create-home --shell /bin/sh agent \\
    && install --directory --owner=agent --group=agent /workspace \\
    && find / -xdev -type f -perm /6000 -exec chmod ug-s {{}} +

WORKDIR /workspace
"""


def to_dockerfile(recipe: Recipe) -> str:
    """Return a Dockerfile that makes what the recipe names; it needs no build context.

    Raises:
        RecipeError: the recipe has files or links, which only a build from nothing puts in place.
    """
    if more := sorted({*recipe.files, *recipe.links} - _DOCKERS_OWN):
        raise RecipeError(f"{more[0]!r} of recipe {recipe.name!r} has no place in a Dockerfile; use `palestra image`")
    packages = " \\\n        ".join(sorted(set(recipe.packages)))
    return _TEXT.format(name=recipe.name, summary=recipe.summary, suite=recipe.suite, packages=packages)


def main() -> None:
    """Write the Dockerfile of every family; run it at the root of the repository."""
    if not FOLDER.is_dir():
        sys.exit(f"there is no folder {str(FOLDER)!r} here; run this at the root of the repository")
    for name in known_recipes():
        (FOLDER / f"Dockerfile.{name}").write_text(to_dockerfile(find_recipe(name)), encoding="utf-8")


if __name__ == "__main__":
    main()
