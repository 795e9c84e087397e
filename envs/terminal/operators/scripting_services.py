"""A small service does not start, or answers wrongly: its configuration is mended."""

import json
from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.drawing import Desk, Drawn
from palestra.envs.terminal.operators.scripting_repositories import KEYS
from palestra.envs.terminal.step import Operator, Step
from palestra.envs.terminal.tree import File, Tree

_OPENINGS: Final = {
    False: ("A service is broken.", "A small service has to work again."),
    True: ("Repair a service.", "A server does not do its work."),
}
_ROOTS: Final = {False: ("lookup", "answers", "directory"), True: ("oracle", "register", "phonebook")}
_SERVER: Final = """import configparser
import json
import pathlib
import socket
import sys

here = pathlib.Path(sys.argv[1]).parent
settings = configparser.ConfigParser()
if not settings.read(sys.argv[1]):
    sys.exit("no settings")
service = settings["service"]
values = json.loads((here / service["data"]).read_text())
with socket.create_server((service["host"], service.getint("port"))) as server:
    while True:
        connection, _ = server.accept()
        with connection, connection.makefile("rw") as stream:
            key = stream.readline().strip()
            stream.write(f"{service['prefix']}{values.get(key, 'unknown')}\\n")
            stream.flush()
"""
_FAULTS: Final = ("port", "data", "prefix", "mode", "path", "json")


def _configured(port: int, data: str, prefix: str) -> str:
    return f"[service]\nhost = 127.0.0.1\nport = {port}\ndata = {data}\nprefix = {prefix}\n"


def _starting(program: str, *, is_plain: bool = False) -> File:
    text = f'#!/usr/bin/env bash\ncd "$(dirname "$0")" || exit 1\nexec python3 {program} "$PWD/service.ini"\n'
    return File(text.encode(), 0o644 if is_plain else 0o755)


def _attempt(desk: Desk) -> Step:
    faults = sorted(desk.draws.shuffled(_FAULTS)[: desk.draws.between(1, 2)])
    root = desk.path(desk.of(_ROOTS))
    port, other = desk.draws.shuffled(range(20_000, 29_000))[:2]
    prefix, false_prefix = desk.draws.shuffled(("value:", "=", "->", "found"))[:2]
    held = {key: desk.draws.between(100, 999) for key in desk.some(KEYS, 5)}
    data = json.dumps(held, indent=1)
    start, settings, data_path = f"{root}/start.sh", f"{root}/service.ini", f"{root}/data/values.json"
    right_settings = _configured(port, "data/values.json", prefix)
    broken = _configured(
        other if "port" in faults else port,
        "data/value.json" if "data" in faults else "data/values.json",
        false_prefix if "prefix" in faults else prefix,
    )
    starts = (
        Tree()
        .put(start, _starting("server/service.py" if "path" in faults else "service.py", is_plain="mode" in faults))
        .put(settings, broken)
        .put(data_path, (data.replace("\n}", ",\n}") if "json" in faults else data) + "\n")
        .put(f"{root}/service.py", _SERVER.replace("service['prefix']}", "service['prefix']} "))
    )
    mends = {
        "port": f"sed -i 's/^port = .*/port = {port}/' {settings}",
        "data": f"sed -i 's#^data = .*#data = data/values.json#' {settings}",
        "prefix": f"sed -i 's/^prefix = .*/prefix = {prefix}/' {settings}",
        "mode": f"chmod 755 {start}",
        "path": f"sed -i 's#server/service.py#service.py#' {start}",
        "json": f"cat > {data_path} <<'ENDOFTEXT'\n{data}\nENDOFTEXT",
    }
    known, missing = desk.draws.pick(sorted(held)), "nobody"
    right = [mends[fault] for fault in faults]

    def effect(tree: Tree) -> Tree:
        return tree.put(start, _starting("service.py")).put(settings, right_settings).put(data_path, f"{data}\n")

    wrong = {
        f"forgets the {fault}": "\n".join(mends[one] for one in faults if one != fault) or "true" for fault in faults
    }
    wrong["gives it another port"] = "\n".join([*right, f"sed -i 's/^port = .*/port = {other + 1}/' {settings}"])
    wrong["empties the data"] = "\n".join([*right, f"echo '{{}}' > {data_path}"])
    cases = [
        {"send": f"{known}\n", "equals": f"{prefix} {held[known]}\n"},
        {"send": f"{missing}\n", "equals": f"{prefix} unknown\n"},
    ]
    listens: Json = {"kind": "listens", "group": 0, "command": [start], "files": [root], "port": port, "cases": cases}
    return Step(
        operator="",
        choices=tuple(faults),
        text=f"{desk.of(_OPENINGS)} {_told(root, start, settings, data_path, port, prefix)}",
        starts=starts,
        effect=effect,
        solve="\n".join(right),
        checks=({"kind": "json", "group": 0, "path": data_path, "equals": held}, listens),
        wrong=wrong,
        keeps=(f"{root}/service.py",),
        tools=("python3",),
    )


def _told(root: str, start: str, settings: str, data_path: str, port: int, prefix: str) -> str:
    return (
        f"`{start}` starts the service of the folder `{root}`; its settings are "
        f"`{settings}`, its data `{data_path}`, JSON with a number for each name, and its program `{root}/service.py`, "
        f"which is right and stays as it is. Mend what is wrong, so that calling `{start}` by its path, from any "
        f"folder, starts a service that listens on port {port} of 127.0.0.1, reads a line with a name from each "
        f"connection, and answers with a line `{prefix} NUMBER`, or `{prefix} unknown` for a name that "
        "the data lacks. No number in the data changes. "
        "The service need not run when you are done: it is started anew to be tried."
    )


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("scripting_services", "scripting", None, _attempt),)
