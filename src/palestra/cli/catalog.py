"""``palestra list``: what there is to act in."""

from palestra.cli.app import AsJson, command
from palestra.cli.output import print_json, printable
from palestra.envs.base import Json
from palestra.envs.registry import EnvEntry, list_envs


@command("list")
def list_command(as_json: AsJson = False) -> None:
    """List every environment, installed packages' included."""
    entries = list_envs()
    if as_json:
        print_json({"environments": [entry_data(entry) for entry in entries]})
        return
    width = max((len(entry.id) for entry in entries), default=0)
    for entry in entries:
        print(f"{entry.id:<{width}}  {printable(entry.summary)}")


def entry_data(entry: EnvEntry) -> dict[str, Json]:
    """Return a registry entry as plain JSON data."""
    return {
        "id": entry.id,
        "family": entry.family,
        "summary": entry.summary,
        "needs": sorted(entry.needs),
        "entry_point": entry.entry_point,
    }
