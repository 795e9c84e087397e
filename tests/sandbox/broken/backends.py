"""Sandboxes and backends that break one law each about their life, their claims and faults."""

import itertools
import os
import sys
import tempfile
from dataclasses import replace
from typing import Any

from tests.sandbox.broken import files, honest, programs, terminals
from tests.sandbox.broken.honest import Honest, HonestBackend

from palestra.sandbox.base import (
    Backend,
    Capabilities,
    CapabilityError,
    Command,
    ExecResult,
    InfraError,
    Limits,
    Python,
    Sandbox,
    Spec,
)
from palestra.sandbox.limits import check_spec
from palestra.sandbox.process import ProcessBackend

# A sandbox's life.


class ClosedOnce(Honest):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise InfraError("closed already")
        self.closed = True
        self.inner.close()


class NeverClosed(Honest):
    def close(self) -> None:
        pass


class DescriptorKept(Honest):
    def __init__(self, inner: Sandbox, spec: Spec) -> None:
        super().__init__(inner, spec)
        os.open("/dev/null", os.O_RDONLY)


class FolderKept(Honest):
    def __init__(self, inner: Sandbox, spec: Spec) -> None:
        super().__init__(inner, spec)
        tempfile.mkdtemp(prefix="palestra-broken-")


class ProcessKept(Honest):
    def __init__(self, inner: Sandbox, spec: Spec) -> None:
        super().__init__(inner, spec)
        self.kept = os.posix_spawn("/bin/sleep", ["sleep", "60"], {})


class NotEmpty(Honest):
    def __init__(self, inner: Sandbox, spec: Spec) -> None:
        super().__init__(inner, spec)
        inner.write("left", b"by another")


class FaultUntyped(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        try:
            return self.inner.exec(command, **given)
        except InfraError as error:
            raise RuntimeError(str(error)) from error


class FaultAsResult(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        try:
            return self.inner.exec(command, **given)
        except InfraError:
            return ExecResult(
                exit_code=1,
                signal=None,
                stdout=b"",
                stderr=b"",
                truncated=False,
                timed_out=False,
                oom=False,
                duration_s=0.1,
            )


class AnythingIsACommand(Honest):
    def exec(self, command: Command, **given: Any) -> ExecResult:
        return self.inner.exec(command if isinstance(command, Python) else list(command) or ["true"], **given)


# Backends.


class NeedsIgnored(HonestBackend):
    def create(self, spec: Spec) -> Sandbox:
        return super().create(replace(spec, needs=frozenset()))


class RefusalUnnamed(HonestBackend):
    def create(self, spec: Spec) -> Sandbox:
        try:
            return super().create(spec)
        except CapabilityError as error:
            raise CapabilityError("not here") from error


class RefusalRetryable(HonestBackend):
    def create(self, spec: Spec) -> Sandbox:
        try:
            return super().create(spec)
        except CapabilityError as error:
            raise InfraError(str(error)) from error


class MindChanged(HonestBackend):
    def __init__(self) -> None:
        self.answers = itertools.cycle([True, False])

    def probe(self) -> Capabilities:
        return replace(super().probe(), snapshot=next(self.answers))


class LimitsUnchecked(HonestBackend):
    def create(self, spec: Spec) -> Sandbox:
        return super().create(replace(spec, limits=Limits()))


class LimitsUnnamed(HonestBackend):
    def create(self, spec: Spec) -> Sandbox:
        try:
            return super().create(spec)
        except ValueError as error:
            raise ValueError("a limit makes no sense") from error


class ImageIgnored(HonestBackend):
    def create(self, spec: Spec) -> Sandbox:
        return super().create(replace(spec, image=""))


class VariablesForgotten(HonestBackend):
    def create(self, spec: Spec) -> Sandbox:
        return super().create(replace(spec, env={}))


class DiskUnbounded(HonestBackend):
    def create(self, spec: Spec) -> Sandbox:
        return super().create(replace(spec, limits=replace(spec.limits, disk_bytes=1 << 30)))


class SpecsTimeIgnored(HonestBackend):
    def create(self, spec: Spec) -> Sandbox:
        return super().create(replace(spec, limits=replace(spec.limits, wall_s=Limits().wall_s * 12)))


class OneForAll(HonestBackend):
    def __init__(self) -> None:
        self.only = super().create(Spec())

    def create(self, spec: Spec) -> Sandbox:
        check_spec(self.name, spec, self.probe())
        return NeverClosed(self.only, spec)


class ProcessesClaimed(HonestBackend):
    """Its snapshots are said to hold what runs, and end it instead."""

    sandbox = terminals.LostInSilence

    def probe(self) -> Capabilities:
        return replace(super().probe(), process_snapshot=True)


class Claims:
    """The process backend, which isolates nothing, with a claim that it does not hold."""

    name = "claims"

    def __init__(self, capability: str) -> None:
        self.claimed = replace(ProcessBackend().probe(), **{capability: True})

    def probe(self) -> Capabilities:
        return self.claimed

    def create(self, spec: Spec) -> Sandbox:
        check_spec(self.name, spec, self.claimed)
        made = ProcessBackend().create(replace(spec, needs=frozenset()))
        made.capabilities = self.claimed
        return made


def make(name: str) -> Backend:
    """Return a broken backend by its name: of a class here, or "Claims.CAPABILITY"."""
    if name.startswith("Claims."):
        return Claims(name.partition(".")[2])
    places = [vars(module) for module in (sys.modules[__name__], programs, files, terminals, honest)]
    found: type[Honest | HonestBackend] = next(place[name] for place in places if name in place)
    if issubclass(found, HonestBackend):
        return found()
    broken = HonestBackend()
    broken.sandbox = found
    return broken
