"""The bubblewrap backend."""

import dataclasses

from palestra.sandbox.base import MIB, Capabilities, PermanentInfraError
from palestra.sandbox.bubblewrap.command import find_bubblewrap
from palestra.sandbox.native.backend import NativeBackend
from palestra.sandbox.native.plan import Plan
from palestra.sandbox.native.pool import Pool
from palestra.sandbox.native.slot import Slot


class BubblewrapBackend(NativeBackend):
    """Programs started by `bwrap`, each in a fresh interpreter. Thread-safe.

    A slot as the native backend's holds the workspace and shows what programs may see; in it, as an
    unprivileged user, `bwrap` makes every program's namespaces anew. So two programs of different
    authors stand between a program and the host. What it does not stop is what native does not.
    """

    name = "bubblewrap"

    def __init__(self, proven: Capabilities | None = None) -> None:
        """Make a backend with no slot yet.

        Args:
            proven: what `probe` returned in another process of this user on this machine, not to run it again.

        Raises:
            PermanentInfraError: there is no `bwrap`, or this is not Linux on a machine whose system calls are known.
        """
        super().__init__(proven)
        if find_bubblewrap() is None:
            raise PermanentInfraError(
                "the bubblewrap backend needs the program bwrap; install it with: apt-get install bubblewrap"
            )

    def _pool(self, preload: tuple[str, ...]) -> Pool:
        if preload not in self._pools:
            plan = dataclasses.replace(Plan.make(preload), server="palestra.sandbox.bubblewrap.server")
            self._pools[preload] = Pool(lambda: BubblewrapSlot(plan, self._hierarchy))
        return self._pools[preload]


class BubblewrapSlot(Slot):
    """A slot whose server starts `bwrap`."""

    _helpers = 3  # the server, bwrap, and an init
    _helper_bytes = 8 * MIB  # bwrap and the init's interpreter
