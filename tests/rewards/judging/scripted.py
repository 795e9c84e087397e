"""A model of a few lines that answers a judge's prompt in form, by a function that scores a candidate's text."""

import re
from collections.abc import Callable

from palestra.rewards.judging.generative import Said

Scores = Callable[[str, str], int]  # of a candidate's text and all other data, from 0 to 10


class FormModel:
    """Reads fences as they are, and answers strictly in form; it counts what it is asked."""

    def __init__(self, scores: Scores) -> None:
        self.scores = scores
        self.asked: list[str] = []
        self.systems: list[str] = []

    async def say(self, system: str, text: str, seed: int) -> Said:
        self.asked.append(text)
        self.systems.append(system)
        pieces = re.findall(r"^<data-\w+ ([^>\n]*)>\n(.*?)\n</data-\w+>$", text, flags=re.S | re.M)
        texts = {name: "\n".join(line[2:] for line in piece.split("\n")) for name, piece in pieces}
        others = "\n".join(piece for name, piece in texts.items() if not name.startswith("candidate "))
        told = {name.split()[1]: self.scores(piece, others) for name, piece in texts.items() if name[:9] == "candidate"}
        word = re.findall(r"VERDICT (\w+):", text)[-1]
        best = max(told, key=lambda name: told[name])
        lines = [f"CANDIDATE {name} {score}: so it seems" for name, score in told.items()]
        return Said("\n".join(["PRINCIPLE: it is right", *lines, f"VERDICT {word}: {best}"]))
