"""What stands between Playwright and Chromium: a network and a folder of its own, and a user who has nothing else.

Run as a program in place of the browser; it becomes the browser.
"""

import contextlib
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from palestra.sandbox.native import linux
from palestra.sandbox.native.launcher import HINTS
from palestra.sandbox.native.rootfs import bring_up_loopback

PORT = 80
LISTENING = b"listening"
_PLACE, _WITHOUT = "--user-data-dir=", "--disable-features="
_PROFILE = "/dev/shm"  # where the browser, and no other process, finds a folder that vanishes with it
_IDS = (104_321, 64_321, 65_534)  # of the browser on the host, where root may choose; the first that there is


def main() -> NoReturn:
    """Become the browser: ``argv`` holds its path, that of a socket, and what Playwright says to it.

    What is sent over the socket is the descriptor of one that listens inside the new network, and why there will be
    no browser if it fails.
    """
    executable, path, *said = sys.argv[1:]
    for word in said:
        if word.startswith(_PLACE):
            with contextlib.suppress(OSError):
                os.rmdir(
                    word.removeprefix(_PLACE)
                )  # which was made for it, and would be left if Playwright were killed
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(path)
        try:
            _prepare(link)
        except BaseException as error:
            code = error.errno if isinstance(error, OSError) else None
            with contextlib.suppress(OSError):
                link.send(f"{type(error).__name__}: {error}{HINTS.get(code, '')}".encode())
            os._exit(1)
    without = [word.removeprefix(_WITHOUT) for word in said if word.startswith(_WITHOUT)]
    said = [word for word in said if not word.startswith((_PLACE, _WITHOUT))]
    said.append(_WITHOUT + ",".join(without))  # of several such words, Chromium heeds the last alone
    environment = {"HOME": _PROFILE, "TMPDIR": _PROFILE, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}
    rules = f"--host-resolver-rules=MAP * 127.0.0.1:{PORT}"
    os.execve(executable, [executable, rules, f"{_PLACE}{_PROFILE}", *said], environment)


def _prepare(link: socket.socket) -> None:
    """Enter the network, hand out a socket of it, and become the browser's user."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        linux.unshare(linux.NEWNET | linux.NEWNS)
        user = group = _nobody()
        os.setgroups([])
    else:
        linux.unshare(linux.NEWUSER | linux.NEWNET | linux.NEWNS)
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    bring_up_loopback()
    with socket.socket() as server:
        server.bind(("127.0.0.1", PORT))
        server.listen(128)
        socket.send_fds(link, [LISTENING], [server.fileno()])
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    limits = f"size=1g,mode=700,uid={user},gid={group}"
    linux.mount("tmpfs", _PROFILE, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, limits)
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)


def _nobody() -> int:
    """Return an id, of a user and a group, that this user namespace maps and no account has."""
    tables = [Path(file).read_text().splitlines() for file in ("/proc/self/uid_map", "/proc/self/gid_map")]
    spans = [[(int(line.split()[0]), int(line.split()[2])) for line in table] for table in tables]
    for number in _IDS:
        if all(any(first <= number < first + count for first, count in table) for table in spans):
            return number
    raise PermissionError(
        f"root in this container has none of the user ids {_IDS} that a browser would run as; run as an ordinary "
        "user, or give the container a larger range of ids"
    )


if __name__ == "__main__":
    main()
