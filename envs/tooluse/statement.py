"""The words of a request, from its parts: several wordings of each, the last of which training never sees."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from palestra.envs.base import Split
from palestra.envs.tooluse import phrases
from palestra.envs.tooluse.parts import Worked
from palestra.envs.tooluse.schema import Domain, Write

T = TypeVar("T")
Letters = Mapping[bool, Iterator[str]]  # for what is told by a phrase: texts, and numbers

QUESTIONS = (
    "What is {it}?",
    "Tell me {it}.",
    "Find out {it}.",
    "I need to know {it}.",
    "Can you tell me {it}?",
    "Please look up {it}.",
)
WISHES = (
    "{Do}.",
    "Please {do}.",
    "Could you {do}?",
    "I would like you to {do}.",
    "Kindly {do}.",
)
LINKS = ("Also, {it}", "And {it}", "Besides, {it}", "In addition, {it}")
_INLINE = r"\b(?:to|by|in|for|from|as|with|at|on|of|is) \{{{}\}}(?:$|[.,;:)])"  # where a phrase can stand for a word
SEQUENCES = (
    ("First, {it}", "Then, {it}"),
    ("To begin with, {it}", "When that is done, {it}"),
    ("{it}", "After that, {it}"),
)


def wording(rng: random.Random, split: Split, wordings: Sequence[T]) -> T:
    """Return one of some wordings: the last for held-out tasks, one of the others for training."""
    return wordings[-1] if split == "heldout" else rng.choice(wordings[:-1])


def state(rng: random.Random, split: Split, domain: Domain, parts: Sequence[Worked], *, is_ordered: bool) -> str:
    """Return a request.

    Args:
        rng: chooses the wordings.
        split: whose wordings.
        domain: whose tools the parts use.
        parts: in the order in which they are asked for.
        is_ordered: whether they must be carried out in this order.
    """
    letters: Letters = {False: iter("XYZVWUTSRQ"), True: iter("NMKLJPGHDC")}
    sentences = [_sentence(rng, split, domain, part, letters) for part in parts]
    if len(sentences) == 1:
        return sentences[0]
    if is_ordered:
        first, other = wording(rng, split, SEQUENCES)
        linked = [(other if at else first).format(it=_lower(sentence)) for at, sentence in enumerate(sentences)]
    else:
        link = [wording(rng, split, LINKS) for _ in sentences[1:]]
        linked = [sentences[0], *[one.format(it=_lower(it)) for one, it in zip(link, sentences[1:], strict=True)]]
    return " ".join(_upper(sentence) for sentence in linked)


def _sentence(rng: random.Random, split: Split, domain: Domain, part: Worked, letters: Letters) -> str:
    if part.said is None:
        return wording(rng, split, QUESTIONS).format(it=part.phrase)
    tool = domain.tool[part.part.tool]
    assert isinstance(tool, Write)
    asked = wording(rng, split, tool.asks)
    said, where = asked, list[str]()
    for name, told in part.said.items():
        said = said.replace(f"{{{name}}}", told)
    for name, phrase in part.unknowns.items():
        if re.search(_INLINE.format(name), asked) and not _is_number(domain, tool, name):
            said = said.replace(f"{{{name}}}", phrase)
        else:
            letter = next(letters[_is_number(domain, tool, name)])
            said = said.replace(f"{{{name}}}", letter)
            where.append(f"{letter} is {phrase}")
    if where:
        said += f", where {phrases.joined(where)}"
    if not re.match(r"[a-z]", asked):  # it tells how things are
        return f"{_upper(said)}."
    return wording(rng, split, WISHES).format(do=said, Do=_upper(said))


def _is_number(domain: Domain, tool: Write, name: str) -> bool:
    param = next(param for param in tool.params if param.name == name)
    column = domain.column(param.table, param.column)
    return column is not None and column.type in ("integer", "number")


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text if text.startswith("I ") else text[:1].lower() + text[1:]
