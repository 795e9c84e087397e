"""The Typer application that verbs are added to, and the options that several of them share."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, ParamSpec

import typer

from palestra.cli.boundary import boundary

P = ParamSpec("P")

app = typer.Typer(
    name="palestra",
    help="The gym where LLM agents train.",
    epilog="PALESTRA_DEBUG=1 shows the traceback behind an error.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

EnvId = Annotated[str, typer.Argument(metavar="ID", help="An environment, such as palestra/ToolUseMini-v0.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object; all else goes to standard error.")]
Knobs = Annotated[
    list[str] | None,
    typer.Option("-d", "--difficulty", metavar="KNOB=VALUE", help="Set a difficulty knob; may be repeated."),
]
TaskFile = Annotated[
    Path | None, typer.Option("--task", metavar="FILE", help="Use the task in this JSON file instead of a made one.")
]
TasksFile = Annotated[Path | None, typer.Option("--tasks", metavar="FILE", help="Take certified tasks from this file.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="With --tasks: refuse certificates that were made by other code.")
]
SplitOption = Annotated[Literal["train", "heldout"], typer.Option(help="Where the task comes from.")]
Docker = Annotated[bool, typer.Option("--docker", help="Of a folder: have Docker build every Dockerfile.")]


def command(name: str, group: typer.Typer = app) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Add a verb to the application, or to a group of it; what it raises is told as the boundary tells it."""

    def add(function: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            with boundary():
                function(*args, **kwargs)

        group.command(name)(guarded)
        return function

    return add
