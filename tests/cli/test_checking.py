"""``palestra check``: what it shows, what it writes, and what it says of a file of tasks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import palestra
from palestra.envs.certify.environment import CheckReport
from palestra.envs.certify.factory import Order, generate
from palestra.envs.certify.findings import CheckResult
from palestra.envs.certify.flakes import flakes
from palestra.envs.certify.junit import junit_suite
from palestra.envs.certify.stamp import problem
from palestra.envs.junit import junit_xml
from palestra.envs.registry import EnvEntry, register
from palestra.envs.rows import json_line

Run = Callable[..., Any]
TOYS = Path(__file__).parents[1] / "envs"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "tasks.jsonl"
    generate(Order(env_id="palestra/ToolUseMini-v0", level="quick"), 3, path)
    return path


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], EnvEntry]:
    """Make a small family of its own, whose environment has the body that is given."""

    def family(body: str = "") -> EnvEntry:
        name = f"family_{tmp_path.name}"
        (tmp_path / name).mkdir()
        text = "import time\nfrom palestra.envs.toolmini.env import ToolUseMiniEnv\nclass Env(ToolUseMiniEnv):\n"
        (tmp_path / name / "env.py").write_text(f'{text}    env_id = "mine/{name}-v0"\n{body}')
        (tmp_path / name / "attacks.py").write_text("from palestra.envs.toolmini.attacks import ATTACKS, FLOORS\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        entry = EnvEntry(
            id=f"mine/{name}-v0",
            entry_point=f"{name}.env:Env",
            family="tooluse",
            summary="a test",
            certificate=f"{name}/env.certificate.json",
        )
        register(entry)
        return entry

    return family


def test_what_passed_is_shown_in_groups(run: Run) -> None:
    said = run("check", "ToolUseMini-v0", "--n", "1", "--level", "full", "--split", "train")
    assert said.code == 0, said.out
    lines = said.out.splitlines()
    attacks = [line for line in lines if line.endswith("attacks on 1 tasks")]
    assert len(attacks) == 1
    assert int(attacks[0].split()[1]) > 15
    assert not [line for line in lines if "claim_done" in line]


def test_a_check_that_passes_writes_a_certificate(run: Run, family: Callable[[str], EnvEntry], tmp_path: Path) -> None:
    entry = family("")
    out = tmp_path / entry.certificate
    said = run("check", entry.id, "--n", "1", "--level", "full", "--out", str(out))
    assert said.code == 0, said.out
    assert said.out.splitlines()[-1] == f"certificate: {out}"
    assert problem(entry) == ""
    register(entry, certified=True)


def test_a_check_that_fails_writes_none(run: Run, family: Callable[[str], EnvEntry], tmp_path: Path) -> None:
    entry = family("    def oracle(self):\n        yield 'nothing'\n")
    out = tmp_path / entry.certificate
    said = run("check", entry.id, "--n", "1", "--level", "full", "--split", "train", "--out", str(out))
    assert said.code == 1
    assert "failed  oracle: on 'tooluse/" in said.out
    assert "        [assistant] nothing" in said.out
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("ToolUseMini-v0", "--out", "x.certificate.json"), "takes an ID and --level full"),
        (("t.jsonl", "--level", "full", "--out", "x.certificate.json"), "takes an ID and --level full"),
        (("ToolUseMini-v0", "--level", "full", "--out", "x.json"), "ends in '.certificate.json'"),
        (("none.jsonl",), "cannot read the task file 'none.jsonl'"),
    ],
)
def test_what_cannot_be_is_refused_before_the_work(run: Run, words: tuple[str, ...], told: str) -> None:
    said = run("check", *words)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert said.err.count("\n") == 1


def cases(xml: bytes | str) -> dict[str, ElementTree.Element]:
    return {case.attrib["name"]: case for case in ElementTree.fromstring(xml).iter("testcase")}


def test_the_report_is_junit_xml_too(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    said = run("check", "ToolUseMini-v0", "--n", "1", "--split", "train", "--json", "--junit", str(path))
    report = json.loads(said.out)
    found = cases(path.read_bytes())
    assert list(found) == [result["name"] for result in report["results"]]
    assert {len(case) for case in found.values()} == {1}
    assert "check_env passes" in (found["gymnasium"].findtext("system-out") or "")
    suite = next(ElementTree.fromstring(path.read_bytes()).iter("testsuite"))
    assert (suite.attrib["name"], suite.attrib["failures"]) == ("palestra/ToolUseMini-v0", "0")
    said = run(
        "check", "ToolUseMini-v0", "--n", "1", "--split", "train", "--junit", str(tmp_path / "no" / "report.xml")
    )
    assert (said.code, "cannot write the report" in said.err) == (2, True)


def test_junit_tells_each_status_apart_and_holds_any_text() -> None:
    odd = '\x00\x1b[2J \ud83d <&>" ]]> \ufffe\n\u2028\U0001f600'
    results = tuple(
        CheckResult(name=f"{status} \x07", status=status, detail=odd, evidence={"transcript": odd, "more": [1, odd]})
        for status in ("passed", "failed", "fault", "absent")
    )
    report = CheckReport(env_id="a/B-v0", level="full", n=1, splits=("train",), seed=0, results=results)
    xml = junit_xml(junit_suite(report))
    found = cases(xml)
    assert list(found) == ["passed \\x07", "failed \\x07", "fault \\x07", "absent \\x07"]
    kinds = [[part.tag for part in case if part.tag != "system-out"] for case in found.values()]
    assert kinds == [[], ["failure"], ["error"], ["skipped"]]
    assert "\U0001f600" in (found["failed \\x07"].findtext("system-out") or "")
    suites = ElementTree.fromstring(xml)
    assert {name: suites.attrib[name] for name in ("tests", "failures", "errors")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
    }


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("level", ["quick", "full"])
def test_a_file_of_tasks_passes_as_it_was_made(run: Run, made: Path, level: str) -> None:
    said = run("check", str(made), "--level", level, "--json")
    report = json.loads(said.out)
    assert (said.code, report["n"], report["splits"]) == (0, 3, ["train"]), said.err
    names = [result["name"] for result in report["results"]]
    assert names == ["source", "digests", "passed", "code", "distinct"] + ["remade"] * (level == "full")
    assert run("check", "ToolUseMini-v0", "--tasks", str(made)).code == 0


@pytest.mark.parametrize(
    ("where", "part", "changes", "question"),
    [
        (1, "task", {"instruction": "Cancel everything."}, "digests"),
        (2, "certificate", {"code": "0" * 64}, "code"),
        (0, "certificate", {"trace": ""}, "passed"),
        (0, "certificate", {"env_id": "palestra/Code-v0"}, "source"),
    ],
)
def test_a_file_that_was_changed_fails(
    run: Run, made: Path, tmp_path: Path, where: int, part: str, changes: dict[str, Any], question: str
) -> None:
    changed = lines(made)
    changed[where][part] |= changes
    path = tmp_path / "changed.jsonl"
    path.write_text("".join(map(json_line, changed if question != "source" else changed[::-1])))
    said = run("check", str(path), "--json")
    report = json.loads(said.out)
    assert (said.code, report["ok"]) == (1, False)
    failed = {result["name"]: result["detail"] for result in report["results"] if result["status"] == "failed"}
    place = where + 1 if question != "source" else len(changed) - where
    assert list(failed) == [question]
    assert failed[question].startswith(f"line {place} of '{path}'")


def test_what_a_certificate_says_is_made_anew_and_compared(run: Run, made: Path, tmp_path: Path) -> None:
    forged = lines(made)
    forged[1]["certificate"]["trace"] = "f" * 64
    path = tmp_path / "forged.jsonl"
    path.write_text("".join(map(json_line, [*forged, forged[0]])))
    assert run("check", str(path), "-n", "3").code == 0
    said = run("check", str(path), "--level", "full", "--json")
    failed = [result for result in json.loads(said.out)["results"] if result["status"] == "failed"]
    assert [result["name"] for result in failed] == ["distinct", "remade"]
    assert failed[0]["detail"] == f"line 4 of '{path}' tells an agent the same as line 1 of '{path}'"
    assert f"line 2 of '{path}': made anew, the certificate of" in failed[1]["detail"]
    assert "has another 'trace'" in failed[1]["detail"]


def test_a_file_of_another_environments_tasks_is_refused(run: Run, made: Path) -> None:
    said = run("check", "Code-v0", "--tasks", str(made))
    assert (said.code, said.out) == (2, "")
    assert said.err == f"error: '{made}' holds tasks of palestra/ToolUseMini-v0, not of palestra/Code-v0\n"


def test_a_steady_environment_does_not_flake(run: Run, made: Path) -> None:
    said = run("check", str(made), "--repeat", "4", "--load", "3", "--json")
    flaky = json.loads(said.out)["results"][-1]
    assert (flaky["name"], flaky["status"]) == ("flakes", "passed")
    assert (flaky["evidence"]["plays"], flaky["evidence"]["differ"]) == (12, 0)
    low, high = flaky["evidence"]["wilson_95"]
    assert (low, round(high, 4)) == (0.0, 0.2425)
    said = run("check", "ToolUseMini-v0", "--n", "1", "--split", "train", "--repeat", "2")
    assert "passed  flakes: 0 of 2 plays, 8 at once, differ (95 %: 0.0% to 65.8%)" in said.out


CROWD = """
    crowd = 0
    def _act(self, action):
        Env.crowd += 1
        time.sleep(0.02)
        {here}
        Env.crowd -= 1
        return super()._act(action)
"""


@pytest.mark.parametrize(
    ("here", "status", "told"),
    [
        ("action = action if Env.crowd == 1 else type(action)('')", "failed", "the first: 'tooluse/"),
        (
            "if Env.crowd > 1: raise __import__('palestra').sandbox.base.InfraError('crowded')",
            "fault",
            "InfraError('crowded')",
        ),
    ],
)
def test_an_environment_that_cannot_be_played_in_a_crowd_flakes(
    family: Callable[[str], EnvEntry], here: str, status: str, told: str
) -> None:
    entry = family(CROWD.format(here=here))
    env = palestra.make(entry.id)
    result = flakes(entry, [env.tasks.sample(seed) for seed in range(3)], repeat=4, load=4)
    assert (result.status, told in result.detail) == (status, True), result.detail
    if status == "failed":
        assert result.evidence["differ"] > 0
        assert result.evidence["wilson_95"][0] > 0
