"""Workspaces that a snapshot, which is an archive in memory, refuses instead of growing without bounds."""

from contextlib import closing

import pytest

from palestra.sandbox import create
from palestra.sandbox.base import Limits, Python, Sandbox, SandboxFileError, Spec


@pytest.fixture(params=["native", "process"])
def backend(request: pytest.FixtureRequest) -> str:
    """The name of a backend whose snapshots are archives."""
    return str(request.param)


def test_folders_nested_without_end_are_refused(sandbox: Sandbox) -> None:
    assert sandbox.exec(Python("import os\nfor _ in range(300):\n    os.mkdir('d'); os.chdir('d')")).ok
    with pytest.raises(SandboxFileError, match="folders inside each other"):
        sandbox.snapshot()
    assert sandbox.exec(["true"]).ok


def test_sparse_files_cannot_blow_up_a_snapshot(sandbox: Sandbox) -> None:
    assert sandbox.exec(["sh", "-c", "for i in 1 2 3; do truncate -s 30M sparse$i; done"]).ok
    with pytest.raises(SandboxFileError, match="larger than can be saved"):
        sandbox.snapshot()


def test_endless_names_cannot_blow_up_a_snapshot(backend: str) -> None:
    source = """
import os
for _ in range(60):
    os.mkdir("d" * 250)
    os.chdir("d" * 250)
for number in range(400):
    open(f"{number}" + "f" * 240, "w").close()
"""
    with closing(create(Spec(limits=Limits(disk_bytes=1 << 18)), backend=backend, unsafe=True)) as sandbox:
        sandbox.exec(Python(source))
        with pytest.raises(SandboxFileError, match="more names than can be saved"):
            sandbox.snapshot()
        assert sandbox.exec(["true"]).ok


def test_a_socket_is_left_out(sandbox: Sandbox) -> None:
    assert sandbox.exec(Python("import socket; socket.socket(socket.AF_UNIX).bind('socket')")).ok
    sandbox.restore(sandbox.snapshot())
    assert sandbox.exec(["ls", "-A"]).stdout == b"", "a socket is not kept"
