"""A file that shells read sets variables, paths and functions; it is judged by what a shell is like afterwards."""

from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class _Profile:
    """What a shell is to be like when it has read the file."""

    variable: str
    value: str
    default: str  # when the variable gets the value
    place: str
    end: str  # of PATH, at which the place stands
    also: str  # what else there is
    word: str  # the name of the function
    mask: str

    def text(self, *, once: bool = True) -> str:
        """Return such a file; without `once`, a place is added each time."""
        sets = {
            "always": self.value,
            "unless set": f"${{{self.variable}-{self.value}}}",
            "unless empty": f"${{{self.variable}:-{self.value}}}",
        }[self.default]
        adds = f'PATH="{self.place}:$PATH"\n' if self.end == "before" else f'PATH="$PATH:{self.place}"\n'
        if once:
            adds = f'case ":$PATH:" in\n*":{self.place}:"*) ;;\n*) {adds.strip()} ;;\nesac\n'
        more = {
            "function": f'{self.word}() {{ printf "%s: %s\\n" "${self.variable}" "$*"; }}\n',
            "umask": f"umask {self.mask}\n",
            "none": "",
        }[self.also]
        return f'export {self.variable}="{sets}"\n{adds}export PATH\n{more}'

    def case(self, path: str, first: str | None, paths: str) -> Json:
        """Return a run in which a shell reads the file at a path twice, with what the variable and PATH were before."""
        given = "" if first is None else f"export {self.variable}='{first}'; "
        is_taken = self.default == "always" or first is None or (not first and self.default == "unless empty")
        taken = self.value if is_taken else first
        parts = [one for one in paths.split(":") if one]
        if self.place not in parts:
            parts = [self.place, *parts] if self.end == "before" else [*parts, self.place]
        shows = f'env | grep "^{self.variable}="; echo "$PATH"; '
        stdout = f"{self.variable}={taken}\n{':'.join(parts)}\n"
        if self.also == "function":
            shows += f"{self.word} one two; "
            stdout += f"{taken}: one two\n"
        elif self.also == "umask":
            shows += "umask"
            stdout += f"0{self.mask}\n"
        call = f"unset {self.variable}; {given}PATH={paths}; . {path}; . {path}; {shows}"
        return {"args": [f"set -eu; {call}"], "stdout": stdout}

    def told(self) -> str:
        """Return what the text says of it."""
        default = {
            "always": f"is `{self.value}`, whatever it was before",
            "unless set": f"is `{self.value}` unless it was set before, be it to nothing; then it stays as it was",
            "unless empty": f"is `{self.value}` unless it was set before to something; then it stays as it was",
        }[self.default]
        more = {
            "function": f" There is a function `{self.word}`, which prints one line with the value of "
            f"`{self.variable}`, a colon, a space and its arguments with single spaces between them.",
            "umask": f" The umask is {self.mask}.",
            "none": "",
        }[self.also]
        return (
            f"afterwards the environment variable `{self.variable}` {default}. `{self.place}` stands {self.end} "
            "everything else in `PATH`, or where it stood if it was in `PATH` already; however often the file is read, "
            f"it is not there twice because of that.{more} It prints nothing, and it works in shells with `set -eu`."
        )


_OTHERS: Final = {"always": "unless empty", "unless set": "always", "unless empty": "unless set"}


def _attempt(desk: Desk) -> Step | None:
    path, name, place = desk.path(desk.of(_FILES)), desk.of(_NAMES), desk.of(_PLACES)
    default, word = desk.draws.pick(("always", "unless set", "unless empty")), desk.of(_CALLED)
    end, also = desk.draws.pick(("before", "after")), desk.draws.pick(("function", "umask", "none"))
    value, mask = f"/var/lib/{name.lower()}{desk.draws.between(1, 99)}", desk.draws.pick(("027", "077", "007"))
    profile = _Profile(f"{name}_HOME", value, default, place, end, also, word, mask)
    right, usual = profile.text(), "/usr/bin:/bin"
    before = (
        (None, usual),
        ("/mine", usual),
        ("", usual),
        (None, f"/usr/bin:{place}:/bin"),
        ("/x", f"{usual}:{place}2"),
    )
    cases = [profile.case(path, first, paths) for first, paths in before]
    runs: Json = {"kind": "runs", "group": 0, "command": ["bash", "--noprofile", "--norc", "-c"], "files": [path]}
    other_end = {"before": "after", "after": "before"}[end]
    return Step(
        operator="",
        choices=(default, end, also),
        text=f"{desk.of(_OPENINGS)} Write `{path}`, which bash reads with the command `.`: {profile.told()}",
        starts=Tree().put(desk.folder, Folder()),
        effect=lambda tree: tree.put(path, right),
        solve=written(path, right),
        checks=({"kind": "file", "group": 0, "path": path, "exists": True}, {**runs, "cases": cases}),
        wrong={
            "heeds another default": written(path, replace(profile, default=_OTHERS[default]).text()),
            "adds to PATH at the other end": written(path, replace(profile, end=other_end).text()),
            "adds to PATH each time": written(path, profile.text(once=False)),
            "exports nothing": written(path, right.replace(f"export {profile.variable}", profile.variable)),
        },
    )


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("scripting_profiles", "scripting", None, _attempt),)
