"""Problems about texts: runs, parts of a text, ciphers, two texts beside each other."""

from collections.abc import Callable
from typing import Any, Final

from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Gives, archetype, code

ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz"


@archetype("strings", "runs")
class Runs(Archetype):
    """Runs of equal letters."""

    def __init__(self, c: Choices) -> None:
        self.gives_what = c.pick("gives", ("encoded", "lengths", "letters", "best letter", "count", "longest"))
        self.counted = c.pick("runs", ("all", "at least k", "shorter than k", "odd"))
        self.tie = c.pick("tie", ("first", "last", "alphabet"))
        self.single = c.pick("ones", ("written", "left out"))
        self.case = c.pick("letters", ("as they are", "neighbours", "first of text"))
        self.k = c.constant("k", (2, 3), (4,))
        kinds: dict[str, Gives] = {"lengths": "ints", "count": "int", "longest": "int"}
        self.gives = kinds.get(self.gives_what, "text")
        self.fields = (Field(name="s", sort="text", what="the text", letters="abcdx"),)

    def story(self) -> str:
        run_words = {
            "as they are": "equal letters",
            "neighbours": "letters each of which is equal to the one before it or next to that in the alphabet",
            "first of text": "letters that are all equal to the text's first letter, or all different from it,",
        }[self.case]
        which = {
            "all": "all runs",
            "at least k": f"only the runs of length {self.k} or more",
            "shorter than k": f"only the runs shorter than {self.k}",
            "odd": "only the runs of odd length",
        }[self.counted]
        asked = {
            "encoded": "the runs written one after the other, each as its first letter followed by its length"
            + ("" if self.single == "written" else " (a length of 1 is not written)"),
            "lengths": "the lengths of the runs in their order",
            "letters": "the first letters of the runs, one after the other",
            "best letter": "the first letter of the longest run"
            + {
                "first": "; of equally long ones that of the first",
                "last": "; of equally long ones that of the last",
                "alphabet": "; of equally long ones the first letter that comes first in the alphabet",
            }[self.tie]
            + " (empty if there is no run)",
            "count": "how many runs there are",
            "longest": "the length of the longest run, 0 if there is none",
        }[self.gives_what]
        return (
            f"A text is cut into runs: the longest possible stretches of {run_words} one after the other. Look at "
            f"{which}. The result is {asked}."
        )

    def solve(self) -> str:
        test = {
            "all": "True",
            "at least k": f"run >= {self.k}",
            "shorter than k": f"run < {self.k}",
            "odd": "run % 2 == 1",
        }[self.counted]
        same = {
            "as they are": "s[i] == s[i - 1]",
            "neighbours": "abs(ord(s[i]) - ord(s[i - 1])) <= 1",
            "first of text": "(s[i] == s[0]) == (s[i - 1] == s[0])",
        }[self.case]
        better = {
            "first": "run > best",
            "last": "run >= best",
            "alphabet": "run > best or (run == best and head < out)",
        }[self.tie]
        shown = "str(run)" if self.single == "written" else '(str(run) if run > 1 else "")'
        start, each = {
            "encoded": ('out = ""', f"out = out + head + {shown}"),
            "lengths": ("out: list[int] = []", "out.append(run)"),
            "letters": ('out = ""', "out = out + head"),
            "best letter": ('out = ""\nbest = 0', f"if {better}:\n    best = run\n    out = head"),
            "count": ("out = 0", "out += 1"),
            "longest": ("out = 0", "out = max(out, run)"),
        }[self.gives_what]
        return self.code(
            """
def solve(s: str) -> <type>:
    <start>
    run = 0
    head = ""
    for i in range(len(s)):
        if run > 0 and <same>:
            run += 1
        else:
            run = 1
            head = s[i]
        is_last = i + 1 == len(s)
        if not is_last:
            is_last = not (<next>)
        if is_last and <test>:
            <each>
    return out
""",
            start=start,
            same=same,
            next=same.replace("[i]", "[i + 1]").replace("[i - 1]", "[i]"),
            test=test,
            each=each,
        )

    def law(self, s: str) -> Any:
        parts: list[str] = []
        for letter in s:
            joins = (
                bool(parts)
                and {
                    "as they are": parts[-1][-1] == letter,
                    "neighbours": letter in (chr(ord(parts[-1][-1]) + shift) for shift in (-1, 0, 1)),
                    "first of text": (parts[-1][-1] == s[0]) is (letter == s[0]),
                }[self.case]
            )
            if joins:
                parts[-1] += letter
            else:
                parts.append(letter)
        tests: dict[str, Any] = {
            "all": lambda n: True,
            "at least k": lambda n: n >= self.k,
            "shorter than k": lambda n: n < self.k,
        }
        kept = [part for part in parts if tests.get(self.counted, lambda n: n & 1 == 1)(len(part))]
        match self.gives_what:
            case "encoded":
                return "".join(
                    part[0] + ("" if len(part) == 1 and self.single == "left out" else str(len(part))) for part in kept
                )
            case "lengths":
                return [len(part) for part in kept]
            case "letters":
                return "".join(part[0] for part in kept)
            case "count":
                return len(kept)
            case "longest":
                return max(map(len, kept), default=0)
        longest = [part for part in kept if len(part) == max(map(len, kept))]
        if not longest:
            return ""
        return {"first": longest[0], "last": longest[-1]}.get(self.tie, min(longest, key=lambda part: part[0]))[0]


