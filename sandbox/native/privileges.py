"""Giving up, for good, everything that the programs of a slot must not have."""

import os
from dataclasses import dataclass

from palestra.sandbox.native import linux
from palestra.sandbox.native.plan import AGENT_ID


@dataclass(frozen=True, slots=True)
class Privileges:
    """How to give them up in this slot."""

    rules: bytes  # the system call filter
    changes_user: bool  # whether the programs' user id is another than the fork-server's

    def bar_gains(self) -> None:
        """Make sure that no process from here on gets a privilege by executing anything."""
        for capability in range(linux.last_capability() + 1):
            linux.prctl(linux.PR_CAPBSET_DROP, capability)
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)

    def drop(self) -> None:
        """Leave this process and its descendants without capabilities, and filtered."""
        self.become_agent()
        linux.install_filter(self.rules)

    def become_agent(self) -> None:
        """Be the programs' user from here on, without capabilities."""
        if self.changes_user:
            os.setgroups([])
            os.setresgid(AGENT_ID, AGENT_ID, AGENT_ID)
            os.setresuid(AGENT_ID, AGENT_ID, AGENT_ID)
        linux.drop_capabilities()
