"""Problems about small notations: stack machines, pairs of keys and values, repetitions."""

from typing import Any

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Corner, archetype


@archetype("parsers", "stack_machine")
class StackMachine(Archetype):
    """A small stack machine."""

    def __init__(self, c: Choices) -> None:
        self.under = c.pick("too few values", ("ignored", "stops", "zeros"))
        self.minus = c.pick("sub", ("lower minus upper", "upper minus lower"))
        self.extra = c.pick("extra", ("dup", "swap", "neg", "over"))
        self.third = c.pick("arithmetic", ("mul", "max", "min"))
        self.objective = c.pick("objective", ("top", "stack", "sum", "errors", "highest"))
        self.nothing = c.constant("empty", (0, -1), (1, -2))
        self.needs = {"dup": 1, "neg": 1}.get(self.extra, 2)
        self.gives = "ints" if self.objective == "stack" else "int"

        self.rules = {
            "push N": "puts the integer N on top",
            "pop": "removes the top value",
            "add": "takes the two top values off and puts their sum on",
            "sub": "takes the two top values off and puts on "
            + (
                "the lower one minus the upper one"
                if self.minus == "lower minus upper"
                else "the upper one minus the lower one"
            ),
            self.third: "takes the two top values off and puts on "
            + {
                "mul": "their product modulo 1000 (a remainder from 0 to 999)",
                "max": "the greater",
                "min": "the smaller",
            }[self.third],
            self.extra: {
                "dup": "puts the top value on once more",
                "swap": "exchanges the two top values",
                "neg": "changes the sign of the top value",
                "over": "puts a copy of the value below the top one on top (it needs two values)",
            }[self.extra],
        }
        self.fields = (
            Field(
                name="lines", sort="lines", what="the commands", shape=f"{', '.join(self.rules)}, with N from -5 to 9"
            ),
        )

    def story(self) -> str:
        error = {
            "ignored": "does nothing",
            "stops": "ends the run: neither it nor later commands are carried out",
            "zeros": "first gets as many zeros as it lacks, put at the bottom of the stack, and is then carried out",
        }[self.under]
        asked = {
            "top": f"the top value at the end, {self.nothing} if the stack is empty",
            "stack": "the stack at the end, from bottom to top",
            "sum": "the sum of the values on the stack at the end",
            "errors": "how many commands had too few values",
            "highest": "the greatest number of values that were on the stack after a command was carried out (0 if "
            "none was)",
        }[self.objective]
        return (
            "A machine works on a stack of integers, which is empty at first. Its commands:\n"
            + "\n".join(f"- {name} {what}" for name, what in self.rules.items())
            + f"\nA command that needs more values than there are {error}. The result is {asked}."
        )

    def solve(self) -> str:
        short = {
            "ignored": "errors += 1\ncontinue",
            "stops": "errors += 1\nbreak",
            "zeros": "errors += 1\nwhile len(stack) < needed:\n    stack = [0] + stack",
        }[self.under]
        act = {
            "dup": "stack.append(stack[len(stack) - 1])",
            "neg": "stack[len(stack) - 1] = 0 - stack[len(stack) - 1]",
            "swap": "b = stack.pop()\na = stack.pop()\nstack.append(b)\nstack.append(a)",
            "over": "stack.append(stack[len(stack) - 2])",
        }[self.extra]
        return self.code(
            """
def solve(lines: list[str]) -> <type>:
    stack: list[int] = []
    errors = 0
    highest = 0
    for line in lines:
        words = line.split()
        name = words[0]
        needed = 2
        if name == "push":
            needed = 0
        if name == "pop":
            needed = 1
        if name == "<extra>":
            needed = <needs>
        if len(stack) < needed:
            <short>
        if name == "push":
            stack.append(int(words[1]))
        elif name == "pop":
            stack.pop()
        elif name == "<extra>":
            <act>
        else:
            b = stack.pop()
            a = stack.pop()
            if name == "add":
                stack.append(a + b)
            elif name == "sub":
                stack.append(<minus>)
            else:
                stack.append(<third>)
        highest = max(highest, len(stack))
    <end>
""",
            extra=self.extra,
            needs=str(self.needs),
            short=short,
            act=act,
            minus="a - b" if self.minus == "lower minus upper" else "b - a",
            third={"mul": "a * b % 1000", "max": "max(a, b)", "min": "min(a, b)"}[self.third],
            end=self._end(),
        )

    def _end(self) -> str:
        return {
            "top": f"return stack[len(stack) - 1] if len(stack) > 0 else {self.nothing}",
            "stack": "return stack",
            "sum": "total = 0\nfor one in stack:\n    total += one\nreturn total",
            "errors": "return errors",
            "highest": "return highest",
        }[self.objective]

    def law(self, lines: list[str]) -> Any:
        def go(stack: tuple[int, ...], left: list[str], errors: int, highest: int) -> Any:
            if not left:
                return {
                    "top": stack[-1] if stack else self.nothing,
                    "stack": list(stack),
                    "sum": sum(stack),
                    "errors": errors,
                }.get(self.objective, highest)
            name, *rest = left[0].split()
            needed = {"push": 0, "pop": 1, self.extra: self.needs}.get(name, 2)
            if len(stack) < needed:
                if self.under != "zeros":
                    return go(stack, left[1:] if self.under == "ignored" else [], errors + 1, highest)
                return go((0,) * (needed - len(stack)) + stack, left, errors + 1, highest)
            keep, taken = stack[: len(stack) - needed], stack[len(stack) - needed :]
            match name:
                case "push":
                    made: tuple[int, ...] = (int(rest[0]),)
                case "pop":
                    made = ()
                case "dup":
                    made = taken * 2
                case "neg":
                    made = (-taken[0],)
                case "swap":
                    made = taken[::-1]
                case "over":
                    made = (*taken, taken[0])
                case "add":
                    made = (sum(taken),)
                case "sub":
                    made = (taken[0] - taken[1] if self.minus == "lower minus upper" else taken[1] - taken[0],)
                case _:
                    made = ({"mul": taken[0] * taken[1] % 1000, "max": max(taken)}.get(name, min(taken)),)
            return go(keep + made, left[1:], errors, max(highest, len(keep + made)))

        return go((), lines, 0, 0)

    def draw(self, draws: Draws, size: int) -> tuple[list[str]]:
        made = []
        for place in range(draws.between(0, size)):
            is_push = draws.chance(0.85 if place < 2 else 0.5)
            made.append(
                f"push {draws.between(-5, 9)}"
                if is_push
                else draws.pick(("pop", "add", "sub", self.third, self.extra, self.extra))
            )
        return (made,)

    def corners(self) -> tuple[Corner, ...]:
        return (
            ("no commands", ([],)),
            ("too few at once", (["add", "push 3"],)),
            ("one too few", (["push 4", "sub", "push 2"],)),
            ("order matters", (["push 7", "push 2", "sub"],)),
            ("third", (["push 7", "push -2", self.third],)),
            ("extra", (["push 1", "push 2", self.extra, "sub"],)),
            ("extra alone", ([self.extra, "push 5"],)),
            ("pop nothing", (["pop", "push 1", "pop"],)),
        )


