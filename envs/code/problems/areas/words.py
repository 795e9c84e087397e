"""Problems about words by how often they occur."""

from collections import Counter
from typing import Any

from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Gives, Parts, archetype, code


@archetype("maps")
def frequencies(c: Choices) -> Parts:
    """Words by how often they occur."""
    key = c.pick("key", ("word", "first letter", "length", "sorted letters"))
    which = c.pick("which", ("most frequent", "least frequent", "exactly k", "odd times"))
    output = c.pick("output", ("words", "count", "first places", "share"))
    order = c.pick("order", ("first seen", "alphabetical", "last seen"))
    k = c.constant("k", (1, 2), (3,))
    value = {
        "word": "word",
        "first letter": "word[0]",
        "length": 'str(len(word)) + "l"',
        "sorted letters": '"".join(sorted(letters(word)))',
    }[key]
    helper = (
        """
def letters(word: str) -> list[str]:
    made: list[str] = []
    for letter in word:
        made.append(letter)
    return made


"""
        if key == "sorted letters"
        else ""
    )
    test = {
        "most frequent": "times == most",
        "least frequent": "times == least",
        "exactly k": f"times == {k}",
        "odd times": "times % 2 == 1",
    }[which]
    walk = {
        "first seen": "for key in keys:\n    <one>",
        "alphabetical": "for key in sorted(tally):\n    <one>",
        "last seen": "for i in range(len(keys)):\n    key = keys[len(keys) - 1 - i]\n    <one>",
    }[order]
    one = "if key not in done:\n    done[key] = 1\n    times = tally.get(key, 0)\n    if <test>:\n        <found>"
    found = {
        "words": "made.append(key)",
        "count": "made.append(1)",
        "first places": "made.append(first.get(key, 0))",
        "share": "made.append(times)",
    }[output]
    gives: Gives = {"words": "words", "first places": "ints"}.get(output, "int")  # type: ignore[assignment]
    solve = helper.lstrip("\n") + code(
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
        type={"words": "list[str]", "ints": "list[int]", "int": "int"}[gives],
        value=value,
        made="list[str]" if output == "words" else "list[int]",
        walk=code(walk, one=code(one, test=test, found=found)),
        end={"words": "made", "first places": "made", "count": "len(made)"}.get(output, "total(made)"),
    )
    if output == "share":
        solve = (
            "def total(xs: list[int]) -> int:\n    made = 0\n    for x in xs:\n        made += x\n    return made\n\n\n"
            + solve
        )

    def law(words: list[str]) -> Any:
        keys = [
            {"word": word, "first letter": word[:1], "length": f"{len(word)}l"}.get(key, "".join(sorted(word)))
            for word in words
        ]
        tally = Counter(keys)
        wanted = {"most frequent": max(tally.values(), default=0), "least frequent": min(tally.values(), default=0)}
        fits = [
            one
            for one in dict.fromkeys(keys)
            if (tally[one] % 2 if which == "odd times" else tally[one] == wanted.get(which, k))
        ]
        if order == "alphabetical":
            fits.sort()
        if order == "last seen":
            fits.sort(key=lambda one: keys[::-1].index(one))
        return {"words": fits, "count": len(fits), "first places": [keys.index(one) for one in fits]}.get(
            output, sum(tally[one] for one in fits)
        )

    keys_words = {
        "word": "the word itself",
        "first letter": "its first letter",
        "length": "its length followed by the letter l, such as 3l",
        "sorted letters": "its letters in alphabetical order",
    }[key]
    chosen = {
        "most frequent": "that occur most often",
        "least frequent": "that occur least often, at least once",
        "exactly k": f"that occur exactly {k} time{'s' * (k > 1)}",
        "odd times": "that occur an odd number of times",
    }[which]
    sequence = {
        "first seen": "in the order in which they first occur",
        "alphabetical": "in alphabetical order (by character codes)",
        "last seen": "the one whose last occurrence is latest first",
    }[order]
    asked = {
        "words": f"these keys, {sequence}",
        "count": "how many such keys there are",
        "first places": f"for each of these keys the position of the first word that has it, counted from 0; {sequence}"
        + (" of keys" if order == "alphabetical" else ""),
        "share": "how many words have one of these keys",
    }[output]
    return Parts(
        story=f"The key of a word is {keys_words}. Take the different keys {chosen}. The result is {asked}.",
        fields=(Field(name="words", sort="words", what="the words", letters="abc"),),
        gives=gives,
        solve=solve,
        law=law,
    )
