"""Mutants are counted by kind: many that fail do not hide a few of a kind that pass."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from tests.envs.flawed.corpus import registered
from tests.envs.flawed.diary.env import Diary

from palestra.envs.actions import call_text
from palestra.envs.base import Json
from palestra.envs.certify.environment import check
from palestra.envs.certify.findings import CheckResult
from palestra.envs.certify.oracle import Recording
from palestra.envs.certify.spoilt import judged, mutants, spoilt, summed
from palestra.envs.certify.task import certify
from palestra.envs.registry import find, make

Counts = dict[str, dict[str, int]]


def counts(**kinds: tuple[int, int, int]) -> dict[str, Json]:
    fates = ("killed", "hole", "equivalent")
    told = {kind: dict(zip(fates, numbers, strict=True)) for kind, numbers in kinds.items()}
    holes = [{"name": f"a {kind}", "kind": kind, "fate": "hole"} for kind, numbers in kinds.items() if numbers[1]]
    return {"kinds": told, "survivors": holes}


@pytest.mark.parametrize(
    ("kinds", "passed"),
    [
        ({"value": (95, 0, 0), "swapped": (5, 0, 0)}, True),
        ({"value": (95, 0, 0), "swapped": (1, 4, 0)}, False),  # 96 of 100 are killed
        ({"value": (95, 0, 0), "swapped": (0, 4, 9)}, True),  # too few to tell
        ({"value": (95, 0, 0), "swapped": (0, 0, 9)}, True),
        ({"value": (9, 1, 0)}, True),
        ({"value": (8, 1, 0)}, False),
        ({"value": (3, 1, 0)}, False),  # of all kinds together even a few tell
        ({"value": (4, 1, 0), "saying": (40, 0, 0)}, False),
    ],
)
def test_each_kind_is_held_to_the_rate_that_all_are(kinds: dict[str, tuple[int, int, int]], passed: bool) -> None:
    assert judged(counts(**kinds)).passed == passed


def test_the_rates_of_all_kinds_are_told_and_who_survives() -> None:
    found = judged(counts(value=(95, 0, 2), swapped=(1, 4, 0)))
    assert found.detail == (
        "96 of 100 mutants fail (value 95 of 95, swapped 1 of 5), 2 are equivalent: too many of swapped pass, "
        "such as 'a swapped'"
    )
    assert found.evidence == counts(value=(95, 0, 2), swapped=(1, 4, 0))


def test_where_no_mutant_could_fail_nothing_is_shown() -> None:
    assert not judged(counts(swapped=(0, 0, 9))).passed
    assert not judged(counts()).passed


def test_the_counts_of_many_tasks_add_up_and_holes_are_told_first() -> None:
    equivalent = {"name": "same", "kind": "value", "fate": "equivalent"}
    one = counts(value=(3, 0, 1)) | {"survivors": [equivalent]}
    told = summed([one, counts(value=(2, 1, 0), own=(1, 0, 0))])
    assert told["kinds"] == counts(value=(5, 1, 1), own=(1, 0, 0))["kinds"]
    assert [survivor["fate"] for survivor in told["survivors"]] == ["hole", "equivalent"]


@pytest.fixture
def diary() -> Iterator[Recording]:
    with closing(Diary()) as env:
        yield Recording.of(env, env.tasks.sample(0), 0)


def test_an_acting_step_is_done_twice_and_joined_by_another(diary: Recording) -> None:
    diary.replay(diary.episode.actions)
    made = list(mutants(diary, np.random.default_rng(0)))
    assert {mutant.kind for mutant in made} == {"value", "doubled", "extra", "swapped"}
    first = diary.episode.actions[0]
    doubled = next(mutant for mutant in made if mutant.kind == "doubled")
    assert doubled.actions == (first * 2, *diary.episode.actions[1:])
    extra = next(mutant for mutant in made if mutant.kind == "extra")
    assert extra.actions[0].startswith(first)
    assert extra.actions[0] != first * 2
    assert extra.actions[1:] == diary.episode.actions[1:]
    last = diary.steps[-1]
    assert (last.name, diary.acting[-1]) == ("ready", len(diary.steps) - 1)
    assert [m.name for m in made if m.kind == "doubled"].count("ready twice") == 2  # nobody hears the third


def checked(name: str) -> dict[str, CheckResult]:
    return {result.name: result for result in check(registered(name), n=3, split="train").results}


def test_what_no_task_tells_all_tasks_together_do() -> None:
    """Of one task's mutants too few are of the kind that passes, and of all kinds enough fail."""
    entry = find(registered("DoubledUnnoticed"))
    with closing(make(entry.id)) as env:
        certificates = [certify(entry, env, env.tasks.sample(seed)) for seed in range(3)]
    assert [certificate.failures for certificate in certificates] == [[], [], []]
    found: list[Any] = [r.evidence for c in certificates for r in c.results if r.name == "mutants"]
    verdict = judged(summed(found))
    assert not verdict.passed
    assert "too many of doubled pass, such as 'note twice'" in verdict.detail
    killed, holes = (sum(kind[fate] for kind in verdict.evidence["kinds"].values()) for fate in ("killed", "hole"))
    assert killed >= 0.9 * (killed + holes)


def test_a_report_tells_every_kind() -> None:
    honest = checked("Diary")["mutants"]
    assert honest.status == "passed"
    assert honest.detail.startswith("on all 1 tasks, ")
    assert set(honest.evidence["kinds"]) == {"value", "doubled", "extra", "swapped"}


class CountingDiary(Diary):
    """Its state holds how many calls were made."""

    made = 0

    def reply(self, call: Any) -> str:
        self.made += 1
        return super().reply(call)

    def _dump(self) -> Json:
        return {**super()._dump(), "made": self.made}


def test_of_a_state_what_the_family_declares_is_compared() -> None:
    with closing(CountingDiary()) as env:
        recording = Recording.of(env, env.tasks.sample(0), 0)
        found, declared = (
            spoilt(recording, lambda task: (), np.random.default_rng(0), world)
            for world in (lambda state: state, lambda state: state["pages"])
        )
    strike = next(survivor for survivor in found.evidence["survivors"] if survivor["name"] == "strike twice")
    assert strike["fate"] == "hole"
    assert call_text("strike", {"day": "Monday"})[:30] in strike["actions"]
    assert [one["fate"] for one in declared.evidence["survivors"] if one["name"] == "strike twice"] == ["equivalent"]
    assert declared.passed
