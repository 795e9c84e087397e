"""Sandboxes that break one law each about files and snapshots."""

import contextlib
import os
import shlex
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tests.sandbox.broken.honest import Honest

from palestra.sandbox.base import (
    MIB,
    Command,
    ExecResult,
    Sandbox,
    SandboxFileError,
    SandboxSnapshot,
    SavedSnapshot,
)

# Files.


class WriteAppends(Honest):
    def write(self, path: str, data: bytes) -> None:
        with contextlib.suppress(SandboxFileError):
            data = self.inner.read(path) + data
        self.inner.write(path, data)


class LinksFollowed(Honest):
    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        if self.sh(f"test -L {shlex.quote(path)} && test -f {shlex.quote(path)}").ok:
            return self.sh(f"cat {shlex.quote(path)}").stdout
        return self.inner.read(path, limit_bytes=limit_bytes)


class LinksDownloaded(Honest):
    """The file on the host is there before it is known whether there is anything to put in it."""

    def download(self, path: str, target: str) -> None:
        with open(target, "wb") as file:
            file.write(self.inner.read(path))


class ReadUnbounded(Honest):
    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        return self.inner.read(path, limit_bytes=64 * MIB)


class CollectedByThePrograms(Honest):
    """What is collected goes through a program of the sandbox, which follows links."""

    def collect(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        packed = self.sh(f"cd /; tar --dereference -c workspace/{shlex.quote(path.removeprefix('/workspace/'))}")
        if not packed.ok:
            raise SandboxFileError(2, packed.stderr.decode(errors="replace"))
        return packed.stdout


class CollectUnbounded(Honest):
    def collect(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        return self.inner.collect(path)


class ModesLost(Honest):
    def write(self, path: str, data: bytes) -> None:
        with contextlib.suppress(ValueError):
            self.sh(f"test -f {shlex.quote(path)} && rm {shlex.quote(path)}")
        self.inner.write(path, data)


class UploadModesLost(Honest):
    def upload(self, source: str, path: str) -> None:
        with open(source, "rb") as file:
            self.inner.write(path, file.read())


class DownloadRunnable(Honest):
    def download(self, path: str, target: str) -> None:
        self.inner.download(path, target)
        os.chmod(target, 0o755)


class NamesChanged(Honest):
    def write(self, path: str, data: bytes) -> None:
        self.inner.write(path.replace("\n", "_"), data)

    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        return self.inner.read(path.replace("\n", "_"), limit_bytes=limit_bytes)


class MissingUntyped(Honest):
    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        try:
            return self.inner.read(path, limit_bytes=limit_bytes)
        except SandboxFileError as error:
            raise FileNotFoundError(str(error)) from error


class ParentsLeft(Honest):
    """A path that leaves the workspace is taken for one inside."""

    def write(self, path: str, data: bytes) -> None:
        self.inner.write(path.replace("..", "_"), data)


# Snapshots.


class NewFilesStay(Honest):
    def restore(self, snapshot: SandboxSnapshot) -> None:
        names = self.sh("ls").stdout.decode(errors="replace").split("\n")
        self.inner.restore(snapshot)
        if "new" in names:
            self.inner.write("new", b"stayed")


class TimesLost(Honest):
    def restore(self, snapshot: SandboxSnapshot) -> None:
        self.inner.restore(snapshot)
        self.sh("touch script")


class ModesNotRestored(Honest):
    def restore(self, snapshot: SandboxSnapshot) -> None:
        self.inner.restore(snapshot)
        self.sh("test -e script && chmod 600 script")


class LinksSplit(Honest):
    def restore(self, snapshot: SandboxSnapshot) -> None:
        self.inner.restore(snapshot)
        self.sh("if test -e 'second name'; then cp -p 'second name' c && mv c 'second name'; fi")


class SnapshotChanges(Honest):
    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        taken = self.inner.snapshot()
        self.inner.write("snapshot-taken", b"")
        return taken


@dataclass(frozen=True)
class _Live:
    sandbox: Sandbox

    @property
    def data(self) -> bytes:
        return self.sandbox.snapshot().data

    @property
    def digest(self) -> str:
        return self.sandbox.snapshot().digest


class SnapshotOfLater(Honest):
    """It is only taken when it is looked at."""

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        return _Live(self.inner)

    def restore(self, snapshot: SandboxSnapshot) -> None:
        self.inner.restore(SavedSnapshot(snapshot.data, snapshot.digest))


class DigestOfNothing(Honest):
    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        return SavedSnapshot(self.inner.snapshot().data, "0" * 64)

    def restore(self, snapshot: SandboxSnapshot) -> None:
        with contextlib.suppress(SandboxFileError):
            self.inner.restore(snapshot)


class DigestOfTheMoment(Honest):
    count: ClassVar[int] = 0

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        type(self).count += 1
        return SavedSnapshot(self.inner.snapshot().data, f"{type(self).count:064}")


class DamageAccepted(Honest):
    def restore(self, snapshot: SandboxSnapshot) -> None:
        with contextlib.suppress(SandboxFileError):
            self.inner.restore(snapshot)


class ForkShared(Honest):
    is_fork = False

    def fork(self, *, end_processes: bool = False) -> Self:
        twin = type(self)(self.inner, self.spec)
        twin.is_fork = True
        return twin

    def close(self) -> None:
        if not self.is_fork:
            self.inner.close()


class ForkForgetsVariables(Honest):
    forked = False

    def exec(self, command: Command, **given: Any) -> ExecResult:
        if self.forked:
            given["env"] = {**dict.fromkeys(self.spec.env, ""), **(given.get("env") or {})}
        return self.inner.exec(command, **given)

    def fork(self, *, end_processes: bool = False) -> Self:
        twin = type(self)(self.inner.fork(), self.spec)
        twin.forked = True
        return twin
