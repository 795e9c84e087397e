"""What a terminal sandbox is made of, worked out on the host before anything is started."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from palestra.sandbox.base import PermanentInfraError
from palestra.sandbox.native.plan import AGENT_ID, WORKSPACE, Plan
from palestra.sandbox.outcome import program_environment

HOME, SHELL_FOLDER = "/root", "/dev/shell"
REPORTS, START = f"{SHELL_FOLDER}/reports", f"{SHELL_FOLDER}/start"

_SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_RANGES = ((100_000, 65_536), (65_536, 65_536), (32_768, 32_768))  # first id on the host, and how many
_EMPTY_FOLDERS = {name: 0o755 for name in ("dev", "proc", "sys", WORKSPACE.strip("/"))} | {"tmp": 0o1777}
_MORE_FOLDERS = {name: 0o755 for name in ("etc", "home", "mnt", "opt", "run", "srv", "usr", "var", "var/cache")}
_MORE_FOLDERS |= {"root": 0o700, "var/lib": 0o755, "var/log": 0o755, "var/tmp": 0o1777}
_ETC = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\ntty:x:5:\nshadow:x:42:\nusers:x:100:\nnogroup:x:65534:\n",
    "etc/hosts": "127.0.0.1 localhost sandbox\n",
    "etc/hostname": "sandbox\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
    "etc/shells": "/bin/sh\n/bin/bash\n",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One folder of the machine that has an overlay of its own."""

    path: str
    source: str  # the host folder below it; "" where there is none
    hidden: tuple[str, ...]  # relative to it: shown empty
    is_fixed: bool  # nothing can be written there


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinePlan:
    """The root, the ids and the interpreter of a machine. It crosses to the nursery as JSON."""

    owner_pid: int
    ids: tuple[int, int] | None  # the first of the range on the host and its length; None: the caller's own is root's
    parts: tuple[Part, ...]  # the root first
    folders: dict[str, int]  # made in the root, with their permissions
    files: dict[str, str]  # written there
    links: dict[str, str]  # symbolic ones
    copies: tuple[str, ...]  # host files that are copied there
    devices: tuple[str, ...]
    agent: int  # the user that programs run as: 0 where they have the whole machine to work in
    python: str  # in the machine
    host_python: str  # which runs the nursery
    package: str
    scratch: str = ""  # the host folder where the machine has its layers; "" is in memory

    @classmethod
    def make(cls, image: Path | None, *, is_sealed: bool = False) -> Self:
        """Return the plan for this host, or for an image's folder on it.

        Args:
            image: the image's root file system; None is the host's programs.
            is_sealed: programs of an ordinary user write to the workspace, and to nothing else that stays.

        Raises:
            PermanentInfraError: root may not use other user ids here, or an ordinary user has none to give.
        """
        host = Plan.make(())
        common: dict[str, Any] = {
            "owner_pid": os.getpid(),
            "ids": _choose_range() if host.host_ids else None,
            "devices": host.devices,
            "package": host.package,
            "host_python": host.python,
        }
        if is_sealed and common["ids"] is None:
            raise PermanentInfraError(
                "programs on an image need user ids of their own, which an ordinary user has none of; "
                "be root, or use Spec(terminal=True)"
            )
        common["agent"] = AGENT_ID if is_sealed else 0
        if image is not None:
            parts = [Part("/", os.path.realpath(image), (), is_sealed)]
            if is_sealed:
                parts.append(Part(WORKSPACE, "", (), False))
            none: dict[str, Any] = {"files": {}, "links": {}, "copies": ()}
            return cls(parts=tuple(parts), folders=_EMPTY_FOLDERS, python="python3", **none, **common)
        parts = [Part("/", "", (), False)]
        for path in host.folders:
            if os.path.isdir(path) and not path.startswith("/etc/"):
                inside = tuple(place.removeprefix(path + "/") for place in host.hidden if place.startswith(path + "/"))
                parts.append(Part(path, path, inside, path not in _SYSTEM_FOLDERS))
        alternatives = {
            f"etc/alternatives/{entry.name}": os.readlink(entry)
            for entry in sorted(Path("/etc/alternatives").glob("*"))
            if entry.is_symlink()
        }
        return cls(
            parts=tuple(parts),
            folders=_EMPTY_FOLDERS | _MORE_FOLDERS | {"etc/alternatives": 0o755},
            files=_ETC,
            links={path.strip("/"): target for path, target in host.links.items()} | alternatives,
            copies=tuple(path for path in ("/etc/ld.so.cache", "/etc/localtime") if os.path.isfile(path)),
            python=host.python,
            **common,
        )

    def environment(self) -> dict[str, str]:
        """Return the variables that programs and shells start with."""
        own = {"HOME": HOME, "TMPDIR": "/tmp", "USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash"}
        base = program_environment(self.python, "/tmp" if self.agent else HOME) | ({} if self.agent else own)
        folders = [*base["PATH"].split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"]
        return base | {"PATH": ":".join(folder for folder in dict.fromkeys(folders) if folder)}

    def to_json(self) -> str:
        """Return the plan as text for `from_json`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the plan that `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        parts = tuple(Part(**{**part, "hidden": tuple(part["hidden"])}) for part in fields.pop("parts"))
        lists: dict[str, Any] = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        return cls(**{**fields, **lists, "parts": parts})


def _choose_range() -> tuple[int, int] | None:
    """Return ids that this user namespace maps and no account is likely to have; None where there are none."""
    spans = []
    for file in ("/proc/self/uid_map", "/proc/self/gid_map"):
        lines = [line.split() for line in Path(file).read_text().splitlines()]
        spans.append([(int(start), int(start) + int(count)) for start, _, count in lines])
    for first, count in _RANGES:
        if all(any(start <= first and first + count <= end for start, end in table) for table in spans):
            return first, count
    return None
