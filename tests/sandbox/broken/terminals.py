"""Terminal sandboxes and shells that break one law each."""

import shlex
from dataclasses import replace
from typing import Any, Self

from tests.sandbox.broken.honest import Honest

from palestra.sandbox.base import (
    MIB,
    Command,
    ExecResult,
    ProcessesRunningError,
    SandboxFileError,
    SandboxSnapshot,
    Shell,
    ShellResult,
)

_BEATS = "nohup setsid sh -c 'while :; do date +%s%N > /var/beat; sleep 0.02; done' >/dev/null 2>&1 </dev/null &"


class HonestShell:
    """Passes everything on to a shell that keeps every law."""

    def __init__(self, inner: Shell) -> None:
        self.inner = inner

    @property
    def is_idle(self) -> bool:
        return self.inner.is_idle

    def run(self, line: str, *, timeout_s: float = 30.0) -> ShellResult:
        return self.told(line, self.inner.run(line, timeout_s=timeout_s))

    def told(self, line: str, result: ShellResult) -> ShellResult:
        """What is told of a result, which some flaws are about."""
        return result

    def send(self, keys: bytes) -> None:
        self.inner.send(keys)

    def read(self, *, timeout_s: float = 1.0) -> bytes:
        return self.inner.read(timeout_s=timeout_s)

    def wait(self, *, timeout_s: float) -> ShellResult:
        return self.inner.wait(timeout_s=timeout_s)

    def resize(self, rows: int, columns: int) -> None:
        self.inner.resize(rows, columns)

    def close(self) -> None:
        self.inner.close()


class Echoing(HonestShell):
    def told(self, line: str, result: ShellResult) -> ShellResult:
        return replace(result, output=line.encode() + b"\r\n" + result.output)


class CodeUntold(HonestShell):
    def told(self, line: str, result: ShellResult) -> ShellResult:
        return replace(result, exit_code=0 if result.exit_code else result.exit_code)


class CutUntold(HonestShell):
    def told(self, line: str, result: ShellResult) -> ShellResult:
        return replace(result, truncated=False)


class PromptBelieved(HonestShell):
    def told(self, line: str, result: ShellResult) -> ShellResult:
        return replace(result, output=result.output.partition(b"$ # ")[0])


class Forgetful(HonestShell):
    def run(self, line: str, *, timeout_s: float = 30.0) -> ShellResult:
        return self.inner.run(f"bash -c {shlex.quote(line)}", timeout_s=timeout_s)


class Impatient(HonestShell):
    """What takes too long is ended instead of going on."""

    def told(self, line: str, result: ShellResult) -> ShellResult:
        if result.timed_out:
            self.inner.send(b"\x03")
            self.inner.wait(timeout_s=10.0)
        return result


class Deaf(HonestShell):
    def send(self, keys: bytes) -> None:
        self.inner.send(keys.replace(b"\x04", b""))


class Shapeless(HonestShell):
    def resize(self, rows: int, columns: int) -> None:
        pass


class Clinging(HonestShell):
    def close(self) -> None:
        pass


class WithShell(Honest):
    """A sandbox with a broken shell."""

    kind: type[HonestShell] = HonestShell

    def shell(self) -> Shell:
        return self.kind(self.inner.shell())


class EchoingShell(WithShell):
    kind = Echoing


class CodeUntoldShell(WithShell):
    kind = CodeUntold


class CutUntoldShell(WithShell):
    kind = CutUntold


class PromptBelievedShell(WithShell):
    kind = PromptBelieved


class ForgetfulShell(WithShell):
    kind = Forgetful


class ImpatientShell(WithShell):
    kind = Impatient


class DeafShell(WithShell):
    kind = Deaf


class ShapelessShell(WithShell):
    kind = Shapeless


class ClingingShell(WithShell):
    kind = Clinging


class LostInSilence(Honest):
    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        return self.inner.snapshot(end_processes=True)


class NothingIsEnded(Honest):
    """Processes are not ended although the caller says so."""

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        try:
            return self.inner.snapshot()
        except ProcessesRunningError:
            if end_processes:
                taken = self.inner.snapshot(end_processes=True)
                self.inner.shell().run(_BEATS)
                return taken
            raise


class ShellStateLost(Honest):
    def restore(self, snapshot: SandboxSnapshot) -> None:
        self.inner.restore(snapshot)
        self.inner.shell().run("cd /workspace; plain=; unset -f greet")


class DaemonsSurvive(Honest):
    def restore(self, snapshot: SandboxSnapshot) -> None:
        self.inner.restore(snapshot)
        self.inner.shell().run(_BEATS)


class OnlyTheWorkspaceIsRestored(Honest):
    def restore(self, snapshot: SandboxSnapshot) -> None:
        has_new = self.sh("test -e /etc/n").ok
        self.inner.restore(snapshot)
        if has_new:
            self.inner.write("/etc/n", b"n\n")


class ForkWithoutShell(Honest):
    def fork(self, *, end_processes: bool = False) -> Self:
        twin = self.inner.fork(end_processes=end_processes)
        twin.shell().run("cd /; plain=")
        return type(self)(twin, self.spec)


class WhatIsLeftLives(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        result = self.inner.exec(command, **given)
        if "nohup" in str(command):
            self.inner.shell().run(_BEATS)
        return result


class WorkspaceOnly(Honest):
    def write(self, path: str, data: bytes) -> None:
        if path.startswith("/") and not path.startswith("/workspace/"):
            raise SandboxFileError(13, f"{path!r} is outside the workspace")
        self.inner.write(path, data)


class LinksInTheMachine(Honest):
    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        shown = self.sh(f"cat {shlex.quote(path)}") if path.startswith("/link/") else None
        return shown.stdout if shown and shown.ok else self.inner.read(path, limit_bytes=limit_bytes)


class PileForgotten(Honest):
    """Only the newest snapshots can be gone back to."""

    taken: tuple[SandboxSnapshot, ...] = ()

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        self.taken = (*self.taken[-40:], self.inner.snapshot(end_processes=end_processes))
        return self.taken[-1]

    def restore(self, snapshot: SandboxSnapshot) -> None:
        self.inner.restore(snapshot if snapshot in self.taken else self.taken[0])
