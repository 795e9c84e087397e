"""What can be checked of an instruction that a model has worded: that it names the same things, and no others."""

import re
from typing import Final

_QUOTED: Final = re.compile(r'"([^"]*)"')
_NUMBER: Final = re.compile(r"\d+")
_NAME: Final = re.compile(r"(?<!\. )(?<!\A)\b[A-Z]\w*")  # a word with a capital that begins no sentence


def unlike(plain: str, said: str) -> str:
    """Return how a wording differs from the plain one in what can be checked; "" if it does not.

    What is quoted, every number and every name is to stand in both. What is to be done to them, nobody can check here.
    """
    named = {*_QUOTED.findall(plain), *_NAME.findall(plain)}
    if any(name.casefold() not in said.casefold() for name in named):
        return "the label leaves something out"
    if set(_NUMBER.findall(said)) != set(_NUMBER.findall(plain)):
        return "the label has other numbers"
    if any(name.casefold() not in plain.casefold() for name in (*_QUOTED.findall(said), *_NAME.findall(said))):
        return "the label tells of something else"
    return ""
