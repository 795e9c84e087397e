"""What `runsc` is told: the words that start it, and the description of a container.

Source: config.md of the Open Container Initiative's runtime specification.
"""

import functools
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

from palestra.sandbox.gvisor.exchange import FOLDER
from palestra.sandbox.native.plan import WORKSPACE, bare_bootstrap

FOLDERS = "/usr/local/bin:/usr/bin:/bin"  # which a slot shows
_CAPABILITIES = ["CAP_KILL", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID"]  # the init's, under gVisor's kernel


def find_runsc() -> str | None:
    """Return where `runsc` is, or None."""
    return shutil.which("runsc", path=FOLDERS)


@functools.cache
def platform(runsc: str) -> str:
    """Return how gVisor takes over system calls: `systrap` where this version has it, or `ptrace`.

    Its third way, `kvm`, hangs in virtual machines that offer it without meaning to.
    """
    said = subprocess.run([runsc, "flags"], capture_output=True, text=True, check=False, env={})
    return "systrap" if "systrap" in said.stdout + said.stderr else "ptrace"


@functools.cache
def release(runsc: str) -> str:
    """Return which release of gVisor this is."""
    said = subprocess.run([runsc, "--version"], capture_output=True, text=True, check=False, env={})
    return said.stdout.partition("\n")[0].strip()


def container(python: str, env: Mapping[str, str], exchange: str, disk_bytes: int) -> dict[str, Any]:
    """Return the description of a container: the slot's root read-only, its workspace, and a new /tmp.

    Args:
        python: the interpreter for the init.
        env: the init's variables.
        exchange: the folder by which its init and the server speak.
        disk_bytes: the size of /tmp.
    """
    bound = {"type": "bind", "options": ["rbind", "rw", "nosuid", "nodev"]}
    temporary = [f"size={disk_bytes}", "mode=1777", "nosuid", "nodev"]
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": [python, "-s", "-S", "-P", "-c", bare_bootstrap("palestra.sandbox.gvisor.init")],
            "env": [f"{name}={value}" for name, value in env.items()],
            "cwd": "/",
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), _CAPABILITIES),
            "noNewPrivileges": True,
        },
        "root": {"path": "/", "readonly": True},
        "hostname": "sandbox",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc", "options": ["ro"]},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": temporary},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "tmpfs", "options": temporary},
            {"destination": WORKSPACE, "source": WORKSPACE, **bound},
            {"destination": FOLDER, "source": exchange, **bound},
        ],
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")]},
    }