@archetype("parsers", "pairs")
class Pairs(Archetype):
    """Keys and values on one line."""

    def __init__(self, c: Choices) -> None:
        self.between, self.equals = c.pick("separator", ("; :", ", =", "| =")).split()
        self.again = c.pick("repeated", ("first", "last", "sum", "count"))
        self.bare = c.pick("no value", ("zero", "one", "left out"))
        self.order = c.pick("order", ("key", "first seen"))
        self.objective = c.pick("objective", ("list", "keys", "total", "size"))
        self.join = c.constant("join", ("->", "/"), ("@", "~"))
        self.gives = "words" if self.objective in ("list", "keys") else "int"
        self.fields = (
            Field(name="s", sort="text", what="the text", letters=f"abc0123456789{self.equals}{self.between}", scale=4),
        )

    def story(self) -> str:
        twice = {
            "first": "its first value counts",
            "last": "its last value counts",
            "sum": "its values are added up",
            "count": "(whatever the values are) its value is the number of its pairs that count",
        }[self.again]
        without = {"zero": "has the value 0", "one": "has the value 1", "left out": "does not count"}[self.bare]
        each = (
            "the keys alphabetically"
            if self.order == "key"
            else "the keys in the order of their first pairs that count"
        )
        asked = {
            "list": f"an entry for each key, {each}: the key, then {self.join}, then its value, without spaces",
            "keys": f"the keys: {each}",
            "total": "the sum of the values of all keys",
            "size": "how many different keys there are",
        }[self.objective]
        return (
            f"A text consists of pairs with {self.between} between them. A pair is a key of letters, perhaps followed "
            f"by {self.equals}, perhaps followed by a non-negative integer, its value. A pair without a value "
            f"{without}; a pair whose key is empty does not count. If a key occurs in several pairs that count, "
            f"{twice}. The result is {asked}."
        )

    def solve(self) -> str:
        value = "value" if self.again != "count" else "1"
        put = {"first": f"values[key] = values.get(key, {value})", "last": f"values[key] = {value}"}.get(
            self.again, f"values[key] = values.get(key, 0) + {value}"
        )
        default = {"zero": "0", "one": "1", "left out": "0"}[self.bare]
        gather = {
            "list": f'made.append(key + "{self.join}" + str(values.get(key, 0)))',
            "keys": "made.append(key)",
            "total": "total += values.get(key, 0)",
            "size": "total += 1",
        }[self.objective]
        return self.code(
            """
def solve(s: str) -> <type>:
    values: dict[str, int] = {}
    keys: list[str] = []
    key = ""
    digits = ""
    has_value = False
    text = s + "<between>"
    for one in text:
        if one == "<between>":
            value = int(digits) if digits != "" else <default>
            if key != "" and (digits != "" or <bare>):
                if key not in values:
                    keys.append(key)
                <put>
            key = ""
            digits = ""
            has_value = False
        elif one == "<equals>":
            has_value = True
        elif has_value:
            digits = digits + one
        else:
            key = key + one
    made: list[str] = []
    total = 0
    for key_of in <order>:
        <gather>
    return <end>
""",
            between=self.between,
            default=default,
            bare="False" if self.bare == "left out" else "True",
            put=put,
            equals=self.equals,
            order="sorted(values)" if self.order == "key" else "keys",
            gather=gather.replace("key", "key_of"),
            end="made" if self.gives == "words" else "total",
        )

    def law(self, s: str) -> Any:
        found: list[tuple[str, int]] = []
        for part in s.split(self.between):
            key, _, digits = part.partition(self.equals)
            if key and (digits or self.bare != "left out"):
                found.append((key, int(digits) if digits else int(self.bare == "one")))
        groups = {key: [value for other, value in found if other == key] for key, _ in found}
        values = {
            key: {"first": own[0], "last": own[-1], "sum": sum(own)}.get(self.again, len(own))
            for key, own in groups.items()
        }
        keys = sorted(values) if self.order == "key" else list(values)
        return {
            "list": [f"{key}{self.join}{values[key]}" for key in keys],
            "keys": keys,
            "total": sum(values.values()),
        }.get(self.objective, len(keys))

    def draw(self, draws: Draws, size: int) -> tuple[str]:
        parts = []
        for _ in range(draws.between(0, 8)):
            key = "".join(draws.pick("abc") for _ in range(draws.pick((0, 1, 1, 1, 2))))
            parts.append(
                key + (self.equals + str(draws.between(0, 20)) if draws.chance(0.75) else draws.pick(("", self.equals)))
            )
            if len(self.between.join(parts)) > size * 4:
                parts.pop()
                break
        return (self.between.join(parts),)

    def corners(self) -> tuple[Corner, ...]:
        return tuple(
            (name, (text,))
            for name, text in (
                ("nothing", ""),
                ("one pair", f"b{self.equals}7"),
                ("no value", f"a{self.between}b{self.equals}"),
                ("no key", f"{self.equals}5"),
                ("twice", f"a{self.equals}3{self.between}a{self.equals}4"),
                ("order", f"b{self.equals}1{self.between}a{self.equals}2"),
                ("empty parts", f"{self.between}a{self.equals}1{self.between}"),
                ("zero", f"a{self.equals}0{self.between}a{self.equals}05"),
            )
        )
