"""Reads and writes the workspace from inside the slot, as the programs' user.

So a name, a link or a device that a program left can mislead it no further than the sandbox. It runs
beside the fork-server for as long as the slot lives, and only while no program does.
"""

import os
import socket
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from palestra.sandbox import archive
from palestra.sandbox.base import SandboxFileError
from palestra.sandbox.native import stream
from palestra.sandbox.native.plan import WORKSPACE
from palestra.sandbox.native.rootfs import workspace_bytes
from palestra.sandbox.workspace import Workspace


def serve(connection: socket.socket) -> NoReturn:
    """Answer until the host is gone. The question comes first, then its data."""
    workspace = Workspace(WORKSPACE)
    while True:
        try:
            stream.drop(stream.receive_chunks(connection))
            question = stream.receive_message(connection)
            data = stream.receive_chunks(connection)
            try:
                answer = _answer(workspace, question, data, connection)
            except SandboxFileError as error:
                answer = stream.refuse(error)
            stream.drop(data)
            stream.receive_message(connection)
            stream.send_end(connection, answer | {"workspace_bytes": workspace_bytes()})
        except (EOFError, OSError):
            os._exit(0)


def _answer(
    workspace: Workspace, question: dict[str, Any], data: Iterator[bytes], connection: socket.socket
) -> dict[str, Any]:
    emit: Callable[[bytes], None] = lambda chunk: stream.send_chunk(connection, chunk)  # noqa: E731
    if question["do"] == "read":
        for chunk in workspace.read(question["path"], question["limit_bytes"]):
            emit(chunk)
        return {}
    if question["do"] == "collect":
        archive.collect_inside(workspace, question["path"], emit, question["limit_bytes"])
        return {}
    if question["do"] == "write":
        workspace.write(question["path"], data, question["mode"])
        return {}
    if question["do"] == "save":
        return {"digest": archive.save(workspace, emit, question["limit_bytes"])}
    return {"digest": archive.load(workspace, data)}
