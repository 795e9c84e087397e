"""Reads what pytest printed and prints 1 if every test passed, else 0. It stands alone: it travels with tests.

What counts is the last short test summary, which pytest prints when all tests are over, and the line of counts after
it. Every test must have passed: one that failed, erred, was skipped, or was expected to fail or not, has not.
"""

import re
import sys

_HEAD = re.compile(r"=+ short test summary info =+")
_COUNTS = re.compile(r"=* ?(\d+ [a-z]+(?:, \d+ [a-z]+)*) in [\d.]+s(?: \([\d:]+\))? ?=*")
_HARMLESS = frozenset({"passed", "warning", "warnings", "deselected"})


def passed(output: str) -> bool:
    """Tell whether all tests passed, of which there is at least one."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in output.splitlines()]
    heads = [number for number, line in enumerate(lines) if _HEAD.fullmatch(line)]
    if not heads:
        return False
    told: dict[str, int] = {}
    named = 0
    for line in lines[heads[-1] + 1 :]:
        if found := _COUNTS.fullmatch(line):
            told = {word: int(count) for count, word in (part.split() for part in found[1].split(", "))}
            break
        word = line.partition(" ")[0]
        if word in ("FAILED", "ERROR", "SKIPPED", "XFAIL", "XPASS"):
            return False
        named += word == "PASSED"
    return set(told) <= _HARMLESS and told.get("passed", 0) == named > 0


def main() -> None:
    """Print 1 or 0 for a file's text."""
    with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
        print(int(passed(file.read())))


if __name__ == "__main__":
    main()
