"""``palestra gallery``: pages that show what a family asks for."""

from pathlib import Path
from typing import Annotated

import typer

from palestra.cli.app import AsJson, Knobs, SplitOption, app, command
from palestra.cli.output import console, print_json
from palestra.cli.tasks import parse_knobs
from palestra.envs.base import TaskError
from palestra.envs.cad.gallery import exhibits, page
from palestra.envs.cad.kernel import kernel_for
from palestra.envs.cad.parts import PartError

_group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Pages that show what a family asks for.")
app.add_typer(_group, name="gallery")


@_group.callback()
def gallery_options() -> None:
    """Pages that show what a family asks for."""


@command("cad", _group)
def cad_command(
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder to write index.html to.")],
    n: Annotated[int, typer.Option("-n", "--n", min=1, help="How many parts are shown.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Of the first part; the others follow by one.")] = 0,
    difficulty: Knobs = None,
    split: SplitOption = "train",
    as_json: AsJson = False,
) -> None:
    """Write a page of generated parts: texts, views, and the scores of right and wrong answers."""
    try:
        shown = exhibits(kernel_for(), range(seed, seed + n), parse_knobs(difficulty), split)
    except PartError as error:
        raise TaskError(str(error)) from error
    path = out / "index.html"
    try:
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(page(shown), encoding="utf-8")
    except OSError as error:
        raise TaskError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
    if as_json:
        print_json({"file": str(path), "parts": n})
    else:
        console().print(f"{path}: {n} parts")
