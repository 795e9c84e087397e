"""What a machine is started from: its files as they are at first, in the slot, and its description for `runsc`."""

import json
import os
from pathlib import Path
from typing import Any

from palestra.sandbox.gvisor.bundle import find_runsc, platform
from palestra.sandbox.native import linux
from palestra.sandbox.native.plan import PACKAGE_DIR, bootstrap
from palestra.sandbox.native.terminal.plan import MachinePlan

WORK = Path("/tmp/machine")  # in the slot
SAID = WORK / "said"  # what came of the container's errors and was no frame
_BASE, _LOG, STATE = WORK / "base", WORK / "log", WORK / "state"
# In the container: the keeper's code, the files there are at first, those that are written over them, and all together.
CODE, BELOW, WRITTEN, ROOT = "/code", "/below", "/written", "/machine"
# The keeper's, which builds the machine; what runs in the machine keeps less.
_CAPABILITIES = [
    *("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP"),
    *("CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE"),
]
_OPEN_FILES = 4096


def command(words: list[str]) -> list[str]:
    """Return the words by which `runsc` does something with the machine; raises FileNotFoundError."""
    runsc = find_runsc()
    if runsc is None:
        raise FileNotFoundError("there is no runsc in the sandbox's root")
    options = [f"--root={STATE}", f"--log={_LOG}", f"--platform={platform(runsc)}"]
    return [runsc, *options, "--network=none", "--ignore-cgroups", "--overlay2=none", *words]


def complaint() -> str:
    """Return the end of what `runsc` has logged, and what it or the keeper has said."""
    return " ".join(file.read_text(errors="replace")[-600:].strip() for file in (SAID, _LOG) if file.exists()).strip()


def build_base(plan: MachinePlan) -> None:
    """Lay out the files that a machine begins with: folders of its own, and the slot's programs bound to their places.

    The slot shows the host's programs already, and nothing else of the host.
    """
    for name in (CODE, BELOW, WRITTEN, ROOT, "/dev", "/proc"):
        (_BASE / name.strip("/")).mkdir(parents=True)
    below = _BASE / BELOW.strip("/")
    for name, mode in plan.folders.items():
        (below / name).mkdir(parents=True, exist_ok=True)
        (below / name).chmod(mode)
    for name, text in plan.files.items():
        (below / name).write_text(text)
    for name, target in plan.links.items():
        (below / name).symlink_to(target)
    for path in plan.copies:
        (below / path.strip("/")).write_bytes(Path(path).read_bytes())
    for part in plan.parts:
        if part.source:
            place = below / part.path.strip("/")
            place.mkdir(parents=True, exist_ok=True)
            linux.mount(part.path, str(place), flags=linux.MS_BIND | linux.MS_REC)
    for entry in below.iterdir():  # so that the keeper's interpreter is found where it expects to be
        if not (_BASE / entry.name).exists():
            (_BASE / entry.name).symlink_to(f"{BELOW.strip('/')}/{entry.name}")


def describe(plan: MachinePlan, disk_bytes: int) -> None:
    """Write the description of the container."""
    words = [plan.python, "-s", "-S", "-P", "-c", bootstrap("palestra.sandbox.gvisor.terminal.keeper"), CODE]
    told: dict[str, Any] = {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": [*words, str(disk_bytes)],
            "env": [f"{name}={value}" for name, value in plan.environment().items()],
            "cwd": "/",
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), _CAPABILITIES),
            "rlimits": [{"type": "RLIMIT_NOFILE", "soft": _OPEN_FILES, "hard": _OPEN_FILES}],
        },
        "root": {"path": str(_BASE), "readonly": True},
        "hostname": "sandbox",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": CODE, "type": "bind", "source": PACKAGE_DIR, "options": ["rbind", "ro"]},
        ],
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")]},
    }
    (WORK / "config.json").write_text(json.dumps(told))


def image_folder() -> Path:
    """Return an empty folder for a saved machine."""
    folder = WORK / "image"
    folder.mkdir(exist_ok=True)
    for entry in os.scandir(folder):
        os.unlink(entry.path)
    return folder
