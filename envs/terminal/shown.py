"""What an agent sees of a terminal: text, as it stands on the screen, and no more of it than fits."""

import re
from typing import Final

SHOWN_CHARS: Final = 10_000  # of the output of one command: half from its beginning and half from its end
_CWD = re.compile(rb"\x1b\]7;([^\x07\x1b]*)\x07")
_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # colours, the cursor
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles
    r"|[PX^_].*?(?:\x1b\\|\Z)"  # what a terminal is asked
    r"|[ -/]*[0-~])",
    re.DOTALL,
)
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]")  # but tabs, newlines and escapes


def split_cwd(output: bytes) -> tuple[bytes, str | None]:
    """Return an output without what told the shell's folder, and the folder that was told last."""
    told = _CWD.findall(output)
    return _CWD.sub(b"", output), told[-1].decode("utf-8", "replace") if told else None


def as_text(output: bytes, *, ansi: bool) -> str:
    """Return what a terminal shows of an output.

    Args:
        output: the bytes.
        ansi: leave escape sequences in, and lines as they were sent.
    """
    text = output.decode("utf-8", "replace").replace("\r\n", "\n")
    if ansi:
        return text
    text = _ANSI.sub("", text).replace("\x1b", "")
    if "\r" in text or "\b" in text:
        text = "\n".join(map(_overwritten, text.split("\n")))
    return _UNSEEN.sub("", text)


def _overwritten(line: str) -> str:
    """Return a line as it stands when the cursor has gone back and forth."""
    if "\r" not in line and "\b" not in line:
        return line
    shown: list[str] = []
    at = 0
    for letter in line:
        if letter == "\r":
            at = 0
        elif letter == "\b":
            at = max(0, at - 1)
        else:
            shown[at : at + 1] = letter
            at += 1
    return "".join(shown)


def shortened(text: str, limit: int, lost: int = 0) -> str:
    """Return a text of no more than so many characters, and a line where something was left out of it.

    Args:
        text: what is to be shown, or its beginning and its end.
        limit: characters.
        lost: how many bytes of its middle are missing in it already, at least.
    """
    if len(text) <= limit:
        return text
    head, tail = text[: (limit + 1) // 2], text[len(text) - limit // 2 :]
    count = f"{'at least ' if lost else ''}{len(text) - limit + lost:,}"
    return f"{head}\n[... {count} characters left out ...]\n{tail}"
