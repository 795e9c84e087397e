"""The backends that need no root, for a user who is not: what they enforce then, they enforce as well."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import palestra

NOBODY = 65534
PYTEST = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "py")
SCRIPT = '''
import json, os, pickle, sys
from contextlib import closing
from palestra.sandbox import create, probe
from palestra.sandbox.base import *

backend = sys.argv[1]
with closing(create(backend=backend)) as sandbox:
    sandbox.write("a/b", b"data")
    snapshot = sandbox.snapshot()
    sandbox.exec(["rm", "-r", "a"])
    sandbox.restore(snapshot)
    reach = """
import os
for name in ('mem', 'environ', 'fd', 'maps'):
    for action in (os.listdir, open):
        try:
            print(name, action(f'/proc/1/{name}'))
        except OSError:
            pass
"""
    bomb = """
import os, time
n = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(60)
        n += 1
except OSError:
    print(n)
"""
    print(json.dumps({
        "user": os.getuid(),
        "proven": [name for name in Capabilities.__dataclass_fields__ if getattr(probe(backend), name)],
        "read": sandbox.read("a/b").decode(),
        "ids": sandbox.exec(["id", "-u"]).stdout.decode().strip(),
        "stdout": sandbox.exec(["sh", "-c", "echo again > /dev/stdout; echo $HOME $SECRET"]).stdout.decode(),
        "memory": sandbox.exec(Python("x = bytearray(10**9)")).stderr.decode().splitlines()[-1],
        "forks": int(sandbox.exec(Python(bomb), limits=Limits(processes=10)).stdout),
        "reached": sandbox.exec(Python(reach)).stdout.decode(),
        "killed": sandbox.exec(Python("import os; os.kill(1, 9); print('alive')")).stdout.decode(),
        "timed_out": sandbox.exec(["sh", "-c", "setsid sleep 60 & sleep 60"], limits=Limits(wall_s=0.3)).timed_out,
    }))
'''
WORK = r"""
from contextlib import closing
from palestra.sandbox import create
from palestra.sandbox.base import ProcessesRunningError, SavedSnapshot, Spec

with closing(create(Spec(terminal=True))) as box:
    shell = box.shell()

    def say(shell, line):
        result = shell.run(line)
        assert not result.timed_out, (line, result)
        return result.output.decode().replace("\r", "")

    say(shell, "mkdir -p /srv/project && cd /srv/project; export LEVEL=3; greet() { echo hello $1; }")
    say(shell, "printf 'all: out\\nout: in\\n' > plan; seq 100 > in; tar czf in.tgz in; rm in; tar xzf in.tgz")
    assert say(shell, "wc -l < in; sort -rn in | head -1; greet you") == "100\n100\nhello you\n"
    say(shell, "printf '#!/bin/sh\\necho tool $LEVEL\\n' > /usr/local/bin/tool; chmod 755 /usr/local/bin/tool")
    say(shell, "rm /usr/bin/env")
    assert say(shell, "tool; ls /usr/bin/env 2>&1 | wc -l") == "tool 3\n1\n"
    before = box.snapshot()
    say(shell, "rm -r /srv/project /usr/local/bin/tool; unset LEVEL; cd /")
    with closing(box.fork()) as twin:
        twin.restore(before)
        assert say(twin.shell(), "pwd; tool; greet twin; wc -l < in") == "/srv/project\ntool 3\nhello twin\n100\n"
        say(twin.shell(), "echo more >> in")
        assert say(shell, "ls /srv; echo $LEVEL") == "\n"
    box.restore(before)
    assert say(shell, "pwd; tool; wc -l < in") == "/srv/project\ntool 3\n100\n"
    say(shell, "sleep 1234 & until grep -q sleep /proc/$!/cmdline; do :; done")
    try:
        box.snapshot()
        raise SystemExit("what runs was lost silently")
    except ProcessesRunningError as error:
        assert "sleep 1234" in str(error)
    with closing(box.fork(end_processes=True)) as twin:
        assert say(twin.shell(), "greet again; ps ax 2>/dev/null | grep -c '[s]leep'") == "hello again\n0\n"
    saved = box.snapshot()
    carried = SavedSnapshot(saved.data, saved.digest)
with closing(create(Spec(terminal=True))) as other:
    other.restore(carried)
    assert say(other.shell(), "pwd; tool; wc -l < in") == "/srv/project\ntool 3\n100\n"
print("done")
"""
LAWS = """
from palestra.sandbox.base import Backend
from palestra.sandbox.conformance import {laws}
from palestra.sandbox.native.backend import NativeBackend