@archetype("strings", "parts_of_text")
class PartsOfText(Archetype):
    """Stretches of a text that have some property."""

    def __init__(self, c: Choices) -> None:
        self.kind = c.pick("property", ("palindrome", "all different", "ascending", "framed", "balanced"))
        self.lengths = c.pick("lengths", ("any", "at least k", "exactly k", "even", "at most k"))
        self.objective = c.pick("objective", ("count", "longest", "text", "start", "different"))
        self.tie = c.pick("tie", ("first", "last", "alphabet"))
        self.k = c.constant("k", (2, 3), (4, 5))
        self.low, self.high = c.constant("pair", ("ab", "ba", "ac"), ("bc", "ca"))
        self.gives = "text" if self.objective == "text" else "int"
        self.fields = (Field(name="s", sort="text", what="the text", letters="abc", most=14),)

    def story(self) -> str:
        what = {
            "palindrome": "reads the same backwards",
            "all different": "has no letter twice",
            "ascending": "has its letters in alphabetical order (equal neighbours are in order)",
            "framed": f"begins with {self.low} and ends with {self.high}",
            "balanced": f"has as many {self.low} as {self.high} (perhaps none)",
        }[self.kind]
        long = {
            "any": "",
            "at least k": f" and is {self.k} or more letters long",
            "exactly k": f" and is exactly {self.k} letters long",
            "even": " and has an even number of letters",
            "at most k": f" and is at most {self.k} letters long",
        }[self.lengths]
        of_ties = {
            "first": "the one that begins first",
            "last": "the one that begins last",
            "alphabet": "the one that is first in alphabetical order, and of equal texts the one that begins first",
        }[self.tie]
        asked = {
            "count": "how many stretches are good (equal stretches at different places count each)",
            "different": "how many different texts are good stretches",
            "longest": "the length of the longest good stretch, 0 if there is none",
            "text": f"the longest good stretch, of several {of_ties}; empty if there is none",
            "start": f"where the longest good stretch begins, counted from 0 (of several take {of_ties}); -1 if there "
            "is none",
        }[self.objective]
        return (
            f"A stretch of a text (one or more letters that stand next to each other) is good if it {what}{long}. The "
            f"result is {asked}."
        )

    def solve(self) -> str:
        helper = {
            "palindrome": "    return s == s[::-1]\n",
            "all different": "    seen: dict[str, int] = {}\n    for one in s:\n        if one in seen:\n"
            "            return False\n        seen[one] = 1\n    return True\n",
            "ascending": "    for i in range(1, len(s)):\n        if s[i] < s[i - 1]:\n            return False\n"
            "    return True\n",
            "framed": f'    return s[0] == "{self.low}" and s[len(s) - 1] == "{self.high}"\n',
            "balanced": f'    level = 0\n    for one in s:\n        if one == "{self.low}":\n'
            f'            level += 1\n        if one == "{self.high}":\n            level -= 1\n'
            "    return level == 0\n",
        }[self.kind]
        fits = {
            "any": "True",
            "at least k": f"size >= {self.k}",
            "exactly k": f"size == {self.k}",
            "even": "size % 2 == 0",
            "at most k": f"size <= {self.k}",
        }[self.lengths]
        better = {
            "first": "size > best",
            "last": "size > best or (size == best and i >= place)",
            "alphabet": "size > best or (size == best and part < text)",
        }[self.tie]
        end = {"count": "count", "longest": "best", "text": "text", "start": "place", "different": "len(seen)"}[
            self.objective
        ]
        return self.code(
            """
def has_it(s: str) -> bool:
<helper>

def solve(s: str) -> <type>:
    count = 0
    best = 0
    place = -1
    text = ""
    seen: dict[str, int] = {}
    for i in range(len(s)):
        for j in range(i + 1, len(s) + 1):
            size = j - i
            part = s[i:j]
            if <fits> and has_it(part):
                count += 1
                seen[part] = 1
                if <better>:
                    best = size
                    place = i
                    text = part
    return <end>
""",
            helper=helper,
            fits=fits,
            better=better,
            end=end,
        )

    def law(self, s: str) -> Any:
        tests: dict[str, Callable[[int], bool]] = {
            "any": lambda n: True,
            "at least k": lambda n: n >= self.k,
            "exactly k": lambda n: n == self.k,
            "at most k": lambda n: n <= self.k,
        }
        sizes: Any = tests.get(self.lengths, lambda n: not n & 1)
        found = [(i, s[i : i + n]) for n in range(len(s), 0, -1) if sizes(n) for i in range(len(s) - n + 1)]
        found = [one for one in found if self._is_one(one[1])]
        if self.objective in ("count", "different"):
            return len(found) if self.objective == "count" else len({part for _, part in found})
        longest = [one for one in found if len(one[1]) == len(found[0][1])]
        if not longest:
            return {"longest": 0, "start": -1}.get(self.objective, "")
        place, part = {"first": longest[0], "last": longest[-1]}.get(self.tie, min(longest, key=lambda one: one[1]))
        return {"longest": len(part), "start": place}.get(self.objective, part)

    def _is_one(self, part: str) -> bool:
        match self.kind:
            case "palindrome":
                return all(part[i] == part[-1 - i] for i in range(len(part)))
            case "all different":
                return len(set(part)) == len(part)
            case "ascending":
                return list(part) == sorted(part)
            case "framed":
                return part.startswith(self.low) and part.endswith(self.high)
        return part.count(self.low) == part.count(self.high)


