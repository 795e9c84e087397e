"""Text of others in a prompt: fenced by words that its author cannot guess, and unable to look like anything else.

What this does: such a text cannot end its fence, look like a turn of the conversation, hide characters, or know a
word that counts. What it does not: keep a model from believing what the text says.
"""

import hmac
import re
import secrets
import unicodedata
from collections.abc import Iterator
from typing import Final

_ALPHABET: Final = "bcdfghjkmnpqrtvwxz"  # no vowels, so that they are nobody's words
_SMUGGLES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LOOKS_LIKE: Final = {
    **dict.fromkeys("\u2039\u02c2\u276e\u2329\u27e8\u3008\u1438\u00ab\u276c", "<"),
    **dict.fromkeys("\u203a\u02c3\u276f\u232a\u27e9\u3009\u1433\u00bb\u276d", ">"),
    **dict.fromkeys("\u2223\u01c0\u2758\u2502", "|"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
}
_ROLES: Final = r"system|user|assistant|human|developer|tool|inst|sys|s|think|im_start|im_end|start_of_turn|end_of_turn"
_MARKUP: Final = re.compile(
    rf"[<\[](?=[\s<\[]{{0,3}}[/|])"  # <| and </
    rf"|[<\[](?=[\s<\[]{{0,3}}(?:data|{_ROLES}|instructions?|verdict|candidate|principle)\b)",
    re.I,
)


class Nonces:
    """Words that nobody can guess who has not the key.

    Args:
        key: with the same key the same prompt has the same words, so that a run can be repeated; by default a key is
            drawn for each prompt. Who writes pages must not have it.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key

    def words(self, text: str, seed: int, letters: int) -> Iterator[str]:
        """Yield different words that do not occur in a text."""
        known, number = text.casefold(), 0
        key = secrets.token_bytes(32) if self._key is None else self._key
        while True:
            made = hmac.digest(key, f"{seed}/{letters}/{number}/{text}".encode("utf-8", "replace"), "sha256")
            word = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in made[:letters])
            number += 1
            if word not in known:
                known += f"\n{word}"
                yield word


def fenced(name: str, text: str, nonce: str, limit_chars: int) -> str:
    """Return a text as data between two lines that hold a nonce, each of its own lines marked.

    Args:
        name: what the data is called.
        text: of others.
        nonce: of the fence.
        limit_chars: of the text, and four times that when spelled out; what is longer loses its middle, which is told.
    """
    shown = _cut(harmless(_cut(text, limit_chars)), 4 * limit_chars)  # spelled out, it is longer
    lines = "\n".join(f"| {line}" for line in shown.split("\n"))
    return f"<data-{nonce} {name}>\n{lines}\n</data-{nonce}>"


def harmless(text: str) -> str:
    """Return a text without markup of conversations or fences, and with every character that is not seen spelled out.

    A backslash is put behind what begins such markup, however it is written; line breaks are all of one kind.
    """
    seen = "".join(map(_seen, text.replace("\r\n", "\n")))
    folded = "".join(map(_folded, seen))
    parts, end = [], 0
    for match in _MARKUP.finditer(folded):
        parts += [seen[end : match.end()], "\\"]
        end = match.end()
    return "".join([*parts, seen[end:]])


def _cut(text: str, limit_chars: int) -> str:
    if len(text) <= limit_chars:
        return text
    half = limit_chars // 2
    return f"{text[:half]}\n({len(text) - 2 * half} characters left out)\n{text[-half:]}"


def _seen(char: str) -> str:
    is_selector = "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
    if char in "\n\t" or (unicodedata.category(char) not in _SMUGGLES and not is_selector):
        return char
    return f"\\u{{{ord(char):x}}}"


def _folded(char: str) -> str:
    """Return what a character looks like to a careless reader: one character as well."""
    plain = unicodedata.normalize("NFKC", char)
    return _LOOKS_LIKE.get(char, plain if len(plain) == 1 else char)
