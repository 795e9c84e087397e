"""Problems about two texts beside each other."""

import itertools
from typing import Any

from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, archetype


@archetype("strings", "two_texts")
class TwoTexts(Archetype):
    """Two texts beside each other."""

    def __init__(self, c: Choices) -> None:
        self.view = c.pick("view", ("as they are", "second reversed", "sorted", "without a letter", "first repeated"))
        self.objective = c.pick(
            "objective", ("equal places", "different places", "common start", "common end", "shared letters")
        )
        self.gives_text = c.pick("gives", ("number", "letters"))
        self.rest = c.pick("rest", ("ignored", "counts"))
        self.letter = c.constant("letter", ("a", "b"), ("c", "d"))
        self.gives = "int" if self.gives_text == "number" else "text"
        self.fields = (
            Field(name="s", sort="text", what="s", letters="abcd"),
            Field(name="t", sort="text", what="t", letters="abcd"),
        )

    def story(self) -> str:
        views = {
            "as they are": "Compare s and t.",
            "second reversed": "Reverse t, then compare s and t.",
            "sorted": "Sort the letters of s and those of t alphabetically, then compare.",
            "without a letter": f"Leave out every {self.letter} in both, then compare.",
            "first repeated": "Let s be written twice without a space between, then compare it with t.",
        }[self.view]
        find = {
            "equal places": "the places where both have the same letter",
            "different places": "the places where the two have different letters (places that only one of them has "
            "do not count)",
            "common start": "the longest text that both begin with",
            "common end": "the longest text that both end with",
            "shared letters": "the letters of s, from left to right, each taken if t has one like it that was not "
            "used up yet",
        }[self.objective]
        places = self.objective.endswith("places")
        result = {
            "number": "The result is "
            f"{'how many there are' if places or self.objective == 'shared letters' else 'its length'}",
            "letters": "The result is the letters that s has there, in their order"
            if places
            else "The result is that text",
        }[self.gives_text]
        tail_words = {
            "ignored": ".",
            "counts": ", and to it is added, because of what one of the two is longer than the other, "
            + (
                "that difference of lengths."
                if self.gives_text == "number"
                else "the end that is left over of the longer one."
            ),
        }[self.rest]
        return f"Given are two texts s and t. {views} Find {find}. {result}{tail_words}"

    def solve(self) -> str:
        prepare = {
            "as they are": "x = s\ny = t",
            "second reversed": "x = s\ny = t[::-1]",
            "sorted": "x = arranged(s)\ny = arranged(t)",
            "without a letter": "x = without(s)\ny = without(t)",
            "first repeated": "x = s + s\ny = t",
        }[self.view]
        helper = {
            "sorted": 'def arranged(s: str) -> str:\n    made = ""\n    for code in range(97, 123):\n'
            "        for one in s:\n            if ord(one) == code:\n                made = made + one\n"
            "    return made\n",
            "without a letter": 'def without(s: str) -> str:\n    made = ""\n    for one in s:\n'
            f'        if one != "{self.letter}":\n            made = made + one\n    return made\n',
        }.get(self.view, "")
        body = {
            "equal places": "for i in range(least):\n    if x[i] == y[i]:\n        found = found + x[i]",
            "different places": "for i in range(least):\n    if x[i] != y[i]:\n        found = found + x[i]",
            "common start": "i = 0\nwhile i < least and x[i] == y[i]:\n    found = found + x[i]\n    i += 1",
            "common end": "i = 1\nwhile i <= least and x[len(x) - i] == y[len(y) - i]:\n"
            "    found = x[len(x) - i] + found\n    i += 1",
            "shared letters": "left: dict[str, int] = {}\nfor one in y:\n    left[one] = left.get(one, 0) + 1\n"
            "for one in x:\n    if left.get(one, 0) > 0:\n        left[one] = left.get(one, 0) - 1\n"
            "        found = found + one",
        }[self.objective]
        extra = "len(found) + abs(len(x) - len(y))" if self.rest == "counts" else "len(found)"
        longer = "found + x[least:len(x)] + y[least:len(y)]" if self.rest == "counts" else "found"
        return self.code(
            """
<helper>
def solve(s: str, t: str) -> <type>:
    <prepare>
    least = min(len(x), len(y))
    found = ""
    <body>
    return <end>
""",
            helper=helper,
            prepare=prepare,
            body=body,
            end=extra if self.gives_text == "number" else longer,
        )

    def law(self, s: str, t: str) -> Any:
        x, y = {
            "as they are": (s, t),
            "second reversed": (s, "".join(reversed(t))),
            "sorted": ("".join(sorted(s)), "".join(sorted(t))),
            "without a letter": (s.replace(self.letter, ""), t.replace(self.letter, "")),
            "first repeated": (s * 2, t),
        }[self.view]
        pairs = list(zip(x, y, strict=False))
        match self.objective:
            case "equal places":
                found = "".join(a for a, b in pairs if a == b)
            case "different places":
                found = "".join(a for a, b in pairs if a != b)
            case "common start":
                found = max((x[:n] for n in range(len(x) + 1) if y.startswith(x[:n])), key=len)
            case "common end":
                found = max((x[n:] for n in range(len(x) + 1) if y.endswith(x[n:])), key=len)
            case _:
                found = "".join(one for i, one in enumerate(x) if x[:i].count(one) < y.count(one))
        tail = "".join(a + b for a, b in itertools.zip_longest(x, y, fillvalue="") if not (a and b))
        found += tail if self.rest == "counts" else ""
        return len(found) if self.gives_text == "number" else found
