"""Operations on a string of lowercase letters and on a list of lowercase words."""

from collections import Counter, deque
from itertools import groupby, pairwise

from palestra.envs.code.catalogue import COUNTS, LETTERS, STRIDES, Pool, operation

Ints = list[int]
Words = list[str]
ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@operation("text", "text", "Reverse the string.", "x = x[::-1]")
def reverse_text(x: str) -> str:
    return "".join(reversed(x))


@operation(
    "text",
    "text",
    "Replace every letter by the one {k} places later in the alphabet; after z comes a.",
    'x = "".join(chr((ord(c) - ord("a") + {k}) % 26 + ord("a")) for c in x)',
    k=Pool((1, 2, 3, 13), (4, 5, 10)),
)
def shift(x: str, k: int) -> str:
    return x.translate(str.maketrans(ALPHABET, ALPHABET[k:] + ALPHABET[:k]))


@operation(
    "text",
    "text",
    "Replace a by z, b by y, c by x, and so on.",
    'x = "".join(chr(ord("a") + ord("z") - ord(c)) for c in x)',
    heldout=True,
)
def mirror_alphabet(x: str) -> str:
    return "".join(ALPHABET[::-1][ALPHABET.index(letter)] for letter in x)


@operation("text", "text", "Remove every letter {k}.", 'x = x.replace("{k}", "")', k=LETTERS)
def remove_letter(x: str, k: str) -> str:
    return "".join(x.split(k))


@operation("text", "text", "Remove the vowels (a, e, i, o, u).", 'x = "".join(c for c in x if c not in "aeiou")')
def remove_vowels(x: str) -> str:
    return x.translate(dict.fromkeys(map(ord, "aeiou")))


@operation("text", "text", "Sort the letters alphabetically.", 'x = "".join(sorted(x))')
def sort_letters(x: str) -> str:
    return "".join(letter * x.count(letter) for letter in ALPHABET)


@operation(
    "text",
    "text",
    "Of every run of equal letters keep one.",
    """
    y = ""
    for c in x:
        if not y or y[-1] != c:
            y += c
    x = y
    """,
)
def collapse_letters(x: str) -> str:
    return "".join(letter for letter, _ in groupby(x))


@operation(
    "text",
    "text",
    "Drop repeated letters, keeping the first of each.",
    """
    y = ""
    for c in x:
        if c not in y:
            y += c
    x = y
    """,
)
def unique_letters(x: str) -> str:
    return "".join(dict.fromkeys(x))


@operation(
    "text",
    "text",
    "Keep the letters at the places {k}, 2*{k}, 3*{k} and so on, counted from 1.",
    "x = x[{k} - 1::{k}]",
    k=STRIDES,
)
def every_letter(x: str, k: int) -> str:
    return "".join(letter for place, letter in enumerate(x, start=1) if place % k == 0)


@operation(
    "text",
    "text",
    "Move the first letter to the end; do this {k} times.",
    """
    for _ in range({k}):
        x = x[1:] + x[:1]
    """,
    k=COUNTS,
)
def rotate_text(x: str, k: int) -> str:
    ring = deque(x)
    ring.rotate(-k)
    return "".join(ring)


@operation("text", "text", "Write every letter twice.", 'x = "".join(c + c for c in x)')
def double_letters(x: str) -> str:
    return "".join(2 * letter for letter in x)


@operation("text", "text", "Append the reversed string to the string.", "x = x + x[::-1]")
def palindrome(x: str) -> str:
    return "".join([*x, *reversed(x)])


@operation("text", "number", "Count the vowels (a, e, i, o, u).", 'x = sum(1 for c in x if c in "aeiou")')
def vowel_count(x: str) -> int:
    return sum(map(x.count, "aeiou"))


@operation("text", "number", "Count the different letters.", "x = len(set(x))")
def distinct_letters(x: str) -> int:
    return sum(letter in x for letter in ALPHABET)


@operation(
    "text",
    "number",
    "Take the length of the longest run of equal letters.",
    """
    best = n = 0
    for i, c in enumerate(x):
        if i > 0 and x[i - 1] == c:
            n += 1
        else:
            n = 1
        best = max(best, n)
    x = best
    """,
)
def longest_run(x: str) -> int:
    return max((len(list(run)) for _, run in groupby(x)), default=0)


@operation(
    "text",
    "number",
    "Count the neighbouring letters of which the second comes later in the alphabet.",
    "x = sum(1 for i in range(len(x) - 1) if x[i] < x[i + 1])",
    heldout=True,
)
def rising_neighbours(x: str) -> int:
    return sum(ALPHABET.index(a) < ALPHABET.index(b) for a, b in pairwise(x))


