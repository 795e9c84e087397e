"""What predicates say of trees: each kind holds of what it asks for, and tells why of what is nearly that."""

import bz2
import gzip
import hashlib
import io
import lzma
import sqlite3
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from palestra.envs.terminal.predicates import check_predicate, evaluate, name_of
from palestra.envs.terminal.tree import File, Folder, Link, Tree
from palestra.rewards.base import VerifierError

TREE = (
    Tree()
    .put("/w/a.txt", "one\ntwo\n")
    .put("/w/empty", "")
    .put("/w/latin.txt", "é\n".encode("latin-1"))
    .put("/w/crlf.txt", "one\r\ntwo\r\n")
    .put("/w/run.sh", File(b"#!/bin/sh\n", 0o750, 1000, 1_700_000_000))
    .put("/w/d/x.json", '{"a": [1, 2.0, {"b": true}], "n": null}')
    .put("/w/d/twice.json", '{"a": 1, "a": 2}')
    .put("/w/c.toml", 'name = "x"\nday = 2025-01-02\n[s]\nport = 80\n')
    .put("/w/c.ini", "[Main]\nPort = 80\nempty\n")
    .put("/w/t.csv", 'id,name\n1,"a,b"\n2,c\n')
    .put("/w/l", Link("a.txt"))
    .put("/w/up", Link("../w/d/x.json"))
    .put("/w/out", Link("/elsewhere"))
    .put("/w/hollow", Folder(0o700))
    .put("/w/sums", f"{'ab' * 32}  a.txt\n{'cd' * 32} *./b.txt\n")
)

_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
_TABLE = "CREATE TABLE t (a INTEGER, b REAL, c BLOB); INSERT INTO t VALUES (1, .5, x'ff'), (2, 1, NULL);"


def told(**asked: Any) -> str:
    check = evaluate(TREE, {"group": 0, **asked})
    assert check.passed == (not check.evidence)
    return check.evidence


