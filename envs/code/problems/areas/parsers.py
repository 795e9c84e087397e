"""Problems about texts with a grammar: expressions, brackets, stack machines, pairs, repetitions."""

from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Corner, Values, archetype, code

_MEANING: Final = {
    "+": ("a + b", "the sum"),
    "-": ("a - b", "the left minus the right"),
    "*": ("a * b % 1000", "the remainder of the product divided by 1000 (from 0 to 999)"),
    "^": ("max(a, b)", "the greater"),
    "&": ("min(a, b)", "the smaller"),
    "~": ("abs(a - b)", "the distance"),
}


def _applied(symbol: str, a: int, b: int) -> int:
    return {"+": a + b, "-": a - b, "*": a * b % 1000, "^": max(a, b), "&": min(a, b)}.get(symbol, abs(a - b))


_EXPRESSIONS: Final = """
def rank(symbol: str) -> int:
    <ranks>
    return 0


def applied(symbol: str, a: int, b: int) -> int:
    <cases>
    return 0


def solve(s: str) -> int:
    values: list[int] = []
    waiting: list[str] = []
    count = 0
    greatest = 0
    level = 0
    depth = 0
    i = 0
    text = s + ")"
    waiting.append("(")
    while i < len(text):
        one = text[i]
        if one >= "0" and one <= "9":
            number = 0
            while text[i] >= "0" and text[i] <= "9":
                number = number * 10 + ord(text[i]) - 48
                i += 1
            values.append(number)
            greatest = max(greatest, number)
        elif one == "(":
            waiting.append(one)
            level += 1
            depth = max(depth, level)
            i += 1
        else:
            while rank(waiting[len(waiting) - 1]) > 0 and (one == ")" or <holds>):
                b = values.pop()
                a = values.pop()
                symbol = waiting.pop()
                values.append(applied(symbol, a, b))
                greatest = max(greatest, values[len(values) - 1])
                count += 1
            if one == ")":
                waiting.pop()
                level -= 1
            else:
                waiting.append(one)
            i += 1
    return <end>
"""


