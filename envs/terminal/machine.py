"""A machine as one episode has it: its shell, what that shows, and what can have become of it.

The agent is root in there. It can end the shell, replace it, stop it, or let nothing read what is typed; all of
that is the agent's own affair and comes back as something that was heard. Only the loss of the whole machine raises.
"""

import posixpath
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from palestra.envs.terminal.shown import split_cwd
from palestra.envs.terminal.step import HOME
from palestra.sandbox.base import InfraError, Sandbox, SandboxFileError, SandboxSnapshot, Shell, ShellResult
from palestra.sandbox.shell import TerminalShell

_TELL_CWD: Final = r"""PROMPT_COMMAND[50]='{ builtin printf "\e]7;%s\a" "$PWD" >/dev/tty; } 2>/dev/null'"""
_SLICE_S: Final = 0.05  # after which what was shown is taken, so that the end of much output is not lost
_KEPT_BYTES: Final = 256 * 1024  # of a command's output, from its beginning and from its end
_QUIET_S: Final = 0.3  # without anything new, after which a program is taken to wait for more keys
_KEYS_S: Final = 3.0  # the longest wait after keys
_START_S: Final = 20.0
_LONG, _TYPING_S = 1000, 10.0
_NOWHERE: Final = "/dev/shell/nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came of a command, or of waiting for one."""

    output: bytes
    exit_code: int | None  # None: it goes on
    seconds: float
    lost_bytes: int = 0  # of the middle of the output, at least
    note: str = ""  # what else has become of the shell


