"""``palestra code``: what programs can be written in on this machine."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from palestra.cli.app import AsJson, app, command
from palestra.cli.boundary import FAILED
from palestra.cli.output import console, print_json, printable
from palestra.envs.code.doctor import Finding, examine_languages
from palestra.envs.code.languages.language import LanguageError
from palestra.envs.code.languages.shelf import UnknownLanguageError

_ALWAYS = "python"  # what must work where nothing else was asked for
_group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="See which languages can be judged here.")
app.add_typer(_group, name="code")


@_group.callback()
def code_options() -> None:
    """See which languages can be judged here."""


@command("doctor", _group)
def doctor_command(
    languages: Annotated[
        list[str] | None, typer.Argument(metavar="LANGUAGE...", help="Only these; all must work. The default is all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compile and run a hello world of every language in the sandbox; say which are usable, and what would help.

    Exits with 1 when a language that was named is not usable, or Python where none was.
    """
    try:
        findings = list(examine_languages(languages or ()))
    except (LanguageError, UnknownLanguageError) as error:
        raise typer.BadParameter(printable(str(error))) from error
    needed = languages or [_ALWAYS]
    works = all(finding.works for finding in findings if finding.name in needed)
    if as_json:
        told = [{**asdict(finding), "works": finding.works} for finding in findings]
        print_json({"works": works, "languages": told})
    else:
        _print_table(findings)
    if not works:
        raise typer.Exit(FAILED)


def _print_table(findings: list[Finding]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("language", "usable", "version, or why not"):
        table.add_column(name, no_wrap=name != "version, or why not", overflow="fold")
    for finding in findings:
        told = finding.version if finding.works else finding.trouble
        told += f"\n{finding.remedy}" if finding.remedy else ""
        table.add_row(finding.name, "yes" if finding.works else "no", printable(told))
    console().print(table)
    if not all(finding.is_locked for finding in findings if finding.works):
        console().print("\nThis kernel has no Landlock: programs may run those of other languages that they find.")
