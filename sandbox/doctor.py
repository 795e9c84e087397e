"""What every backend enforces on this machine, and the command that would enable what is missing."""

import errno
import importlib.util
import os
import shutil
from dataclasses import dataclass, fields
from pathlib import Path

from palestra.sandbox import BACKENDS, probe
from palestra.sandbox.base import Capabilities, InfraError

DEFAULT = "native"
ISOLATION = ("network_off", "read_only_root", "pid_hidden", "socket_families", "syscall_filter")
"""What a backend must be seen to enforce before programs of others may run in it."""

_FOR_ROOT = frozenset({"memory_tree", "process_count", "inner_root", "terminal"})
_AS_ROOT = "sudo palestra sandbox doctor"
_SYSCTLS = {  # that forbid user namespaces, and the value that allows them
    "kernel/apparmor_restrict_unprivileged_userns": "0",
    "kernel/unprivileged_userns_clone": "1",
    "user/max_user_namespaces": "15000",
}
_PACKAGES = {"bubblewrap": ("bwrap", "bubblewrap"), "gvisor": ("runsc", "runsc"), "docker": ("dockerd", "docker.io")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A command that would enable something."""

    missing: tuple[str, ...]  # capabilities; none: the whole backend
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was seen of one backend."""

    backend: str
    capabilities: Capabilities | None  # None: it cannot be used here
    trouble: str  # why not; "" if it can
    remedies: tuple[Remedy, ...]

    @property
    def isolates(self) -> bool:
        """Whether programs of others may run in it."""
        return self.capabilities is not None and not self.capabilities.missing(frozenset(ISOLATION))


def examine_backends() -> list[Finding]:
    """Try every backend's canary, one after another; some seconds."""
    return [_examine(name) for name in BACKENDS]


def _examine(name: str) -> Finding:
    try:
        capabilities = probe(name)
    except InfraError as error:
        remedies = _to_start(name, str(error))
        return Finding(backend=name, capabilities=None, trouble=str(error), remedies=remedies)
    return Finding(backend=name, capabilities=capabilities, trouble="", remedies=_to_enforce(name, capabilities))


def _to_start(name: str, trouble: str) -> tuple[Remedy, ...]:
    """Return what would let a backend start that told its trouble; none if nothing is known to."""
    commands = []
    if name == "docker" and importlib.util.find_spec("docker") is None:
        commands.append("pip install 'palestra[docker]'")
    program, package = _PACKAGES.get(name, ("", ""))
    if program and shutil.which(program, path=f"{os.defpath}:/usr/sbin:/usr/local/bin") is None:
        commands.append(f"apt-get install {package}")
    if os.geteuid() != 0 and (name == "gvisor" or (name == "docker" and os.strerror(errno.EACCES) in trouble)):
        commands.append(_AS_ROOT)
    elif name == "docker" and not commands:
        commands.append("systemctl start docker")
    elif name in ("native", "bubblewrap"):
        commands += _to_allow_namespaces()
    return tuple(Remedy(missing=(), command=command) for command in commands)


def _to_allow_namespaces() -> list[str]:
    """Return the settings that forbid user namespaces here, as commands that change them."""
    commands = []
    for name, wanted in _SYSCTLS.items():
        file = Path("/proc/sys", name)
        value = file.read_text().strip() if file.exists() else wanted
        if value != wanted and (value == "0" or wanted == "0"):
            commands.append(f"sysctl -w {name.replace('/', '.')}={wanted}")
    return commands


def _to_enforce(name: str, capabilities: Capabilities) -> tuple[Remedy, ...]:
    """Return what would let a backend that works enforce or offer more."""
    if name == "process":
        return ()
    missing = frozenset(entry.name for entry in fields(capabilities) if not getattr(capabilities, entry.name))
    remedies = []
    if name in ("native", "bubblewrap") and os.geteuid() != 0 and "memory_tree" in missing:
        offered = _FOR_ROOT if name == "native" else {"memory_tree", "process_count"}
        remedies.append(Remedy(missing=tuple(sorted(missing & offered)), command=_AS_ROOT))
    if name == "gvisor" and "terminal" in missing:
        lacks = tuple(sorted(missing & {"terminal", "inner_root", "process_snapshot"}))
        remedies.append(Remedy(missing=lacks, command="apt-get install -t bookworm-backports runsc"))
    if name in ("native", "docker") and "image" in missing:
        remedies.append(Remedy(missing=("image",), command="palestra image build base"))
    return tuple(remedies)