class Machine:
    """A sandbox in use by an episode. Methods raise InfraError when all of it is lost."""

    def __init__(self, sandbox: Sandbox, cwd: str | None = None) -> None:
        """Take over a sandbox.

        Args:
            sandbox: where the shell begins at its prompt, in `HOME`.
            cwd: where the shell of an earlier machine stood, which this one goes on with.
        """
        self.sandbox = sandbox
        self.cwd = cwd or HOME
        self._broken = ""  # why there is no shell
        self._shell: Shell | None = None
        if cwd is None:
            told, _ = self._heard(lambda shell: shell.run(_TELL_CWD, timeout_s=_START_S))
            self.cwd = split_cwd(told.output)[1] or HOME  # where the task has the shell begin

    def close(self) -> None:
        """Give the sandbox back."""
        self.sandbox.close()

    @property
    def is_busy(self) -> bool:
        """Whether the shell is not at its prompt."""
        if self._shell is None:
            return False
        try:
            return not self._shell.is_idle
        except (SandboxFileError, InfraError):
            self._raise_if_lost()
            return False

    def run(self, command: str, timeout_s: float) -> Heard:
        """Run a command, and wait for it as long as that.

        Raises:
            ValueError: the command cannot be typed.
        """
        typing_s = _TYPING_S if len(command) > _LONG else 0.0  # what is not typed within the first slice is lost
        return self._listen(lambda shell, wait_s: shell.run(command, timeout_s=max(wait_s, typing_s)), timeout_s)

    def wait(self, timeout_s: float) -> Heard:
        """Wait for the command that goes on."""
        return self._listen(lambda shell, wait_s: shell.wait(timeout_s=wait_s), timeout_s)

    def type(self, keys: bytes, timeout_s: float) -> Heard:
        """Type keys for the program that runs, and listen until it says no more."""
        begun = time.monotonic()
        note = ""
        try:
            self._open().send(keys)
        except InfraError as error:
            self._raise_if_lost()
            note = str(error)
        heard = self._listen(
            lambda shell, wait_s: shell.wait(timeout_s=wait_s), min(timeout_s, _KEYS_S), until_quiet=not note
        )
        return _with(heard, seconds=time.monotonic() - begun, note=note or heard.note)

    def hang_up(self) -> Heard:
        """Close the terminal, which ends the shell and what it runs, and open another."""
        shell, self._shell, self._broken = self._shell, None, ""
        if shell is not None:
            shell.close()
        self.cwd = HOME
        _, note = self._heard(lambda shell: shell.run(_TELL_CWD, timeout_s=_START_S))
        return Heard(output=b"", exit_code=None if note else 0, seconds=0.0, note=note or "this is a new shell")

    def write(self, path: str, content: bytes) -> str:
        """Write a file, and return where it is.

        Raises:
            SandboxFileError: it cannot be.
        """
        place = posixpath.normpath(posixpath.join(self.cwd, path))
        self.sandbox.write(place, content)
        return place

    def snapshot(self) -> SandboxSnapshot:
        """Return files and shell as they stand.

        Raises:
            ProcessesRunningError, SandboxFileError: they cannot be held.
        """
        return self.sandbox.snapshot()

    def _open(self) -> Shell:
        if self._shell is None:
            self._shell = self.sandbox.shell()
        return self._shell

    def _listen(
        self, first: Callable[[Shell, float], ShellResult], timeout_s: float, *, until_quiet: bool = False
    ) -> Heard:
        """Ask the shell, and go on waiting in slices until the prompt is back, or the time is up."""
        begun = last = time.monotonic()
        tape, note = _Tape(), ""
        ask = first
        while True:
            now = time.monotonic()
            wait_s = min(_SLICE_S, max(0.0, begun + timeout_s - now))
            result, note = self._heard(lambda shell, ask=ask, wait_s=wait_s: ask(shell, wait_s))  # type: ignore[misc]
            output, cwd = split_cwd(result.output)
            self.cwd = cwd or self.cwd
            tape.add(output, is_cut=result.truncated)
            last = time.monotonic() if output else last
            is_quiet = until_quiet and time.monotonic() - last > _QUIET_S
            if not result.timed_out or is_quiet or time.monotonic() - begun >= timeout_s:
                break
            ask = _wait
        seconds = time.monotonic() - begun
        return Heard(
            output=tape.output, exit_code=result.exit_code, seconds=seconds, lost_bytes=tape.lost_bytes, note=note
        )

    def _heard(self, ask: Callable[[Shell], ShellResult]) -> tuple[ShellResult, str]:
        """Return what the shell answered, and what has become of it; one that has ended is started again."""
        if self._broken:
            return _NOTHING, self._broken
        try:
            shell = self._open()
            result = ask(shell)
            if not (isinstance(shell, TerminalShell) and not shell.is_running):
                return result, ""
            self.cwd = HOME
            shell.run(_TELL_CWD, timeout_s=_START_S)
            return result, "the shell has ended; another was started"
        except SandboxFileError as error:
            return _NOTHING, f"the shell was ended: {error}"
        except InfraError as error:
            self._raise_if_lost()
            self._broken = f"no shell can be started any more: {error}"
            return _NOTHING, self._broken

    def _raise_if_lost(self) -> None:
        """Raise InfraError if the machine does not answer, whatever has become of its shell."""
        try:
            self.sandbox.collect(_NOWHERE)
        except SandboxFileError:
            return


class _Tape:
    """An output of any length: its beginning and its end."""

    def __init__(self) -> None:
        self._head, self._tail = bytearray(), bytearray()
        self.lost_bytes = 0

    def add(self, output: bytes, *, is_cut: bool) -> None:
        room = _KEPT_BYTES - len(self._head)
        self._head += output[:room]
        self._tail += output[room:]
        over = max(0, len(self._tail) - _KEPT_BYTES)
        del self._tail[:over]
        self.lost_bytes += over + is_cut

    @property
    def output(self) -> bytes:
        return bytes(self._head + self._tail)


_NOTHING: Final = ShellResult(output=b"", exit_code=None, timed_out=False)


def _wait(shell: Shell, wait_s: float) -> ShellResult:
    return shell.wait(timeout_s=wait_s)


def _with(heard: Heard, *, seconds: float, note: str) -> Heard:
    return Heard(
        output=heard.output, exit_code=heard.exit_code, seconds=seconds, lost_bytes=heard.lost_bytes, note=note
    )
