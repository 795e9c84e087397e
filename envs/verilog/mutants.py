"""Modules that are nearly the golden one: another constant, operator, edge or reset, a condition turned or left out."""

import re
from collections.abc import Iterator
from typing import Final

from palestra.envs.base import Task
from palestra.envs.code.draws import Draws
from palestra.envs.verilog.catalogue import TEMPLATES
from palestra.envs.verilog.design import Design
from palestra.envs.verilog.stimulus import Interface, vectors
from palestra.envs.verilog.syntax import Token, tokens
from palestra.envs.verilog.template import Choice

_SWAPS: Final = {
    **{"+": "-", "-": "+", "&": "|", "|": "&", "^": "|", "&&": "||", "||": "&&", "==": "!=", "!=": "=="},
    **{"<": ">=", ">": "<=", ">=": ">", "<<": ">>", ">>": "<<", "~": "", "!": ""},
    **{"posedge": "negedge", "negedge": "posedge", "%": "/", "/": "%"},
}
_NUMBER: Final = re.compile(r"(\d+)'d(\d+)")
_REDRAWS: Final = 6  # of each parameter
_TRIAL: Final = 400  # vectors on which a model must differ


def design_of(task: Task) -> Design:
    """Return the design of a generated task."""
    return TEMPLATES[task.hidden["template"]].build(**task.hidden["params"])


def near_misses(task: Task) -> Iterator[tuple[str, str]]:
    """Yield names and sources of modules with the same ports and one other parameter, if their models differ."""
    template, params = TEMPLATES[task.hidden["template"]], dict(task.hidden["params"])
    design = design_of(task)
    interface = Interface.of(task.public["module"], task.public["interface"])
    stimulus = vectors(interface, _TRIAL, "near misses")
    shown = design.trace(stimulus)
    split = task.provenance["split"]
    for name, chooser in template.choosers.items():
        tried = [params[name]]
        for number in range(_REDRAWS):
            choice = Choice(draws=Draws(task.id, number, name), split=split, width=task.difficulty["width"])
            value = chooser(choice, {**params})
            if name == "clocking":  # the other edge, then the other kind of reset
                value = [params[name][at] ^ (at == number) for at in range(3)]
            if value in tried:
                continue
            tried.append(value)
            try:
                other = template.build(**{**params, name: value})
            except (IndexError, ValueError):  # a table for other states
                continue
            if (other.all_inputs, other.outputs) != (design.all_inputs, design.outputs):
                continue
            is_other_edge = name == "clocking" and number == 0
            if is_other_edge or other.trace(stimulus) != shown:
                yield f"{name}={value}", other.source(interface.name)


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield names and sources with one word changed. Some may do the same as the source."""
    words = list(tokens(source))
    for number, word in enumerate(words):
        for other in _others(words, number):
            name = f"line {word.line}: {word.text} for {other}"
            yield name, source[: word.start] + other + source[word.start + len(word.text) :]


def _others(words: list[Token], number: int) -> Iterator[str]:
    word, before = words[number], words[number - 1].text if number else ""
    is_header = any(
        one.text in ("input", "output", "reg", "wire", "module", "integer", "for") for one in _line(words, number)
    )
    if is_header:
        return
    if found := _NUMBER.fullmatch(word.text):
        bits, value = int(found[1]), int(found[2])
        yield f"{bits}'d{(value + 1) % (1 << bits)}"
    elif word.text in _SWAPS and not (word.text in "&|^~" and before in ("(", "=", ",", "{", "|", "&")):
        yield _SWAPS[word.text]
    elif before == "(" and number > 1 and words[number - 2].text == "if" and word.kind == "name":
        yield f"!{word.text}"
        yield f"1'b1 | {word.text}"


def _line(words: list[Token], number: int) -> list[Token]:
    return [word for word in words[max(0, number - 12) : number] if word.line == words[number].line]
