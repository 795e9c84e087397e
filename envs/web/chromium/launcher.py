"""What stands between Playwright and Chromium: a network of its own, and a user who may do nothing else.

Run as a program in place of the browser; it becomes the browser.
"""

import contextlib
import os
import socket
import sys
from typing import NoReturn

from palestra.sandbox.native import linux
from palestra.sandbox.native.launcher import HINTS
from palestra.sandbox.native.rootfs import bring_up_loopback

PORT = 80
_IDS = (104_321, 64_321, 65_534)  # of the browser on the host, where root may choose; the first that there is


def main() -> NoReturn:
    """Become the browser: ``argv`` holds its path, a folder for it, and what Playwright says to it.

    In the folder is a socket named ``link``. What is sent there is the descriptor of a socket that listens inside
    the new network, or else why there will be no browser.
    """
    executable, folder, *said = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(f"{folder}/link")
        try:
            profile = _prepare(link, folder)
        except BaseException as error:
            code = error.errno if isinstance(error, OSError) else None
            with contextlib.suppress(OSError):
                link.send(f"{type(error).__name__}: {error}{HINTS.get(code, '')}".encode())
            os._exit(1)
    said = [f"--user-data-dir={profile}" if word.startswith("--user-data-dir=") else word for word in said]
    environment = {"HOME": profile, "TMPDIR": profile, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}
    rules = f"--host-resolver-rules=MAP * 127.0.0.1:{PORT}"
    os.execve(executable, [executable, rules, *said], environment)


def _prepare(link: socket.socket, folder: str) -> str:
    """Enter the network, hand out a socket of it, and become the browser's user; return the folder for its files."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        linux.unshare(linux.NEWNET)
    else:
        linux.unshare(linux.NEWUSER | linux.NEWNET)
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    bring_up_loopback()
    with socket.socket() as server:
        server.bind(("127.0.0.1", PORT))
        server.listen(128)
        socket.send_fds(link, [b"listening"], [server.fileno()])
    profile = f"{folder}/profile"
    os.mkdir(profile, 0o700)
    if user == 0:
        _become_nobody(profile)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    return profile


def _become_nobody(profile: str) -> None:
    os.setgroups([])
    for number in _IDS:
        try:
            os.chown(profile, number, number)
            os.setresgid(number, number, number)
            os.setresuid(number, number, number)
            return
        except OSError:
            continue
    raise PermissionError(
        f"root in this container has none of the user ids {_IDS} that a browser would run as; run as an ordinary "
        "user, or give the container a larger range of ids"
    )


if __name__ == "__main__":
    main()
