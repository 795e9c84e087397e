"""What a terminal showed, and the fences in it by which a prompt is found; see `palestra.sandbox.shell`."""

import re

_FENCE = re.compile(rb"\x1b\]7770;(\d{1,18})\x07")
_FENCE_START, _LONGEST_FENCE = b"\x1b]7770;", 26


class Screen:
    """What a terminal showed: kept up to a limit, and the fences taken out."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._kept, self._rest = bytearray(), b""
        self._truncated = False
        self.fence = -1  # the number of the last one seen

    def feed(self, data: bytes) -> None:
        """Take what came."""
        parts = _FENCE.split(self._rest + data)
        if parts[1::2]:
            self.fence = int(parts[-2])
        last = parts[-1]
        at = last.rfind(b"\x1b", max(0, len(last) - _LONGEST_FENCE))
        begun = at >= 0 and (last[at:].startswith(_FENCE_START) or _FENCE_START.startswith(last[at:]))
        self._rest = last[at:] if begun else b""
        self._keep(b"".join(parts[:-1:2]) + (last[:at] if begun else last))

    def take(self, *, is_end: bool) -> tuple[bytes, bool]:
        """Return what was kept and whether it was cut, and begin anew.

        Args:
            is_end: give the beginning of what could become a fence as well.
        """
        if is_end:
            rest, self._rest = self._rest, b""
            self._keep(rest)
        kept, truncated = bytes(self._kept), self._truncated
        self._kept.clear()
        self._truncated = False
        return kept, truncated

    @property
    def seen(self) -> tuple[bytes, bool, int]:
        """What is kept and was not taken yet, whether it was cut, and the last fence, for `begin`."""
        return bytes(self._kept) + self._rest, self._truncated, self.fence

    def begin(self, shown: bytes, truncated: bool, fence: int) -> None:
        """Go on from what another has seen."""
        self.feed(shown)
        self._truncated, self.fence = truncated, fence

    def __bool__(self) -> bool:
        return bool(self._kept)

    def _keep(self, text: bytes) -> None:
        room = self._limit_bytes - len(self._kept)
        self._truncated = self._truncated or len(text) > room
        self._kept += text[:room]
