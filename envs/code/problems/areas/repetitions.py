"""Problems about texts in which repetitions are written as counts."""

import re
from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.areas.parsers import short
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Corner, Values, archetype, code

# Counts stand before what they belong to, so that a letter is at once written as often as it is wanted.
_BEFORE: Final = """
def solve(s: str) -> <type>:
    made = ""
    count = 0
    has_count = False
    outer: list[str] = []
    times: list[int] = []
    for one in s:
        if one >= "0" and one <= "9":
            count = count * 10 + ord(one) - 48
            has_count = True
        <groups>
        else:
            for turn in range(<least> if has_count else <default>):
                made = made + one
            count = 0
            has_count = False
    <end>
"""
_GROUPS_BEFORE: Final = """
elif one == "<opening>":
    outer.append(made)
    times.append(<least> if has_count else <default>)
    made = ""
    count = 0
    has_count = False
elif one == "<closing>":
    part = made
    made = outer.pop()
    often = times.pop()
    for turn in range(often):
        made = made + part
"""
# Counts stand after what they belong to, which waits until they are read.
_AFTER: Final = """
def solve(s: str) -> <type>:
    made = ""
    part = ""
    count = 0
    has_count = False
    is_open = False
    outer: list[str] = []
    text = s + " "
    for one in text:
        if one >= "0" and one <= "9":
            count = count * 10 + ord(one) - 48
            has_count = True
            continue
        if is_open:
            for turn in range(<least> if has_count else <default>):
                made = made + part
        count = 0
        has_count = False
        is_open = False
        if one == " ":
            break
        <groups>
    <end>
"""
_GROUPS_AFTER: Final = """
if one == "<opening>":
    outer.append(made)
    made = ""
    part = ""
elif one == "<closing>":
    part = made
    made = outer.pop()
    is_open = True
else:
    part = one
    is_open = True
"""


