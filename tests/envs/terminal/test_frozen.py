"""What agents leave is judged in a slot, and content made to break whoever looks fails one check and nothing else."""

import gzip
import random
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from palestra.envs.terminal import frozen
from palestra.envs.terminal.frozen import Desk, Frozen, judge_frozen
from palestra.envs.terminal.predicates import evaluate
from palestra.envs.terminal.tree import File, Folder, Link, Tree
from palestra.sandbox import create
from palestra.sandbox.base import InfraError, Sandbox, Spec

_GOOD = {"kind": "file", "group": 0, "path": "/w/good", "equals": "good\n"}


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with closing(Desk()) as made:
        yield made


@pytest.fixture(scope="module")
def machine() -> Iterator[Sandbox]:
    with closing(create(Spec(terminal=True))) as made:
        yield made


def test_the_slot_says_what_is_said_here(desk: Desk) -> None:
    tree = Tree().put("/w/good", "good\n").put("/w/b.json", "[1]").put("/w/l", Link("x")).put("/w/d", Folder(0o700))
    asked: list[dict[str, Any]] = [
        _GOOD,
        {**_GOOD, "equals": "bad\n"},
        {"kind": "json", "group": 0, "path": "/w/b.json", "equals": [2]},
        {"kind": "link", "group": 0, "path": "/w/l", "target": "x"},
        {"kind": "mode", "group": 0, "path": "/w/d", "equals": "0755"},
        {"kind": "sqlite", "group": 0, "path": "/w/good", "query": "SELECT 1", "rows": [[1]]},
        {"kind": "git", "group": 0, "path": "/w", "commits": 1},
        {"kind": "archive", "group": 0, "path": "/w/good", "format": "zip", "names": []},
        {"kind": "toml", "group": 0, "path": "/w/good", "equals": {}},
    ]
    assert desk.judge(Frozen.of(tree), asked).reasons == [evaluate(tree, one).evidence for one in asked]


