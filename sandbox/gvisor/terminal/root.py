"""The machine's root, built inside the container by its keeper, and the first process of its own numbering."""

import os
import signal
from typing import NoReturn

from palestra.sandbox.gvisor.terminal.bundle import BELOW, ROOT, WRITTEN
from palestra.sandbox.native import linux
from palestra.sandbox.native.execution import close_all_but
from palestra.sandbox.native.terminal.plan import SHELL_FOLDER

_LEAST_BYTES = 64 << 10
_SAFE = linux.MS_NOSUID | linux.MS_NOEXEC
_SHARED_BYTES, _SHELL_BYTES = 16 << 20, 8 << 20


class Root:
    """What is below, what is written over it, and both together as the machine sees them.

    The descriptors lead out of the machine's root, which the keeper itself is in.
    """

    def __init__(self, disk_bytes: int) -> None:
        """Build the root."""
        self._outside = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
        self.processes = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)  # all, the keeper among them
        self.memory = os.open("/proc/meminfo", os.O_RDONLY)
        linux.mount("tmpfs", WRITTEN, "tmpfs", 0, f"size={max(disk_bytes, _LEAST_BYTES)},mode=700")
        for name in ("files", "work"):
            os.mkdir(f"{WRITTEN}/{name}", 0o755)
        self.below = os.open(BELOW, os.O_RDONLY | os.O_DIRECTORY)
        self.written = os.open(f"{WRITTEN}/files", os.O_RDONLY | os.O_DIRECTORY)
        linux.mount("overlay", ROOT, "overlay", 0, f"lowerdir={BELOW},upperdir={WRITTEN}/files,workdir={WRITTEN}/work")
        for path in ("dev", "proc", "sys"):
            os.makedirs(f"{ROOT}/{path}", exist_ok=True)
        linux.mount("devtmpfs", f"{ROOT}/dev", "devtmpfs", _SAFE)
        shell = SHELL_FOLDER.removeprefix("/dev/")
        for name in ("pts", "shm", shell):
            os.makedirs(f"{ROOT}/dev/{name}", exist_ok=True)
        linux.mount("devpts", f"{ROOT}/dev/pts", "devpts", _SAFE, "newinstance,ptmxmode=666,mode=620")
        linux.mount(
            "tmpfs",
            f"{ROOT}/dev/shm",
            "tmpfs",
            _SAFE,
            f"size={max(min(disk_bytes, _SHARED_BYTES), _LEAST_BYTES)},mode=1777",
        )
        linux.mount("tmpfs", f"{ROOT}{SHELL_FOLDER}", "tmpfs", _SAFE, f"size={_SHELL_BYTES},mode=700")
        self.shell_folder = os.open(f"{ROOT}{SHELL_FOLDER}", os.O_RDONLY | os.O_DIRECTORY)
        self._has_processes = False

    def enter(self) -> None:
        """Be in the machine's root from here on."""
        os.chroot(ROOT)
        os.chdir("/")

    def start_processes(self) -> int:
        """Begin a new numbering of processes, for all that this process forks, and return its first one.

        What runs in the machine can end that, and so everything, and sees nothing of the keeper.
        """
        linux.unshare(linux.NEWPID)
        told, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._be_first(tell)
        os.close(tell)
        with os.fdopen(told, "rb") as pipe:
            trouble = pipe.read().decode(errors="replace")
        if trouble:
            raise OSError(f"the machine has no first process: {trouble}")
        self._has_processes = True
        return pid

    def _be_first(self, tell: int) -> NoReturn:
        try:
            os.fchdir(self._outside)
            os.chroot(".")
            if self._has_processes:
                linux.unmount(f"{ROOT}/proc")
            linux.mount("proc", f"{ROOT}/proc", "proc", _SAFE | linux.MS_NODEV | linux.MS_RDONLY)
            self.enter()
            null = os.open("/dev/null", os.O_RDWR)
            for target in range(3):
                os.dup2(null, target)
            linux.drop_capabilities()
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # orphans vanish when they end
            close_all_but()
            while True:
                signal.pause()
        except BaseException as error:
            os.write(tell, f"{type(error).__name__}: {error}".encode()[:1000])
        finally:
            os._exit(1)