class TestNative({laws}):
    def make_backend(self) -> Backend:
        return NativeBackend()
"""


@dataclass(frozen=True)
class Ordinary:
    """A way to run Python as a user who is not root."""

    folder: Path  # this user's own; below it lies the code, where root's may not be read
    python: str

    def run(self, *words: str, timeout_s: float = 120.0) -> "subprocess.CompletedProcess[str]":
        env = {"PYTHONPATH": str(self.folder / "code"), "SECRET": "host", "PYTHONDONTWRITEBYTECODE": "1"}
        env |= {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PALESTRA_CACHE": str(self.folder / "cache")}
        return subprocess.run(
            [self.python, *words],
            env=env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            user=NOBODY if os.geteuid() == 0 else None,
            group=NOBODY if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
        )


@pytest.fixture(scope="module")
def ordinary() -> Iterator[Ordinary]:
    with tempfile.TemporaryDirectory(prefix="palestra-ordinary-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        package = Path(palestra.__file__).parent
        for part in ("", "sandbox", "envs"):
            (folder / "code" / "palestra" / part).mkdir(parents=True)
            _copy(package / part, folder / "code" / "palestra" / part, is_deep=bool(part))
        for module in PYTEST:
            spec = importlib.util.find_spec(module)
            assert spec is not None, module
            source = Path(spec.origin or "")
            if spec.submodule_search_locations:
                _copy(source.parent, folder / "code" / module, is_deep=True)
            else:
                shutil.copy(source, folder / "code")
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        for python in dict.fromkeys((sys.executable, "/usr/bin/python3", shutil.which("python3") or sys.executable)):
            found = Ordinary(folder, python)
            try:
                if found.run("-c", "import palestra.sandbox, pytest").returncode == 0:
                    break
            except OSError:
                continue
        else:
            missing = "no interpreter on this machine can be read by an ordinary user; Debian's is in python3"
            if os.environ.get("CI"):
                pytest.fail(missing)
            pytest.skip(missing)
        yield found


def _copy(source: Path, target: Path, *, is_deep: bool) -> None:
    ignored = shutil.ignore_patterns("__pycache__") if is_deep else _all_but_modules
    shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)


def _all_but_modules(_: object, names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith(".py")]


@pytest.mark.slow
@pytest.mark.parametrize("laws", ["SandboxConformance", "TerminalConformance"])
def test_every_law_holds_for_an_ordinary_user(ordinary: Ordinary, laws: str) -> None:
    file = ordinary.folder / f"test_{laws}.py"
    file.write_text(LAWS.format(laws=laws))
    file.chmod(0o644)
    options = ["-p", "no:cacheprovider", "-W", "error", "-q", "--basetemp", str(ordinary.folder / laws)]
    ran = ordinary.run("-m", "pytest", *options, "--rootdir", str(ordinary.folder), str(file), timeout_s=1200.0)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert " passed" in ran.stdout.splitlines()[-1]
    assert "skipped" not in ran.stdout.splitlines()[-1]


@pytest.mark.parametrize("is_on_disk", [False, True], ids=["in memory", "on a disk"])
def test_an_ordinary_user_works_in_a_shell(ordinary: Ordinary, is_on_disk: bool) -> None:
    scratch = ordinary.folder / "scratch"
    prepare = f"import os; os.mkdir({str(scratch)!r}); os.environ['PALESTRA_SCRATCH'] = {str(scratch)!r}\n"
    ran = ordinary.run("-c", (prepare if is_on_disk else "") + WORK)
    assert (ran.returncode, ran.stdout) == (0, "done\n"), ran.stderr
    assert not is_on_disk or list(scratch.iterdir()) == []


@pytest.mark.parametrize("backend", ["native", "bubblewrap"])
def test_an_ordinary_user_has_a_sandbox_too(ordinary: Ordinary, backend: str) -> None:
    ran = ordinary.run("-c", SCRIPT, backend)
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert seen.pop("user") != 0
    assert seen.pop("memory") == "MemoryError"
    assert 0 < seen.pop("forks") <= 10
    proven = [
        "network_off",
        "read_only_root",
        "process_count",
        "pid_hidden",
        "socket_families",
        "syscall_filter",
        "snapshot",
        "fork",
    ]
    if backend == "native":
        proven.insert(proven.index("snapshot"), "terminal")
    assert seen == {
        "proven": proven,
        "read": "data",
        "ids": "1000",
        "stdout": "again\n/tmp\n",
        "reached": "",
        "killed": "alive\n",
        "timed_out": True,
    }