@pytest.mark.parametrize(
    "asked",
    [
        {"path": "/w/a.txt", "equals": "one\ntwo\n"},
        {"path": "/w/a.txt", "equals": {"base64": "b25lCnR3bwo="}},
        {"path": "/w/a.txt", "equals": {"sha256": hashlib.sha256(b"one\ntwo\n").hexdigest()}},
        {"path": "/w/a.txt", "lines": ["one", "two"], "contains": ["ne\nt", "two"], "lacks": "three"},
        {"path": "/w/a.txt", "lines_any_order": ["two", "one"], "matches": r"(\w+\n){2}"},
        {"path": "/w/empty", "lines": []},
        {"path": "/w/latin.txt", "equals": "é\n", "encoding": "latin-1"},
        {"path": "/w/nothing", "absent": True},
        {"path": "/w/a.txt/x", "absent": True},
        {"path": "/w/a.txt", "exists": True},
    ],
)
def test_a_file_is_as_asked(asked: dict[str, Any]) -> None:
    assert told(kind="file", **asked) == ""


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"path": "/w/a.txt", "equals": "one\ntwo"}, "/w/a.txt: it ends with a newline, not no newline"),
        ({"path": "/w/crlf.txt", "equals": "one\ntwo\n"}, "/w/crlf.txt: its lines end with a carriage return"),
        ({"path": "/w/a.txt", "equals": "one\nTWO\n"}, '/w/a.txt: line 2 is "two", not "TWO"'),
        ({"path": "/w/a.txt", "lines": ["one"]}, "/w/a.txt has 2 lines, not 1"),
        ({"path": "/w/a.txt", "lines": ["two", "one"]}, "/w/a.txt has the right lines in another order"),
        ({"path": "/w/a.txt", "lines_any_order": ["one", "two", "two"]}, '/w/a.txt lacks "two", or has it too seldom'),
        ({"path": "/w/a.txt", "contains": "three"}, '/w/a.txt does not contain "three"'),
        ({"path": "/w/a.txt", "lacks": ["on"]}, '/w/a.txt contains "on"'),
        ({"path": "/w/a.txt", "matches": r"\w+\n"}, "/w/a.txt is not of the form"),
        ({"path": "/w/latin.txt", "lines": ["é"]}, "/w/latin.txt is no utf-8 text"),
        ({"path": "/w/a.txt", "absent": True}, "/w/a.txt is a file; nothing was to be there"),
        ({"path": "/w/out", "absent": True}, '/w/out is a symbolic link to "/elsewhere"; nothing was to be there'),
        ({"path": "/w/d", "absent": True}, "/w/d is a folder; nothing was to be there"),
        ({"path": "/w/l", "equals": "one\ntwo\n"}, '/w/l is a symbolic link to "a.txt"; a file was wanted'),
        ({"path": "/w/d", "exists": True}, "/w/d is a folder; a file was wanted"),
        ({"path": "/w/out/x", "exists": True}, '/w/out/x is missing: /w/out is a symbolic link to "/elsewhere"'),
    ],
)
def test_a_file_that_is_not_as_asked_is_told_of(asked: dict[str, Any], reason: str) -> None:
    assert told(kind="file", **asked).startswith(reason)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"kind": "json", "path": "/w/d/x.json", "equals": {"n": None, "a": [1.0, 2, {"b": True}]}}, ""),
        ({"kind": "json", "path": "/w/d/x.json", "at": ["a", 2, "b"], "equals": True}, ""),
        (
            {"kind": "json", "path": "/w/d/x.json", "at": ["a", 2, "b"], "equals": 1},
            "/w/d/x.json.a[2].b is true, not 1",
        ),
        ({"kind": "json", "path": "/w/d/x.json", "at": ["a"], "equals": [{"b": True}, 2, 1], "any_order": True}, ""),
        ({"kind": "json", "path": "/w/d/x.json", "at": ["a", 0], "equals": 1.05, "tolerance": 0.1}, ""),
        ({"kind": "json", "path": "/w/d/x.json", "at": ["z"], "absent": True}, ""),
        ({"kind": "json", "path": "/w/d/x.json", "at": ["n"], "absent": True}, "/w/d/x.json.n is null; nothing was"),
        ({"kind": "json", "path": "/w/d/x.json", "at": ["a", 7], "equals": 1}, "/w/d/x.json.a[7] is missing"),
        ({"kind": "json", "path": "/w/d/x.json", "equals": {"a": []}}, '/w/d/x.json has the key "n"'),
        ({"kind": "json", "path": "/w/d/twice.json", "equals": {"a": 2}}, "/w/d/twice.json is no JSON: a key occurs"),
        ({"kind": "json", "path": "/w/a.txt", "equals": 1}, "/w/a.txt is no JSON"),
        ({"kind": "toml", "path": "/w/c.toml", "equals": {"name": "x", "day": "2025-01-02", "s": {"port": 80}}}, ""),
        ({"kind": "toml", "path": "/w/c.toml", "at": ["s", "port"], "equals": 81}, "/w/c.toml.s.port is 80, not 81"),
        ({"kind": "toml", "path": "/w/d/x.json", "equals": {}}, "/w/d/x.json is no TOML"),
        ({"kind": "ini", "path": "/w/c.ini", "at": ["Main", "Port"], "equals": "80"}, ""),
        ({"kind": "ini", "path": "/w/c.ini", "at": ["Main", "port"], "absent": True}, ""),
        ({"kind": "ini", "path": "/w/c.ini", "at": ["Other", "port"], "equals": "1"}, "/w/c.ini.Other.port is missing"),
        ({"kind": "csv", "path": "/w/t.csv", "rows": [["id", "name"], ["1", "a,b"], ["2", "c"]]}, ""),
        (
            {
                "kind": "csv",
                "path": "/w/t.csv",
                "header": ["id", "name"],
                "rows": [["2", "c"], ["1", "a,b"]],
                "any_order": True,
            },
            "",
        ),
        ({"kind": "csv", "path": "/w/t.csv", "header": ["id"], "rows": []}, "/w/t.csv, its header, has 2 items, not 1"),
        (
            {"kind": "csv", "path": "/w/t.csv", "rows": [["id", "name"], ["2", "c"]]},
            '/w/t.csv: rows[1][0] is "1", not "2"',
        ),
        ({"kind": "checksums", "path": "/w/sums", "of": {"b.txt": "CD" * 32, "a.txt": "ab" * 32}}, ""),
        (
            {"kind": "checksums", "path": "/w/sums", "of": {"b.txt": "cd" * 32, "a.txt": "ab" * 32}, "ordered": True},
            "/w/sums names",
        ),
        ({"kind": "checksums", "path": "/w/a.txt", "of": {}}, '/w/a.txt: line 1 is "one", no checksum'),
        ({"kind": "mode", "path": "/w/run.sh", "equals": "0750"}, ""),
        ({"kind": "mode", "path": "/w/d", "equals": "0700"}, "/w/d has the permissions 0755, not 0700"),
        ({"kind": "mode", "path": "/w/l", "equals": "0777"}, "/w/l is a symbolic link"),
        ({"kind": "owner", "path": "/w/run.sh", "equals": 1000}, ""),
        ({"kind": "owner", "path": "/w/a.txt", "equals": 1000}, "/w/a.txt belongs to user 0, not 1000"),
        ({"kind": "mtime", "path": "/w/run.sh", "equals": 1_700_000_000}, ""),
        ({"kind": "mtime", "path": "/w/run.sh", "equals": 1}, "/w/run.sh was changed at 1700000000"),
        ({"kind": "link", "path": "/w/l", "target": "a.txt", "leads": "/w/a.txt"}, ""),
        ({"kind": "link", "path": "/w/up", "leads": "/w/d/x.json"}, ""),
        ({"kind": "link", "path": "/w/l", "target": "/w/a.txt"}, '/w/l is a link to "a.txt"'),
        ({"kind": "link", "path": "/w/a.txt", "target": "x"}, "/w/a.txt is a file; a symbolic link was wanted"),
        ({"kind": "folder", "path": "/w/hollow", "files": [], "count": 0}, ""),
        ({"kind": "folder", "path": "/w/d", "files": ["twice.json", "x.json"], "folders": [], "count": 2}, ""),
        ({"kind": "folder", "path": "/w/d", "lists": ["x.json"]}, '/w/d holds the entry "twice.json"'),
        ({"kind": "folder", "path": "/w", "folders": ["d"]}, '/w holds the folder "hollow"'),
        ({"kind": "folder", "path": "/w/d", "files": ["y"]}, '/w/d lacks the file "y"'),
        ({"kind": "folder", "path": "/w/a.txt"}, "/w/a.txt is a file; a folder was wanted"),
        ({"kind": "same", "path": "/w/a.txt", "sha256": hashlib.sha256(b"one\ntwo\n").hexdigest()}, ""),
        ({"kind": "same", "path": "/w/a.txt", "sha256": "00"}, "/w/a.txt was to stay as it was, and was changed"),
        ({"kind": "same", "path": "/w", "tree": TREE.to_json()}, ""),
        (
            {"kind": "same", "path": "/w", "tree": TREE.put("/w/a.txt", "x").to_json()},
            "/w was to stay as it was, and /w/a.txt",
        ),
        (
            {"kind": "same", "path": "/w", "tree": TREE.drop("/w/l").to_json()},
            "/w was to stay as it was, and /w/l is new",
        ),
        (
            {"kind": "same", "path": "/w", "tree": TREE.put("/w/z", "").to_json()},
            "/w was to stay as it was, and /w/z is gone",
        ),
    ],
)
def test_what_is_asked_and_what_is_said(asked: dict[str, Any], reason: str) -> None:
    found = told(**asked)
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def _tar() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in (("./a/one.txt", b"1\n"), ("two.txt", b"2\n")):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o640
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "two.txt"
        archive.addfile(link)
    return packed.getvalue()


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a/", "")
        archive.writestr("a/one.txt", "1\n")
    return packed.getvalue()


