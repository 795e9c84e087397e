"""Processes that run are looked into: which listens, which writes, and with what it was started."""

from collections.abc import Mapping
from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.drawing import Desk, Drawn
from palestra.envs.terminal.operators.scripting_repositories import KEYS
from palestra.envs.terminal.step import Operator, Step
from palestra.envs.terminal.tree import Tree

_OPENINGS: Final = {
    False: ("Find out what runs on this machine.", "Some workers run here, and nobody knows which does what."),
    True: ("Look into the processes of this machine.", "Several processes run; one of them is wanted."),
}
_VARIABLES: Final = {False: ("REGION", "BATCH", "QUEUE"), True: ("LANE", "SHARD", "TENANT")}
_FOLDERS: Final = {False: ("workers", "jobs", "pool"), True: ("crew", "units", "herd")}
_WORKER: Final = """import os
import signal
import socket
import sys

os.chdir(os.environ["PLACE"])
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
log = open(os.environ["LOG"], "a", buffering=1)
log.write("ready\\n")
while True:
    signal.pause()
"""


def _attempt(desk: Desk) -> Step:
    kind, report = desk.draws.pick(("port", "file", "variable", "folder")), desk.draws.pick(("line", "json", "all"))
    root, variable = desk.path(desk.of(_FOLDERS)), desk.of(_VARIABLES)
    names = desk.some(KEYS, 3)
    ports = [str(port) for port in desk.draws.shuffled(range(30_000, 39_000))[:3]]
    logs = [f"{root}/log/{number}.log" for number in desk.draws.shuffled(range(1, 4))]
    places = [f"{root}/place{number}" for number in desk.draws.shuffled(range(1, 4))]
    values = [f"{variable.lower()}-{number}" for number in desk.draws.shuffled(range(11, 99))[:3]]
    worker, out = f"{root}/worker.py", desk.path("found.json" if report == "json" else "found.txt")
    starts = Tree().put(worker, _WORKER)
    for at in (*places, f"{root}/log"):
        starts = starts.put(f"{at}/README", "made for the workers\n")
    services: list[Json] = [
        {
            "run": f"export PORT={port} LOG={log} PLACE={place} {variable}={value}\nexec python3 -S {worker} {name}",
            "ready": f"[ -s {log} ]",
        }
        for name, port, log, place, value in zip(names, ports, logs, places, values, strict=True)
    ]
    facts = {"port": ports, "file": logs, "variable": values, "folder": places}[kind]
    what = {
        "port": "listens on the TCP port",
        "file": "has this file open",
        "variable": f"was started with this value of the environment variable `{variable}`:",
        "folder": "has this folder as its working directory:",
    }[kind]
    asked = {
        "port": "the port that it listens on",
        "file": f"the path of the file in `{root}/log` that it has open",
        "variable": f"the value of `{variable}` in its environment",
        "folder": "its working directory",
    }[kind]
    told, wanted = _asked(report, out, what, asked, dict(zip(names, facts, strict=True)))
    check: Json = {"kind": "file", "group": 0, "path": out, "lines": wanted.splitlines()}
    if report == "json":
        check = {"kind": "json", "group": 0, "path": out, "equals": {"worker": names[0]}}
    swapped = wanted.replace(names[0], "@").replace(names[1], names[0]).replace("@", names[1])
    return Step(
        operator="",
        choices=(kind, report),
        text=f"{desk.of(_OPENINGS)} Three workers were started, each as `python3 -S {worker} NAME` with a name of its "
        f"own; `/proc` knows more. {told} Let the workers run, and leave `{worker}` as it is.",
        starts=starts,
        effect=lambda tree: tree.put(out, wanted),
        solve=_bash(kind, report, worker, variable, facts[0], out, f"{root}/log"),
        checks=(check,),
        wrong={
            "takes two for each other": f"cat > {out} <<'ENDOFTEXT'\n{swapped}ENDOFTEXT",
            "takes the first that there is": f"echo {min(names[1:])} > {out}",
            "tells the number of the process": f"pgrep -f {worker} | head -n 1 > {out}",
        },
        makes=(out,),
        keeps=(worker,),
        tools=("python3",),
        extra={"services": services},
    )


def _asked(report: str, out: str, what: str, asked: str, facts: Mapping[str, str]) -> tuple[str, str]:
    """Return what the text asks of the workers' facts by name, the first of which is meant, and the file wanted."""
    name, fact = next(iter(facts.items()))
    if report == "all":
        told = (
            f"Write to `{out}` for each worker a line with its name, a space and {asked}, in the order of the names "
            "(by bytes)."
        )
        wanted = "".join(f"{name} {fact}\n" for name, fact in sorted(facts.items()))
    else:
        form = 'the JSON object `{"worker": NAME}`' if report == "json" else "a line with its name and nothing else"
        told = f"Which worker {what} `{fact}`? Write to `{out}` {form}."
        wanted = f'{{"worker": "{name}"}}\n' if report == "json" else f"{name}\n"
    return told, wanted


def _bash(kind: str, report: str, worker: str, variable: str, fact: str, out: str, logs: str) -> str:
    """Return bash that looks at every worker by /proc, and prints its name and what is asked of it."""
    look = {
        "port": 'fact=""; for fd in "$p"/fd/*; do inode=$(readlink "$fd" | sed -n "s/^socket:.\\([0-9]*\\).$/\\1/p"); '
        '[ -n "$inode" ] || continue; hex=$(awk -v i="$inode" '
        '\'$10 == i && $4 == "0A" { sub(/.*:/, "", $2); print $2 }\' '
        '"$p/net/tcp"); [ -n "$hex" ] && fact=$((16#$hex)); done',
        "file": f'fact=$(readlink "$p"/fd/* | grep "^{logs}/" | head -n 1)',
        "variable": f'fact=$(tr "\\0" "\\n" < "$p/environ" | sed -n "s/^{variable}=//p")',
        "folder": 'fact=$(readlink "$p/cwd")',
    }[kind]
    each = (
        'for p in /proc/[0-9]*; do\nmapfile -d "" -t words < "$p/cmdline" 2>/dev/null || continue\n'
        f'[ "${{words[2]:-}}" = {worker} ] || continue\n{look}\necho "${{words[3]}} $fact"\ndone | LC_ALL=C sort'
    )
    if report == "all":
        return f"{{ {each}; }} > {out}"
    shown = '{ printf "{\\"worker\\": \\"%s\\"}\\n", $1 }' if report == "json" else "{ print $1 }"
    return f"{{ {each}; }} | awk -v fact='{fact}' '$2 == fact {shown}' > {out}"


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("scripting_processes", "scripting", None, _attempt),)
