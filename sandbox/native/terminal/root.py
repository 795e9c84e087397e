"""The two mount namespaces of a machine: the workshop, where layers are, and the machine that programs see."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from palestra.sandbox.native import linux
from palestra.sandbox.native.plan import WORKSPACE
from palestra.sandbox.native.terminal import mounts
from palestra.sandbox.native.terminal.layers import (
    BASES,
    LAYERS,
    MACHINE,
    MASKS,
    OWN,
    SCRATCH,
    SEEN,
    Layers,
    hide,
    open_folder,
    seen,
)
from palestra.sandbox.native.terminal.plan import SHELL_FOLDER, MachinePlan

BUILD_AT = "/tmp"  # covered in the workshop only
_WORKSHOP_BYTES, _SHELL_BYTES = 16 << 20, 8 << 20
_PLAIN = linux.ATTR_NOSUID | linux.ATTR_NODEV
_BASE = linux.ATTR_RDONLY | _PLAIN
_DEVICE = linux.ATTR_RDONLY | linux.ATTR_NOSUID | linux.ATTR_NOEXEC
_DEV, _PROC, _EMPTY = "/template/dev", "/template/proc", "/template/empty"
_OWN_NUMBER, _SCRATCH_NUMBER = -1, -2  # beside the parts
_CLOSED = ("kcore", "keys", "kmsg", "sysrq-trigger", "timer_list")
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}


def copy_bases(plan: MachinePlan, users: int) -> dict[int, int]:
    """Return unattached copies of the host folders below the parts, by the part's number, and of the layers' folders.

    Args:
        plan: says which.
        users: the machine's user namespace, whose root owns what the host's root owns; -1 where it cannot.
    """
    sources = {number: part.source for number, part in enumerate(plan.parts) if part.source}
    bases = {number: mounts.copy_as_owned(source, _BASE, users) for number, source in sources.items()}
    if plan.scratch:
        bases[_OWN_NUMBER] = mounts.copy_tree(plan.scratch, _PLAIN, is_recursive=False)
        bases[_SCRATCH_NUMBER] = mounts.copy_tree(os.path.dirname(plan.scratch), _BASE, is_recursive=False)
    return bases


def build_workshop(plan: MachinePlan, bases: dict[int, int]) -> None:
    """Make and enter the workshop; the host's files are out of reach afterwards."""
    os.umask(0o022)  # whatever this machine's user has: users of the sandbox must be able to read its root
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    devices = {path: mounts.copy_tree(path, _DEVICE) for path in (*plan.devices, "/dev/tty")}
    copied = {path: Path(path).read_bytes() for path in plan.copies}
    mounts.attach(mounts.new_tmpfs(_WORKSHOP_BYTES), BUILD_AT)
    for folder in (BASES, MASKS, SEEN, LAYERS, MACHINE, _DEV, _PROC, "/proc"):
        os.makedirs(BUILD_AT + folder)
    for number, part in enumerate(plan.parts):
        for folder in (BASES, MASKS, SEEN):
            os.mkdir(f"{BUILD_AT}{folder}/{number}", 0o755)
        hide(f"{BUILD_AT}{MASKS}/{number}", part.hidden)
        if number in bases:
            mounts.attach(bases[number], f"{BUILD_AT}{BASES}/{number}")
            if plan.ids is None and not part.is_fixed:
                _own_outer_folders(f"{BUILD_AT}{BASES}/{number}", f"{BUILD_AT}{MASKS}/{number}")
    for folder, number in ((OWN, _OWN_NUMBER), (SCRATCH, _SCRATCH_NUMBER)) if plan.scratch else ():
        os.mkdir(BUILD_AT + folder)
        mounts.attach(bases[number], BUILD_AT + folder)
    _furnish(plan, Path(f"{BUILD_AT}{MASKS}/0"), copied)
    _make_devices(devices, Path(BUILD_AT + _DEV))
    linux.mount("proc", f"{BUILD_AT}/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    linux.enter_root(BUILD_AT)
    os.close(os.open(_EMPTY, os.O_CREAT | os.O_WRONLY, 0o000))
    for number, part in enumerate(plan.parts):
        if part.source:
            lower = f"lowerdir={MASKS}/{number}:{BASES}/{number},userxattr"
            linux.mount("overlay", seen(number, part), "overlay", linux.MS_RDONLY | linux.MS_NODEV, lower)
    proc = mounts.copy_tree("/proc", linux.ATTR_RDONLY)
    mounts.attach(proc, _PROC)
    for name in _CLOSED:
        if os.path.exists(f"{_PROC}/{name}"):
            mounts.attach(mounts.copy_tree(_EMPTY, _BASE), f"{_PROC}/{name}")


def _own_outer_folders(base: str, mask: str) -> None:
    """Let a machine with one user id put files into and take them out of folders that are nobody's to it."""
    with os.scandir(base) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                place = f"{mask}/{entry.name}"
                os.makedirs(place, exist_ok=True)
                os.chmod(place, entry.stat().st_mode & 0o7777)
                if entry.name == "local":
                    _own_outer_folders(entry.path, place)


def _furnish(plan: MachinePlan, root: Path, copied: dict[str, bytes]) -> None:
    for number, part in enumerate(plan.parts):
        if part.path == WORKSPACE:
            os.chown(root.parent / str(number), plan.agent, plan.agent)
    for name, mode in plan.folders.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name).chmod(mode)
    for part in plan.parts:
        (root / part.path.strip("/")).mkdir(parents=True, exist_ok=True)
    for name, text in plan.files.items():
        (root / name).write_text(text)
    for name, target in plan.links.items():
        (root / name).symlink_to(target)
    for path, content in copied.items():
        (root / path.strip("/")).write_bytes(content)


