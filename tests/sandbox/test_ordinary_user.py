"""The backends that need no root, for a user who is not: what they enforce then, they enforce as well."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import palestra

NOBODY = 65534
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


def readable_interpreter(folder: Path) -> str | None:
    """Return an interpreter that user NOBODY can run palestra with."""
    for python in dict.fromkeys((sys.executable, "/usr/bin/python3", shutil.which("python3") or "")):
        try:
            tried = subprocess.run(
                [python, "-c", "import palestra.sandbox"],
                **as_nobody(folder),
                capture_output=True,
                timeout=60,
            )
        except OSError:
            continue
        if tried.returncode == 0:
            return python
    return None


def as_nobody(folder: Path) -> dict[str, Any]:
    """Return how to start a process as that user, with a copy of the code that it can read."""
    env = {"PYTHONPATH": str(folder), "SECRET": "host", "PYTHONDONTWRITEBYTECODE": "1"}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": [], "env": env, "cwd": "/"}


@pytest.mark.parametrize("backend", ["native", "bubblewrap"])
def test_an_ordinary_user_has_a_sandbox_too(backend: str) -> None:
    if os.geteuid() == 0:
        with_code = Path("/tmp") / f"palestra-test-{os.getpid()}"
        try:
            for name in ("", "sandbox", "envs"):
                source = Path(palestra.__file__).parent / name
                ignored = (
                    shutil.ignore_patterns("__pycache__")
                    if name
                    else lambda _, names: [n for n in names if not n.endswith(".py")]
                )
                shutil.copytree(source, with_code / "palestra" / name, ignore=ignored, dirs_exist_ok=True)
            python = readable_interpreter(with_code)
            if python is None:
                pytest.skip("no interpreter on this machine can be read by an ordinary user")
            ran = subprocess.run(
                [python, "-c", SCRIPT, backend], **as_nobody(with_code), capture_output=True, text=True, timeout=120
            )
        finally:
            shutil.rmtree(with_code)
    else:
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT, backend],
            env={**os.environ, "SECRET": "host"},
            capture_output=True,
            text=True,
            timeout=120,
        )
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
