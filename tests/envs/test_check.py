"""What a check tells: of honest environments, of broken ones, of faults, and of senseless requests."""

from pathlib import Path

import pytest

from palestra.envs.certify.environment import CheckError, CheckReport, check, wilson_interval
from palestra.envs.certify.findings import CheckResult
from palestra.envs.registry import EnvEntry, UnknownEnvError, register


@pytest.fixture(autouse=True)
def toy_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def toy(name: str) -> str:
    env_id = f"toy/{name}-v0"
    register(EnvEntry(id=env_id, entry_point=f"toygym.env:{name}Env", family="count", summary="a counter"))
    return env_id


def with_status(report: CheckReport, status: str) -> set[str]:
    return {result.name for result in report.results if result.status == status}


def test_an_honest_environment_passes_every_check() -> None:
    report = check(toy("Count"), n=5)
    assert report.ok, [result for result in report.results if result.status != "passed"]
    names = [result.name for result in report.results]
    assert names[:3] == ["gymnasium", "oracle", "necessary"]
    wanted = {"nop", "random", "hostile", "attack:claim", "mutants", "guess:five", "determinism", "fork"}
    assert wanted | {"seeds", "splits", "end", "rewards", "shaping", "repeats", "apart", "leaks"} <= set(names)
    assert report.to_dict()["ok"] is True


def test_a_broken_environment_fails_where_it_is_broken() -> None:
    report = check(toy("PaysNothingDone"), n=4, split="train")
    assert {"nop", "necessary"} <= with_status(report, "failed")
    assert not report.ok


def test_results_are_told_as_they_come() -> None:
    told: list[CheckResult] = []
    report = check(toy("Count"), n=1, split="train", seen=told.append)
    assert tuple(told) == report.results


def test_a_failure_shows_the_task_and_the_transcript() -> None:
    report = check(toy("LazyOracle"), n=4, split="heldout", seed=7)
    oracle = next(result for result in report.results if result.name == "oracle")
    assert oracle.evidence["task_id"] in oracle.detail
    assert oracle.evidence["seed"] >= 7
    assert '[assistant] finish({"value":' in oracle.evidence["transcript"]


@pytest.mark.parametrize(("name", "said"), [("LostSandbox", "the sandbox went away"), ("BrokenVerifier", "no verdict")])
def test_a_fault_of_the_machine_is_no_failure_of_the_environment(name: str, said: str) -> None:
    report = check(toy(name), n=2)
    oracle = next(result for result in report.results if result.name == "oracle")
    assert (oracle.status, said in oracle.detail) == ("fault", True)
    assert with_status(report, "failed") <= {"gymnasium"}
    assert not report.ok


def test_a_family_without_attacks_is_said_to_have_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loner.py").write_text("from toygym.env import CountEnv\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    register(EnvEntry(id="toy/Loner-v0", entry_point="loner:CountEnv", family="count", summary="a counter"))
    report = check("toy/Loner-v0", n=2, split="train")
    assert with_status(report, "absent") == {"attacks"}
    assert report.ok


def test_an_attacks_module_that_does_not_import_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_family").mkdir()
    (tmp_path / "broken_family" / "env.py").write_text("from toygym.env import CountEnv\n")
    (tmp_path / "broken_family" / "attacks.py").write_text("import a_module_that_is_not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry_point = "broken_family.env:CountEnv"
    register(EnvEntry(id="toy/NoAttacks-v0", entry_point=entry_point, family="count", summary="a counter"))
    report = check("toy/NoAttacks-v0", n=1, split="train")
    failed = {result.name: result.detail for result in report.results if result.status == "failed"}
    assert list(failed) == ["attacks"]
    assert "a_module_that_is_not_there" in failed["attacks"]


def test_the_interval_agrees_with_the_published_formula() -> None:
    low, high = wilson_interval(0, 40)
    assert (low, round(high, 4)) == (0.0, 0.0876)
    low, high = wilson_interval(20, 40)
    assert (round(low, 4), round(high, 4)) == (0.352, 0.648)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"n": 0}, "n=0"), ({"seed": -1}, "seed=-1"), ({"split": "test"}, "'test'"), ({"level": "all"}, "'all'")],
)
def test_a_senseless_request_is_refused(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(CheckError, match=said):
        check(toy("Count"), **arguments)  # type: ignore[arg-type]


def test_an_unknown_environment_is_refused_before_any_check() -> None:
    with pytest.raises(UnknownEnvError, match="Count"):
        check("toy/Cuont-v0")
