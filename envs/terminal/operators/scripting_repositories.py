"""Repositories that git steps begin with: what is in them, and the bash that makes them, the same every time."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.drawing import Desk

Files = dict[str, str]
AUTHORS: Final = {
    False: (("Ada Brandt", "ada@example.org"), ("Ben Ortiz", "ben@example.org"), ("Cleo Marsh", "cleo@example.org")),
    True: (("Dora Lindt", "dora@example.net"), ("Emil Varga", "emil@example.net")),
}
NAMES: Final = {
    False: ("notes.txt", "limits.conf", "routes.conf", "colors.txt", "hosts.txt", "units.txt", "menu.txt", "plan.md"),
    True: ("scale.conf", "ports.txt", "levels.txt", "zones.conf", "themes.txt", "draft.md", "steps.txt"),
}
KEYS: Final = {
    False: ("alpha", "bravo", "chart", "depth", "eagle", "focus", "grain", "house", "index", "jolly", "knots", "lemon"),
    True: (
        "mango",
        "nickel",
        "olive",
        "paper",
        "quilt",
        "raven",
        "slate",
        "topaz",
        "umber",
        "velvet",
        "wheat",
        "yacht",
    ),
}
SUBJECTS: Final = {
    False: ("Widen {0}", "Tidy {0}", "Set {0} anew", "Mend {0}", "Look after {0}", "Update {0}"),
    True: ("Adjust {0}", "Rework {0}", "Bring {0} up to date", "Refine {0}", "Touch up {0}", "Correct {0}"),
}
OPENINGS: Final = {
    False: ("A git repository needs your care.", "Put something right in a git repository.", "This is about git."),
    True: ("Somebody has to see to a git repository.", "Work with git is left to do."),
}
REPOSITORIES: Final = {False: ("project", "site", "handbook", "tools"), True: ("manual", "service", "almanac")}


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: its subject, and all files as they are in it."""

    subject: str
    files: Mapping[str, str]


def lines(desk: Desk, count: int) -> str:
    """Return a text of settings; no two of its lines are alike."""
    return "".join(f"{key} = {desk.draws.between(10, 9999)}\n" for key in desk.some(KEYS, count))


def grown(desk: Desk, commits: Sequence[Commit], name: str, text: str | None, subject: str = "") -> list[Commit]:
    """Return commits and another, in which a file has a text or, for None, is not there."""
    files = dict(commits[-1].files) if commits else {}
    if text is None:
        files.pop(name)
    else:
        files[name] = text
    known = {one.subject for one in commits}
    told = subject or desk.of(SUBJECTS).format(name)
    while told in known:
        told += " again"
    return [*commits, Commit(told, files)]


def history(desk: Desk, names: Sequence[str]) -> list[Commit]:
    """Return a first commit with files, and some that change one of them each."""
    commits = [Commit("Begin", {name: lines(desk, 5) for name in names})]
    for _ in range(desk.draws.between(2, max(3, min(desk.knobs.size // 3, 9)))):
        name = desk.draws.pick(names)
        commits = grown(desk, commits, name, edited(desk, commits[-1].files[name]))
    return commits


def edited(desk: Desk, text: str) -> str:
    """Return a text with another number in one of its lines."""
    rows = text.splitlines()
    place = desk.draws.between(0, len(rows) - 1)
    key, _, value = rows[place].partition(" = ")
    rows[place] = f"{key} = {int(value) + desk.draws.between(1, 500)}"
    return "".join(f"{row}\n" for row in rows)


class Script:
    """The bash that makes a repository: times and authors are set, so that every commit has the same name."""

    def __init__(self, path: str, author: tuple[str, str], branch: str = "main") -> None:
        name, address = author
        self._lines = [
            f"git init -q -b {branch} {path}",
            f"cd {path}",
            f"git config user.name {shlex.quote(name)}",
            f"git config user.email {address}",
        ]
        self._files: Mapping[str, str] = {}
        self._count = 0

    def run(self, line: str) -> None:
        """Add a line of bash that runs in the repository."""
        self._lines.append(line)

    def on(self, files: Mapping[str, str]) -> None:
        """Say what is checked out now."""
        self._files = files

    def commit(self, commits: Sequence[Commit]) -> None:
        """Add commits, each on the one before."""
        for one in commits:
            for name in sorted({*self._files, *one.files}):
                if name not in one.files:
                    self._lines.append(f"git rm -q {shlex.quote(name)}")
                elif one.files[name] != self._files.get(name):
                    self._lines += [f"cat > {shlex.quote(name)} <<'ENDOFTEXT'", f"{one.files[name]}ENDOFTEXT"]
            self._files = one.files
            self._lines.append("git add -A")
            self._lines.append(f"{self.dated()} git commit -q -m {shlex.quote(one.subject)}")

    def dated(self) -> str:
        """Return the variables that give the next commit its time."""
        self._count += 1
        when = f"2025-03-{1 + self._count // 20:02}T{self._count % 20:02}:15:00+0000"
        return f"GIT_AUTHOR_DATE={when} GIT_COMMITTER_DATE={when}"

    def text(self) -> str:
        """Return the script."""
        whole = "\n".join(self._lines)
        return f"bash -eu <<'ENDOFSETUP'\n{whole}\nENDOFSETUP\n[ $? = 0 ] || exit 1"


def git(path: str, **asked: Json) -> Json:
    """Return a predicate on a repository."""
    return {"kind": "git", "group": 0, "path": path, **asked}


def subjects(commits: Sequence[Commit]) -> list[str]:
    """Return the subjects of commits, newest first."""
    return [one.subject for one in commits][::-1]
