"""A process beside the shell, on its terminal, that sends signals to whoever has the terminal at present.

gVisor tells that to nobody else, keeps the keys that stand for signals to be read, and tells no program of a
new size. It has the rights of the shell: a program that ends it loses ^C for its own shell.
"""

import os
import signal
import socket
import struct
from contextlib import suppress

from palestra.sandbox.native.execution import close_all_but

_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
_CREDENTIALS = struct.Struct("3i")
_FIND_S = 5.0


class Attendant:
    """The keeper's end of it."""

    def __init__(self) -> None:
        self._connection, inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._inner: socket.socket | None = inner
        self.inner = inner.fileno()

    def start(self) -> None:
        """Be called by what becomes the shell: fork the attendant."""
        if os.fork() != 0:
            os.close(self.inner)
            return
        try:
            os.setpgid(0, 0)
            for number in _IGNORED:
                signal.signal(number, signal.SIG_IGN)
            close_all_but(0, self.inner)
            connection = socket.socket(fileno=self.inner)
            connection.send(b"\0")
            while told := connection.recv(1):
                with suppress(OSError):
                    os.killpg(os.tcgetpgrp(0), told[0])
        finally:
            os._exit(0)

    def find(self) -> int | None:
        """Return the attendant's number among the keeper's processes, when it has started."""
        if self._inner is not None:
            self._inner.close()
            self._inner = None
        self._connection.settimeout(_FIND_S)
        try:
            _, given, _, _ = self._connection.recvmsg(1, socket.CMSG_SPACE(_CREDENTIALS.size))
        except OSError:
            return None
        finally:
            self._connection.setblocking(False)
        return next(
            (int(_CREDENTIALS.unpack(data)[0]) for _, kind, data in given if kind == socket.SCM_CREDENTIALS), None
        )

    def signal(self, number: int) -> bool:
        """Have a signal sent; return whether somebody is there to do so."""
        try:
            return self._connection.send(bytes([number])) == 1
        except OSError:
            return False

    def close(self) -> None:
        """End it."""
        self._connection.close()
        if self._inner is not None:
            self._inner.close()
