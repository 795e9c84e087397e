"""What every sandbox does alike with files, once it can write one and read one."""

from abc import ABC, abstractmethod
from pathlib import Path

from palestra.sandbox.base import MIB, CapabilityError, Shell, Spec
from palestra.sandbox.copyin import read_source


class Transfers(ABC):
    """Whole files in and out; and, until a sandbox says otherwise, no shell."""

    _spec: Spec

    @abstractmethod
    def _write(self, path: str, data: bytes, mode: int | None) -> None:
        """Create or replace a regular file; a mode of None leaves its permissions to the sandbox."""

    @abstractmethod
    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return a regular file's bytes; links are not followed."""

    def write(self, path: str, data: bytes) -> None:
        """Create or replace a regular file, with its parent folders; a terminal takes absolute paths.

        Raises:
            SandboxFileError: the path leaves the workspace or has a link on its way, something else has
                the name, or the disk limit is reached.
        """
        self._write(path, data, None)

    def upload(self, source: str, path: str) -> None:
        """Copy one host file into the sandbox, with its permissions.

        Raises:
            OSError: the host's file cannot be read.
            SandboxFileError: it is not a regular file or larger than the disk limit; or as `write`.
        """
        data, mode = read_source(source, self._spec.limits.disk_bytes)
        self._write(path, data, mode)

    def download(self, path: str, target: str) -> None:
        """Copy one of the sandbox's files to the host, with the rules of `read` but not its permissions."""
        Path(target).write_bytes(self.read(path, limit_bytes=self._spec.limits.disk_bytes))

    def shell(self) -> Shell:
        """Refuse: there is no terminal.

        Raises:
            CapabilityError: always.
        """
        raise CapabilityError("this sandbox has no shell; ask for one with Spec(terminal=True)")
