"""The entry point: loads the module of the verb that was asked for, and runs it."""

import importlib
import io
import sys
from typing import Annotated

import typer

import palestra
from palestra.cli.app import app
from palestra.cli.boundary import boundary

# A verb and the module that adds it to the application: what one verb needs, no other waits for.
VERBS = {
    "list": "palestra.cli.catalog",
    "info": "palestra.cli.info",
    "check": "palestra.cli.checking",
    "generate": "palestra.cli.generate",
    "verify": "palestra.cli.verify",
    "import": "palestra.cli.importing",
    "export": "palestra.cli.exporting",
    "init": "palestra.cli.init",
    "play": "palestra.cli.play",
    "run": "palestra.cli.run",
    "train": "palestra.cli.train",
    "eval": "palestra.cli.train",
    "image": "palestra.cli.image",
    "code": "palestra.cli.code",
    "terminal": "palestra.cli.terminal",
    "web": "palestra.cli.web",
    "judge": "palestra.cli.judge",
    "gallery": "palestra.cli.gallery",
    "sandbox": "palestra.cli.sandbox",
    "serve": "palestra.cli.serve",
}


def main() -> None:
    """Run ``palestra`` with the arguments of this process, and exit."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a byte or a character that does not fit stops nobody
            stream.reconfigure(errors="replace" if stream is sys.stdin else "backslashreplace")
    verb = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    with boundary():
        for module in dict.fromkeys([VERBS[verb]] if verb in VERBS else VERBS.values()):
            importlib.import_module(module)
    app(prog_name="palestra")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(palestra.__version__)
        raise typer.Exit


@app.callback()
def palestra_options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """The gym where LLM agents train: certified tasks, forkable episodes, credit that reaches the token."""
