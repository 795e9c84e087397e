"""What the service answers when it does not do what it was asked."""


class Refusal(Exception):
    """An answer other than the one that was wanted: HTTP's status, why, and in how many seconds to ask again."""

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self.args[0])

    @property
    def why(self) -> str:
        """What was wrong, and what to do about it."""
        return str(self.args[1])

    @property
    def retry_after_s(self) -> int | None:
        """When it may be asked again, if that would help."""
        return int(self.args[2]) if len(self.args) > 2 else None
