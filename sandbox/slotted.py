"""Backends that start programs in a way of their own, inside slots that are made as native's are."""

import dataclasses

from palestra.sandbox.base import Capabilities, Spec
from palestra.sandbox.native.backend import NativeBackend, NativeSandbox
from palestra.sandbox.native.plan import Plan
from palestra.sandbox.native.pool import Pool
from palestra.sandbox.native.slot import Slot


class SlottedBackend(NativeBackend):
    """What such backends share: a slot's private root and workspace, its files, its limits and its warm pool.

    There is no terminal.
    """

    server: str  # the module whose `main` serves a slot from inside
    slot: type[Slot]  # the host's end of one

    def create_unproven(self, spec: Spec) -> NativeSandbox:
        """Return a sandbox without asking what was proven, which the canary needs before anything is.

        Raises:
            InfraError: no sandbox could be started.
        """
        with self._lock:
            pool = self._pool(spec.preload)
        return NativeSandbox(self, pool, spec, self._capabilities or Capabilities())

    def _pool(self, preload: tuple[str, ...]) -> Pool:
        if preload not in self._pools:
            plan = dataclasses.replace(Plan.make(preload), server=self.server)
            self._pools[preload] = Pool(lambda: self.slot(plan, self._hierarchy))
        return self._pools[preload]
