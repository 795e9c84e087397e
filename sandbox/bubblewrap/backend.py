"""The bubblewrap backend."""

from palestra.sandbox.base import MIB, Capabilities, PermanentInfraError
from palestra.sandbox.bubblewrap.command import find_bubblewrap
from palestra.sandbox.native.slot import Slot
from palestra.sandbox.slotted import SlottedBackend


class BubblewrapSlot(Slot):
    """A slot whose server starts `bwrap`."""

    _helpers = 3  # the server, bwrap, and an init
    _helper_bytes = 8 * MIB  # bwrap and the init's interpreter


class BubblewrapBackend(SlottedBackend):
    """Programs started by `bwrap`, each in a fresh interpreter. Thread-safe.

    A slot as the native backend's holds the workspace and shows what programs may see; in it, as an
    unprivileged user, `bwrap` makes every program's namespaces anew. So two programs of different
    authors stand between a program and the host. What it does not stop is what native does not.
    """

    name = "bubblewrap"
    server = "palestra.sandbox.bubblewrap.server"
    slot = BubblewrapSlot

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
