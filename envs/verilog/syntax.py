"""Reads Verilog as words, and refuses what no module needs that is judged by its ports.

Candidates are simulated, so they may say nothing to the simulator: no system task, no name of another place, no text
that a preprocessor would change. Comments and strings are known for what they are; nothing is searched in them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MOST_CHARS: Final = 40_000
BENCH: Final = "palestra_bench"  # our own module
_LONGEST: Final = 1_000  # words in a list of parameters
_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\r\n\f]+)
    |(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\\n]|\\[^\n])*")
    |(?P<number>(?:[0-9][0-9_]*)?[ \t]*'[sS]?[bBoOdDhH][ \t]*[0-9a-fA-FxXzZ?_]+
        |[0-9][0-9_]*(?:\.[0-9_]+)?(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_$]*)
    |(?P<system>\$[A-Za-z0-9_$]*)
    |(?P<directive>`[A-Za-z0-9_]*)
    |(?P<escaped>\\[^ \t\r\n\f]*)
    |(?P<sign><<<|>>>|===|!==|<<|>>|<=|>=|==|!=|&&|\|\||~&|~\||~\^|\^~|\*\*|->|\+:|-:|[-+*/%<>!&|^~?:;,.()\[\]{}@=\#])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_WORDS: Final = {
    **dict.fromkeys(("force", "release", "deassign"), "it overrides what drives a signal"),
    **dict.fromkeys(("fork", "join", "wait", "forever", "event", "disable"), "it is for simulation only"),
    **dict.fromkeys(("defparam", "config", "endconfig", "library", "liblist", "include"), "it names other places"),
    **dict.fromkeys(("specify", "endspecify", "specparam", "primitive", "endprimitive", "table"), "it is not needed"),
    **dict.fromkeys(("real", "realtime", "time"), "it is for simulation only"),
    **dict.fromkeys(("import", "export", "bind", "program", "class", "final", "package"), "it is not Verilog-2005"),
}
_TAME: Final = {
    "`timescale": r"\d+\s*[munpf]?s\s*/\s*\d+\s*[munpf]?s",
    "`default_nettype": r"none|wire",
    "`resetall": "",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a source: its kind, its text, its place and its line, from 1 on."""

    kind: str
    text: str
    start: int
    line: int


class SyntaxRefused(ValueError):
    """A source is no Verilog, or says what no candidate may say; the message names line and word."""


def bare(source: str) -> str:
    """Return a source without its comments, which some tools take for orders; lines stay where they are."""
    return _TOKEN.sub(lambda found: " " + "\n" * found[0].count("\n") if found["comment"] else found[0], source)


def tokens(source: str) -> Iterator[Token]:
    """Yield the words of a source, without spaces and comments.

    Raises:
        SyntaxRefused: a character begins no word, or a comment or text has no end.
    """
    place, line = 0, 1
    while place < len(source):
        found = _TOKEN.match(source, place)
        if found is None or (source.startswith("/*", place) and found.lastgroup != "comment"):
            odd = "a comment without an end" if source.startswith("/*", place) else f"the character {source[place]!r}"
            raise SyntaxRefused(f"line {line}: {odd} is not Verilog")
        kind, text = str(found.lastgroup), found[0]
        if kind not in ("space", "comment"):
            yield Token(kind, text, place, line)
        line += text.count("\n")
        place = found.end()


def refusal(source: str, top: str) -> str:
    """Return why a source is no candidate for the module `top`, or "" if it is one."""
    if len(source) > MOST_CHARS:
        return f"the source has {len(source)} characters; at most {MOST_CHARS} are read"
    try:
        words = list(tokens(source))
        for number, token in enumerate(words):
            if problem := _problem(words, number, source):
                return f"line {token.line}: {problem}"
    except SyntaxRefused as error:
        return str(error)
    return _modules(words, top)


