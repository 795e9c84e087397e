"""The terminal of a machine's shell, as the host holds it."""

import os
from collections.abc import Callable

from palestra.sandbox.native.terminal import program
from palestra.sandbox.native.terminal.plan import REPORTS


class NativeTerminal:
    """Both descriptors were made in the machine; what they lead to ends with it."""

    reports_file = REPORTS

    def __init__(self, screen: int, reports: int, is_bash: bool, hang_up: Callable[[], None]) -> None:
        self.screen, self.reports, self.is_bash = screen, reports, is_bash
        self._is_open = True
        self._hang_up: Callable[[], None] | None = hang_up

    def calm(self) -> None:
        """Put the terminal's modes back after a program that left them otherwise."""
        program.calm(self.screen)

    def resize(self, rows: int, columns: int) -> None:
        """Change the terminal's size."""
        program.resize(self.screen, rows, columns)

    def close(self) -> None:
        """End the shell and what it started, and free the descriptors; a second call does nothing."""
        hang_up, self._hang_up = self._hang_up, None
        if hang_up is not None:
            hang_up()
            self.let_go()

    def let_go(self) -> None:
        """Free the descriptors of a shell that has ended already."""
        self._hang_up = None
        if self._is_open:
            self._is_open = False
            os.close(self.screen)
            os.close(self.reports)

    def __del__(self) -> None:
        self.let_go()
