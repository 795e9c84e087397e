"""The host's end of a shell on a terminal, for every backend: typing, reading, and when the prompt is back.

How a shell is started is the backend's affair. It puts `start_script` in a file of the machine, makes a
FIFO for the reports, starts `shell_command` on a terminal whose echo is off, and hands over a `Terminal`.
The shell then writes records to the FIFO, a NUL before and after each:

    P3 0     the prompt is back for the third time, and the status of what ran was 0
    S...     the shell's state, a script, when it was asked for
    E1       the shell has ended with this code (written by what waits for it, not by the shell)

What programs print can hold anything, so the prompt is never looked for in it. But a terminal is slower
than a FIFO: at every prompt the shell also shows a fence with the same number, which is taken out of the
output, and the output before it is what belongs to the line.

A program may write false records, as it may replace the shell: it misleads itself and nobody else.
"""

import contextlib
import errno
import os
import re
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self

from palestra.sandbox.base import InfraError, ProcessesRunningError, SandboxFileError, ShellResult
from palestra.sandbox.screen import Screen

_CHUNK_BYTES = 64 * 1024
_FENCE_S = 0.25  # longest wait for a fence that a program may have flushed away
_START_S = 15.0
_SAVE_S = 5.0
_AGAIN_S = 0.05
_LARGEST_RECORD = 4 << 20
_PIECE = 400  # characters of quoted text in one typed line: a terminal takes lines of at most 4095 bytes
_LONGEST_PLAIN = 1000
_CONTROL = re.compile(r"[\x01-\x08\x0b-\x1f\x7f]")
_LITERAL_NEXT = "\x16"  # ^V
_ENDS_A_LINE = b"\n\r\x03\x04"

_BASH_START = r"""
unset HISTFILE
set +o histexpand
PS1= PS2=
_palestra=0
__='{ builtin printf "\0P%d %d\0" $((_palestra+=1)) $? >@REPORTS@
builtin printf "\e]7770;%d\a" $_palestra >@TERMINAL@; } 2>/dev/null'
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)); then PROMPT_COMMAND[99]=$__; else PROMPT_COMMAND=$__; fi
unset __
exec 9>&2 2>/dev/null
@STATE@
exec 2>&9 9>&-
(exit @STATUS@)
"""
_BASH_SAVE = (
    r" { builtin printf '\0S'; shopt -p; declare -p; declare -f; export -fp; umask -p; builtin printf 'cd -- %q\n' "
    r'"$PWD"; alias -p; set +o; trap -p; builtin printf "\0"; } >@REPORTS@ 2>/dev/null'
)
# A plain sh knows no PROMPT_COMMAND, but expands its prompt; it cannot list its functions.
_SH_START = r"""
PS2=
_palestra=0
_escape=$(printf '\033') _bell=$(printf '\007')
PS1='${_escape}]7770;$((_palestra+=1))$(printf "\0P%d %d\0" $_palestra $? >@REPORTS@)${_bell}'
exec 9>&2 2>/dev/null
@STATE@
exec 2>&9 9>&-
(exit @STATUS@)
"""
_SH_SAVE = (
    r""" { printf '\0S'; export PWD; set; export -p; echo "umask $(umask)"; echo 'cd -- "$PWD"'; alias | """
    r"""while IFS= read -r line; do printf 'alias %s\n' "${line#alias }"; done; set +o; printf '\0'; } """
    ">@REPORTS@ 2>/dev/null"
)


class Terminal(Protocol):
    """A shell that a backend has started, and its terminal. Both descriptors must not block."""

    screen: int  # what is typed goes in, what is shown comes out: a pty's master, or a socket to one
    reports: int  # the records come out; its end means that the whole machine is gone
    is_bash: bool
    reports_file: str  # the FIFO as the machine sees it: a path without blanks

    def calm(self) -> None:
        """Put the terminal's modes back, where a backend can, after a program that left them otherwise."""
        ...

    def resize(self, rows: int, columns: int) -> None:
        """Change the terminal's size."""
        ...

    def close(self) -> None:
        """End the shell and what it started, and free the descriptors; a second call does nothing."""
        ...

    def let_go(self) -> None:
        """Free the descriptors of a shell that has ended by itself; what it started in the background lives on."""
        ...