def _problem(words: Sequence[Token], number: int, source: str) -> str:
    token = words[number]
    text, before = token.text, words[number - 1].text if number else ""
    after = words[number + 1].text if number + 1 < len(words) else ""
    if token.kind == "system":
        if text in ("$signed", "$unsigned", "$clog2"):
            return ""
        return f"{text} is refused: of system tasks and functions only $signed, $unsigned and $clog2 may be used"
    if token.kind == "directive":
        return _directive(token, source)
    if token.kind == "escaped":
        return "escaped names are refused; use names of letters, digits and _"
    if token.kind == "string":
        return "texts in quotation marks are refused"
    if text == "#" and not _is_parameters(words, number):
        return "delays (#) are refused; # may only stand before a list of parameters in parentheses"
    if text == "." and not (before in ("(", ",") and after and words[number + 1].kind == "name"):
        return "names with a dot are refused; a dot may only stand before the name of a connected port"
    if text == "(" and after == "*" and words[number + 2 : number + 3] and words[number + 2].text != ")":
        return "attributes (* ... *) are refused"
    if text == "->":
        return "events (->) are refused"
    if token.kind == "name" and text in _WORDS:
        return f"the word {text!r} is refused: {_WORDS[text]}"
    return f"the name {text!r} is taken" if token.kind == "name" and text.startswith(BENCH) else ""


def _directive(token: Token, source: str) -> str:
    rest = source[token.start + len(token.text) :].split("\n", 1)[0].split("//", 1)[0].strip()
    if token.text in _TAME and re.fullmatch(_TAME[token.text], rest, re.ASCII):
        return ""
    return f"{token.text} is refused; use localparam or parameter for constants"


def _is_parameters(words: Sequence[Token], number: int) -> bool:
    """Tell whether a `#` stands between two names, or after a module's name, with parentheses behind it."""
    before = words[number - 1] if number else None
    after = words[number + 1 : number + 2]
    if before is None or before.kind != "name" or before.text in _STATEMENTS or not after or after[0].text != "(":
        return False
    if number >= 2 and words[number - 2].text == "module":
        return True
    depth = 0
    for place in range(number + 1, min(len(words), number + _LONGEST)):
        depth += (words[place].text == "(") - (words[place].text == ")")
        if depth == 0:  # of an instance: its name and its ports must follow
            return [word.kind for word in words[place + 1 : place + 2]] == ["name"] and [
                word.text for word in words[place + 2 : place + 3]
            ] == ["("]
    return False


_STATEMENTS: Final = frozenset(  # after which a # is a delay
    (
        *("begin", "else", "always", "initial", "end", "endcase", "default", "repeat", "reg", "assign", "endtask"),
        *("and", "nand", "or", "nor", "xor", "xnor", "buf", "not", "bufif0", "bufif1", "notif0", "notif1"),
        *("nmos", "pmos", "cmos", "rnmos", "rpmos", "rcmos", "tran", "tranif0", "tranif1", "rtran", "rtranif0"),
        *("rtranif1", "pullup", "pulldown", "wire", "wand", "wor", "tri", "triand", "trior", "tri0", "tri1", "trireg"),
        *("supply0", "supply1"),
    )
)


def _modules(words: Sequence[Token], top: str) -> str:
    names: list[str] = []
    is_open = False
    for number, token in enumerate(words):
        if token.text in ("module", "macromodule"):
            if is_open:
                return f"line {token.line}: a module within a module"
            is_open = True
            names.append(words[number + 1].text if number + 1 < len(words) else "")
        elif token.text == "endmodule":
            if not is_open:
                return f"line {token.line}: 'endmodule' without 'module'"
            is_open = False
        elif not is_open and token.kind != "directive" and not _is_after_directive(words, number):
            return f"line {token.line}: {token.text!r} stands outside of any module"
    if is_open:
        return "the last module has no 'endmodule'"
    if top not in names:
        return f"there is no module {top!r}" + (f"; found: {', '.join(names)[:200]}" if names else "")
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        return f"the module {doubled[0]!r} is there twice"
    return ""


def _is_after_directive(words: Sequence[Token], number: int) -> bool:
    line = words[number].line
    return any(word.kind == "directive" and word.line == line for word in words[max(0, number - 6) : number])
