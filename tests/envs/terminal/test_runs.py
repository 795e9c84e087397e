"""Scripts and services are tried in a machine where nothing else of the agent's is, and cannot get round it."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from palestra.envs.terminal.frozen import Frozen
from palestra.envs.terminal.runs import Stage, judge_running
from palestra.envs.terminal.tree import File, Link, Tree
from palestra.rewards.base import VerifierError

_ADD = "import sys\nprint(sum(map(int, sys.stdin.read().split())))\n"
_CASES = [{"stdin": "1 2 3", "stdout": "6\n"}, {"stdin": "4 5", "stdout": "9\n"}]
_SERVE = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"hello " + self.path.encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with closing(Stage()) as made:
        yield made


def told(stage: Stage, source: str | File, mode: int = 0o755, tree: Tree | None = None, **more: Any) -> str:
    file = source if isinstance(source, File) else File(source.encode(), mode)
    frozen = Frozen.of((tree or Tree()).put("/workspace/run", file))
    asked = {"kind": "runs", "group": 0, "command": ["/workspace/run"], "files": ["/workspace/run"], "cases": _CASES}
    return stage.reason(frozen, {**asked, **more})


def test_a_script_is_run_on_every_case(stage: Stage) -> None:
    assert told(stage, _ADD, command=["python3", "/workspace/run"]) == ""
    assert told(stage, f"#!/usr/bin/env python3\n{_ADD}") == ""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("#!/bin/sh\necho 6\n", 'hidden run 2 of "/workspace/run": its output: line 1 is "6", not "9"'),
        ("#!/bin/sh\necho 6; exit 3\n", 'hidden run 1 of "/workspace/run": exit code 3'),
        ("#!/bin/sh\necho no such thing >&2; exit 1\n", 'exit code 1: "no such thing"'),
        ("#!/bin/sh\nsleep 100\n", "out of time"),
        ("#!/bin/sh\nyes\n", "bytes of output"),
        ("#!/bin/sh\nkill -9 $$\n", "killed by signal 9"),
        ("#!/nowhere\n", "exit code 127"),
        ("", "Exec format error"),
        ("#!/bin/sh\n", "its output"),
    ],
)
def test_a_script_that_is_wrong_is_told_of(stage: Stage, source: str, reason: str) -> None:
    assert reason in told(stage, source, seconds=1)


def test_a_script_must_be_a_file_that_may_be_run(stage: Stage) -> None:
    assert "exit code 126" in told(stage, f"#!/usr/bin/env python3\n{_ADD}", mode=0o644)
    asked = {"kind": "runs", "group": 0, "command": ["/workspace/x"], "files": ["/workspace/x"], "cases": _CASES}
    assert stage.reason(Frozen.of(Tree().put("/workspace/y", "")), asked) == "/workspace/x is missing; it was to be run"
    assert "exit code 127" in stage.reason(Frozen.of(Tree().put("/workspace/x", Link("/root/x"))), asked)
    troubled = Frozen((), {"/workspace": "/workspace cannot be copied out: too large"})
    assert stage.reason(troubled, asked) == "/workspace cannot be copied out: too large"


def test_what_a_run_leaves_no_other_run_finds(stage: Stage) -> None:
    """Neither files nor processes: a script that answers from what it kept of earlier inputs fails."""
    keeps = "#!/bin/bash\necho >> /workspace/seen; (setsid sleep 100 &)\nuntil pgrep sleep > /dev/null; do :; done\n"
    keeps += "wc -l < /workspace/seen; pgrep -c sleep\n"
    cases = [{"stdin": "a", "stdout": "1\n1\n"}] * 3
    assert told(stage, keeps, cases=cases) == ""


def test_only_declared_files_are_there(stage: Stage) -> None:
    tree = Tree().put("/workspace/secret", "6").put("/workspace/json.py", "1/0").put("/root/.bashrc", "echo 6")
    look = "#!/bin/sh\nls -A /workspace /tmp; ls /root; echo $LD_PRELOAD $PATH\n"
    wanted = "/tmp:\n\n/workspace:\nrun\n"
    found = told(stage, look, tree=tree, cases=[{"stdout": wanted}], compare="exact")
    assert found.startswith('hidden run 1 of "/workspace/run": its output: line 5 is ')
    assert "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" in found


def test_cases_have_arguments_files_exit_codes_and_what_is_written(stage: Stage) -> None:
    copy = '#!/bin/sh\nsort "$1" > /workspace/out/sorted; exit 4\n'
    case = {
        "args": ["/workspace/in.txt"],
        "files": {"/workspace/in.txt": "b\na\n", "/workspace/out/.keep": ""},
        "stdout": "",
        "exit": 4,
        "makes": {"/workspace/out/sorted": "a\nb\n"},
    }
    assert told(stage, copy, cases=[case]) == ""
    assert "exit code 4" in told(stage, copy, cases=[{**case, "exit": 0}])
    assert "exit code 0, not 4" in told(stage, copy.replace("exit 4", "exit 0"), cases=[case])
    assert "was to be written" in told(stage, "#!/bin/sh\nexit 4\n", cases=[case])
    assert 'line 1 is "b"' in told(stage, copy.replace("sort ", "cat "), cases=[case])


@pytest.mark.parametrize(
    ("compare", "stdout", "fails"),
    [("exact", "1.0  2\n", False), ("exact", "1.0 2\n", True), ("lines", "1.0 2", False), ("floats", "1 2", False)],
)
def test_outputs_are_compared_as_told(stage: Stage, compare: str, stdout: str, fails: bool) -> None:
    assert bool(told(stage, "#!/bin/sh\necho '1.0  2'\n", cases=[{"stdout": stdout}], compare=compare)) == fails


def test_an_unknown_comparison_is_our_fault(stage: Stage) -> None:
    with pytest.raises(VerifierError, match="outputs are compared as one of"):
        told(stage, "", compare="loosely")


def listens(source: str, **more: Any) -> dict[str, Any]:
    cases = [{"send": "GET /a HTTP/1.0\r\n\r\n", "contains": "hello /a"}]
    asked = {"kind": "listens", "group": 0, "command": ["python3", "/workspace/s.py", "8123"], "cases": cases}
    return {**asked, "files": ["/workspace/s.py"], "port": 8123, "seconds": 3, **more}


@pytest.mark.parametrize(
    ("source", "more", "reason"),
    [
        (_SERVE, {}, ""),
        (
            _SERVE,
            {"cases": [{"send": "GET /b HTTP/1.0\r\n\r\n", "matches": r"HTTP/1.0 200 OK\r\n[\s\S]*hello /b"}]},
            "",
        ),
        (_SERVE, {"cases": [{"send": "GET /b HTTP/1.0\r\n\r\n", "equals": "hello /b"}]}, "answers"),
        (_SERVE.replace("hello", "bye"), {}, "without"),
        (_SERVE, {"port": 8124, "seconds": 60}, "; port 8123 is open instead"),
        (f"import socket, time\nother = socket.create_server(('', 8000))\ntime.sleep(0.3)\n{_SERVE}", {}, ""),
        ("import time\ntime.sleep(100)", {"seconds": 1}, "nothing listens on port 8123 after 1 s"),
        ("1/0", {}, "nothing listens on port 8123 after 0 s, and it ended with 1"),
        (_SERVE, {"command": ["/workspace/nothing"]}, "it cannot be started"),
        ("import socket, time\ns = socket.create_server(('', 8123))\ntime.sleep(100)", {}, "answers"),
        ("import os, signal\nos.kill(os.getppid(), 9)", {}, "killed by signal 9"),
    ],
)
def test_a_service_is_started_and_asked(source: str, more: dict[str, Any], reason: str) -> None:
    frozen = Frozen.of(Tree().put("/workspace/s.py", source))
    (found,) = judge_running(frozen, [listens(source, **more)])
    assert reason in found
    assert bool(found) == bool(reason)