def _archive_told(data: bytes, **asked: Any) -> str:
    tree = Tree().put("/w/x", data)
    return evaluate(tree, {"kind": "archive", "group": 0, "path": "/w/x", **asked}).evidence


def test_archives_hold_what_is_asked() -> None:
    members = {"a/one.txt": "1\n", "two.txt": {"base64": "Mgo="}, "link": {"link": "two.txt"}}
    for form, pack in (("tar", bytes), ("tar.gz", gzip.compress), ("tar.bz2", bz2.compress), ("tar.xz", lzma.compress)):
        packed = pack(_tar())
        assert _archive_told(packed, format=form, members=members, modes={"two.txt": "0640"}) == ""
    assert _archive_told(_zip(), format="zip", members={"a/one.txt": "1\n"}, names=["a/one.txt"]) == ""
    for form, pack in (("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)):
        assert _archive_told(pack(b"content"), format=form, content="content") == ""


def test_archives_that_are_not_as_asked_are_told_of() -> None:
    assert "lacks the member" in _archive_told(_tar(), format="tar", names=["a/one.txt", "three"])
    assert "which was not wanted" in _archive_told(_tar(), format="tar", names=["a/one.txt", "two.txt"])
    assert 'line 1 is "1", not "2"' in _archive_told(_zip(), format="zip", members={"a/one.txt": "2\n"})
    assert "has the permissions 0640, not 0600" in _archive_told(
        _tar(), format="tar", modes={"two.txt": "0600"}, names=["a/one.txt", "two.txt", "link"]
    )
    assert "is no tar.gz archive" in _archive_told(_tar(), format="tar.gz", names=[])
    assert "is no zip archive" in _archive_told(_tar(), format="zip", names=[])


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(80 * 1024 * 1024), 9)
    assert "more than 67108864 bytes" in _archive_told(bomb, format="gz", content="")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(80 * 1024 * 1024))
    assert "more than 67108864 bytes" in _archive_told(packed.getvalue(), format="zip", names=["zeros"])


