"""Sandboxes that break one law each about programs and what they may use."""

import os
import shlex
import threading
from dataclasses import replace
from typing import Any

from tests.sandbox.broken.honest import Honest, honest_process

from palestra.sandbox import process
from palestra.sandbox.base import (
    MIB,
    Backend,
    Command,
    ExecResult,
    InfraError,
    Python,
)

# What comes of a program.


class ExitCodeLost(Honest):
    def told(self, result: ExecResult) -> ExecResult:
        return replace(result, exit_code=0) if result.exit_code else result


class SignalAsExitCode(Honest):
    def told(self, result: ExecResult) -> ExecResult:
        return replace(result, exit_code=128 + result.signal, signal=None) if result.signal else result


class OutputAsText(Honest):
    def told(self, result: ExecResult) -> ExecResult:
        return replace(result, stdout=result.stdout.decode(errors="replace").encode())


class StreamsMixed(Honest):
    def told(self, result: ExecResult) -> ExecResult:
        return replace(result, stdout=result.stdout + result.stderr)


class ErrorsDropped(Honest):
    def told(self, result: ExecResult) -> ExecResult:
        return replace(result, stderr=b"")


class CutInSilence(Honest):
    def told(self, result: ExecResult) -> ExecResult:
        return replace(result, truncated=False)


class TimeOutUntold(Honest):
    def told(self, result: ExecResult) -> ExecResult:
        return replace(result, timed_out=False)


class UsageUntold(Honest):
    def told(self, result: ExecResult) -> ExecResult:
        return replace(result, cpu_s=0.0, max_rss_bytes=0)


class ShortageUntold(Honest):
    def told(self, result: ExecResult) -> ExecResult:
        return replace(result, oom=False)


class OutputUnbounded(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        given["limits"] = self.with_limits(given.get("limits"), output_bytes=64 * MIB)
        return self.inner.exec(command, **given)


class OutputWaitedFor(Honest):
    """The last output is lost when a program is killed."""

    def told(self, result: ExecResult) -> ExecResult:
        return replace(result, stdout=b"") if result.signal else result


class MissingCommandIsFault(Honest):
    def told(self, result: ExecResult) -> ExecResult:
        if result.exit_code == 127:
            raise InfraError("no such command")
        return result


# What a program is given.


class InputDropped(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        return self.inner.exec(command, **{**given, "stdin": b""})


class InputAsText(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        return self.inner.exec(command, **{**given, "stdin": bytes(given.get("stdin", b"")).replace(b"\x04", b"")})


class InputKept(Honest):
    """What one program was given is given to the next that is given nothing."""

    last = b""

    def exec(self, command: Command, **given: Any) -> ExecResult:
        self.last = given.get("stdin") or self.last
        return self.inner.exec(command, **{**given, "stdin": self.last})


class HostEnvironment(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        key = {"API_KEY": os.environ["API_KEY"]} if "API_KEY" in os.environ else {}
        return self.inner.exec(command, **{**given, "env": {**key, **(given.get("env") or {})}})


class WordsSplitAgain(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        if not isinstance(command, Python):
            command = ["sh", "-c", " ".join(command)] if shlex.join(command) == " ".join(command) else command
            command = [part for word in command for part in (word.split() or [word])] if len(command) > 3 else command
        return self.inner.exec(command, **given)


class AnotherFolder(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        if not isinstance(command, Python) and command[:1] == ["sh"]:
            command = ["sh", "-c", f"mkdir -p /tmp/w; cd /tmp/w; {command[2]}"]
        return self.inner.exec(command, **given)


class FrozenClock(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        if isinstance(command, Python):
            frozen = f"import time as _t; _t.time = lambda: 1e9\n{command.source}"
            command = Python(frozen, command.argv) if isinstance(command.source, str) else command
        return self.inner.exec(command, **given)


# Limits.


class FileUnbounded(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        given["limits"] = self.with_limits(given.get("limits"), file_bytes=64 * MIB)
        return self.inner.exec(command, **given)


class MemoryUnbounded(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        given["limits"] = self.with_limits(given.get("limits"), memory_bytes=600 * MIB)
        return self.inner.exec(command, **given)


class ProcessesUnbounded(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        given["limits"] = self.with_limits(given.get("limits"), processes=400)
        return self.inner.exec(command, **given)


class DescriptorsUnbounded(Honest):
    def told(self, result: ExecResult) -> ExecResult:
        return replace(result, stderr=b"") if b"Too many open files" in result.stderr else result


class Survivors(Honest):
    """Only the process group is ended, which a daemon has left."""

    @staticmethod
    def ground() -> Backend:
        return honest_process()

    def exec(self, command: Command, **given: Any) -> ExecResult:
        kept = process._end_marked
        process._end_marked = lambda mark: None
        try:
            return self.inner.exec(command, **given)
        finally:
            process._end_marked = kept


_one_by_one = threading.Lock()


class OneAfterTheOther(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        with _one_by_one:
            return self.inner.exec(command, **given)