@archetype("strings", "cipher")
class Cipher(Archetype):
    """A text whose letters move in the alphabet."""

    gives = "text"

    def __init__(self, c: Choices) -> None:
        self.by = c.pick("by", ("k", "position", "letter before", "vowels so far", "word"))
        self.which = c.pick("which", ("all", "vowels", "consonants", "every other", "repeated"))
        self.way = c.pick("way", ("forward", "backward", "mirrored"))
        self.order = c.pick("order", ("as it is", "reversed first", "words reversed"))
        self.k = c.constant("k", (1, 3, 5, 7), (2, 4, 11))
        self.fields = (
            Field(name="s", sort="text", what="words separated by single spaces", letters="abeiotxz ", least=1),
        )

    def story(self) -> str:
        distance = {
            "k": f"{self.k} places",
            "position": "as many places as its position (the text's first character has position 1, spaces count)",
            "letter before": "as many places as the number of the letter just before it (a is 0, z is 25; 0 places "
            "if there is none or it is a space; letters count as they were before any moved)",
            "vowels so far": "as many places as there are vowels (a e i o u) up to and including it, before any moved",
            "word": f"{self.k} places for each space before it",
        }[self.by]
        moving = {
            "forward": "forward in the alphabet",
            "backward": "backward in the alphabet",
            "mirrored": "forward in the alphabet after it was mirrored (a becomes z, b becomes y and so on)",
        }[self.way]
        chosen_words = {
            "all": "Every letter moves",
            "vowels": "Every vowel (a e i o u) moves",
            "consonants": "Every letter that is not a vowel (a e i o u) moves",
            "every other": "Every letter at an odd position (the first character has position 1, spaces count) moves",
            "repeated": "Every letter that occurred in the text before moves",
        }[self.which]
        first_words = {
            "as it is": "",
            "reversed first": "First the whole text is reversed. ",
            "words reversed": "First the words are put in reversed order. ",
        }[self.order]
        return (
            f"{first_words}{chosen_words} {moving} by {distance}; after z comes a again. Spaces and the other letters "
            "stay. The result is the text that is made so."
        )

    def solve(self) -> str:
        amount = {
            "k": str(self.k),
            "position": "i + 1",
            "letter before": '(0 if i == 0 or t[i - 1] == " " else ord(t[i - 1]) - 97)',
            "vowels so far": "vowels",
            "word": f"word * {self.k}",
        }[self.by]
        chosen = {
            "all": "True",
            "vowels": 't[i] in "aeiou"',
            "consonants": 't[i] not in "aeiou"',
            "every other": "i % 2 == 0",
            "repeated": "t[i] in t[0:i]",
        }[self.which]
        moved = {"forward": "(code + by) % 26", "backward": "(code - by) % 26", "mirrored": "(25 - code + by) % 26"}[
            self.way
        ]
        first = {
            "as it is": "t = s",
            "reversed first": "t = s[::-1]",
            "words reversed": 't = " ".join(s.split()[::-1])',
        }[self.order]
        return code(
            """
def solve(s: str) -> str:
    <first>
    out = ""
    vowels = 0
    word = 0
    for i in range(len(t)):
        if t[i] in "aeiou":
            vowels += 1
        if t[i] == " ":
            word += 1
            out = out + " "
        elif <chosen>:
            code = ord(t[i]) - 97
            by = <amount>
            out = out + chr(97 + <moved>)
        else:
            out = out + t[i]
    return out
""",
            first=first,
            chosen=chosen,
            amount=amount,
            moved=moved,
        )

    def law(self, s: str) -> str:
        t = {"as it is": s, "reversed first": "".join(reversed(s))}.get(self.order, " ".join(reversed(s.split(" "))))
        made = []
        for i, letter in enumerate(t):
            is_chosen = {
                "all": True,
                "vowels": letter in set("aeiou"),
                "consonants": letter not in set("aeiou"),
                "every other": not i & 1,
                "repeated": t.index(letter) < i,
            }[self.which]
            if letter == " " or not is_chosen:
                made.append(letter)
                continue
            before = t[i - 1 : i].strip()
            by_how = {
                "k": self.k,
                "position": len(t[: i + 1]),
                "letter before": ALPHABET.index(before) if before else 0,
                "vowels so far": sum(t[: i + 1].count(vowel) for vowel in "aeiou"),
                "word": t[:i].count(" ") * self.k,
            }[self.by]
            row = ALPHABET[::-1] if self.way == "mirrored" else ALPHABET
            wheel = ALPHABET[::-1] if self.way == "backward" else ALPHABET
            start = wheel.index(ALPHABET[row.index(letter)])
            made.append(wheel[(start + by_how) % 26])
        return "".join(made)
