"""Small programs that scripts are asked to be: what each does, told in words, in Python, as bash and as a script."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.drawing import Desk
from palestra.envs.terminal.operators.scripting_repositories import KEYS

Fault = tuple[str, str]  # a part of a text, and what stands there by mistake
_ONE: Final = "[ $# -eq 1 ] && [[ $1 =~ ^[0-9]+$ ]] || exit 2\n"
_NONE: Final = "[ $# -eq 0 ] || exit 2\n"
_PY_ONE: Final = (
    "if len(sys.argv) != 2 or not re.fullmatch('[0-9]+', sys.argv[1]):\n    sys.exit(2)\nn = int(sys.argv[1])\n"
)
_PY_NONE: Final = "if len(sys.argv) != 1:\n    sys.exit(2)\n"
_ROWS: Final = "rows = [line.split('@') for line in sys.stdin.read().splitlines()]\n"


@dataclass(frozen=True, slots=True)
class Program:
    """What a script does; in the scripts, @ stands for what separates fields."""

    name: str
    does: str  # {sep} for the separator
    takes: str  # "one" number as its argument, or "none"
    run: Callable[[list[list[str]], int], tuple[list[str], int]]  # lines and exit status, of rows and the argument
    bash: str
    python: str
    bash_faults: Mapping[str, Fault]
    python_faults: Mapping[str, Fault]


def _over(rows: list[list[str]], n: int) -> tuple[list[str], int]:
    kept = ["@".join(row) for row in rows if int(row[1]) >= n]
    return kept, 0 if kept else 1


def _sums(rows: list[list[str]], n: int) -> tuple[list[str], int]:
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row[0]] += int(row[1])
    return [f"{name}={sums[name]}" for name in sorted(sums)], 0


def _top(rows: list[list[str]], n: int) -> tuple[list[str], int]:
    counts = Counter(row[0] for row in rows)
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [f"{count} {name}" for name, count in ordered[:n]], 0


def _news(rows: list[list[str]], n: int) -> tuple[list[str], int]:
    first = {row[0]: "@".join(row) for row in rows[::-1]}
    seen: list[str] = []
    for row in rows:
        if row[0] not in seen:
            seen.append(row[0])
    return [first[name] for name in seen], 0 if len(seen) == len(rows) else 3


def _running(rows: list[list[str]], n: int) -> tuple[list[str], int]:
    total, told = n, []
    for row in rows:
        total += int(row[1])
        told.append(f"{row[0]} {total}")
    return told, 0


def _spread(rows: list[list[str]], n: int) -> tuple[list[str], int]:
    values = [int(row[1]) for row in rows]
    return ([f"{min(values)} {max(values)} {sum(values) // len(values)}"], 0) if values else ([], 4)


PROGRAMS: Final = (
    Program(
        "over",
        "prints those lines, as they are and in their order, whose number is at least the argument; its exit status "
        "is 0 if it prints a line, and 1 if none",
        "one",
        _over,
        _ONE + "awk -F'@' -v n=\"$1\" '$2 + 0 >= n + 0 { print; found = 1 } END { exit !found }'\n",
        _PY_ONE + _ROWS + "found = ['@'.join(row) for row in rows if int(row[1]) >= n]\n"
        "for line in found:\n    print(line)\nsys.exit(0 if found else 1)\n",
        {"misses equal numbers": (">= n + 0", "> n + 0"), "has no status": ("exit !found", "exit 0")},
        {"misses equal numbers": (">= n]", "> n]"), "has no status": ("sys.exit(0 if found else 1)", "sys.exit(0)")},
    ),
    Program(
        "sums",
        "prints for each name a line `NAME=SUM` with the sum of its numbers, in ascending order of the "
        "names (by bytes)",
        "none",
        _sums,
        _NONE + "awk -F'@' '{ sum[$1] += $2 } END { for (name in sum) print name \"=\" sum[name] }' | LC_ALL=C sort\n",
        _PY_NONE + _ROWS + "sums = {}\nfor row in rows:\n    sums[row[0]] = sums.get(row[0], 0) + int(row[1])\n"
        "for name in sorted(sums):\n    print(f'{name}={sums[name]}')\n",
        {"keeps the last only": ("sum[$1] += $2", "sum[$1] = $2"), "sorts backwards": ("C sort", "C sort -r")},
        {
            "keeps the last only": ("sums.get(row[0], 0) + int(row[1])", "int(row[1])"),
            "sorts backwards": ("sorted(sums)", "sorted(sums, reverse=True)"),
        },
    ),
    Program(
        "top",
        "counts how often each name occurs and prints lines `COUNT NAME`, the largest count first and equal counts in "
        "ascending order of the names (by bytes), no more lines than the argument says",
        "one",
        _top,
        _ONE + "cut -d'@' -f1 | LC_ALL=C sort | uniq -c | awk '{ print $1, $2 }' | "
        "LC_ALL=C sort -k1,1nr -k2,2 | awk -v n=\"$1\" 'NR <= n + 0'\n",
        "import collections\n" + _PY_ONE + _ROWS + "counts = collections.Counter(row[0] for row in rows)\n"
        "for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:n]:\n    print(count, name)\n",
        {"sorts backwards": ("-k1,1nr", "-k1,1n"), "prints too few": ("NR <= n + 0", "NR < n + 0")},
        {"sorts backwards": ("(-one[1], one[0])", "(one[1], one[0])"), "prints too few": ("[:n]", "[: max(0, n - 1)]")},
    ),
    Program(
        "news",
        "prints those lines, as they are and in their order, whose name is in no line before; its exit status is 0 if "
        "these are all lines, and 3 if not",
        "none",
        _news,
        _NONE + "awk -F'@' '!seen[$1]++ { print; next } { again = 1 } END { exit again ? 3 : 0 }'\n",
        _PY_NONE
        + _ROWS
        + "seen, again = set(), False\nfor row in rows:\n    if row[0] in seen:\n        again = True\n"
        "        continue\n    seen.add(row[0])\n    print('@'.join(row))\nsys.exit(3 if again else 0)\n",
        {"looks at whole lines": ("seen[$1]++", "seen[$0]++"), "has no status": ("again ? 3 : 0", "0")},
        {"has the wrong status": ("sys.exit(3", "sys.exit(1"), "prints names only": ("'@'.join(row)", "row[0]")},
    ),
    Program(
        "running",
        "prints for each line its name, a space and the sum of the argument and of all numbers up to and with this "
        "line",
        "one",
        _running,
        _ONE + "awk -F'@' -v n=\"$1\" 'BEGIN { total = n } { total += $2; print $1, total }'\n",
        _PY_ONE + _ROWS + "total = n\nfor row in rows:\n    total += int(row[1])\n    print(row[0], total)\n",
        {
            "begins at 0": ("total = n }", "total = 0 }"),
            "prints before it adds": ("total += $2; print $1, total", "print $1, total; total += $2"),
        },
        {"begins at 0": ("total = n\n", "total = 0\n"), "prints no sum": ("total += int", "total = int")},
    ),
    Program(
        "spread",
        "prints one line with the smallest number, the largest and the mean, rounded down, with single spaces between "
        "them; if there are no lines it prints nothing, and its exit status is 4",
        "none",
        _spread,
        _NONE + "awk -F'@' 'NR == 1 { low = high = $2 + 0 } { sum += $2; if ($2 + 0 < low) low = $2 + 0; "
        "if ($2 + 0 > high) high = $2 + 0 } END { if (!NR) exit 4; print low, high, int(sum / NR) }'\n",
        _PY_NONE + _ROWS + "values = [int(row[1]) for row in rows]\nif not values:\n    sys.exit(4)\n"
        "print(min(values), max(values), sum(values) // len(values))\n",
        {"begins at 0": ("low = high = $2 + 0 }", "low = high = 0 }"), "has no status": ("exit 4", "exit 0")},
        {
            "swaps two": ("min(values), max(values)", "max(values), min(values)"),
            "has no status": ("sys.exit(4)", "sys.exit(0)"),
        },
    ),
)
SEPARATORS: Final = {False: (",", ":"), True: (";", "|")}


def script_of(program: Program, language: str, separator: str, faults: Sequence[str] = ()) -> str:
    """Return a program as a script, with faults of those that it has in this language."""
    body, known = (program.bash, program.bash_faults) if language == "bash" else (program.python, program.python_faults)
    for fault in faults:
        old, new = known[fault]
        if old not in body:
            raise ValueError(f"{program.name} in {language} has no place for the fault {fault!r}")
        body = body.replace(old, new, 1)
    head = "#!/usr/bin/env bash\n" if language == "bash" else "#!/usr/bin/env python3\nimport re\nimport sys\n\n"
    return head + body.replace("@", separator)


def told(program: Program, separator: str) -> str:
    """Return what a script is asked to be."""
    argument = {
        "one": "It takes one argument, a whole number written in digits; with no argument, with several or with "
        "another one it prints nothing to standard output, and its exit status is 2.",
        "none": "It takes no arguments; with any it prints nothing to standard output, and its exit status is 2.",
    }[program.takes]
    return (
        f"It reads lines from standard input, each a name, `{separator}` and a whole number (names are "
        f"lower-case letters), and {program.does}. {argument} If nothing else is said, its exit status is 0."
    )


def output(program: Program, separator: str, text: str, number: int) -> tuple[str, int]:
    """Return what a program prints for an input, and its exit status."""
    lines, status = program.run([line.split(separator) for line in text.splitlines()], number)
    return "".join(f"{line}\n" for line in lines).replace("@", separator), status


def rows(desk: Desk, separator: str, count: int, kinds: int) -> str:
    """Return an input with names that occur more than once."""
    names = desk.some(KEYS, kinds)
    lines = [f"{desk.draws.pick(names)}{separator}{desk.draws.between(2, 60)}\n" for _ in range(count)]
    return "".join(lines)


def cases(desk: Desk, program: Program, separator: str) -> list[Json]:
    """Return hidden runs: ordinary ones, equal numbers, nothing at all, and wrong arguments."""
    told: list[Json] = []
    name, other, third = desk.some(KEYS, 3)
    edge = "".join(
        f"{one}{separator}{number}\n" for one, number in ((third, 7), (name, 9), (other, 9), (name, 30), (other, 8))
    )
    inputs = [rows(desk, separator, desk.draws.between(6, 14), 4) for _ in range(3)]
    for text, number in ((inputs[0], 20), (inputs[1], 2), (inputs[2], 3), (edge, 9), (edge, 31), ("", 5)):
        stdout, status = output(program, separator, text, number)
        args = [str(number)] if program.takes == "one" else []
        told.append({"stdin": text, "args": args, "stdout": stdout, "exit": status})
    bad = (["x7"], ["3", "4"], []) if program.takes == "one" else (["3"],)
    return [*told, *({"stdin": inputs[0], "args": args, "stdout": "", "exit": 2} for args in bad)]
