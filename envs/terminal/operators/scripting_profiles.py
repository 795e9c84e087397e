"""A file that shells read sets variables, paths and functions; it is judged by what a shell is like afterwards."""

from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.drawing import Desk, Drawn, written
from palestra.envs.terminal.step import Operator, Step
from palestra.envs.terminal.tree import Folder, Tree

_OPENINGS: Final = {
    False: ("Prepare a file that shells read.", "A team shares its settings of the shell."),
    True: ("Set up a shell's environment.", "A file of settings is wanted, for bash to source."),
}
_FILES: Final = {False: ("env.sh", "profile.sh", "settings.sh"), True: ("setup.sh", "shellrc", "common.sh")}
_NAMES: Final = {False: ("APP", "DATA", "BUILD", "CACHE"), True: ("WORK", "STAGE", "INDEX", "STORE")}
_PLACES: Final = {False: ("/opt/tools/bin", "/srv/app/bin"), True: ("/opt/kit/bin", "/srv/lab/bin")}
_CALLED: Final = {False: ("greet", "backto", "sayso"), True: ("hail", "tellme", "nameit")}


def _attempt(desk: Desk) -> Step:
    path, name, place = desk.path(desk.of(_FILES)), desk.of(_NAMES), desk.of(_PLACES)
    default, word = desk.draws.pick(("always", "unless set", "unless empty")), desk.of(_CALLED)
    end, also = desk.draws.pick(("before", "after")), desk.draws.pick(("function", "umask", "none"))
    value, mask = f"/var/lib/{name.lower()}{desk.draws.between(1, 99)}", desk.draws.pick(("027", "077", "007"))
    variable = f"{name}_HOME"
    sets = {
        "always": f'export {variable}="{value}"',
        "unless set": f'export {variable}="${{{variable}-{value}}}"',
        "unless empty": f'export {variable}="${{{variable}:-{value}}}"',
    }
    put = {"before": f"{place}:$PATH", "after": f"$PATH:{place}"}
    more = {
        "function": f'{word}() {{ printf "%s: %s\\n" "${variable}" "$*"; }}\n',
        "umask": f"umask {mask}\n",
        "none": "",
    }[also]

    def text(default: str, end: str, *, once: bool = True) -> str:
        adds = f'PATH="{put[end]}"\n'
        if once:
            adds = f'case ":$PATH:" in\n*":{place}:"*) ;;\n*) {adds.strip()} ;;\nesac\n'
        return f"{sets[default]}\n{adds}export PATH\n{more}"

    def told_by(script: str) -> Json:
        return {"args": [f"set -eu; {script}"]}

    def expect(first: str | None, paths: str) -> Json:
        given = "" if first is None else f"export {variable}='{first}'; "
        taken = value if default == "always" or first is None or (not first and default == "unless empty") else first
        parts = [one for one in paths.split(":") if one]
        full = parts if place in parts else [place, *parts] if end == "before" else [*parts, place]
        shows = f'env | grep "^{variable}="; echo "$PATH"; '
        stdout = f"{variable}={taken}\n{':'.join(full)}\n"
        if also == "function":
            shows += f"{word} one two; "
            stdout += f"{taken}: one two\n"
        elif also == "umask":
            shows += "umask"
            stdout += f"0{mask}\n"
        call = f"unset {variable}; {given}PATH={paths}; . {path}; . {path}; {shows}"
        return {**told_by(call), "stdout": stdout}

    usual = "/usr/bin:/bin"
    cases = [
        expect(None, usual),
        expect("/mine", usual),
        expect("", usual),
        expect(None, f"/usr/bin:{place}:/bin"),
        expect("/x", f"{usual}:{place}2"),
    ]
    wrong_default = {"always": "unless empty", "unless set": "always", "unless empty": "unless set"}[default]
    wrong_end = {"before": "after", "after": "before"}[end]
    told_default = {
        "always": f"is `{value}`, whatever it was before",
        "unless set": f"is `{value}` unless it was set before, be it to nothing; then it stays as it was",
        "unless empty": f"is `{value}` unless it was set before to something; then it stays as it was",
    }[default]
    told_more = {
        "function": f" There is a function `{word}`, which prints one line with the value of `{variable}`, a colon, a "
        "space and its arguments with single spaces between them.",
        "umask": f" The umask is {mask}.",
        "none": "",
    }[also]
    right = text(default, end)
    return Step(
        operator="",
        choices=(default, end, also),
        text=f"{desk.of(_OPENINGS)} Write `{path}`, which bash reads with the command `.`: afterwards the environment "
        f"variable `{variable}` {told_default}. `{place}` stands {end} everything else in `PATH`, or where it stood if "
        f"it was in `PATH` already; however often the file is read, it is not there twice because of that.{told_more} "
        "It prints nothing, and it works in shells with `set -eu`.",
        starts=Tree().put(desk.folder, Folder()),
        effect=lambda tree: tree.put(path, right),
        solve=written(path, right),
        checks=(
            {"kind": "file", "group": 0, "path": path, "exists": True},
            {
                "kind": "runs",
                "group": 0,
                "command": ["bash", "--noprofile", "--norc", "-c"],
                "files": [path],
                "cases": cases,
            },
        ),
        wrong={
            "heeds another default": written(path, text(wrong_default, end)),
            "adds to PATH at the other end": written(path, text(default, wrong_end)),
            "adds to PATH each time": written(path, text(default, end, once=False)),
            "exports nothing": written(path, right.replace(f"export {variable}", variable)),
        },
    )


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("scripting_profiles", "scripting", None, _attempt),)