def shell_command(is_bash: bool, start_file: str) -> tuple[list[str], dict[str, str]]:
    """Return how to start a shell: the words, and the variables that it needs besides a PATH."""
    if is_bash:
        return ["bash", "--noprofile", "--noediting", "--rcfile", start_file, "-i"], {"TERM": "xterm"}
    return ["sh", "-i"], {"TERM": "xterm", "ENV": start_file}


def start_script(
    is_bash: bool, reports_file: str, state: bytes = b"", status: int = 0, *, terminal_file: str = "/dev/tty"
) -> bytes:
    """Return the script that a shell reads when it starts.

    Args:
        is_bash: bash, or any other sh.
        reports_file: as in `Terminal`.
        state: what `TerminalShell.save` returned, to go on from there.
        status: what ``$?`` shall be.
        terminal_file: the shell's terminal as the machine sees it.
    """
    script = (_BASH_START if is_bash else _SH_START).replace("@REPORTS@", reports_file)
    script = script.replace("@TERMINAL@", terminal_file)
    return script.replace("@STATUS@", str(status & 0xFF)).encode().replace(b"@STATE@", state)


def type_line(line: str) -> bytes:
    """Return the keys that make a shell run a line, or several lines as one.

    One short line is typed as it is. Anything else is quoted and evaluated, so that the prompt comes
    back once and no program reads the lines after its own.

    Raises:
        ValueError: the line holds a NUL or is no text.
    """
    if not isinstance(line, str) or "\0" in line:
        raise ValueError(f"a line is text without NUL, not {line!r:.80}")
    body = line.rstrip("\n")
    if len(body) <= _LONGEST_PLAIN and "\n" not in body and not _CONTROL.search(body):
        return os.fsencode(body) + b"\n"
    pieces = [body[start : start + _PIECE] for start in range(0, len(body), _PIECE)]
    quoted = "'\\\n'".join(piece.replace("'", "'\\''") for piece in pieces)
    return os.fsencode("eval ' " + _CONTROL.sub(lambda found: _LITERAL_NEXT + found[0], quoted) + "'\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a shell stands: what its host's end knows and a copy of its machine does not."""

    is_bash: bool
    prompt: int  # the number of the last one
    is_idle: bool
    status: int
    shown: str  # what nobody has read yet; each character is a byte
    truncated: bool
    fence: int
    records: str  # the beginning of a record


class TerminalShell:
    """A `Shell` on whatever terminal a backend starts. One caller at a time."""

    def __init__(
        self, start: Callable[[bytes, int], Terminal], output_bytes: int, state: bytes = b"", status: int = 0
    ) -> None:
        """Start the shell.

        Args:
            start: starts one, given the state and the status it begins with; raises InfraError.
            output_bytes: what is kept of the output between two answers.
            state: what it begins with, as `save` returned it.
            status: what ``$?`` is at its first prompt.
        """
        self._start, self._output_bytes = start, output_bytes
        self._terminal: Terminal | None = None
        self.is_closed = False
        self.paused = (b"", 0)  # the state and the status that the next shell begins with
        self._status = 0
        self.begin(state, status)

    def begin(self, state: bytes = b"", status: int = 0) -> None:
        """End the shell there is and start one with a state; returns at its first prompt.

        A state that keeps a shell from its prompt, as a trap in it can, is left out.

        Raises:
            InfraError: it could not be started, or shows no prompt.
        """
        self.paused = (b"", 0)
        if (state and self._try(state, status) is None) or (shown := self._try(b"", status)) is None:
            return
        self._let_go()
        raise InfraError(f"the shell shows no prompt: {shown[-500:].decode(errors='replace')!r}")

    def _try(self, state: bytes, status: int) -> bytes | None:
        """Start a shell; return what it shows instead of a prompt."""
        self._let_go()
        self._screen = Screen(self._output_bytes)
        self._records, self._saved = b"", b""
        self._prompt, self._is_idle = -1, False
        self._terminal = self._start(state, status)
        result = self._until_prompt(b"", _START_S)
        self._status = status
        return None if self._is_idle else result.output

    def pause(self, state: bytes, status: int) -> None:
        """Let go of a shell that the backend has ended; the next call starts one with this state."""
        if self._terminal is not None:
            self._terminal.let_go()
        self._terminal, self._is_idle = None, False
        self.paused = (state, status)

    def abandon(self) -> None:
        """Close without ending anything, where the whole machine goes."""
        self.pause(b"", 0)
        self.is_closed = True

    def take(self, shown: bytes, reported: bytes) -> None:
        """Take what a backend has read in this one's place."""
        self._screen.feed(shown)
        self._take_records(reported)

    def standing(self) -> "Standing | None":
        """Return where the shell stands, for a copy of its whole machine; None where none runs."""
        if self._terminal is None:
            return None
        shown, truncated, fence = self._screen.seen
        return Standing(
            is_bash=self._terminal.is_bash,
            prompt=self._prompt,
            is_idle=self._is_idle,
            status=self._status,
            shown=shown.decode("latin-1"),
            truncated=truncated,
            fence=fence,
            records=self._records.decode("latin-1"),
        )

    def go_on(self, terminal: Terminal, standing: "Standing") -> None:
        """Be the shell of another machine, in which everything stands as it did in a copied one."""
        if self._terminal is not None:
            self._terminal.let_go()
        self.paused = (b"", 0)
        self._terminal, self._records, self._saved = terminal, standing.records.encode("latin-1"), b""
        self._prompt, self._is_idle, self._status = standing.prompt, standing.is_idle, standing.status
        self._screen = Screen(self._output_bytes)
        self._screen.begin(standing.shown.encode("latin-1"), standing.truncated, standing.fence)

    @classmethod
    def resume(
        cls, start: Callable[[bytes, int], Terminal], output_bytes: int, terminal: Terminal, standing: "Standing"
    ) -> Self:
        """Return the shell of a copied machine; `start` and `output_bytes` as for a new one."""
        shell = cls.__new__(cls)
        shell._start, shell._output_bytes = start, output_bytes
        shell._terminal, shell.is_closed = None, False
        shell.go_on(terminal, standing)
        return shell

    def interrupt(self, timeout_s: float) -> None:
        """Type ^C until the prompt is back or the time is up: one that falls between a loop's commands is lost."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            self.send(b"\x03")
            if not self.wait(timeout_s=min(_AGAIN_S, left)).timed_out:
                return

    @property
    def is_running(self) -> bool:
        """Whether there is a shell: one that has ended or was paused is started by the next call."""
        return self._terminal is not None

    @property
    def status(self) -> int:
        """What ``$?`` is at the prompt."""
        return self._status

    @property
    def is_idle(self) -> bool:
        """Whether the shell waits at its prompt."""
        if self._terminal is not None:
            self._take_reports()
        return self._is_idle if self._terminal is not None else not self.is_closed

    def run(self, line: str, *, timeout_s: float = 30.0) -> ShellResult:
        """Type a line (or several) and wait until the prompt is back.

        Raises:
            InfraError: the shell is gone for a reason of ours; one that ended itself is started again.
            ValueError: the shell is not idle, or the line cannot be typed.
        """
        keys = type_line(line)
        self._take_reports()  # it may have ended meanwhile
        terminal = self._open()
        if not self.is_idle:
            raise ValueError("the shell is not at its prompt; use send, read and wait, or send b'\\x03' to interrupt")
        with _lost():
            terminal.calm()
        return self._until_prompt(keys, timeout_s)

    def send(self, keys: bytes) -> None:
        """Type keys without waiting: input for a program, ``\\x03`` for ^C, ``\\x04`` for ^D.

        Raises:
            InfraError: the shell is gone, or nothing reads what is typed.
        """
        self._take_reports()  # it may have ended meanwhile
        self._open()
        if any(key in _ENDS_A_LINE for key in keys):
            self._is_idle = False
        deadline = time.monotonic() + _START_S
        while keys and self._terminal is not None:
            keys = self._exchange(keys, deadline - time.monotonic())
            if keys and time.monotonic() > deadline:
                raise InfraError(f"the terminal took no more keys for {_START_S:g} s; {len(keys)} are left")

    def read(self, *, timeout_s: float = 1.0) -> bytes:
        """Return what the terminal showed since the last call, waiting up to the time for something."""
        self._open()
        deadline = time.monotonic() + timeout_s
        while not self._screen and self._terminal is not None and (left := deadline - time.monotonic()) >= 0:
            self._exchange(b"", left)
        return self._screen.take(is_end=True)[0]

    def wait(self, *, timeout_s: float) -> ShellResult:
        """Wait until the prompt is back, after `send` or a `run` that timed out; the output is what came since."""
        self._open()
        return self._until_prompt(b"", timeout_s)

    def resize(self, rows: int, columns: int) -> None:
        """Change the terminal's size; programs are told as by a window.

        Raises:
            ValueError: a size is not between 1 and 9999.
        """
        if not (0 < rows < 10_000 and 0 < columns < 10_000):
            raise ValueError(f"a terminal has 1 to 9999 rows and columns, not {rows} and {columns}")
        with _lost():
            self._open().resize(rows, columns)

    def close(self) -> None:
        """Hang up: the shell and what it started in the foreground and background ends."""
        self.is_closed = True
        self._let_go()

    def save(self) -> bytes:
        """Return the shell's state as a script: folder, variables, functions, aliases, options, traps, umask.

        The shell must be idle, and `begin` should follow: what ``$?`` was is lost otherwise.

        Raises:
            SandboxFileError: the state is larger than 4 MiB.
            ProcessesRunningError: it does not tell, as one that a program has meddled with.
            InfraError: the shell is gone.
        """
        terminal, status = self._open(), self._status
        self._saved = b""
        with _lost():
            terminal.calm()
        script = _BASH_SAVE if terminal.is_bash else _SH_SAVE
        self._until_prompt(script.replace("@REPORTS@", terminal.reports_file).encode() + b"\n", _SAVE_S)
        self._status = status
        if not self._saved:
            raise ProcessesRunningError("the shell does not tell its state; close it, or pass end_processes=True")
        return self._saved

    def _open(self) -> Terminal:
        if self.is_closed:
            raise ValueError("the shell is closed; ask the sandbox for another")
        if self._terminal is None:
            self.begin(*self.paused)
        assert self._terminal is not None  # begin raises otherwise
        return self._terminal

    def _let_go(self) -> None:
        terminal, self._terminal = self._terminal, None
        self._is_idle = False
        if terminal is not None:
            terminal.close()

    def _until_prompt(self, keys: bytes, timeout_s: float) -> ShellResult:
        """Type keys, and take what is shown until the prompt is back; with no keys it may be back already."""
        deadline = time.monotonic() + timeout_s
        if keys:
            self._is_idle = False
        while not self._is_idle and self._terminal is not None:
            left = deadline - time.monotonic()
            if left < 0:
                output, truncated = self._screen.take(is_end=False)
                return ShellResult(output=output, exit_code=None, timed_out=True, truncated=truncated)
            keys = self._exchange(keys, left)
        deadline = time.monotonic() + _FENCE_S
        while self._terminal is not None and self._screen.fence != self._prompt and time.monotonic() < deadline:
            self._exchange(b"", deadline - time.monotonic())
        output, truncated = self._screen.take(is_end=True)
        return ShellResult(output=output, exit_code=self._status, timed_out=False, truncated=truncated)

    def _exchange(self, keys: bytes, timeout_s: float) -> bytes:
        """Wait for something to happen, take it, and return the keys that are not typed yet."""
        assert self._terminal is not None  # every caller has looked
        screen, reports = self._terminal.screen, self._terminal.reports
        poll = select.poll()
        poll.register(screen, select.POLLIN | (select.POLLOUT if keys else 0))
        poll.register(reports, select.POLLIN)
        events = dict(poll.poll(max(0, timeout_s) * 1000))
        if keys and events.get(screen, 0) & select.POLLOUT:
            with _lost(), contextlib.suppress(BlockingIOError):
                keys = keys[os.write(screen, keys[:1024]) :]
        if events.get(screen, 0) & ~select.POLLOUT and not self._take_screen() and reports not in events:
            poll.unregister(screen)  # the terminal is hung up: only a report says what that means
            if not poll.poll(max(0, min(timeout_s, _FENCE_S)) * 1000):
                self._end(128 + 1)
                return b""
        if reports in events or events.get(screen, 0) & select.POLLHUP:
            self._take_reports()
        return keys

    def _take_screen(self) -> bool:
        """Read the terminal once; return False when it is hung up."""
        assert self._terminal is not None  # every caller has looked
        try:
            data = os.read(self._terminal.screen, _CHUNK_BYTES)
        except BlockingIOError:
            return True
        except OSError as error:
            if error.errno in (errno.EIO, errno.ECONNRESET):
                return False
            raise InfraError(f"the shell is lost: {error}; create another sandbox") from error
        self._screen.feed(data)
        return bool(data)

    def _take_reports(self) -> None:
        while self._terminal is not None:
            try:
                data = os.read(self._terminal.reports, _CHUNK_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                raise InfraError(f"the shell is lost: {error}; create another sandbox") from error
            if not data:
                self._let_go()
                raise InfraError("the sandbox died with its shell; create another")
            self._take_records(data)
            if len(self._records) > _LARGEST_RECORD:
                self._let_go()
                raise SandboxFileError(errno.EFBIG, "what the shell reports is larger than 4 MiB; it was ended")

    def _take_records(self, data: bytes) -> None:
        *records, self._records = (self._records + data).split(b"\0")
        for record in records:
            self._take_record(record)

    def _take_record(self, record: bytes) -> None:
        """Take one record; what is none comes from a program and is dropped."""
        if found := re.fullmatch(rb"P(\d{1,18}) (\d{1,3})", record):
            self._prompt, self._status, self._is_idle = int(found[1]), int(found[2]), True
        elif record.startswith(b"S"):
            self._saved = record[1:]
        elif found := re.fullmatch(rb"E(-?\d{1,3})", record):
            code = int(found[1])
            self._end(code if code >= 0 else 128 - code)

    def _end(self, code: int) -> None:
        """The shell has ended by itself: take what it still showed. The next line starts another."""
        self._status = code
        while self._terminal is not None and self._is_readable() and self._take_screen():
            pass
        if self._terminal is not None:
            self._terminal.let_go()
        self._terminal, self._is_idle = None, False

    def _is_readable(self) -> bool:
        assert self._terminal is not None  # every caller has looked
        poll = select.poll()
        poll.register(self._terminal.screen, select.POLLIN)
        return bool(poll.poll(20))


@contextlib.contextmanager
def _lost() -> Iterator[None]:
    """Raise what a terminal refuses as the loss that it is."""
    try:
        yield
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno == errno.EIO:  # hung up: a report tells why
            return
        raise InfraError(f"the shell is lost: {error}; create another sandbox") from error
