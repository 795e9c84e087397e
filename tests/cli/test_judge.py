"""``palestra judge``: what judges are fooled by, and rubrics from pairs."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from tests.cli.conftest import Run
from tests.envs.conftest import scripted as scripted
from tests.rewards.judging.scripted import FormModel

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


def answer_in_form(system: str, text: str) -> str:
    """Write the rubric that a good response is good; judge by it."""
    if "You write the rubric" in system:
        word = re.findall(r"the word (\w+)\.", text)[-1]
        return f"PRINCIPLE {word}: is good\nEND {word}"
    return asyncio.run(FormModel(lambda one, others: 9 if "good" in one else 1).say(system, text, 0)).text


def test_rubrics_from_pairs_behind_a_server(run: Run, scripted: Any, tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> Any:
        system, user = (message["content"] for message in body["messages"])
        return scripted.Answer(content=answer_in_form(system, user))

    scripted.answer = answer
    pairs, out = tmp_path / "pairs.jsonl", tmp_path / "rubrics.jsonl"
    lines = [{"prompt": f"t{n}", "chosen": "a good one", "rejected": "a poor one"} for n in range(3)]
    lines.append({"prompt": "turned", "chosen": "a poor one", "rejected": "a good one"})
    pairs.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    words = ("judge", "rubrics", str(pairs), "-o", str(out), "--endpoint", scripted.url, "--json")
    said = run(*words, "--tries", "2")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert (told["pairs"], told["kept"], told["rejected"], told["faults"]) == (4, 3, 1, 0)
    assert len(out.read_text(encoding="ascii").splitlines()) == 3
    assert (tmp_path / "rubrics.rejected.jsonl").exists()
    assert "is there already" in run(*words, "--tries", "2").err
    again = json.loads(run(*words, "--tries", "2", "--resume").out)
    assert (again["kept"], again["usage"]["completion_tokens"]) == (3, 0)
    assert "is of 'scripted judged by scripted, 2 tries" in run(*words, "--resume").err
