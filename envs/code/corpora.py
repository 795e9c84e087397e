"""What a judge must refuse and what it must accept, in numbers: for tests, and for rates of error with their intervals.

`cheats` are programs that must earn nothing: they solve nothing, or they do and then misbehave, or they have another
language do the work. `same_answers` are outputs that are right, written otherwise, for every comparison.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from palestra.envs.base import Json, Task
from palestra.envs.code.cheats.shelf import CHEATS, cheats_for, tables_for
from palestra.envs.code.draws import Draws
from palestra.envs.code.writing import module_task, program_task

_LIMITS: Final = {"cpu_s": 1.0, "wall_s": 2.0, "memory_mb": 64, "output_kb": 8}
_NUMBERS: Final = (1, 3, 40, 7919, 123456)
_WHERE: Final = {"split": "train", "template": "double"}
_IN_C: Final = '#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\nint main(void) { int n; scanf("%d", &n); '
HONEST: Final[Mapping[str, str]] = {
    "python": "n = int(input())\nprint(2 * n, flush=True)\n",
    "c": _IN_C + 'printf("%d\\n", 2 * n); fflush(stdout); return 0; }\n',
    "javascript": 'const n = Number(require("fs").readFileSync(0, "utf8"));\nconsole.log(2 * n);\n',
    "lua": 'local n = io.read("n")\nprint(2 * n)\n',
    "module": "def double(n):\n    return 2 * n\n",
}
# What comes after the right answer: the program has solved the test, and must fail all the same.
_THEN: Final[Mapping[str, Mapping[str, str]]] = {
    "python": {
        "sleeps": "import time; time.sleep(60)",
        "floods": "while True: print('0' * 65536)",
        "exits otherwise": "raise SystemExit(3)",
        "dies": "import os; os.kill(os.getpid(), 9)",
        "stops": "import os; os.kill(os.getpid(), 19)",
        "says that it passed": "print('passed')",
        "leaves a child that prints": "import os\nif os.fork() == 0:\n    print(1, flush=True)\nelse:\n    os.wait()",
    },
    "c": {
        "sleeps": "sleep(60);",
        "floods": 'for (;;) puts("0");',
        "exits otherwise": "exit(3);",
        "dies": "abort();",
        "says that it passed": 'puts("passed");',
    },
    "javascript": {
        "sleeps": "setTimeout(() => {}, 60000);",
        "floods": "for (;;) console.log('0'.repeat(4096));",
        "exits otherwise": "process.exit(3);",
        "dies": "process.kill(process.pid, 9);",
        "says that it passed": "console.log('passed');",
    },
    "lua": {
        "floods": 'while true do print("0") end',
        "exits otherwise": "os.exit(3)",
        "says that it passed": 'print("passed")',
    },
}
# Another language does the work: only a program that is not locked in to its own passes so.
_PERL: Final = "print 2 * <STDIN>"
_ELSEWHERE: Final[Mapping[str, str]] = {
    "c": _IN_C.replace('int n; scanf("%d", &n); ', "")
    + f'execlp("perl", "perl", "-e", "{_PERL}", NULL); return system("perl -e \'{_PERL}\'"); }}\n',
    "javascript": 'require("child_process").spawnSync("perl", ["-e", "' + _PERL + '"], {stdio: "inherit"});\n',
    "lua": f"os.execute(\"perl -e '{_PERL}'\")\n",
}
_TESTS: Final = "from solution import double\nimport pytest\n\n@pytest.mark.parametrize('n', [1, 3, 40, 7919])\n"


@dataclass(frozen=True, slots=True)
class Cheat:
    """A text that must not pass a task."""

    language: str
    name: str
    task: Task
    text: str


def honest_task(language: str) -> Task:
    """Return the task of doubling a number, in a language of `HONEST`."""
    if language == "module":
        tests = f"{_TESTS}def test_double(n):\n    assert double(n) == 2 * n\n    assert type(double(n)) is int\n"
        return module_task(
            name="corpus/module", seed=0, statement="Double it.", module="solution", tests=tests, provenance=_WHERE
        )
    cases = [{"input": f"{n}\n", "output": f"{2 * n}\n"} for n in _NUMBERS]
    return program_task(
        name=f"corpus/{language}",
        seed=0,
        statement="Double it.",
        examples=cases[:2],
        tests=cases[2:],
        provenance=_WHERE,
        language=language,
        limits=_LIMITS,
        oracle=HONEST[language],
    )


def cheats(language: str) -> Iterator[Cheat]:
    """Yield every text of the corpus that is in a language of `HONEST`."""
    task, honest = honest_task(language), HONEST[language]
    has_own = language in CHEATS or language == "module"
    texts = {**cheats_for(task), **tables_for(task)} if has_own else {}
    texts |= {f"solves it and {name}": _after(language, honest, then) for name, then in _THEN.get(language, {}).items()}
    texts |= {"another language": _ELSEWHERE[language]} if language in _ELSEWHERE else {}
    for name, text in texts.items():
        yield Cheat(language, name, task, text)


def same_answers(count: int) -> Iterator[tuple[Json, bytes, bytes]]:
    """Yield a checker as tasks tell it, a right output written otherwise, and the output that is expected.

    Args:
        count: how many outputs are drawn for each way of writing and each checker that should not mind it.
    """
    for checker, ways in _WAYS.items():
        for name, way in ways.items():
            draws = Draws(f"{checker}/{name}", 0, "corpus")
            for _ in range(count):
                rows = [[_word(draws, checker) for _ in range(draws.between(1, 4))] for _ in range(draws.between(1, 5))]
                wanted = "".join(" ".join(row) + "\n" for row in rows)
                yield _TOLD.get(checker, checker), way(draws, wanted).encode(), wanted.encode()


def _after(language: str, honest: str, then: str) -> str:
    """Return an honest program that does something more at its end."""
    return honest.replace("return 0; }", f"{then} return 0; }}") if language == "c" else f"{honest}{then}\n"


def _word(draws: Draws, checker: str) -> str:
    if checker != "floats":
        return draws.pick(("yes", "no", "-1", "0", "x1", str(draws.between(-(10**6), 10**6))))
    return draws.pick(("0.5", "-2.25", "1000.0", "yes", str(draws.between(-(10**6), 10**6) / 8)))


def _shuffled(draws: Draws, text: str) -> str:
    return "".join(draws.shuffled(text.splitlines(keepends=True)))


def _number(write: Callable[[float], str]) -> Callable[[Draws, str], str]:
    """Return what writes every number of a text otherwise."""

    def way(draws: Draws, text: str) -> str:
        return "".join(" ".join(_written(word, write) for word in row.split()) + "\n" for row in text.splitlines())

    return way


def _written(word: str, write: Callable[[float], str]) -> str:
    return word if word.strip("-").isalpha() else write(float(word))


Way = Callable[[Draws, str], str]
_AS_IT_IS: Final[Mapping[str, Way]] = {"as it is": lambda draws, text: text}
_SPACING: Final[Mapping[str, Way]] = {
    **_AS_IT_IS,
    "space at the ends": lambda draws, text: text.replace("\n", "  \n"),
    "space at the beginnings": lambda draws, text: "".join(f" {line}" for line in text.splitlines(keepends=True)),
    "tabs": lambda draws, text: text.replace(" ", "\t"),
    "wide": lambda draws, text: text.replace(" ", "   "),
    "carriage returns": lambda draws, text: text.replace("\n", "\r\n"),
    "no end of the last line": lambda draws, text: text.rstrip("\n"),
    "blank lines at the end": lambda draws, text: f"{text}\n \n\n",
}
_BREAKS: Final[Mapping[str, Way]] = {
    "one word a line": lambda draws, text: text.replace(" ", "\n"),
    "one line": lambda draws, text: text.replace("\n", " "),
    "blank lines between": lambda draws, text: text.replace("\n", "\n\n"),
}
_FLOATS: Final[Mapping[str, Way]] = {
    "with an exponent": _number(lambda value: f"{value:.12e}"),
    "with a capital exponent": _number(lambda value: f"{value:.9E}"),
    "with six places": _number(lambda value: f"{value:.6f}"),
    "with a sign": _number(lambda value: f"{value:+.6f}"),
    "without zeros": _number(lambda value: f"{value:.12g}"),
    "nearly": _number(lambda value: repr(value * (1 + 1e-9))),
    "with no digit before the point": _number(
        lambda value: f"{value:.6f}".replace("0.", ".", 1) if abs(value) < 1 else str(value)
    ),
}
_WAYS: Final[Mapping[str, Mapping[str, Way]]] = {
    "exact": _AS_IT_IS,
    "lines": _SPACING,
    "tokens": {**_SPACING, **_BREAKS},
    "unordered_lines": {
        **_SPACING,
        "lines in another order": _shuffled,
        "blank lines between": _BREAKS["blank lines between"],
    },
    "unordered_tokens": {
        **_SPACING,
        **_BREAKS,
        "words in another order": lambda draws, text: " ".join(draws.shuffled(text.split())),
    },
    "floats": {**_SPACING, **_BREAKS, **_FLOATS},
}
_TOLD: Final[Mapping[str, Any]] = {"floats": {"kind": "floats", "absolute": 1e-6, "relative": 1e-6}}
