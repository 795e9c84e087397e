"""Generated tasks: the same from the same seed, solved by their oracle, and split by template and word."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palestra.envs.actions import fits
from palestra.envs.base import SPLITS, Json, Split, Task, TaskError
from palestra.envs.tooluse.assemble import judged_of
from palestra.envs.tooluse.case import Case
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.closing import CLOSING, FINISH
from palestra.envs.tooluse.generate import KNOBS, ToolUseSource, domains_of, shapes
from palestra.envs.tooluse.planner import depth
from palestra.envs.tooluse.schema import Write
from palestra.envs.tooluse.statement import LINKS, QUESTIONS, SEQUENCES, WISHES
from palestra.envs.tooluse.templates import split_of
from palestra.envs.tooluse.validate import check
from palestra.envs.tooluse.world import World, fill

N = 90
STRUCTURE = {"ok"}  # words that are no values of a pool


@lru_cache(maxsize=4)
def tasks(split: Split, n: int = N) -> tuple[Task, ...]:
    return tuple(islice(ToolUseSource(split), n))


def kinds(task: Task) -> str:
    """Name what a task asks for: question, write or both."""
    goal = Case.from_dict(task.hidden).goal
    return "both" if goal.sources and goal.changes else "question" if goal.sources else "write"


@pytest.mark.parametrize("split", SPLITS)
def test_every_round_of_seeds_holds_each_pair_of_domain_and_shape_once(split: Split) -> None:
    size = len(domains_of(split)) * len(shapes("any", 0))
    for start in (0, size):
        drawn = [ToolUseSource(split).sample(seed) for seed in range(start, start + size)]
        found = Counter((task.public["domain"], kinds(task)) for task in drawn)
        assert found == {
            (d.name, kind): n for d in domains_of(split) for kind, n in (("question", 2), ("write", 2), ("both", 1))
        }


@pytest.mark.parametrize("split", SPLITS)
def test_a_task_passes_every_check_again_after_a_trip_through_json(split: Split) -> None:
    for task in tasks(split):
        again = Task.from_dict(json.loads(json.dumps(task.to_dict())))
        assert again.digest == task.digest
        assert check(judged_of(again)) == "", task.id


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    split=st.sampled_from(SPLITS),
    level=st.integers(-1, 3),
    width=st.integers(0, 3),
    kind=st.sampled_from(("any", "question", "write")),
    others=st.integers(-1, 4),
)
def test_knobs_do_what_they_say(seed: int, split: Split, level: int, width: int, kind: str, others: int) -> None:
    knobs = {"indirection": level, "width": width, "kinds": kind, "tools": others}
    task = ToolUseSource(split).sample(seed, knobs)
    assert check(judged_of(task)) == ""
    case = Case.from_dict(task.hidden)
    assert task.difficulty == {**KNOBS, **knobs}
    assert kind in ("any", kinds(task))
    writes = [step for step in case.steps if isinstance(DOMAINS[case.place.domain].tool[step.tool], Write)]
    assert width in (0, len(case.goal.sources) + len(writes))
    tools = {tool["function"]["name"] for tool in task.tools} - set(CLOSING)
    needed = {step.tool for step in case.steps}
    assert needed <= tools
    assert len(tools) == (len(DOMAINS[case.place.domain].tools) if others < 0 else len(needed) + others)
    if level == 0:
        assert all(source.kind == "query" for step in case.steps for source in step.sources.values()) or writes


@pytest.mark.parametrize("chain", [1, 2, 3])
def test_chains_are_as_long_as_asked_for(chain: int) -> None:
    for seed in range(8):
        task = ToolUseSource().sample(seed, {"depth": chain})
        assert depth(Case.from_dict(task.hidden).steps) == chain


@pytest.mark.parametrize("name", DOMAINS)
def test_a_domain_can_be_chosen(name: str) -> None:
    split: Split = "heldout" if DOMAINS[name].is_held_out else "train"
    assert {ToolUseSource(split).sample(seed, {"domain": name}).public["domain"] for seed in range(4)} == {name}


def test_scale_makes_worlds_larger() -> None:
    def rows(scale: float) -> int:
        place = Case.from_dict(ToolUseSource().sample(3, {"scale": scale}).hidden).place
        base = fill(DOMAINS[place.domain], place.split, place.seed, place.scale)
        return sum(len(table) for table in base.rows.values())

    assert rows(0.5) < rows(1.0) < rows(2.0)


# -- splits ----------------------------------------------------------------------------------------


def test_the_splits_share_no_template() -> None:
    found = {split: {(t.public["domain"], t.provenance["template"]) for t in tasks(split)} for split in SPLITS}
    assert not found["train"] & found["heldout"]
    for split in SPLITS:
        assert all(split_of(DOMAINS[domain], template) == split for domain, template in found[split])


def test_training_uses_no_heldout_domain() -> None:
    assert not any(DOMAINS[task.public["domain"]].is_held_out for task in tasks("train"))
    assert any(DOMAINS[task.public["domain"]].is_held_out for task in tasks("heldout"))


def test_the_splits_share_no_wording() -> None:
    for wordings in (QUESTIONS, WISHES, LINKS):
        start = re.escape(wordings[-1].partition("{")[0].casefold())
        assert not any(re.search(rf"(^|[.?] ){start}", task.instruction.casefold()) for task in tasks("train"))
    assert {first for first, _ in SEQUENCES[:-1]} & {first for first, _ in SEQUENCES[-1:]} == set()
    heldout = " ".join(task.instruction for task in tasks("heldout"))
    assert not any(start in heldout for start in ("What is", "Tell me", "Could you", "Besides,", "First,"))


def words(value: Json) -> set[str]:
    return {word.casefold() for word in re.findall(r"[A-Za-z]{2,}", json.dumps(value))} - STRUCTURE


def test_the_requests_of_the_splits_share_no_word_of_a_pool() -> None:
    pools = {
        split: set[str]().union(*(words(list(domain.pools[split].values())) for domain in DOMAINS.values()))
        for split in SPLITS
    }
    alone = {"train": pools["train"] - pools["heldout"], "heldout": pools["heldout"] - pools["train"]}
    names = {split: {pool for domain in DOMAINS.values() for pool in domain.pools[split]} for split in SPLITS}
    assert names["train"] == names["heldout"]
    for split, other in (("train", "heldout"), ("heldout", "train")):
        capital = {word for word in alone[other] if len(word) > 3}
        for task in tasks(split):
            told = {word.casefold() for word in re.findall(r"\b[A-Z][a-z]{3,}\b", task.instruction[1:])}
            assert not told & capital, (task.instruction, told & capital)


# -- determinism and errors --------------------------------------------------------------------------


def test_another_process_makes_the_same_bytes() -> None:
    code = (
        "from palestra.envs.tooluse.generate import ToolUseSource\n"
        "for split in ('train', 'heldout'):\n"
        "    for seed in (0, 7, 19, 23): print(ToolUseSource(split).sample(seed).digest)"
    )
    env = {**os.environ, "PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    told = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    assert told.split() == [ToolUseSource(split).sample(seed).digest for split in SPLITS for seed in (0, 7, 19, 23)]


@pytest.mark.parametrize("split", SPLITS)
def test_the_answer_fits_the_schema_that_it_is_given_in(split: Split) -> None:
    for task in tasks(split):
        answer = Case.from_dict(task.hidden).goal.answer
        finish = next(t["function"]["parameters"] for t in task.tools if t["function"]["name"] == FINISH)
        assert fits({} if answer is None else {"answer": answer}, finish), task.id


def test_tasks_differ() -> None:
    assert len({task.digest for task in tasks("train")}) == N
    assert len({task.instruction for task in tasks("train")}) == N
    assert len({Case.from_dict(task.hidden).place.seed for task in tasks("train")}) == N


def test_a_task_tells_how_long_it_is() -> None:
    for task in tasks("train"):
        steps = Case.from_dict(task.hidden).steps
        assert (task.provenance["calls"], task.provenance["depth"]) == (len(steps), depth(steps)), task.id


def test_playing_a_task_changes_no_world_that_others_share() -> None:
    task = tasks("train")[5]
    place = Case.from_dict(task.hidden).place
    base = fill(DOMAINS[place.domain], place.split, place.seed, place.scale)
    assert base.digest() == place.digest
    assert not World(base).diff()


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"width": 4}, "'width' must be from 0 to 3"),
        ({"depth": 9}, "'depth' must be from 0 to 4"),
        ({"domain": "zoo"}, "must be any, .*, not 'zoo'"),
        ({"domain": "restaurant"}, "in train, not 'restaurant'"),
        ({"kinds": "both", "width": 1}, "two things"),
        ({"kinds": "neither"}, "must be any, question, write, both, not 'neither'"),
        ({"scale": 20.0, "domain": "retail"}, "'scale' is too large for retail at 20.0"),
        ({"scal": 1.0}, "unknown difficulty knob 'scal'"),
        ({"depth": 4, "indirection": 0, "kinds": "question", "width": 1}, "no task of .* fits the knobs .*'depth': 4"),
    ],
)
def test_a_wrong_knob_is_named(knobs: dict[str, Json], told: str) -> None:
    with pytest.raises(TaskError, match=told):
        ToolUseSource().sample(0, knobs)


@pytest.mark.parametrize("seed", [-1, True, 1.0, "1", None])
def test_a_seed_is_a_natural_number(seed: Json) -> None:
    with pytest.raises(TaskError, match="a seed must be an integer"):
        ToolUseSource().sample(seed)


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(TaskError, match="'test'"):
        ToolUseSource("test")  # type: ignore[arg-type]
