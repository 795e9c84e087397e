"""The files of a machine as a stack of layers: those that are frozen and shared, and the one that is written.

Runs in the machine's first process, in a mount namespace that only this process ever sees. A layer is a
tmpfs that is attached nowhere else; whoever holds its descriptor can put it in another machine's stack. Or it
is a folder of the scratch folder, which the machines of one host process have in common.
"""

import errno
import os
from collections.abc import Iterable, Sequence

from palestra.sandbox.native import linux
from palestra.sandbox.native.terminal import mounts
from palestra.sandbox.native.terminal.plan import MachinePlan, Part

_LEAST_BYTES = 256 * 1024
BASES, MASKS, SEEN, LAYERS, MACHINE = "/bases", "/masks", "/seen", "/layers", "/machine"
SCRATCH, OWN = "/scratch", "/own"  # all machines' layers on a disk, to be read, and this one's, to be written


class Layers:
    """The stack of one machine."""

    def __init__(self, plan: MachinePlan, disk_bytes: int) -> None:
        self._parts, self._disk_bytes, self._is_on_disk = plan.parts, disk_bytes, bool(plan.scratch)
        self._held: dict[int, int] = {}  # the descriptor of every layer that can be shared
        self.stack: list[int] = []  # the frozen ones, the lowest first
        self.upper: int | None = None

    def add(self, layer: int, tree: int) -> None:
        """Attach a layer that another machine made; its descriptor stays open here.

        Raises:
            OSError: this kernel cannot share it (before Linux 6.15).
        """
        if layer in self._held:
            os.close(tree)
            return
        self._attach(layer, mounts.copy_tree(tree))
        self._held[layer] = tree

    def add_folder(self, layer: int, place: str) -> None:
        """Attach a layer that another machine made in the scratch folder."""
        if layer not in map(int, os.listdir(LAYERS)):
            self._attach(layer, mounts.copy_tree(f"{SCRATCH}/{place}"))

    def make(self, layer: int, size_bytes: int) -> None:
        """Make an empty layer; on a disk, its size is whatever there is room for."""
        if self._is_on_disk:
            os.mkdir(f"{OWN}/{layer}", 0o755)
            self._attach(layer, mounts.copy_tree(f"{OWN}/{layer}"))
        else:
            self._make_tmpfs(layer, size_bytes)
        for number, _ in self.written_parts():
            for kind in ("files", "work"):
                os.mkdir(f"{LAYERS}/{layer}/{kind}{number}", 0o755)
            self._like_base(f"{LAYERS}/{layer}/files{number}", number)

    def _make_tmpfs(self, layer: int, size_bytes: int) -> None:
        tree = mounts.new_tmpfs(size_bytes)
        try:
            copy = mounts.copy_tree(tree)
        except OSError as error:
            if error.errno != errno.EINVAL:
                os.close(tree)
                raise
            self._attach(layer, tree)  # a kernel before Linux 6.15: it stays here
        else:
            self._attach(layer, copy)
            self._held[layer] = tree

    def share(self, layer: int) -> int | None:
        """Return the descriptor by which a layer is shared, if it can be."""
        return self._held.get(layer)

    def keep(self, stack: Sequence[int]) -> None:
        """Let the stack be these layers, and let go of all others."""
        self.stack, self.upper = list(stack), None
        for name in os.listdir(LAYERS):
            if int(name) not in self.stack:
                linux.unmount(f"{LAYERS}/{name}")
                os.rmdir(f"{LAYERS}/{name}")
                if int(name) in self._held:
                    os.close(self._held.pop(int(name)))

    def freeze(self) -> None:
        """Put the written layer on the stack."""
        if self.upper is not None:
            self.stack.append(self.upper)
            self.upper = None

    def open_upper(self, layer: int) -> None:
        """Make the layer that is written from here on."""
        used = 0 if self._is_on_disk else sum(used_bytes(name) for name in self.stack)
        self.make(layer, max(self._disk_bytes - used, _LEAST_BYTES))
        self.upper = layer

    def mount(self) -> None:
        """Mount the machine's files where `MACHINE` is."""
        for number, part in enumerate(self._parts):
            is_root = part.path == "/"
            folder = os.open(MACHINE, os.O_PATH | os.O_DIRECTORY) if is_root else open_folder(part.path, mode=0o755)
            try:
                self._mount_part(number, part, folder)
            finally:
                os.close(folder)

    def _mount_part(self, number: int, part: Part, place: int) -> None:
        lower = lowest(number, part)
        if part.is_fixed:
            mounts.attach(mounts.copy_tree(seen(number, part), linux.ATTR_RDONLY), place)
            return
        files = [f"{LAYERS}/{layer}/files{number}" for layer in reversed(self.stack)]
        own = f"{LAYERS}/{self.upper}"
        options = f"lowerdir={':'.join([*files, *lower])},upperdir={own}/files{number},workdir={own}/work{number}"
        options += ",userxattr,volatile" if self._is_on_disk else ",userxattr"  # no file needs to outlive the host
        linux.mount("overlay", f"/proc/self/fd/{place}", "overlay", linux.MS_NODEV, options)

    def written_parts(self) -> list[tuple[int, Part]]:
        """Return the parts that layers have files of."""
        return [(number, part) for number, part in enumerate(self._parts) if not part.is_fixed]

    def folders(self, number: int) -> list[str]:
        """Return where the frozen layers have their files of a part, the highest first."""
        return [f"{LAYERS}/{layer}/files{number}" for layer in reversed(self.stack)]

    def _attach(self, layer: int, tree: int) -> None:
        os.mkdir(f"{LAYERS}/{layer}")
        mounts.attach(tree, f"{LAYERS}/{layer}")

    def _like_base(self, folder: str, number: int) -> None:
        """Give a part's own folder the owner and the permissions that it has below."""
        below = [*self.folders(number), *lowest(number, self._parts[number])]
        state = os.stat(below[0])
        os.chown(folder, state.st_uid, state.st_gid)
        os.chmod(folder, state.st_mode & 0o7777)


def lowest(number: int, part: Part) -> list[str]:
    """Return the folders that no layer changes, the highest first."""
    return [f"{MASKS}/{number}"] + ([f"{BASES}/{number}"] if part.source else [])


def seen(number: int, part: Part) -> str:
    """Return the folder where those can be seen together."""
    return f"{SEEN}/{number}" if part.source else f"{MASKS}/{number}"


def used_bytes(layer: int) -> int:
    """Return the memory that a layer's files hold."""
    state = os.statvfs(f"{LAYERS}/{layer}")
    return (state.f_blocks - state.f_bfree) * state.f_frsize


def open_folder(path: str, mode: int) -> int:
    """Return the descriptor of a folder of the machine, made where it is missing; no link is followed.

    Something else that a program put there is removed, where it is a single name.
    """
    current = os.open(MACHINE, os.O_PATH | os.O_DIRECTORY)
    for name in path.strip("/").split("/"):
        try:
            deeper = _open_name(name, current, mode)
        finally:
            os.close(current)
        current = deeper
    return current


def _open_name(name: str, folder: int, mode: int) -> int:
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        return os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        pass
    except NotADirectoryError:
        os.unlink(name, dir_fd=folder)
    os.mkdir(name, mode, dir_fd=folder)
    os.chmod(name, mode, dir_fd=folder)
    return os.open(name, flags, dir_fd=folder)


def hide(mask: str, names: Iterable[str]) -> None:
    """Show folders empty, whatever lies below the mask."""
    for name in names:
        os.makedirs(f"{mask}/{name}", exist_ok=True)
        os.setxattr(f"{mask}/{name}", b"user.overlay.opaque", b"y")
