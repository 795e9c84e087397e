"""The private root of a slot: the host's programs read-only, and nothing else of the host."""

import fcntl
import os
import socket
import struct
from pathlib import Path

from palestra.sandbox.native import linux
from palestra.sandbox.native.plan import AGENT_ID, PACKAGE_DIR, WORKSPACE, Plan

_BUILD_AT = "/tmp"  # covered in the slot's mount namespace only
_ATTRIBUTES = linux.ATTR_RDONLY | linux.ATTR_NOSUID | linux.ATTR_NODEV
_DEVICE_ATTRIBUTES = linux.ATTR_RDONLY | linux.ATTR_NOSUID | linux.ATTR_NOEXEC
_SAFE = linux.MS_NOSUID | linux.MS_NODEV
_READ_ONLY = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | _SAFE
_ETC = {
    "passwd": f"root:x:0:0:root:/:/bin/sh\nagent:x:{AGENT_ID}:{AGENT_ID}:agent:/tmp:/bin/sh\n",
    "group": f"root:x:0:\nagent:x:{AGENT_ID}:\n",
    "hosts": "127.0.0.1 localhost sandbox\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


def clone_trees(plan: Plan) -> dict[str, int]:
    """Return detached copies of the mounts the root is made of, by the path where each belongs."""
    trees = {path: linux.clone_tree(path, _ATTRIBUTES) for path in plan.folders}
    trees |= {path: linux.clone_tree(path, _DEVICE_ATTRIBUTES) for path in plan.devices}
    trees[f"{PACKAGE_DIR}/sandbox"] = linux.clone_tree(f"{plan.package}/sandbox", _ATTRIBUTES)
    return trees


def build_root(plan: Plan, trees: dict[str, int]) -> None:
    """Build the root out of the trees and enter it; the host's files are out of reach afterwards."""
    os.umask(0o022)  # whatever this machine's user has: programs must be able to read their root
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", _BUILD_AT, "tmpfs", _SAFE, "size=1m,nr_inodes=4096,mode=755")
    root = Path(_BUILD_AT)
    for name in ("dev", "etc", "opt", "proc", "run", "tmp", WORKSPACE.strip("/")):
        (root / name).mkdir()
    for path in sorted([*trees, *plan.hidden]):
        place = root / path.lstrip("/")
        if path in plan.hidden:
            linux.mount("tmpfs", str(place), "tmpfs", _SAFE, "size=64k,nr_inodes=64,mode=755")
        else:
            _attach(trees[path], place)
    for path in plan.hidden:
        linux.mount("none", f"{_BUILD_AT}{path}", flags=_READ_ONLY)
    for path, target in plan.links.items():
        (root / path.lstrip("/")).symlink_to(target)
    for name, text in _ETC.items():
        (root / "etc" / name).write_text(text)
    for name, target in {
        "fd": "/proc/self/fd",
        "shm": "/tmp",
        "stdin": "fd/0",
        "stdout": "fd/1",
        "stderr": "fd/2",
    }.items():
        (root / "dev" / name).symlink_to(target)
    linux.mount("proc", f"{_BUILD_AT}/proc", "proc", _SAFE | linux.MS_NOEXEC)
    linux.enter_root(_BUILD_AT)
    linux.mount("none", "/", flags=_READ_ONLY)


def _attach(tree: int, place: Path) -> None:
    if os.path.isdir(f"/proc/self/fd/{tree}"):
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    linux.attach_tree(tree, str(place))


def mount_workspace(size_bytes: int) -> None:
    """Put an empty workspace of a size over the mount point."""
    linux.mount("tmpfs", WORKSPACE, "tmpfs", _SAFE, _private_tmpfs(size_bytes, "755"))


def workspace_bytes() -> int:
    """Return the memory that the workspace's files hold."""
    state = os.statvfs(WORKSPACE)
    return (state.f_blocks - state.f_bfree) * state.f_frsize


def mount_fresh_tmp(size_bytes: int) -> None:
    """Put an empty /tmp of a size in place, for one program."""
    linux.mount("tmpfs", "/tmp", "tmpfs", _SAFE, _private_tmpfs(size_bytes, "1777"))


def mount_fresh_proc() -> None:
    """Show the processes of this process namespace only, and let nothing in /proc be written."""
    linux.mount("proc", "/proc", "proc", _SAFE | linux.MS_NOEXEC | linux.MS_RDONLY)


def bring_up_loopback() -> None:
    """Let programs talk to themselves over 127.0.0.1; there is no other interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS, IFF_UP|IFF_RUNNING


def network_was_used() -> bool:
    """Return whether connections have left their traces: a port stays taken for a minute after its program."""
    with open("/proc/self/net/sockstat") as file:
        return "tw 0 " not in file.read()


def _private_tmpfs(size_bytes: int, mode: str) -> str:
    inodes = max(256, size_bytes // 4096)
    return f"size={size_bytes},nr_inodes={inodes},mode={mode},uid={AGENT_ID},gid={AGENT_ID}"
