"""Whoever keeps their own files to themselves gets the same sandbox as everybody else."""

import os
import subprocess
import sys

import pytest

from palestra.sandbox import probe

PROGRAM = """
from contextlib import closing
from palestra.sandbox import create
from palestra.sandbox.base import Python, Spec
with closing(create(Spec(), backend="native")) as sandbox:
    code = "import hashlib, os; print(os.umask(0), oct(os.stat('/').st_mode), oct(os.stat('/usr').st_mode))"
    print(sandbox.exec(Python(code)).stdout.decode())
"""
TERMINAL = """
from contextlib import closing
from palestra.sandbox import create
from palestra.sandbox.base import Spec
with closing(create(Spec(terminal=True), backend="native")) as sandbox:
    print(sandbox.shell().run("umask; stat -c '%a %n' / /*").output.decode())
"""


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "program"), [("native", PROGRAM), ("terminal", TERMINAL)])
def test_a_sandbox_does_not_depend_on_the_umask(kind: str, program: str) -> None:
    if kind == "terminal" and not probe("native").terminal:
        pytest.skip("this machine's native backend has no terminal")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = [
        subprocess.run(
            [sys.executable, "-c", program], umask=umask, env=env, capture_output=True, text=True, check=True
        ).stdout
        for umask in (0o022, 0o077)
    ]
    assert told[0] == told[1]
    assert "18 0o40755 0o40755" in told[0] or "0022\n" in told[0]
