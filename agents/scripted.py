"""Policies that follow a script: the oracle, doing nothing, chance, and the replay of an episode."""

from collections.abc import Iterator, Sequence

from palestra.agents.base import Sample, Sampling
from palestra.agents.chat import ByteChat


class ScriptedPolicy:
    """Says the next of a script's actions each time, and nothing once the script has ended.

    Args:
        script: action texts; an iterator that looks at the live environment may decide as it goes.
    """

    def __init__(self, script: Iterator[str]) -> None:
        self._script = script

    async def generate(self, prompt_ids: Sequence[int], sampling: Sampling) -> Sample:
        """Return the script's next action as bytes (see `ByteChat`), each with log-probability 0."""
        ids = ByteChat().encode_reply(next(self._script, ""))
        return Sample(output_ids=ids, logprobs=(0.0,) * len(ids), finish="stop")

    async def close(self) -> None:
        """Nothing to give back."""