@archetype("parsers", "expressions")
class Expressions(Archetype):
    """The value of an expression whose operators have unusual rules."""

    gives = "int"

    def __init__(self, c: Choices) -> None:
        self.symbols = c.pick("operators", ("+-*", "+*", "-^", "+-&", "-*~", "+^&"))
        self.levels = c.pick("precedence", ("left binds most", "right binds most", "all equal"))
        self.side = c.pick("grouping", ("left", "right"))
        self.nested = c.pick("parentheses", ("allowed", "none"))
        self.objective = c.pick("objective", ("value", "operations", "depth", "greatest"))
        self.rank = {
            symbol: {"left binds most": len(self.symbols) - place, "right binds most": place + 1}.get(self.levels, 1)
            for place, symbol in enumerate(self.symbols)
        }
        self.inside = " and parentheses" if self.nested == "allowed" else ""
        self.longest = 60
        self.fields = (
            Field(
                name="s",
                sort="text",
                what="the expression",
                letters=f"0123456789{self.symbols}" + "()" * bool(self.inside),
                least=1,
                most=self.longest,
                scale=4,
            ),
        )

    def story(self) -> str:
        rules = "; ".join(f"{symbol} gives {_MEANING[symbol][1]}" for symbol in self.symbols)
        order = {
            "left binds most": f"Operators bind in this order, the strongest first: {' '.join(self.symbols)}.",
            "right binds most": f"Operators bind in this order, the strongest first: {' '.join(self.symbols[::-1])}.",
            "all equal": "All operators bind equally strong.",
        }[self.levels]
        group = f"Operators of equal strength group to the {self.side}: 1{self.symbols[0]}2{self.symbols[0]}3 is " + (
            f"(1{self.symbols[0]}2){self.symbols[0]}3."
            if self.side == "left"
            else f"1{self.symbols[0]}(2{self.symbols[0]}3)."
        )
        asked = {
            "value": "the value of the expression",
            "operations": "how many operators are applied",
            "depth": "how deep parentheses are nested (0 if there are none)",
            "greatest": "the greatest value of a number in the expression or of an operation on the way, but at "
            "least 0",
        }[self.objective]
        return (
            f"An expression consists of non-negative integers, operators{self.inside}, without spaces. Of the numbers "
            f"left and right of it, {rules}. {order} {group} The result is {asked}."
        )

    def solve(self) -> str:
        symbols = self.symbols
        return code(
            _EXPRESSIONS,
            ranks="".join(f'if symbol == "{symbol}":\n    return {self.rank[symbol]}\n' for symbol in symbols),
            cases="".join(f'if symbol == "{symbol}":\n    return {_MEANING[symbol][0]}\n' for symbol in symbols),
            holds=f"rank(waiting[len(waiting) - 1]) {'>=' if self.side == 'left' else '>'} rank(one)",
            end={"value": "values[0]", "operations": "count", "depth": "depth", "greatest": "greatest"}[self.objective],
        )

    def law(self, s: str) -> int:
        seen: list[int] = []
        operations = 0

        def value(text: str) -> int:
            nonlocal operations
            level, splits = 0, list[tuple[int, int]]()
            for place, one in enumerate(text):
                level += {"(": 1, ")": -1}.get(one, 0)
                if one in self.symbols and level == 0:
                    splits.append((self.rank[one], place))
            if not splits:
                made = value(text[1:-1]) if text[0] == "(" else int(text)
            else:
                weakest = [place for level_, place in splits if level_ == min(splits)[0]]
                place = weakest[-1 if self.side == "left" else 0]
                left, right = value(text[:place]), value(text[place + 1 :])
                operations += 1
                made = _applied(text[place], left, right)
            seen.append(made)
            return made

        result = value(s)
        depths = [s[:place].count("(") - s[:place].count(")") for place in range(len(s) + 1)]
        return {"value": result, "operations": operations, "depth": max(depths)}.get(self.objective, max(0, *seen))

    def draw(self, draws: Draws, size: int) -> Values:
        return (short(lambda: self._text(draws, size, 0), min(size * 4, self.longest)),)

    def _text(self, draws: Draws, size: int, level: int) -> str:
        made = ""
        for place in range(draws.between(1, max(1, min(size, 6)))):
            made += draws.pick(self.symbols) if place else ""
            if self.nested == "allowed" and level < 3 and draws.chance(0.25):
                made += f"({self._text(draws, size // 2, level + 1)})"
            else:
                made += str(draws.between(0, draws.pick((9, 30))))
        return made

    def corners(self) -> tuple[Corner, ...]:
        return tuple(
            (name, (text_,))
            for name, text_ in (
                ("a number", "7"),
                ("zero", "0"),
                ("two equal operators", f"9{self.symbols[0]}4{self.symbols[0]}3"),
                ("all operators", "5" + "".join(f"{symbol}{place + 2}" for place, symbol in enumerate(self.symbols))),
                (
                    "all backwards",
                    "8" + "".join(f"{symbol}{place + 3}" for place, symbol in enumerate(self.symbols[::-1])),
                ),
            )
        )


def short(make: Any, size: int) -> str:
    """Return the first text made that is no longer than `size`."""
    for _ in range(50):
        text: str = make()
        if len(text) <= size:
            return text
    return "1"


