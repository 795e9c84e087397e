"""Giving up, for good, everything that the programs of a slot must not have."""

import os
from dataclasses import dataclass

from palestra.sandbox.native import linux
from palestra.sandbox.native.plan import AGENT_ID


@dataclass(frozen=True, slots=True)
class Privileges:
    """How to give them up in this slot."""

    rules: bytes  # the system call filter
    last_capability: int
    changes_user: bool  # whether the programs' user id is another than the fork-server's

    def drop(self) -> None:
        """Leave this process and its descendants without capabilities, and filtered."""
        for capability in range(self.last_capability + 1):
            linux.prctl(linux.PR_CAPBSET_DROP, capability)
        if self.changes_user:
            os.setgroups([])
            os.setresgid(AGENT_ID, AGENT_ID, AGENT_ID)
            os.setresuid(AGENT_ID, AGENT_ID, AGENT_ID)
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        linux.drop_capabilities()
        linux.prctl(linux.PR_SET_DUMPABLE, 0)  # nobody of the same user can reach into it
        linux.install_filter(self.rules)
