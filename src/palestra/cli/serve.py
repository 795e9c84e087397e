"""``palestra serve``: palestra's services for other processes and machines."""

import importlib
import ipaddress
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from palestra.cli.app import app, command
from palestra.cli.output import printable

if TYPE_CHECKING:
    import socket

TOKENS = "PALESTRA_SERVE_TOKENS"  # the variable that may hold what --token's file would
_SHORTEST_TOKEN = 16  # characters
_group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Serve what others share.")
app.add_typer(_group, name="serve")


@_group.callback()
def serve_options() -> None:
    """Serve what others share."""


@command("verify", _group)
def verify_command(
    host: Annotated[str, typer.Option(help="Listen at this address; others than this machine's need tokens.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Listen at this port; 0 is any that is free.")] = 8321,
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="Processes that judge; one a core.")] = None,
    queue: Annotated[int, typer.Option(min=1, help="Submissions that may wait.")] = 20_000,
    queue_client: Annotated[
        int | None, typer.Option(min=1, help="Submissions of one client that may wait; half of --queue.")
    ] = None,
    body_kb: Annotated[int, typer.Option(min=1, max=65_536, help="The largest request.")] = 1024,
    read_s: Annotated[float, typer.Option(min=0.1, help="Seconds that a request may take to arrive.")] = 30.0,
    judging_s: Annotated[float, typer.Option(min=0.1, help="Seconds after which a worker is taken to hang.")] = 600.0,
    keep: Annotated[int, typer.Option(min=1, help="Results that are kept, the latest.")] = 20_000,
    keep_s: Annotated[float, typer.Option(min=0.1, help="Seconds that they are kept.")] = 3600.0,
    memory_mb: Annotated[int, typer.Option(min=3, help="For what waits, tasks and results, a third each.")] = 768,
    token: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"Let in who has a token of this file, one a line; or {TOKENS}.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Let results tell hidden inputs.")] = False,
    sandbox: Annotated[str | None, typer.Option(help="The backend that runs programs, where it can be chosen.")] = None,
) -> None:
    """Judge solutions over HTTP for several trainers, in turn; see docs/serve.md.

    SIGTERM or Ctrl-C: nothing more is taken, what runs is finished, and the exit code is 0.
    """
    server = importlib.import_module("palestra.envs.verification.service.server")  # of the extra `serve`
    tokens = _tokens(token)
    if not tokens and not _is_loopback(host):
        raise typer.BadParameter(f"{printable(host)} can be reached by others: give --token FILE or set {TOKENS}")
    if explain and not tokens:
        print("warning: --explain without tokens shows hidden inputs to whoever asks", file=sys.stderr)
    bounds = server.Bounds(
        workers=workers or len(os.sched_getaffinity(0)),
        queued=queue,
        queued_each=queue_client or max(1, queue // 2),
        queued_chars=memory_mb * 2**20 // 3,
        task_chars=memory_mb * 2**20 // 3,
        kept=keep,
        kept_chars=memory_mb * 2**20 // 3,
        kept_s=keep_s,
        judging_s=judging_s,
        explain=explain,
    )
    try:
        listener: socket.socket = server.listen(host, port)
    except OSError as error:
        raise typer.BadParameter(
            f"cannot listen at {printable(host)} port {port}: {error.strerror or error}"
        ) from error
    door = server.Door(body_bytes=body_kb * 1024, read_s=read_s, tokens=tokens)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    name, bound = listener.getsockname()[:2]
    shown = f"[{name}]" if ":" in name else name
    what = server.Listening(
        listener=listener, door=door, bounds=bounds, options={"sandbox": sandbox} if sandbox else {}
    )
    server.serve(what, lambda: print(f"judging at http://{shown}:{bound} with {bounds.workers} workers", flush=True))


def _tokens(file: Path | None) -> tuple[str, ...]:
    """Return who may come in.

    Raises:
        typer.BadParameter: the file cannot be read or holds none, or a token is too easily guessed.
    """
    text = os.environ.get(TOKENS)
    if file is not None:
        try:
            text = file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"cannot read tokens from {str(file)!r}: {error}") from error
    if text is None:
        return ()
    tokens = tuple(dict.fromkeys(text.split()))
    if not tokens or min(map(len, tokens)) < _SHORTEST_TOKEN:
        raise typer.BadParameter(f"tokens are words of at least {_SHORTEST_TOKEN} characters, one a line")
    return tokens


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
