"""What a problem reads: fields, each written, read and described in one of several forms.

A field's value is an integer, a text, a list of integers or words, a list of lines, or rows of integers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from palestra.envs.code.draws import Draws

Sort = Literal["int", "text", "ints", "words", "lines", "rows"]
FORMS: Final[dict[Sort, tuple[str, ...]]] = {
    "int": ("line",),
    "text": ("line",),
    "ints": ("counted", "column", "line", "comma", "ended"),
    "words": ("counted", "column", "line", "comma", "ended"),
    "lines": ("counted", "ended"),
    "rows": ("counted", "ended"),
}
TYPES: Final[dict[Sort, str]] = {
    "int": "int",
    "text": "str",
    "ints": "list[int]",
    "words": "list[str]",
    "lines": "list[str]",
    "rows": "list[list[int]]",
}
SEPARATED: Final = """def separated(line: str) -> list[str]:
    spaced = ""
    for letter in line:
        spaced = spaced + (" " if letter == "," else letter)
    return spaced.split()
"""
END: Final = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One part of the input."""

    name: str
    sort: Sort
    what: str  # a noun phrase: "the prices"
    low: int = -50  # of integers
    high: int = 50
    letters: str = "abc"  # of texts and words
    words: tuple[str, ...] = ()  # of a list of words, if only these occur
    least: int = 0  # items, or letters of a text
    most: int = 0  # items at most; 0: as many as the problem's size says
    scale: int = 1  # so many times the problem's size
    columns: tuple[str, ...] = ()  # of rows: what each is
    shape: str = ""  # of lines: what each looks like
    form: str = "line"

    @property
    def type(self) -> str:
        """The type in a reference."""
        return TYPES[self.sort]

    def limit(self, size: int) -> int:
        """Return the most items that the field may have."""
        return max(min(self.most or size * self.scale, size * self.scale), self.least)

    def written(self, value: Any) -> str:
        """Return the value as it stands in the input."""
        if self.sort in ("int", "text"):
            return f"{value}\n"
        items = [" ".join(map(str, row)) for row in value] if self.sort == "rows" else [str(item) for item in value]
        if self.form in ("column", "ended") or self.sort in ("lines", "rows"):
            head = "" if self.form == "ended" else f"{len(items)}\n"
            tail = f"{END}\n" if self.form == "ended" else ""
            return head + "".join(f"{item}\n" for item in items) + tail
        if self.form == "counted":
            return f"{len(items)}\n" + (" ".join(items) + "\n" if items else "")
        return (", " if self.form == "comma" else " ").join(items) + "\n"

    def read(self) -> str:
        """Return the statements of a reference that read the value."""
        name, count = self.name, f"{self.name}_count"
        if self.sort == "int":
            return f"{name} = read_int()"
        if self.sort == "text":
            return f"{name} = read_line()"
        if self.form == "ended":
            return self._read_ended()
        if self.form in ("line", "comma"):
            line = f"{name}_line"
            pieces = f"separated({line})" if self.form == "comma" else f"{line}.split()"
            if self.sort == "words":
                return f"{line} = read_line()\n{name} = {pieces}"
            gather = f"for {name}_piece in {pieces}:\n    {name}.append(int({name}_piece))"
            return f"{line} = read_line()\n{name}: list[int] = []\n{gather}"
        reader = {"ints": "read_ints(%s)", "words": "read_words(%s)", "lines": "read_lines(%s)"}.get(
            self.sort, f"read_rows(%s, {len(self.columns)})"
        )
        return f"{count} = read_int()\n{name} = {reader % count}"

    def _read_ended(self) -> str:
        name, line = self.name, f"{self.name}_line"
        take = {"ints": [f"{name}.append(int({line}))"], "rows": self._row()}.get(self.sort, [f"{name}.append({line})"])
        body = "".join(f"    {one}\n" for one in take)
        return (
            f'{name}: {self.type} = []\n{line} = read_line()\nwhile {line} != "{END}":\n{body}    {line} = read_line()'
        )

    def _row(self) -> list[str]:
        row = f"{self.name}_row"
        return [
            f"{row}: list[int] = []",
            f"for {row}_piece in {self.name}_line.split():",
            f"    {row}.append(int({row}_piece))",
            f"{self.name}.append({row}.copy())",
        ]

    def says(self, size: int) -> str:
        """Return the lines of a statement that describe the field, complete with its limits."""
        most = self.limit(size)
        many = f"{self.least} to {most}"
        value = {
            "ints": f"an integer from {self.low} to {self.high}",
            "words": "a word: " + (f"one of {', '.join(self.words)}" if self.words else self._spelt()),
            "lines": self.shape,
            "rows": "integers separated by spaces: " + ", ".join(filter(None, self.columns)),
        }.get(self.sort, "")
        if self.sort == "int":
            return f"a line with an integer from {self.low} to {self.high}: {self.what}"
        if self.sort == "text":
            empty = " (the line may be empty)" if not self.least else ""
            return f"a line with {self.what}: {many} characters, {self._spelt(1)}{empty}"
        if self.form == "ended":
            return f"{self.what} ({many} of them), one a line, each {value}; after them a line with the word {END}"
        if self.form == "column" or self.sort in ("lines", "rows"):
            return f"a line with a number m ({many}), then m lines with {self.what}, one a line, each {value}"
        if self.form == "counted":
            left_out = ", which is left out if m is 0" if not self.least else ""
            then = f"then a line{left_out} with {self.what}, separated by spaces, each {value}"
            return f"a line with a number m ({many}), {then}"
        how = "a comma and a space" if self.form == "comma" else "spaces"
        empty = "; if there are none the line is empty" if not self.least else ""
        return f"a line with {self.what} ({many} of them), separated by {how}, each {value}{empty}"

    def _spelt(self, least: int = 3) -> str:
        letters = self.letters
        if letters == "abcdefghijklmnopqrstuvwxyz":
            return "lowercase letters"
        told = " ".join("space" if letter == " " else letter for letter in letters)
        return f"each one of: {told}" if least == 1 else f"1 to 4 letters of {told}"

    def draw(self, draws: Draws, size: int) -> Any:
        """Return a random value of at most `size` items."""
        most = self.limit(size)
        count = most if draws.chance(0.25) else draws.between(self.least, most)
        match self.sort:
            case "int":
                return self._number(draws, self.low, self.high)
            case "text":
                return self._text(draws, count)
            case "words":
                return self._words(draws, count)
            case "ints":
                return self._numbers(draws, count)
        raise TypeError(f"a field of {self.sort} needs a draw of its problem's own")

    def _number(self, draws: Draws, low: int, high: int) -> int:
        return draws.pick((low, high)) if draws.chance(0.1) else draws.between(low, high)

    def _numbers(self, draws: Draws, count: int) -> list[int]:
        low, high = self.low, self.high
        style = draws.pick(("wide", "wide", "narrow", "few", "ascending", "descending", "runs"))
        if style == "narrow":
            low = draws.between(low, high)
            high = min(high, low + 4)
        if style == "few":
            pool = [draws.between(low, high) for _ in range(3)]
            return [draws.pick(pool) for _ in range(count)]
        made = [self._number(draws, low, high) for _ in range(count)]
        if style == "runs":
            for place in range(1, count):
                if draws.chance(0.5):
                    made[place] = made[place - 1]
        return sorted(made, reverse=style == "descending") if style.endswith("cending") else made

    def _text(self, draws: Draws, count: int) -> str:
        letters = self.letters if draws.chance(0.6) else draws.shuffled(self.letters)[:2]
        made = ""
        while len(made) < count:
            made += made[-1] if made and draws.chance(0.3) else draws.pick(letters)
        made = re.sub(" +", " ", made).strip()
        return made.ljust(self.least, self.letters[0])

    def _words(self, draws: Draws, count: int) -> list[str]:
        made: list[str] = []
        for _ in range(count):
            if made and draws.chance(0.3):
                made.append(draws.pick(made))
            elif self.words:
                made.append(draws.pick(self.words))
            else:
                made.append("".join(draws.pick(self.letters) for _ in range(draws.between(1, 4))))
        return made

    def corners(self, size: int) -> list[tuple[str, Any]]:
        """Return the smallest, the most regular and the borderline values, each with the name of its class."""
        most = self.limit(size)
        match self.sort:
            case "int":
                return [("least", self.low), ("greatest", self.high), ("next to least", min(self.low + 1, self.high))]
            case "ints":
                low, high = self.low, self.high
                span = high - low + 1
                made: list[tuple[str, Any]] = [
                    ("none", []),
                    ("one", [high]),
                    ("all equal", [low] * most),
                    ("extremes", [low, high] * (most // 2)),
                    ("ascending", [low + i % span for i in range(most)]),
                    ("descending", [high - i % span for i in range(most)]),
                ]
            case "text":
                letters = self.letters.strip()
                made = [
                    ("none", ""),
                    ("one", letters[0]),
                    ("all equal", letters[-1] * most),
                    ("alternating", (letters[0] + letters[-1]) * (most // 2)),
                ]
            case "words":
                known: tuple[str, ...] = self.words or (self.letters[0], self.letters[-1] * 2)
                made = [
                    ("none", []),
                    ("one", [known[-1]]),
                    ("all equal", [known[0]] * most),
                    ("alternating", [known[0], known[-1]] * (most // 2)),
                ]
            case _:
                return []
        return [(name, value) for name, value in made if self.least <= len(value) <= most]


def arrange(fields: Sequence[Field]) -> str:
    """Return helper functions that reading these fields needs."""
    return SEPARATED if any(field.form == "comma" for field in fields) else ""