@archetype("parsers", "brackets")
class Brackets(Archetype):
    """Whether and where brackets match."""

    gives = "int"

    def __init__(self, c: Choices) -> None:
        kinds = c.pick("kinds", ("()", "()[]", "()[]{}"))
        self.crossing = c.pick("crossing", ("wrong", "allowed"))
        self.objective = c.pick("objective", ("first error", "depth", "pairs", "unmatched", "longest"))
        self.inside = c.pick("others", ("ignored", "comment"))
        self.letters = c.constant("letters", ("ab", "xy"), ("uv", "st"))
        self.opening, self.closing = kinds[::2], kinds[1::2]
        self.fields = (Field(name="s", sort="text", what="the text", letters=kinds + self.letters, scale=2),)

    def story(self) -> str:
        pairs_words = ", ".join(f"{a} and {b}" for a, b in zip(self.opening, self.closing, strict=True))
        match = (
            (
                "the last bracket that is still open, if that is of its kind; otherwise the closing bracket matches "
                "none, and what is open stays open"
            )
            if self.crossing == "wrong"
            else (
                "the last bracket of its kind that is still open, whatever others were opened since; if there is "
                "none, it matches none"
            )
        )
        rest = (
            "Other characters mean nothing."
            if self.inside == "ignored"
            else (
                f"The character {self.letters[0]} begins a comment, and the next {self.letters[0]} ends it; brackets "
                "in a comment do not count (a comment that is not ended goes to the end of the text). Other "
                "characters mean nothing."
            )
        )
        asked = {
            "first error": "the position (from 1) of the first closing bracket that matches none; if there is none, "
            "of the first bracket that is never closed; 0 if all match",
            "depth": "the greatest number of brackets that are open at the same time",
            "pairs": "how many pairs match",
            "unmatched": "how many brackets, opening and closing, are left without a match",
            "longest": "the greatest number of characters from an opening bracket to its match, both included (0 if "
            "nothing matches)",
        }[self.objective]
        return (
            f"A text has brackets: {pairs_words} belong together. Reading from left to right, a closing bracket "
            f"matches {match}. {rest} The result is {asked}."
        )

    def solve(self) -> str:
        skip = f'if one == "{self.letters[0]}":\n    is_off = not is_off\n' if self.inside == "comment" else ""
        find = (
            "top = len(stack) - 1"
            if self.crossing == "wrong"
            else ("top = len(stack) - 1\nwhile top >= 0 and stack[top] // 1000 != kind:\n    top -= 1")
        )
        end = {
            "first error": "return error if error > 0 else (stack[0] % 1000 if len(stack) > 0 else 0)",
            "depth": "return depth",
            "pairs": "return pairs",
            "unmatched": "return unmatched + len(stack)",
            "longest": "return longest",
        }[self.objective]
        return code(
            """
def solve(s: str) -> int:
    opening = "<opening>"
    closing = "<closing>"
    stack: list[int] = []
    error = 0
    depth = 0
    pairs = 0
    unmatched = 0
    longest = 0
    is_off = False
    for i in range(len(s)):
        one = s[i]
        <skip>
        if not is_off:
            for kind in range(len(opening)):
                if one == opening[kind]:
                    stack.append(kind * 1000 + i + 1)
                    depth = max(depth, len(stack))
                if one == closing[kind]:
                    <find>
                    is_match = False
                    if top >= 0:
                        is_match = stack[top] // 1000 == kind
                    if is_match:
                        pairs += 1
                        longest = max(longest, i + 2 - stack[top] % 1000)
                        stack = stack[0:top] + stack[top + 1:len(stack)]
                    else:
                        unmatched += 1
                        if error == 0:
                            error = i + 1
    <end>
""",
            opening=self.opening,
            closing=self.closing,
            skip=skip,
            find=find,
            end=end,
        )

    def law(self, s: str) -> int:
        text = s
        if self.inside == "comment":
            parts = s.split(self.letters[0])
            text = "".join(part if not number & 1 else " " * len(part) for number, part in _spaced(parts))
        waiting: list[tuple[str, int]] = []
        wrong, depth, spans = list[int](), 0, list[int]()
        for place, one in enumerate(text, start=1):
            if one in self.opening:
                waiting = [*waiting, (one, place)]
                depth = max(depth, len(waiting))
            elif one in self.closing:
                mate = self.opening[self.closing.index(one)]
                fits = [other for other in waiting if other[0] == mate]
                if not fits or (self.crossing == "wrong" and waiting[-1][0] != mate):
                    wrong.append(place)
                    continue
                spans.append(place - fits[-1][1] + 1)
                waiting.remove(fits[-1])
        first = wrong[0] if wrong else waiting[0][1] if waiting else 0
        return {"first error": first, "depth": depth, "pairs": len(spans), "unmatched": len(wrong) + len(waiting)}.get(
            self.objective, max(spans, default=0)
        )

    def corners(self) -> tuple[Corner, ...]:
        return tuple(
            (name, (text,))
            for name, text in (
                ("nothing", ""),
                ("only open", "(("),
                ("only closed", ")"),
                ("nested", "(())"),
                ("side by side", "()()"),
                ("open after closed", ")("),
                ("crossing", f"({self.opening[-1]}){self.closing[-1]}"),
                ("in a comment", f"{self.letters[0]}({self.letters[0]}"),
                ("others between", f"({self.letters[1]})"),
            )
        )


def _spaced(parts: list[str]) -> list[tuple[int, str]]:
    """Return the pieces between separators, each but the first with a space in its separator's place."""
    return [(number, part if not number else " " + part) for number, part in enumerate(parts)]
