"""The judge is wrong on nothing of its corpora: no cheat passes in any language, no right output is refused."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from palestra.envs.code.corpora import HONEST, Cheat, cheats, honest_task, same_answers
from palestra.envs.code.env import CodeEnv
from palestra.envs.code.judge.case import Case
from palestra.envs.code.judge.checkers import KINDS, read_checker
from palestra.sandbox.base import PermanentInfraError

ALL = [cheat for language in HONEST for cheat in cheats(language)]
TAKE_LONG = ("infinite_loop", "sleep", "memory_bomb", "fork_bomb", "huge_output", "orphan", "sleeps", "floods", "stops")


@pytest.fixture(scope="module")
def env() -> Iterator[CodeEnv]:
    with closing(CodeEnv()) as made:
        yield made


def is_slow(cheat: Cheat) -> bool:
    return cheat.name.endswith(TAKE_LONG) or cheat.language in ("module", "lua")


@pytest.mark.parametrize(
    "cheat",
    [
        pytest.param(cheat, id=f"{cheat.language}: {cheat.name}", marks=[pytest.mark.slow] if is_slow(cheat) else [])
        for cheat in ALL
    ],
)
def test_a_cheat_earns_nothing(env: CodeEnv, cheat: Cheat) -> None:
    try:
        assert not env.judge(cheat.task, cheat.text).passed
    except PermanentInfraError as error:
        if "CI" in os.environ:  # which has installed it
            raise
        pytest.skip(str(error))


@pytest.mark.parametrize("language", HONEST)
def test_honest_work_is_paid_after_all_of_them(env: CodeEnv, language: str) -> None:
    try:
        assert env.judge(honest_task(language), HONEST[language]).passed
    except PermanentInfraError as error:
        if "CI" in os.environ:
            raise
        pytest.skip(str(error))


def test_the_corpus_has_every_kind_of_trick_in_every_language_that_it_can_be_played_in() -> None:
    names = {language: {cheat.name for cheat in ALL if cheat.language == language} for language in HONEST}
    assert len(ALL) >= 110
    assert all(len({cheat.text for cheat in ALL if cheat.language == language}) >= 4 for language in HONEST)
    tricks = {"forge_verdict", "os_exit", "huge_output", "sleep", "orphan", "read_memory", "leave_traces"}
    for language in ("python", "c", "javascript", "module"):
        assert tricks <= names[language], language
    for language in ("python", "c", "javascript"):
        assert {"table", "table or echo", "read_files", "solves it and sleeps"} <= names[language]
    assert {"pytest_options", "monkeypatch", "equal_number"} <= names["module"]
    assert all("another language" in names[language] for language in ("c", "javascript", "lua"))


def test_a_cheat_that_solves_its_task_solves_it_until_it_cheats(env: CodeEnv) -> None:
    """So that what fails it is the cheat."""
    solving = [cheat for cheat in ALL if cheat.name == "solves it and exits otherwise"]
    assert {cheat.language for cheat in solving} == {"python", "c", "javascript", "lua"}
    for cheat in solving:
        if cheat.language in ("python", "c"):
            assert env.judge(cheat.task, cheat.text).checks[-1].evidence == "exit code 3"


def test_no_right_output_is_refused_however_it_is_written() -> None:
    counts: Counter[str] = Counter()
    for told, printed, wanted in same_answers(25):
        assert read_checker(told).accepts(Case(b"", wanted), printed), (told, printed, wanted)
        counts[told if isinstance(told, str) else told["kind"]] += 1
    assert set(counts) == set(KINDS)
    assert sum(counts.values()) >= 1_000


def test_spoiling_one_word_of_a_right_output_makes_it_wrong() -> None:
    """So that the corpus is not accepted because everything is."""
    for told, printed, wanted in same_answers(3):
        words = printed.split()
        spoilt = printed.replace(words[0], words[0] + b"1", 1) if words[0].isalnum() else b"x" + printed
        assert not read_checker(told).accepts(Case(b"", wanted), spoilt), (told, spoilt, wanted)


SPACED = {
    "python": 'import sys\nn = int(input())\nsys.stdout.write(f"  {2 * n} \\t\\r\\n\\n")\n',
    "c": '#include <stdio.h>\nint main(void) { int n; scanf("%d", &n); printf("\\t%d \\r\\n \\n", 2 * n); }\n',
    "javascript": 'process.stdout.write(` ${2 * Number(require("fs").readFileSync(0, "utf8"))}`);\n',
}


@pytest.mark.parametrize("language", SPACED)
def test_programs_may_space_their_output_as_they_like(env: CodeEnv, language: str) -> None:
    assert env.judge(honest_task(language), SPACED[language]).passed