@pytest.fixture
def database(tmp_path: Path) -> bytes:
    file = tmp_path / "x.db"
    connection = sqlite3.connect(file)
    connection.executescript(
        "CREATE TABLE t (a INTEGER, b REAL, c BLOB); INSERT INTO t VALUES (1, .5, x'ff'), (2, 1, NULL);"
    )
    connection.close()
    return file.read_bytes()


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"query": "SELECT a, b FROM t ORDER BY a", "rows": [[1, 0.5], [2, 1]]}, ""),
        ({"query": "SELECT a FROM t ORDER BY a DESC", "rows": [[1], [2]], "any_order": True}, ""),
        ({"query": "SELECT b FROM t", "rows": [[0.5001], [1]], "tolerance": 0.01}, ""),
        ({"query": "SELECT c FROM t", "rows": [[{"base64": "/w=="}], [None]]}, ""),
        ({"query": "PRAGMA integrity_check", "rows": [["ok"]]}, ""),
        ({"query": "SELECT a FROM t", "rows": [[1]]}, "rows has 2 items, not 1"),
        ({"query": "SELECT a FROM u", "rows": []}, "no such table: u"),
        ({"query": "DELETE FROM t RETURNING a", "rows": [[1], [2]]}, "not authorized"),
        ({"query": "ATTACH '/etc/passwd' AS x", "rows": []}, "not authorized"),
        ({"query": f"{_ENDLESS} SELECT max(i) FROM n", "rows": []}, "interrupted"),
    ],
)
def test_a_query_only_reads(database: bytes, asked: dict[str, Any], reason: str) -> None:
    tree = Tree().put("/w/x.db", database)
    found = evaluate(tree, {"kind": "sqlite", "group": 0, "path": "/w/x.db", **asked}).evidence
    assert reason in found
    assert bool(found) == bool(reason)


def test_what_a_database_has_beside_its_file_counts(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (7);")
    tree = Tree().put("/w/x.db", file.read_bytes()).put("/w/x.db-wal", Path(f"{file}-wal").read_bytes())
    connection.close()  # which writes the log into the file
    asked = {"kind": "sqlite", "group": 0, "path": "/w/x.db", "query": "SELECT a FROM t", "rows": [[7]]}
    assert evaluate(tree, asked).passed
    assert evaluate(Tree().put("/w/x.db", file.read_bytes()), asked).passed  # its header still tells of a log
    assert not evaluate(Tree().put("/w/x.db", b""), asked).passed


@pytest.mark.parametrize(
    ("predicate", "said"),
    [
        ({"kind": "magic", "group": 0}, "a predicate is an object with a kind of"),
        ([], "a predicate is an object"),
        ({"kind": "file", "path": "/w"}, "group is the number of its step"),
        ({"kind": "file", "group": 0, "path": "/w"}, "asks for one of"),
        ({"kind": "file", "group": 0, "path": "w", "exists": True}, "paths are absolute"),
        ({"kind": "file", "group": 0, "path": "/w/../x/", "exists": True}, "in their shortest form"),
        ({"kind": "file", "group": 0, "path": "/w", "equal": "x"}, "knows nothing of 'equal'"),
        ({"kind": "mode", "group": 0, "path": "/w"}, "needs 'equals'"),
        ({"kind": "archive", "group": 0, "path": "/w", "format": "rar", "names": []}, "an archive's format is one of"),
        ({"kind": "runs", "group": 0, "command": [], "files": [], "cases": [{"stdout": ""}]}, "a list of words"),
        ({"kind": "runs", "group": 0, "command": ["x"], "files": [], "cases": []}, "at least one case"),
        (
            {"kind": "listens", "group": 0, "command": ["x"], "files": [], "port": 1, "cases": [{}]},
            "a case of 'listens'",
        ),
    ],
)
def test_a_predicate_that_asks_for_nothing_known_is_refused(predicate: Any, said: str) -> None:
    with pytest.raises(VerifierError, match=said):
        check_predicate(predicate)


def test_what_must_be_run_is_not_judged_of_a_tree() -> None:
    asked = {"kind": "runs", "group": 1, "command": ["sh", "x"], "files": ["/w/x"], "cases": [{"stdout": ""}]}
    assert name_of(asked) == "step 2: runs sh x"
    with pytest.raises(VerifierError, match="by running something"):
        evaluate(TREE, asked)


def test_a_reason_is_a_line_whatever_agents_call_their_files() -> None:
    tree = Tree().put("/w/a\n\x1b[2J\udcff", "").put("/w/x.ini", "[a]\n\x1b[2J\x07\n= 1\n" + "y" * 5000)
    asked: list[dict[str, Any]] = [
        {"kind": "same", "path": "/w", "tree": {}},
        {"kind": "ini", "path": "/w/x.ini", "at": ["a", "b"], "equals": ""},
        {"kind": "folder", "path": "/w", "files": []},
    ]
    for one in asked:
        said = evaluate(tree, {"group": 0, **one}).evidence
        assert said
        assert said.isprintable()
        assert len(said) < 700