_SPOIL = random.Random(0).randbytes(200_000)
_HOSTILE: dict[str, tuple[bytes, dict[str, Any]]] = {
    "deep JSON": (b"[" * 2_000_000, {"kind": "json", "equals": 1}),
    "a long number": (b"9" * 2_000_000, {"kind": "json", "equals": 1}),
    "JSON of objects": (b'{"a":' * 100_000, {"kind": "json", "equals": 1}),
    "TOML of brackets": (b"a = " + b"[" * 100_000, {"kind": "toml", "equals": {}}),
    "TOML of dots": (b".".join([b"a"] * 100_000) + b" = 1", {"kind": "toml", "equals": {}}),
    "a field without end": (b'"' + b"a" * 2_000_000, {"kind": "csv", "rows": []}),
    "empty lines": (b"\n" * 3_000_000, {"kind": "file", "lines": ["x"]}),
    "a pattern's worst text": (b"a" * 5_000 + b"!", {"kind": "file", "matches": "(a+a+)+b"}),
    "gzip of gzip": (
        gzip.compress(gzip.compress(bytes(30_000_000))),
        {"kind": "archive", "format": "tar.gz", "names": []},
    ),
    "noise as a database": (b"SQLite format 3\0" + _SPOIL, {"kind": "sqlite", "query": "SELECT * FROM t", "rows": []}),
    "noise as tar": (_SPOIL, {"kind": "archive", "format": "tar", "names": []}),
    "noise as xz": (b"\xfd7zXZ\0" + _SPOIL, {"kind": "archive", "format": "tar.xz", "names": []}),
    "NULs": (bytes(3_000_000), {"kind": "ini", "at": ["a", "b"], "equals": "x"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(_HOSTILE))
def test_hostile_content_fails_its_own_check_only(desk: Desk, name: str) -> None:
    data, asked = _HOSTILE[name]
    tree = Tree().put("/w/good", "good\n").put("/w/bad", data)
    good, bad, again = desk.judge(Frozen.of(tree), [_GOOD, {"group": 0, "path": "/w/bad", **asked}, _GOOD]).reasons
    assert (good, again) == ("", "")
    assert bad.startswith("/w/bad")


def test_what_ends_the_process_that_looks_at_it_fails_alone(desk: Desk) -> None:
    """A pattern that matching never comes back from, which no signal reaches, is ended from outside."""
    tree = Tree().put("/w/good", "good\n").put("/w/bad", "a" * 60 + "!")
    stuck = {"kind": "file", "group": 0, "path": "/w/bad", "matches": "(a*)*(a*)*b"}
    good, bad, again = desk.judge(Frozen.of(tree), [_GOOD, stuck, _GOOD]).reasons
    assert (good, again) == ("", "")
    assert "bad" in bad


def test_a_slot_that_does_not_work_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "_codes", lambda: b"no modules")
    with pytest.raises(InfraError, match="the sandbox that judges files does not work"):
        judge_frozen(Frozen.of(Tree().put("/w/good", "good\n")), [_GOOD])


def test_what_was_judged_is_not_judged_again_unless_it_is_other_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    held, later = (Frozen.of(Tree().put("/w/good", File(b"good\n", mtime=time))) for time in (1, 2))
    asked = [_GOOD, {"kind": "mtime", "group": 0, "path": "/w/good", "equals": 1}]
    first = judge_frozen(held, asked)
    assert first.reasons == ["", ""]
    with monkeypatch.context() as patched:
        patched.setattr(Desk, "judge", lambda *_: pytest.fail("it was judged again"))
        assert judge_frozen(Frozen(held.archives, {}), [dict(one) for one in asked]) == first
    assert judge_frozen(later, asked).reasons[1]
    assert judge_frozen(held, asked[:1]).reasons == [""]
    assert judge_frozen(Frozen(held.archives, {"/w/good": "it cannot be copied"}), asked).reasons[0]


def _absent(path: str) -> dict[str, Any]:
    return {"kind": "file", "group": 0, "path": path, "absent": True}


@pytest.mark.parametrize(
    ("setup", "asked", "reason"),
    [
        ("mkdir out; echo good > out/x", {"kind": "file", "path": "/workspace/out/x", "equals": "good\n"}, ""),
        ("mkdir out; chmod 700 out", {"kind": "mode", "path": "/workspace/out", "equals": "0700"}, ""),
        ("true", _absent("/workspace/out"), ""),
        ("mkfifo out", _absent("/workspace/out"), "/workspace/out is a pipe or a device"),
        ("ln -s nowhere out", _absent("/workspace/out"), "is a symbolic link"),
        (
            "ln -s /etc out",
            {"kind": "file", "path": "/workspace/out/passwd", "exists": True},
            'is missing: /workspace/out is a symbolic link to "/etc"',
        ),
        ("head -c 30000000 /dev/zero > out", _absent("/workspace/out"), "cannot be copied out"),
        (
            "mkdir out; cd out; for i in {1..90}; do mkdir d; cd d; done",
            _absent("/workspace/out"),
            "cannot be copied",
        ),
        ("mkdir -p out; chmod 000 out; touch out/x", {"kind": "file", "path": "/workspace/out/x", "equals": ""}, ""),
        ("touch $'out\\n' $'out\\377'", _absent("/workspace/out"), ""),
        ("mkdir in; touch in/x; ln -s in out", _absent("/workspace/out/x"), "is a symbolic link"),
        ("touch out", _absent("/workspace/out/x"), ""),
        ("touch out; ln out other; ln out third", {"kind": "file", "path": "/workspace/out", "equals": ""}, ""),
    ],
)
def test_what_can_be_at_a_path(machine: Sandbox, setup: str, asked: dict[str, Any], reason: str) -> None:
    machine.exec(["bash", "-c", f"rm -rf /workspace/*; cd /workspace; {setup}"])
    held = Frozen.collect(machine, [asked["path"]])
    (found,) = judge_frozen(held, [{"group": 0, **asked}]).reasons
    assert reason in found
    assert bool(found) == bool(reason)


def test_nothing_that_looks_is_imported_from_where_agents_write(machine: Sandbox) -> None:
    machine.exec(
        ["bash", "-c", "rm -rf /workspace/*; for m in json io tarfile zlib; do echo 1/0 > /workspace/$m.py; done"]
    )
    held = Frozen.collect(machine, ["/workspace"])
    assert judge_frozen(held, [{"kind": "folder", "group": 0, "path": "/workspace", "count": 4}]).reasons == [""]
