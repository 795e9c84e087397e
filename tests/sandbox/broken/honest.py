"""A backend and a sandbox that keep every law, as the ground that the broken ones stand on."""

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

from palestra.sandbox.base import (
    MIB,
    Backend,
    Capabilities,
    Command,
    ExecResult,
    Limits,
    Sandbox,
    SandboxSnapshot,
    Shell,
    Spec,
)
from palestra.sandbox.native.backend import NativeBackend
from palestra.sandbox.process import ProcessBackend


@functools.cache
def honest_native() -> Backend:
    """The backend under most flaws; its canary runs once."""
    return NativeBackend()


def honest_process() -> Backend:
    """The backend under flaws that a kernel's namespaces would make up for."""
    return ProcessBackend()


class Honest:
    """Passes everything on to a sandbox that keeps every law."""

    @staticmethod
    def ground() -> Backend:
        """The backend below."""
        return honest_native()

    def __init__(self, inner: Sandbox, spec: Spec) -> None:
        self.inner, self.spec = inner, spec
        self.capabilities = inner.capabilities

    def exec(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> ExecResult:
        return self.told(self.inner.exec(command, stdin=stdin, env=env, limits=limits))

    def told(self, result: ExecResult) -> ExecResult:
        """What is told of a result, which some flaws are about."""
        return result

    def write(self, path: str, data: bytes) -> None:
        self.inner.write(path, data)

    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        return self.inner.read(path, limit_bytes=limit_bytes)

    def collect(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        return self.inner.collect(path, limit_bytes=limit_bytes)

    def upload(self, source: str, path: str) -> None:
        self.inner.upload(source, path)

    def download(self, path: str, target: str) -> None:
        self.inner.download(path, target)

    def shell(self) -> Shell:
        return self.inner.shell()

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        return self.inner.snapshot(end_processes=end_processes)

    def restore(self, snapshot: SandboxSnapshot) -> None:
        self.inner.restore(snapshot)

    def fork(self, *, end_processes: bool = False) -> Self:
        return type(self)(self.inner.fork(end_processes=end_processes), self.spec)

    def close(self) -> None:
        self.inner.close()

    def sh(self, line: str) -> ExecResult:
        """Run a line of a shell, for flaws that need one."""
        return self.inner.exec(["sh", "-c", line])

    def with_limits(self, limits: Limits | None, **changed: Any) -> Limits:
        return replace(limits or self.spec.limits, **changed)


class HonestBackend:
    """Passes everything on, and may put a broken sandbox around what it makes."""

    name = "honest"
    sandbox: type[Honest] = Honest

    def probe(self) -> Capabilities:
        return self.sandbox.ground().probe()

    def create(self, spec: Spec) -> Sandbox:
        return self.sandbox(self.sandbox.ground().create(spec), spec)