def _make_devices(devices: dict[str, int], folder: Path) -> None:
    mounts.attach(mounts.new_tmpfs(1 << 16, attributes=linux.ATTR_NOSUID | linux.ATTR_NOEXEC), str(folder))
    for path, tree in devices.items():
        place = folder / os.path.basename(path)
        place.touch()
        mounts.attach(tree, str(place))
    for name in ("pts", "shm", os.path.basename(SHELL_FOLDER)):
        (folder / name).mkdir()
    for name, target in _LINKS.items():
        (folder / name).symlink_to(target)


class Root:
    """Goes from the workshop into the machine and back. One thread only."""

    def __init__(self, layers: Layers, disk_bytes: int) -> None:
        self._layers, self._disk_bytes = layers, disk_bytes
        self._workshop = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        self._machine: int | None = None
        self.shell_folder = -1  # open while there is a machine

    def build(self, layer: int) -> None:
        """Make the machine out of the layers, with a new one to write to, and enter it."""
        if self._machine is not None:
            return
        self._layers.open_upper(layer)
        self._layers.mount()
        self._mount_kernel_files()
        linux.unshare(linux.NEWNS)
        linux.enter_root(MACHINE)
        self._machine = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        linux.join(self._workshop, linux.NEWNS)
        linux.unmount(MACHINE)
        linux.join(self._machine, linux.NEWNS)

    def leave(self) -> None:
        """Go back to the workshop and let the machine go; nothing of it may run any more."""
        if self._machine is not None:
            linux.join(self._workshop, linux.NEWNS)
            os.close(self._machine)
            self._machine = None

    def _shown_shell_folder(self) -> int:
        """Return the shell's folder as programs see it: they write to the FIFO in it, and change nothing."""
        try:
            return mounts.copy_tree(self.shell_folder, linux.ATTR_RDONLY)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return os.dup(self.shell_folder)  # a kernel before Linux 6.15

    def _let_shell_folder_go(self) -> None:
        if self.shell_folder >= 0:
            os.close(self.shell_folder)
            self.shell_folder = -1

    @contextlib.contextmanager
    def in_workshop(self) -> Iterator[None]:
        """Work on the layers while the machine goes on."""
        if self._machine is None:
            yield
            return
        linux.join(self._workshop, linux.NEWNS)
        try:
            yield
        finally:
            linux.join(self._machine, linux.NEWNS)

    def _mount_kernel_files(self) -> None:
        shm = mounts.new_tmpfs(min(self._disk_bytes, 64 << 20), "1777", _PLAIN | linux.ATTR_NOEXEC)
        terminals = {"newinstance": "", "ptmxmode": "666", "mode": "620"}
        pts = mounts.new_filesystem("devpts", terminals, linux.ATTR_NOSUID | linux.ATTR_NOEXEC)
        self._let_shell_folder_go()
        self.shell_folder = mounts.new_tmpfs(_SHELL_BYTES, "700", _PLAIN | linux.ATTR_NOEXEC)
        trees = {"/dev": mounts.copy_tree(_DEV, linux.ATTR_RDONLY), "/dev/shm": shm, "/dev/pts": pts}
        trees |= {SHELL_FOLDER: self._shown_shell_folder(), "/proc": mounts.copy_tree(_PROC)}
        for path, tree in trees.items():
            folder = open_folder(path, 0o755)
            try:
                mounts.attach(tree, folder)
            finally:
                os.close(folder)
