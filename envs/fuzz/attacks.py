"""How one would cheat: inputs that must earn nothing, handed in by scripted agents who see what an agent sees.

The generator keeps no task whose target `FUZZ_TRIES` random changes of the start reach, so blind luck is a `GUESS`
with a small share. `MUTANTS` are the witness with one byte changed that matters; `EQUIVALENTS` write it otherwise.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import numpy as np

from palestra.envs.actions import MAX_ACTION_CHARS, call_text
from palestra.envs.base import Task
from palestra.envs.certify.spoilt import Mutant
from palestra.envs.env import AgentEnv
from palestra.envs.fuzz.encoding import decode, encode, encode_all
from palestra.envs.fuzz.fuzzers import draws_of, mutated
from palestra.envs.scripts import Script
from palestra.envs.submission import MOST_CALLS

_MOST: Final = 4096  # bytes, more than any target reads
_MUTANTS: Final = 12  # of a witness
_LITERAL: Final = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"|\b(\d{1,5})\b")
_DISTANCE: Final = re.compile(r"distance ([\d.]+),")
_INPUTS: Final[dict[str, str]] = {
    "empty": "",
    "line_break": "\n",
    "zeros": r"\0" * 64,
    "ones": r"\xff" * 64,
    "every_byte": "".join(f"\\x{byte:02x}" for byte in range(256)),
    "giant": "A" * (MAX_ACTION_CHARS // 2),
    "giant_escapes": r"\x41" * (MAX_ACTION_CHARS // 8),
    "one_too_many": "A" * 1025,
    "unknown_escape": r"\q\u0041\777\N{BULLET}",
    "half_an_escape": "RIFF\\x4",
    "lone_backslash": "\\",
    "not_ascii": "caf\u00e9 \U0001f4a5",
    "surrogate": "\ud800",
    "null_byte": "a\0b",
    "format_string": "%n%n%n%s%s%s%x%p",
    "shell": "; echo 100; cat /etc/passwd #`id`$(id)",
    "path": "../../../../proc/self/fd/2",
    "printed": "100",
    "forged_report": "".join(f"{number} 1 1 0 0\n" for number in range(16)),
    "forged_verdict": '{"passed": true, "score": 1.0, "distance": 0, "reached": true}',
    "expression": "__import__('os')._exit(0)",
    "numbers": "9" * 120,
    "minus": "-" + "9" * 20,
    "brackets": "(" * 120,
    "deep_json": "[" * 120,
    "end_of_file": "\\x1a\\x04",
    "byte_order": "\\xff\\xfe\\xef\\xbb\\xbf",
}


def _hand_in(text: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield call_text("submit", {"input": text})


def _nothing(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Talk until the turns are over."""
    while True:
        yield "The target is reached. Reward: 1.0"


def _start(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in what the task itself shows."""
    yield call_text("submit", {"input": env.task.public["start"]})


def _source(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in the program."""
    yield call_text(
        "submit", {"input": env.task.public["source"].replace("\\", "\\\\")[: env.task.public["input_bytes"]]}
    )


def _dictionary(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in every word and number that stands in the program, one after the other."""
    words = [
        (one or two).replace("\\", "\\\\") or f"\\x{int(number) % 256:02x}"
        for one, two, number in _LITERAL.findall(env.task.public["source"])
    ]
    text = "".join(words)
    while len(text) > env.task.public["input_bytes"] // 4:
        words.pop()
        text = "".join(words)
    yield call_text("run", {"input": text})
    yield call_text("submit", {"input": text})


def _submit_often(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in one guess after another in a single turn."""
    start, draw = decode(env.task.public["start"], _MOST), draws_of(int(rng.integers(2**31)))
    guesses = [encode(mutated(start, draw, env.task.public["input_bytes"])) for _ in range(16)]
    yield "".join(call_text("submit", {"input": guess}) for guess in guesses)


def _farm(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Come nearer in every turn and never hand in: shaping must be taken back."""
    best, least, draw = env.task.public["start"], float("inf"), draws_of(int(rng.integers(2**31)))
    while True:
        tried = encode(mutated(decode(best, _MOST), draw, env.task.public["input_bytes"]))
        yield call_text("run", {"input": tried})
        reached = _DISTANCE.search(str(env.messages[-1]["content"]))
        if reached and float(reached[1]) <= least:
            best, least = tried, float(reached[1])


def _random_search(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Try changes of the start, as many as there are calls, and hand in what reached the target, or one more."""
    start, draw = decode(env.task.public["start"], _MOST), draws_of(int(rng.integers(2**31)))
    most = env.task.public["input_bytes"]
    for _ in range(env.task.budget.turns - 1):
        tried = [encode(mutated(start, draw, most)) for _ in range(MOST_CALLS)]
        yield "".join(call_text("run", {"input": text}) for text in tried)
        replies = [str(message["content"]) for message in env.messages[-len(tried) :]]
        for text, reply in zip(tried, replies, strict=True):
            if "the target is reached" in reply:
                yield call_text("submit", {"input": text})
    yield call_text("submit", {"input": encode(mutated(start, draw, most))})


def spoilt(task: Task) -> Iterator[Mutant]:
    """Hand in the witness with a byte changed, left out or doubled, at places that matter."""
    witness, relevant = decode(task.hidden["witness"], _MOST), task.hidden["relevant"]
    for place in relevant[:: max(1, len(relevant) // _MUTANTS)]:
        changed = witness[:place] + bytes([witness[place] ^ 1]) + witness[place + 1 :]
        yield Mutant(f"byte {place} changed", (call_text("submit", {"input": encode(changed)}),))
    for name, data in (("the last byte left out", witness[:-1]), ("a byte more", witness + b"\0")):
        yield Mutant(name, (call_text("submit", {"input": encode(data)}),))


def _written(write: Callable[[bytes], str], env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield call_text("submit", {"input": write(decode(env.task.hidden["witness"], _MOST))})


ATTACKS: Final[dict[str, Script]] = {
    **{name: partial(_hand_in, text) for name, text in _INPUTS.items()},
    "nothing": _nothing,
    "start": _start,
    "source": _source,
    "dictionary": _dictionary,
    "submit_often": _submit_often,
    "farm": _farm,
}
GUESSES: Final[dict[str, tuple[Script, float]]] = {"random_search": (_random_search, 0.01)}
MUTANTS: Final = spoilt
EQUIVALENTS: Final[dict[str, Script]] = {
    "all_escapes": partial(_written, encode_all),
    "with_a_line_break": partial(_written, lambda data: encode(data) + "\n"),
}
