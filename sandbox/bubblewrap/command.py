"""The words that `bwrap` is started with."""

import os
import shutil

from palestra.sandbox.native.plan import AGENT_ID, WORKSPACE, bare_bootstrap

_FOLDERS = "/usr/local/bin:/usr/bin:/bin"  # which a slot shows
_DEVICES = ("full", "null", "random", "urandom", "zero")


def find_bubblewrap() -> str | None:
    """Return where `bwrap` is, or None."""
    return shutil.which("bwrap", path=_FOLDERS)


def bubblewrap_words(bwrap: str, python: str, rules: int, inform: int, config: int) -> list[str]:
    """Return the command that starts a program's init in namespaces of its own.

    It shows this process's root read-only, but for the workspace and /tmp. `bwrap` leaves no process of
    its own inside: the init is number 1, so nothing there holds the environment of anybody else.

    Args:
        bwrap: its path.
        python: the interpreter for the init.
        rules: the descriptor of the system call filter.
        inform: a descriptor to which `bwrap` tells the init's number.
        config: the descriptor of a file that tells the init what to do.
    """
    words = [bwrap, "--unshare-user", "--unshare-all", "--die-with-parent", "--new-session", "--as-pid-1"]
    words += ["--uid", str(AGENT_ID), "--gid", str(AGENT_ID), "--cap-drop", "ALL", "--hostname", "sandbox"]
    words += ["--seccomp", str(rules), "--info-fd", str(inform), "--ro-bind", "/", "/"]
    for device in (f"/dev/{name}" for name in _DEVICES):
        if os.path.exists(device):
            words += ["--dev-bind", device, device]
    words += ["--proc", "/proc", "--remount-ro", "/proc", "--bind", "/tmp", "/tmp", "--bind", WORKSPACE, WORKSPACE]
    words += ["--chdir", WORKSPACE, "--", python, "-s", "-S", "-P", "-c"]
    return [*words, bare_bootstrap("palestra.sandbox.bubblewrap.init"), str(config)]
