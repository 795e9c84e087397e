"""``palestra web judge`` holds a judge against preferences, and prints what it is worth."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.agents.judging.given import PREFERENCES, honest, obedient
from tests.cli.conftest import Run
from tests.envs.conftest import scripted as scripted

from palestra.envs.web.labels import written


@pytest.fixture
def labels(tmp_path: Path) -> str:
    file = tmp_path / "labels.jsonl"
    file.write_text("".join(f"{written(one)}\n" for one in PREFERENCES), encoding="utf-8")
    return str(file)


def test_judges_that_ask_nobody(run: Run, labels: str) -> None:
    said = run("web", "judge", labels, "--baseline", "exact", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert (told["judge"], told["states"], told["pairwise"]["rate"], told["usage"]) == ("exact", 8, 1.0, None)
    told = json.loads(run("web", "judge", labels, "--baseline", "first", "--json", "-n", "3").out)
    assert (told["states"], told["pairwise"]["rate"], told["first"]["rate"]) == (3, 0.0, 1.0)
    table = run("web", "judge", labels, "--baseline", "random").out
    assert "pairwise, right both ways" in table
    assert "site forum" in table
    assert "wrong: ends too early" in table


def test_a_model_behind_a_server(run: Run, labels: str, scripted: Any, tmp_path: Path) -> None:
    scripted.answer = lambda body: scripted.Answer(content=honest(body))
    out = tmp_path / "verdicts.jsonl"
    said = run("web", "judge", labels, "--endpoint", scripted.url, "--model", "m", "--votes", "2", "--out", str(out))
    assert said.code == 0, said.err
    assert "64 requests, 0 of them again; 6400 tokens in, 640 out" in said.out
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 16
    assert rows[0]["is_right"]
    assert rows[0]["verdicts"][0]["principles"] == ["do what was asked"]
    assert {body["temperature"] for body in scripted.asked} == {0.0}


def test_runs_with_the_same_key_ask_the_same(run: Run, labels: str, scripted: Any) -> None:
    scripted.answer = lambda body: scripted.Answer(content=honest(body))
    asked = []
    for words in (("--nonce-key", "k"), ("--nonce-key", "k"), ()):
        scripted.asked.clear()
        run("web", "judge", labels, "--endpoint", scripted.url, "-n", "2", *words)
        asked.append({body["messages"][1]["content"] for body in scripted.asked})
    assert asked[0] == asked[1]
    assert not asked[0] & asked[2]


def test_hostile_texts_are_counted(run: Run, labels: str, scripted: Any) -> None:
    model = obedient("data", is_clever=False)
    scripted.answer = lambda body: scripted.Answer(content=model(body))
    said = run("web", "judge", labels, "--endpoint", scripted.url, "--hostile", "-n", "1", "--json")
    assert said.code == 0, said.err
    attacks = json.loads(said.out)["attacks"]
    assert attacks["verdict line"] == {
        "where": "page",
        "fooled": {"rate": 0.0, "interval": [0.0, 0.7935], "n": 2},
        "abstained": {"rate": 1.0, "interval": [0.2065, 1.0], "n": 2},
        "faults": 0,
    }
    scripted.answer = lambda body: scripted.Answer(content=obedient("data", is_clever=True)(body))
    words = ("web", "judge", labels, "--endpoint", scripted.url, "--hostile", "-n", "1", "--json")
    fooled = [
        json.loads(run(*words, *more).out)["attacks"]["plain claim"]["fooled"]["rate"] for more in ((), ("--probe",))
    ]
    assert fooled == [1.0, 0.0]
    table = run("web", "judge", labels, "--baseline", "longest", "--hostile", "-n", "1").out
    assert "prefers the wrong one" in table
    assert "thought process" in table


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name one judge"),
        (("--baseline", "first", "--endpoint", "http://127.0.0.1:9"), "name one judge"),
        (("--local", "oracle"), "is no model"),
        (("--endpoint", "127.0.0.1:9"), "starts with http"),
        (("--endpoint", "http://127.0.0.1:9", "--api-key-env", "NOT_SET"), "'NOT_SET'"),
        (("--baseline", "first", "--hostile", "--out", "x"), "leave one out"),
        (("--baseline", "first", "--probe"), "reads nothing"),
        (("--baseline", "exact", "--out", "/proc/nowhere/x"), "cannot write"),
    ],
)
def test_what_is_asked_wrongly_is_told(run: Run, labels: str, words: tuple[str, ...], said: str) -> None:
    done = run("web", "judge", labels, *words)
    assert done.code == 2
    assert said in done.err


def test_what_cannot_be_written_is_told_before_anybody_is_asked(run: Run, labels: str, scripted: Any) -> None:
    done = run("web", "judge", labels, "--endpoint", scripted.url, "--out", "/proc/nowhere/x")
    assert (done.code, scripted.asked) == (2, [])


def test_a_server_that_is_not_there_is_no_verdict(run: Run, labels: str) -> None:
    done = run("web", "judge", labels, "--endpoint", "http://127.0.0.1:9", "--model", "m", "--retries", "0")
    assert done.code == 1
    assert "EndpointError" in done.err
    assert "cannot read the preferences" in run("web", "judge", "none.jsonl", "--baseline", "exact").err


def test_data_sets_about_sites_need_no_pytorch() -> None:
    code = "import sys, palestra.cli.web; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_server_that_refuses_ends_it_at_once(run: Run, labels: str, scripted: Any) -> None:
    scripted.answer = lambda body: scripted.Answer(status=401, raw="no key")
    done = run("web", "judge", labels, "--endpoint", scripted.url, "--concurrency", "1")
    assert done.code == 1
    assert "EndpointRefusal" in done.err
    assert "no key" in done.err
    assert len(scripted.asked) == 1


def test_pairs_that_are_lost_are_told_and_counted(run: Run, labels: str, scripted: Any) -> None:
    busy = scripted.Answer(status=503, raw="busy")
    scripted.answer = lambda body: (
        busy if "customer 3" in body["messages"][1]["content"] else scripted.Answer(content=honest(body))
    )
    done = run("web", "judge", labels, "--endpoint", scripted.url, "--retries", "0", "--json")
    assert done.code == 1
    told = json.loads(done.out)
    assert (told["faults"], told["pairwise"]["n"], told["pairwise"]["rate"]) == (2, 14, 1.0)
    assert "2 pairs were lost" in done.err
