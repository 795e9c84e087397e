"""``palestra sandbox``: what isolates programs on this machine."""

from dataclasses import asdict, fields

import typer

from palestra.cli.app import AsJson, app, command
from palestra.cli.boundary import FAILED
from palestra.cli.output import print_json, printable
from palestra.envs.base import Json
from palestra.sandbox.base import Capabilities
from palestra.sandbox.doctor import DEFAULT, Finding, examine_backends

_group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="See what isolates programs here.")
app.add_typer(_group, name="sandbox")


@_group.callback()
def sandbox_options() -> None:
    """See what isolates programs here."""


@command("doctor", _group)
def doctor_command(as_json: AsJson = False) -> None:
    """Try every sandbox backend; say what it enforces here and what would enable the rest.

    Each runs its canary, a program that tries to break every rule: "yes" was seen to hold, "no" was not.
    Exits with 1 when the default backend does not work or was not seen to isolate programs.
    """
    findings = examine_backends()
    works = any(finding.backend == DEFAULT and finding.isolates for finding in findings)
    if as_json:
        print_json({"default": DEFAULT, "works": works, "backends": [_data(finding) for finding in findings]})
    else:
        _print_table(findings)
        _print_trouble(findings)
    if not works:
        raise typer.Exit(FAILED)


def _data(finding: Finding) -> dict[str, Json]:
    return {
        "backend": finding.backend,
        "available": finding.capabilities is not None,
        "trouble": finding.trouble,
        "capabilities": asdict(finding.capabilities) if finding.capabilities else None,
        "enable": [{"missing": list(remedy.missing), "command": remedy.command} for remedy in finding.remedies],
    }


def _print_table(findings: list[Finding]) -> None:
    names = [entry.name for entry in fields(Capabilities)]
    rows = [["", *(finding.backend for finding in findings)]]
    rows.append(["available", *("yes" if finding.capabilities else "no" for finding in findings)])
    for name in names:
        held = [getattr(finding.capabilities, name) if finding.capabilities else None for finding in findings]
        rows.append([name, *({None: "-", True: "yes", False: "no"}[value] for value in held)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _print_trouble(findings: list[Finding]) -> None:
    for finding in findings:
        lines = [finding.trouble] if finding.trouble else []
        lines += [f"to enable {', '.join(cure.missing) or 'it'}: {cure.command}" for cure in finding.remedies]
        if lines:
            print(f"\n{finding.backend}")
        for line in lines:
            print(f"  {' '.join(printable(line).split())}")
