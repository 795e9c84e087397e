"""Repositories that git made are read without git, and what is broken or forged in them is told of."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from palestra.envs.terminal.predicates import evaluate
from palestra.envs.terminal.predicates.content import UnmetError
from palestra.envs.terminal.predicates.repository import Repository
from palestra.envs.terminal.tree import File, Link, Tree

_NOBODY = {
    f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "A B"), ("EMAIL", "a@b"))
}
_ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", **_NOBODY}
_MAKE = """
git init -q -b main . && git config core.autocrlf false
mkdir -p src; printf 'one\\n' > a.txt; printf 'x\\n' > src/x.txt; git add . && git commit -q -m first
seq 400 > src/long.txt; git add . && git commit -q -m 'second
goes on

with a body'
git tag v1; git tag -a v2 -m annotated
git checkout -q -b topic; seq 401 > src/long.txt; printf '#!/bin/sh\\n' > run.sh; chmod 755 run.sh; ln -s a.txt link
git add . && git commit -q -m topic
git checkout -q main; printf 'two\\n' > a.txt; git commit -qam third; git merge -q --no-ff -m merged topic
"""


def read(folder: Path, place: str = "/r") -> Tree:
    nodes: dict[str, Any] = {}
    for path in folder.rglob("*"):
        name = f"{place}/{path.relative_to(folder)}"
        if path.is_symlink():
            nodes[name] = Link(os.readlink(path))
        elif path.is_file():
            nodes[name] = File(path.read_bytes(), path.stat().st_mode & 0o777)
    return Tree(nodes)


def shell(folder: Path, script: str) -> None:
    subprocess.run(["bash", "-ec", script], cwd=folder, env=_ENV, check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shell(tmp_path, _MAKE)
    return tmp_path


def told(tree: Tree, **asked: Any) -> str:
    return evaluate(tree, {"kind": "git", "group": 0, "path": "/r", **asked}).evidence


_ASKED: list[tuple[dict[str, Any], str]] = [
    ({"branch": "main", "branches": ["topic", "main"], "tags": ["v1", "v2"], "clean": True}, ""),
    ({"subjects": ["merged", "third", "second goes on", "first"], "commits": 5, "parents": 2}, ""),
    ({"at": "HEAD^2", "subjects": ["topic", "second goes on", "first"], "author": "A B <a@b>"}, ""),
    ({"at": "main~2", "message": "second\ngoes on\n\nwith a body", "without": ["run.sh"]}, ""),
    ({"at": "v2", "has": {"src/long.txt": "".join(f"{n}\n" for n in range(1, 401))}, "ancestor": "main~3"}, ""),
    ({"at": "v1", "files": {"a.txt": "one\n", "src/x.txt": "x\n", "src/long.txt": {"sha256": "?"}}}, "has the sha256"),
    ({"at": "topic", "has": {"link": "a.txt", "run.sh": "#!/bin/sh\n"}, "without": ["b.txt", "other"]}, ""),
    ({"lacks": "nowhere"}, ""),
    ({"lacks": "one\n"}, "is still in the history"),
    ({"branch": "topic"}, 'has "refs/heads/main" checked out'),
    ({"branches": ["main"]}, "branches has 2 items, not 1"),
    ({"at": "nothing", "commits": 1}, 'no revision "nothing"'),
    ({"at": "HEAD~9", "commits": 1}, 'no revision "HEAD~9"'),
    ({"at": "topic", "ancestor": "main"}, 'does not come after "main"'),
    ({"at": "topic", "files": {"a.txt": "one\n"}}, "which was not wanted"),
    ({"without": ["src"]}, 'holds "src", which was not to be there'),
    ({"has": {"a.txt": "one\n"}}, 'line 1 is "two", not "one"'),
]


@pytest.mark.parametrize("packed", ["", "git gc -q", "git repack -qadf --depth=50 && git pack-refs --all"])
def test_loose_and_packed_repositories_are_read(folder: Path, packed: str) -> None:
    shell(folder, packed)
    tree = read(folder)
    for asked, reason in _ASKED:
        found = told(tree, **asked)
        assert reason in found, asked
        assert bool(found) == bool(reason), asked


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("echo more >> a.txt", '"a.txt" was changed since it was added'),
        ("echo more >> a.txt; git add a.txt", '"a.txt" is staged otherwise than it was committed'),
        ("rm a.txt", "a.txt is missing"),
        ("chmod 644 run.sh", '"run.sh" was changed'),
        ("ln -sf b.txt link", '"link" was changed'),
        ("git rm -q --cached a.txt", '"a.txt" is staged otherwise'),
        ("git update-index --assume-unchanged a.txt; echo more > a.txt", '"a.txt" was changed'),
        ("touch untracked", ""),
        ("git checkout -q --detach", ""),
    ],
)
def test_what_is_not_committed_is_seen(folder: Path, change: str, reason: str) -> None:
    shell(folder, change)
    found = told(read(folder), clean=True)
    assert reason in found
    assert bool(found) == bool(reason)


def test_a_conflict_is_not_clean(folder: Path) -> None:
    shell(folder, "git checkout -q topic; echo other > a.txt; git commit -qam o; git merge -q main || true")
    assert "is in conflict" in told(read(folder), clean=True)


def test_neither_settings_nor_hooks_nor_replacements_have_a_say(folder: Path) -> None:
    shell(folder, "git replace HEAD HEAD~2; git config core.fsmonitor /bin/false; git config core.worktree /nowhere")
    assert told(read(folder), subjects=["merged", "third", "second goes on", "first"], clean=True) == ""


def test_a_forged_object_is_not_believed(folder: Path) -> None:
    tree = read(folder)
    repository = Repository(tree, "/r")
    head = repository.resolve("HEAD")
    other = repository.resolve("HEAD~1")
    forged = tree.put(f"/r/.git/objects/{head[:2]}/{head[2:]}", tree[f"/r/.git/objects/{other[:2]}/{other[2:]}"])
    assert "is not what its name says" in told(forged, commits=5)


@pytest.mark.parametrize(
    "place", ["HEAD", "index", "objects/pack/{pack}.idx", "objects/pack/{pack}.pack", "packed-refs"]
)
def test_damage_is_told_and_never_raised(folder: Path, place: str) -> None:
    shell(folder, "git gc -q")
    tree = read(folder)
    pack = next(path for path in tree if path.endswith(".pack")).split("/")[-1].removesuffix(".pack")
    path = f"/r/.git/{place.format(pack=pack)}"
    data = tree.data(path)
    for damaged in (b"", data[: len(data) // 2], bytes(len(data)), b"\xff" * len(data), data[::-1]):
        assert told(tree.put(path, damaged), clean=True, commits=5, lacks="nowhere") != "" or place == "packed-refs"


def test_references_that_lead_nowhere_are_told_of(folder: Path) -> None:
    tree = read(folder).put("/r/.git/refs/heads/main", "ref: refs/heads/main\n")
    assert "no revision" in told(tree, commits=5)
    with pytest.raises(UnmetError, match="no git repository"):
        Repository(Tree(), "/r").references  # noqa: B018
