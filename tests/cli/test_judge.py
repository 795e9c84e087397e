"""``palestra judge``: what judges are fooled by, and rubrics from pairs."""

import json
from typing import Any

from tests.cli.conftest import Run
from tests.envs.conftest import scripted as scripted

from palestra.rewards.judging.keys import KEYS


def test_graders_that_read_nothing(run: Run) -> None:
    said = run("judge", "keys", "--baseline", "contains", "-n", "6", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert (told["questions"], told["keys"]["rate"], told["right"]["rate"], told["usage"]) == (6, 0.0, 1.0, None)
    assert told["keys"]["n"] == 6 * len(KEYS)
    table = run("judge", "keys", "--baseline", "yes", "-n", "2").out
    assert "all keys (false positives)  100.0%" in table
    assert f"{len(KEYS)} keys" in table


def test_a_model_behind_a_server_with_and_without_defences(run: Run, scripted: Any) -> None:
    scripted.answer = lambda body: scripted.Answer(content="YES")
    plain = json.loads(
        run("judge", "keys", "--endpoint", scripted.url, "--model", "m", "--plain", "-n", "1", "--json").out
    )
    assert plain["keys"]["rate"] == 1.0
    assert plain["usage"]["requests"] == len(KEYS) + 2
    strict = json.loads(run("judge", "keys", "--endpoint", scripted.url, "-n", "1", "--json").out)
    assert (strict["keys"]["rate"], strict["right"]["rate"]) == (0.0, 0.0)
    assert set(strict["reasons"]) == {"not the form"}


def test_exactly_one_judge_is_named(run: Run) -> None:
    for words in ((), ("--baseline", "yes", "--local", "x")):
        said = run("judge", "keys", *words)
        assert said.code != 0
        assert "name one judge" in said.err


def test_a_server_that_is_gone_is_told(run: Run) -> None:
    said = run("judge", "keys", "--endpoint", "http://127.0.0.1:9", "--model", "m", "-n", "1", "--retries", "0")
    assert said.code != 0
    assert "127.0.0.1:9" in said.err
