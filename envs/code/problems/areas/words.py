"""Problems about words by how often they occur."""

from collections import Counter
from typing import Any, Final

from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Gives, archetype, code

_LETTERS: Final = """def letters(word: str) -> list[str]:
    made: list[str] = []
    for letter in word:
        made.append(letter)
    return made


"""
_TOTAL: Final = """def total(xs: list[int]) -> int:
    made = 0
    for x in xs:
        made += x
    return made


"""


@archetype("maps", "frequencies")
class Frequencies(Archetype):
    """Words by how often they occur."""

    def __init__(self, c: Choices) -> None:
        self.key = c.pick("key", ("word", "first letter", "length", "sorted letters"))
        self.which = c.pick("which", ("most frequent", "least frequent", "exactly k", "odd times"))
        self.output = c.pick("output", ("words", "count", "first places", "share"))
        self.order = c.pick("order", ("first seen", "alphabetical", "last seen"))
        self.k = c.constant("k", (1, 2), (3,))
        kinds: dict[str, Gives] = {"words": "words", "first places": "ints"}
        self.gives = kinds.get(self.output, "int")
        self.fields = (Field(name="words", sort="words", what="the words", letters="abc"),)

    def story(self) -> str:
        keys_words = {
            "word": "the word itself",
            "first letter": "its first letter",
            "length": "its length followed by the letter l, such as 3l",
            "sorted letters": "its letters in alphabetical order",
        }[self.key]
        chosen = {
            "most frequent": "that occur most often",
            "least frequent": "that occur least often, at least once",
            "exactly k": f"that occur exactly {self.k} time{'s' * (self.k > 1)}",
            "odd times": "that occur an odd number of times",
        }[self.which]
        sequence = {
            "first seen": "in the order in which they first occur",
            "alphabetical": "in alphabetical order (by character codes)",
            "last seen": "the one whose last occurrence is latest first",
        }[self.order]
        asked = {
            "words": f"these keys, {sequence}",
            "count": "how many such keys there are",
            "first places": "for each of these keys the position of the first word that has it, counted from 0; "
            f"{sequence}{' of keys' if self.order == 'alphabetical' else ''}",
            "share": "how many words have one of these keys",
        }[self.output]
        return f"The key of a word is {keys_words}. Take the different keys {chosen}. The result is {asked}."

    def solve(self) -> str:
        value = {
            "word": "word",
            "first letter": "word[0]",
            "length": 'str(len(word)) + "l"',
            "sorted letters": '"".join(sorted(letters(word)))',
        }[self.key]
        test = {
            "most frequent": "times == most",
            "least frequent": "times == least",
            "exactly k": f"times == {self.k}",
            "odd times": "times % 2 == 1",
        }[self.which]
        solve = self.code(
            """
def solve(words: list[str]) -> <type>:
    tally: dict[str, int] = {}
    first: dict[str, int] = {}
    keys: list[str] = []
    most = 0
    for i in range(len(words)):
        word = words[i]
        own = <value>
        tally[own] = tally.get(own, 0) + 1
        first[own] = first.get(own, i)
        keys.append(own)
        most = max(most, tally.get(own, 0))
    least = most
    for name in sorted(tally):
        least = min(least, tally.get(name, 0))
    done: dict[str, int] = {}
    made: <made> = []
    <walk>
    return <end>
""",
            value=value,
            made="list[str]" if self.output == "words" else "list[int]",
            walk=code(self._walk(), test=test),
            end={"words": "made", "first places": "made", "count": "len(made)"}.get(self.output, "total(made)"),
        )
        if self.key == "sorted letters":
            solve = _LETTERS + solve
        if self.output == "share":
            solve = _TOTAL + solve
        return solve

    def _walk(self) -> str:
        """Return how the keys are gone through once each, in order."""
        way = {
            "first seen": "for key in keys:\n    <one>",
            "alphabetical": "for key in sorted(tally):\n    <one>",
            "last seen": "for i in range(len(keys)):\n    key = keys[len(keys) - 1 - i]\n    <one>",
        }[self.order]
        one = "if key not in done:\n    done[key] = 1\n    times = tally.get(key, 0)\n    if <test>:\n        <found>"
        found = {
            "words": "made.append(key)",
            "count": "made.append(1)",
            "first places": "made.append(first.get(key, 0))",
            "share": "made.append(times)",
        }[self.output]
        return code(way, one=code(one, found=found))

    def law(self, words: list[str]) -> Any:
        keys = [
            {"word": word, "first letter": word[:1], "length": f"{len(word)}l"}.get(self.key, "".join(sorted(word)))
            for word in words
        ]
        tally = Counter(keys)
        wanted = {"most frequent": max(tally.values(), default=0), "least frequent": min(tally.values(), default=0)}
        fits = [
            one
            for one in dict.fromkeys(keys)
            if (tally[one] % 2 if self.which == "odd times" else tally[one] == wanted.get(self.which, self.k))
        ]
        if self.order == "alphabetical":
            fits.sort()
        if self.order == "last seen":
            fits.sort(key=lambda one: keys[::-1].index(one))
        return {"words": fits, "count": len(fits), "first places": [keys.index(one) for one in fits]}.get(
            self.output, sum(tally[one] for one in fits)
        )
