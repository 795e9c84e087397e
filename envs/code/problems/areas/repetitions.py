"""Problems about texts in which repetitions are written as counts."""

import re
from typing import Any

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.areas.parsers import short
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Parts, archetype, code


@archetype("parsers")
def repeats(c: Choices) -> Parts:
    """Texts with repetitions written as counts."""
    place = c.pick("count", ("before", "after"))
    nested = c.pick("groups", ("none", "round", "square"))
    default = c.pick("no count", ("1", "2"))
    objective = c.pick("objective", ("text", "length", "letter", "runs"))
    limit = c.pick("zero", ("drops", "counts as 1"))
    letter = c.constant("letter", ("a", "b"), ("c",))
    opening, closing = {"none": ("", ""), "round": ("(", ")"), "square": ("[", "]")}[nested]
    least = "count" if limit == "drops" else "max(count, 1)"
    groups_before = (
        f"""
elif one == "{opening}":
    outer.append(made)
    times.append({least} if has_count else {default})
    made = ""
    count = 0
    has_count = False
elif one == "{closing}":
    part = made
    made = outer.pop()
    often = times.pop()
    for turn in range(often):
        made = made + part
"""
        if nested != "none"
        else ""
    )
    groups_after = (
        f"""
elif one == "{opening}":
    outer.append(made)
    made = ""
    part = ""
elif one == "{closing}":
    part = made
    made = outer.pop()
    is_open = True
"""
        if nested != "none"
        else ""
    )
    end = {
        "text": "return made",
        "length": "return len(made)",
        "letter": f'found = 0\nfor one in made:\n    if one == "{letter}":\n        found += 1\nreturn found',
        "runs": "found = 0\nfor i in range(len(made)):\n    if i == 0 or made[i] != made[max(i - 1, 0)]:\n        "
        "found += 1\nreturn found",
    }[objective]
    before = """
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
    after = """
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
        else:
            part = one
            is_open = True
    <end>
"""
    template = before if place == "before" else after
    groups = groups_before if place == "before" else groups_after
    if place == "after" and nested == "none":
        template = template.replace(
            "        <groups>\n        else:\n            part = one\n            is_open = True\n",
            "        part = one\n        is_open = True\n",
        )
    solve = code(
        template,
        type="str" if objective == "text" else "int",
        groups=groups.replace("elif", "if", 1) if place == "after" else groups,
        least=least,
        default=default,
        end=end,
    )

    def expand(s: str) -> str:
        unit = rf"[a-c]|\{opening}[a-c]*\{closing}" if opening else "[a-c]"
        pattern = re.compile(rf"(?P<n>\d*)(?P<u>{unit})" if place == "before" else rf"(?P<u>{unit})(?P<n>\d*)")
        if opening and opening in s:
            inner = re.compile(rf"\{opening}([^\{opening}\{closing}]*)\{closing}")
            found = inner.search(s)
            if found is None:
                raise ValueError(f"groups of {s!r} are not balanced")
            flat = expand(found[1])
            head, tail = s[: found.start()], s[found.end() :]
            digits = re.search(r"\d*$", head) if place == "before" else re.match(r"\d*", tail)
            count = digits[0] if digits else ""
            if place == "before":
                head = head[: len(head) - len(count)]
            else:
                tail = tail[len(count) :]
            return expand(
                head + "".join(one + "1" if place == "after" else "1" + one for one in flat * times_of(count)) + tail
            )
        return "".join(one["u"] * times_of(one["n"]) for one in pattern.finditer(s))

    def times_of(count: str) -> int:
        return int(default) if not count else int(count) if limit == "drops" else max(int(count), 1)

    def law(s: str) -> Any:
        made = expand(s)
        runs = re.findall(r"((.)\2*)", made)
        return {"text": made, "length": len(made), "letter": made.count(letter)}.get(objective, len(runs))

    def text(draws: Draws, size: int, level: int) -> str:
        made = ""
        for _ in range(draws.between(1, max(1, min(size, 4)))):
            if nested != "none" and level < 2 and size > 3 and draws.chance(0.35):
                unit = opening + text(draws, size // 2, level + 1) + closing
            else:
                unit = draws.pick("abc")
            count = (
                str(draws.pick((0, 1, 2, 3, 3, 4, 12 if level == 0 and len(unit) == 1 else 2)))
                if draws.chance(0.6)
                else ""
            )
            made += count + unit if place == "before" else unit + count
        return made

    what = "a letter" if nested == "none" else f"a letter or a group in {opening}{closing}"
    group = (
        ""
        if nested == "none"
        else " A group holds the same kind of text, perhaps groups; it is at least one letter long."
    )
    zero = "a count of 0 drops what it belongs to" if limit == "drops" else "a count of 0 means 1"
    asked = {
        "text": "the text in full",
        "length": "the length of the text in full",
        "letter": f"how many {letter} the text in full has",
        "runs": "how many runs of equal letters the text in full has (a run is as long as can be)",
    }[objective]
    return Parts(
        story=f"A text is written in short: {what} may have a decimal count just {place} it, which says how often it "
        "is repeated; without "
        f"a count it is repeated {default} time{'s' * (default != '1')} (so that often it is there), and "
        f"{zero}.{group} Counts are at most "
        f"12. The result is {asked}.",
        fields=(
            Field(
                name="s",
                sort="text",
                what="the text",
                letters="abc0123456789" + opening + closing,
                least=1,
                most=24,
                scale=3,
            ),
        ),
        gives="text" if objective == "text" else "int",
        solve=solve,
        law=law,
        draw=lambda draws, size: (_short_letters(lambda: text(draws, size, 0), min(size * 3, 24)),),
        corners=tuple(
            (name, (one,))
            for name, one in (
                ("a letter", "a"),
                ("two letters", "ab"),
                ("a count", "3a" if place == "before" else "a3"),
                ("zero", "0ab" if place == "before" else "a0b"),
                ("two digits", "12b" if place == "before" else "b12"),
            )
        )
        + (
            (
                ("a group", ((f"2{opening}a3b{closing}" if place == "before" else f"{opening}ab3{closing}2"),)),
                ("groups", ((f"{opening}a{opening}b{closing}{closing}"),)),
            )
            if nested != "none"
            else ()
        ),
    )


def _short_letters(make: Any, size: int) -> str:
    made = short(make, size)
    return made if made != "1" else "c"