@archetype("parsers", "repeats")
class Repeats(Archetype):
    """Texts with repetitions written as counts."""

    def __init__(self, c: Choices) -> None:
        self.place = c.pick("count", ("before", "after"))
        self.nested = c.pick("groups", ("none", "round", "square"))
        self.default = c.pick("no count", ("1", "2"))
        self.objective = c.pick("objective", ("text", "length", "letter", "runs"))
        self.limit = c.pick("zero", ("drops", "counts as 1"))
        self.letter = c.constant("letter", ("a", "b"), ("c",))
        self.opening, self.closing = {"none": ("", ""), "round": ("(", ")"), "square": ("[", "]")}[self.nested]
        self.gives = "text" if self.objective == "text" else "int"
        self.fields = (
            Field(
                name="s",
                sort="text",
                what="the text",
                letters="abc0123456789" + self.opening + self.closing,
                least=1,
                most=24,
                scale=3,
            ),
        )

    def story(self) -> str:
        what = "a letter" if self.nested == "none" else f"a letter or a group in {self.opening}{self.closing}"
        group = (
            ""
            if self.nested == "none"
            else " A group holds the same kind of text, perhaps groups; it is at least one letter long."
        )
        zero = "a count of 0 drops what it belongs to" if self.limit == "drops" else "a count of 0 means 1"
        asked = {
            "text": "the text in full",
            "length": "the length of the text in full",
            "letter": f"how many {self.letter} the text in full has",
            "runs": "how many runs of equal letters the text in full has (a run is as long as can be)",
        }[self.objective]
        return (
            f"A text is written in short: {what} may have a decimal count just {self.place} it, which says how often "
            f"it is repeated; without a count it is repeated {self.default} time{'s' * (self.default != '1')} (so that "
            f"often it is there), and {zero}.{group} Counts are at most 12. The result is {asked}."
        )

    def solve(self) -> str:
        is_before = self.place == "before"
        groups = (_GROUPS_BEFORE, _GROUPS_AFTER)[not is_before]
        if self.nested == "none":
            groups = "" if is_before else "part = one\nis_open = True"
        counts = {"least": "count" if self.limit == "drops" else "max(count, 1)", "default": self.default}
        return self.code(
            _BEFORE if is_before else _AFTER,
            groups=code(groups, opening=self.opening, closing=self.closing, **counts),
            end={
                "text": "return made",
                "length": "return len(made)",
                "letter": f'found = 0\nfor one in made:\n    if one == "{self.letter}":\n        found += 1\n'
                "return found",
                "runs": "found = 0\nfor i in range(len(made)):\n    if i == 0 or made[i] != made[max(i - 1, 0)]:\n"
                "        found += 1\nreturn found",
            }[self.objective],
            **counts,
        )

    def law(self, s: str) -> Any:
        made = self._expand(s)
        runs = re.findall(r"((.)\2*)", made)
        return {"text": made, "length": len(made), "letter": made.count(self.letter)}.get(self.objective, len(runs))

    def draw(self, draws: Draws, size: int) -> Values:
        return (_short_letters(lambda: self._text(draws, size, 0), min(size * 3, 24)),)

    def _expand(self, s: str) -> str:
        unit = rf"[a-c]|\{self.opening}[a-c]*\{self.closing}" if self.opening else "[a-c]"
        pattern = re.compile(rf"(?P<n>\d*)(?P<u>{unit})" if self.place == "before" else rf"(?P<u>{unit})(?P<n>\d*)")
        if self.opening and self.opening in s:
            inner = re.compile(rf"\{self.opening}([^\{self.opening}\{self.closing}]*)\{self.closing}")
            found = inner.search(s)
            if found is None:
                raise ValueError(f"groups of {s!r} are not balanced")
            flat = self._expand(found[1])
            head, tail = s[: found.start()], s[found.end() :]
            digits = re.search(r"\d*$", head) if self.place == "before" else re.match(r"\d*", tail)
            count = digits[0] if digits else ""
            if self.place == "before":
                head = head[: len(head) - len(count)]
            else:
                tail = tail[len(count) :]
            return self._expand(
                head
                + "".join(one + "1" if self.place == "after" else "1" + one for one in flat * self._times_of(count))
                + tail
            )
        return "".join(one["u"] * self._times_of(one["n"]) for one in pattern.finditer(s))

    def _times_of(self, count: str) -> int:
        return int(self.default) if not count else int(count) if self.limit == "drops" else max(int(count), 1)

    def _text(self, draws: Draws, size: int, level: int) -> str:
        made = ""
        for _ in range(draws.between(1, max(1, min(size, 4)))):
            if self.nested != "none" and level < 2 and size > 3 and draws.chance(0.35):
                unit = self.opening + self._text(draws, size // 2, level + 1) + self.closing
            else:
                unit = draws.pick("abc")
            count = (
                str(draws.pick((0, 1, 2, 3, 3, 4, 12 if level == 0 and len(unit) == 1 else 2)))
                if draws.chance(0.6)
                else ""
            )
            made += count + unit if self.place == "before" else unit + count
        return made

    def corners(self) -> tuple[Corner, ...]:
        return tuple(
            (name, (one,))
            for name, one in (
                ("a letter", "a"),
                ("two letters", "ab"),
                ("a count", "3a" if self.place == "before" else "a3"),
                ("zero", "0ab" if self.place == "before" else "a0b"),
                ("two digits", "12b" if self.place == "before" else "b12"),
            )
        ) + (
            (
                (
                    "a group",
                    (
                        (
                            f"2{self.opening}a3b{self.closing}"
                            if self.place == "before"
                            else f"{self.opening}ab3{self.closing}2"
                        ),
                    ),
                ),
                ("groups", ((f"{self.opening}a{self.opening}b{self.closing}{self.closing}"),)),
            )
            if self.nested != "none"
            else ()
        )


def _short_letters(make: Any, size: int) -> str:
    made = short(make, size)
    return made if made != "1" else "c"
