"""Backends that start programs in a way of their own, inside slots that are made as native's are."""

import dataclasses

from palestra.sandbox.base import CapabilityError, Sandbox, Spec
from palestra.sandbox.native.backend import NativeBackend
from palestra.sandbox.native.plan import Plan
from palestra.sandbox.native.pool import Pool
from palestra.sandbox.native.slot import Slot


class SlottedBackend(NativeBackend):
    """What such backends share: a slot's private root and workspace, its files, its limits and its warm pool.

    There is neither a terminal nor an image.
    """

    server: str  # the module whose `main` serves a slot from inside
    slot: type[Slot]  # the host's end of one

    def create_unproven(self, spec: Spec) -> Sandbox:
        """Return a sandbox without asking what was proven, which the canary needs before anything is.

        Raises:
            CapabilityError: the spec asks for a terminal or an image.
            InfraError: no sandbox could be started.
        """
        if spec.terminal or spec.image:
            wanted = "terminal" if spec.terminal else f"image {spec.image!r}"
            raise CapabilityError(f"the {self.name} backend has no {wanted}; use the native or the docker backend")
        return self.take_slot(spec)

    def _pool(self, preload: tuple[str, ...]) -> Pool:
        if preload not in self._pools:
            plan = dataclasses.replace(Plan.make(preload), server=self.server)
            self._pools[preload] = Pool(lambda: self.slot(plan, self._hierarchy))
        return self._pools[preload]