@operation(
    "text",
    "ints",
    "Replace every letter by its place in the alphabet (a is 1).",
    'x = [ord(c) - ord("a") + 1 for c in x]',
)
def places(x: str) -> Ints:
    return [1 + ALPHABET.index(letter) for letter in x]


@operation(
    "text",
    "ints",
    "List how often each letter occurs, in the order in which the letters first occur.",
    """
    y = {}
    for c in x:
        y[c] = y.get(c, 0) + 1
    x = list(y.values())
    """,
)
def letter_counts(x: str) -> Ints:
    return [x.count(letter) for place, letter in enumerate(x) if letter not in x[:place]]


@operation(
    "text",
    "line",
    "Replace every run of equal letters by the letter and the run's length (aab becomes a2b1).",
    """
    y = []
    for c in x:
        if y and y[-1][0] == c:
            y[-1][1] += 1
        else:
            y.append([c, 1])
    x = "".join(c + str(n) for c, n in y)
    """,
)
def run_length_code(x: str) -> str:
    return "".join(f"{letter}{len(list(run))}" for letter, run in groupby(x))


@operation("words", "words", "Sort the words alphabetically.", "x = sorted(x)")
def alphabetical(x: Words) -> Words:
    left, made = list(x), []
    while left:
        made.append(min(left))
        left.remove(made[-1])
    return made


@operation("words", "words", "Sort the words by length; ties stay in order.", "x = sorted(x, key=len)")
def by_length(x: Words) -> Words:
    return [word for length in range(max(map(len, x), default=0) + 1) for word in x if len(word) == length]


@operation(
    "words",
    "words",
    "Sort the words by their last letter; ties stay in order.",
    "x = sorted(x, key=lambda w: w[-1])",
    heldout=True,
)
def by_last_letter(x: Words) -> Words:
    return [word for letter in ALPHABET for word in x if word.endswith(letter)]


@operation("words", "words", "Reverse the order of the words.", "x = x[::-1]")
def reverse_words(x: Words) -> Words:
    return list(reversed(x))


@operation("words", "words", "Reverse the letters of every word.", "x = [w[::-1] for w in x]")
def reverse_each(x: Words) -> Words:
    return ["".join(reversed(word)) for word in x]


@operation(
    "words",
    "words",
    "Keep the words of more than {k} letters.",
    "x = [w for w in x if len(w) > {k}]",
    k=Pool((2, 3), (4,)),
)
def keep_longer(x: Words, k: int) -> Words:
    return [word for word in x if word[k:]]


@operation(
    "words", "words", "Keep the words that contain the letter {k}.", 'x = [w for w in x if "{k}" in w]', k=LETTERS
)
def keep_with_letter(x: Words, k: str) -> Words:
    return [word for word in x if word.count(k) > 0]


@operation(
    "words",
    "words",
    "Drop repeated words, keeping the first of each.",
    """
    y = []
    for w in x:
        if w not in y:
            y.append(w)
    x = y
    """,
)
def unique_words(x: Words) -> Words:
    return list(dict.fromkeys(x))


@operation("words", "ints", "Replace every word by its length.", "x = [len(w) for w in x]")
def lengths(x: Words) -> Ints:
    return [sum(1 for _ in word) for word in x]


@operation(
    "words",
    "ints",
    "Replace every word by the number of its vowels (a, e, i, o, u).",
    'x = [sum(c in "aeiou" for c in w) for w in x]',
)
def vowel_counts(x: Words) -> Ints:
    return [sum(map(word.count, "aeiou")) for word in x]


@operation("words", "text", "Join the first letters of the words to a string.", 'x = "".join(w[0] for w in x)')
def initials(x: Words) -> str:
    return "".join(word[:1] for word in x)


@operation("words", "text", "Join the words to one string without spaces.", 'x = "".join(x)')
def concatenation(x: Words) -> str:
    return "".join(letter for word in x for letter in word)


@operation(
    "words",
    "text",
    "Take the longest word; of several the first (nothing if there are no words).",
    'x = max(x, key=len, default="")',
)
def longest_word(x: Words) -> str:
    ranked = sorted(x, key=len, reverse=True)
    return ranked[0] if ranked else ""


@operation(
    "words",
    "number",
    "Count the words that read the same backwards.",
    "x = sum(1 for w in x if w == w[::-1])",
)
def palindromes(x: Words) -> int:
    return len([word for word in x if list(word) == list(reversed(word))])


@operation(
    "words",
    "number",
    "Count the words that occur more than once; each counts once.",
    "x = sum(1 for w in set(x) if x.count(w) > 1)",
)
def repeated_words(x: Words) -> int:
    return len([word for word, count in Counter(x).items() if count >= 2])
