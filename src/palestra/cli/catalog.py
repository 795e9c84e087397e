"""``palestra list``: what there is to act in."""

from collections import Counter
from typing import Annotated

import typer

from palestra.cli.app import AsJson, command
from palestra.cli.output import print_json, printable
from palestra.envs.base import Json
from palestra.envs.registry import EnvEntry, list_envs


@command("list")
def list_command(
    as_json: AsJson = False,
    everything: Annotated[
        bool, typer.Option("--all", help="List the environments of a collection one by one.")
    ] = False,
) -> None:
    """List every environment, installed packages' included."""
    entries = list_envs()
    if as_json:
        print_json({"environments": [entry_data(entry) for entry in entries]})
        return
    told = {entry.id if everything else entry.collection or entry.id: entry.summary for entry in entries}
    counts = Counter(entry.collection for entry in entries if entry.collection and not everything)
    width = max(map(len, told), default=0)
    for name, summary in sorted(told.items()):
        more = f"; {counts[name]} of them, see --all" if name in counts else ""
        print(f"{name:<{width}}  {printable(summary)}{more}")


def entry_data(entry: EnvEntry) -> dict[str, Json]:
    """Return a registry entry as plain JSON data."""
    return {
        "id": entry.id,
        "family": entry.family,
        "summary": entry.summary,
        "needs": sorted(entry.needs),
        "entry_point": entry.entry_point,
        "collection": entry.collection,
    }
