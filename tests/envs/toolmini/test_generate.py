"""The generator: splits that share nothing, and prompts that give nothing away."""

import json
import re
from itertools import islice

import pytest

from palestra.envs.base import SPLITS, Json, Split, Task, TaskError
from palestra.envs.toolmini.domain import Domain, Template
from palestra.envs.toolmini.env import ToolUseMiniEnv
from palestra.envs.toolmini.generate import DOMAINS, KNOBS, ToolUseMiniSource, templates
from palestra.envs.toolmini.pools import POOLS

N = 240
STRUCTURE = {"open", "shipped", "cancelled", "com", "net", "org", "dr"}  # words that are no values of a pool


def tasks(split: Split, n: int = N) -> list[Task]:
    return list(islice(ToolUseMiniSource(split), n))


def kind(domain: Domain, template: Template) -> str:
    return f"{domain.name}/{template.kind or template.name}"


@pytest.mark.parametrize("split", SPLITS)
def test_every_round_of_seeds_holds_each_kind_once(split: Split) -> None:
    kinds = {f"{domain.name}/{template.name}": kind(domain, template) for domain, template in templates(split)}
    n = len(set(kinds.values()))
    for start in (0, 3 * n):
        drawn = [ToolUseMiniSource(split).sample(seed).provenance["template"] for seed in range(start, start + n)]
        assert sorted(kinds[name] for name in drawn) == sorted(set(kinds.values()))


@pytest.mark.parametrize("split", SPLITS)
def test_every_template_is_drawn_in_the_end(split: Split) -> None:
    drawn = {task.provenance["template"] for task in tasks(split, 600)}
    assert drawn == {f"{domain.name}/{template.name}" for domain, template in templates(split)}


def test_a_world_shows_as_many_facts_as_asked_for_in_an_order_of_its_own() -> None:
    for count in (1, 3, 6):
        shown = []
        for seed in range(60):
            task = ToolUseMiniSource().sample(seed, {"domain": "shop", "hops": 1, "facts": count})
            for table, facts in DOMAINS["shop"].schema.facts.items():
                fields = {tuple(name for name in row if name in facts) for row in task.hidden["db"][table].values()}
                assert len(fields) == 1, "all records of a table show the same"
                shown.append((table, *fields.pop()))
        assert {len(names) - 1 for names in shown} == {count}
        assert len(set(shown)) > 8


def test_each_domain_has_enough_templates_with_several_wordings() -> None:
    for name in DOMAINS:
        train, heldout = templates("train", name), templates("heldout", name)
        assert len(train) >= 6
        assert len(heldout) >= 3
        assert {template.hops for _, template in train} == {1, 2, 3}
        assert {template.hops for _, template in heldout} == {1, 2, 3}
        assert all(len(set(template.texts)) >= 3 for _, template in train)
        assert all(len(set(template.texts)) >= 2 for _, template in heldout)


def skills(domain: Domain, template: Template) -> set[str]:
    """Name the single things a template asks one to do: use a tool, pass or read a field, find the greatest."""
    paths = [path for _, *paths in template.calls for path in paths] + [template.answer]
    named = {path.split(".")[-1] for path in paths} - {"new"} | ({template.new} if template.new else set())
    return {call[0] for call in template.calls} | named | ({f"max {template.top}"} if template.top else set())


@pytest.mark.parametrize("name", DOMAINS)
def test_a_heldout_template_is_a_new_combination_of_skills_that_training_shows(name: str) -> None:
    train = templates("train")
    known = set[str]().union(*(skills(domain, template) for domain, template in train))
    texts = {text for _, template in train for text in template.texts}
    shapes = {(template.calls, template.answer, template.top) for _, template in train}
    for domain, template in templates("heldout", name):
        assert skills(domain, template) <= known, template.name
        assert (template.calls, template.answer, template.top) not in shapes, template.name
        assert not texts & set(template.texts), template.name


def cells(task: Task) -> list[Json]:
    return [value for table in task.hidden["db"].values() for row in table.values() for value in row.values()]


def words(value: Json) -> set[str]:
    return {word.casefold() for word in re.findall(r"[A-Za-z]{2,}", json.dumps(value))} - STRUCTURE


def test_the_splits_share_no_value_of_a_pool() -> None:
    assert not words(POOLS["train"].get("row")) & words(POOLS["heldout"].get("row"))
    pools = {split: set[str]().union(*(words(values) for values in POOLS[split].values())) for split in SPLITS}
    assert not pools["train"] & pools["heldout"]
    assert not set(POOLS["train"]["row"]) & set(POOLS["heldout"]["row"])
    used = {split: set[str]().union(*(words(cells(task)) for task in tasks(split))) for split in SPLITS}
    assert used["train"]
    assert used["heldout"]
    assert not used["train"] & used["heldout"]


@pytest.mark.parametrize("split", SPLITS)
def test_the_instruction_never_contains_the_answer(split: Split) -> None:
    days = (ToolUseMiniSource(split).sample(seed, {"domain": "clinic", "hops": 3}) for seed in range(1500))
    for task in (*tasks(split), *days):  # the day of a visit and the number of a room meet by chance
        answer = task.hidden["answer"]
        if answer == "done":
            assert task.hidden["changes"], task.id
        elif isinstance(answer, str):
            assert answer.casefold() not in task.instruction.casefold(), task.id
        else:
            assert str(answer) not in re.findall(r"\d+", task.instruction), task.id


@pytest.mark.parametrize("split", SPLITS)
def test_only_the_last_reply_shows_the_answer(split: Split) -> None:
    """Room 45 of a doctor whose visit takes 45 minutes would pay whoever reads the wrong number."""
    env = ToolUseMiniEnv(split=split)
    rooms = (ToolUseMiniSource(split).sample(seed, {"domain": "clinic", "hops": 3}) for seed in range(400))
    for task in (task for task in (*tasks(split), *rooms) if task.hidden["answer"] != "done"):
        env.reset(options={"task": task})
        *replies, _last, _ended = [env.step(action)[0] for action in env.oracle()]
        for reply in replies:
            shown = re.findall(r'[^"{}\[\]:,]+', reply)
            assert str(task.hidden["answer"]) not in shown, (task.id, reply)


@pytest.mark.parametrize("split", SPLITS)
def test_two_subjects_with_one_wording_have_one_solution(split: Split) -> None:
    """No prompt is ambiguous: whichever record it may speak of, the calls and the answer are the same."""
    for seed in range(3):
        for domain, template in templates(split):
            tables = ToolUseMiniSource(split).sample(seed, {"domain": domain.name, "facts": 6}).hidden["db"]
            solutions: dict[str, set[str]] = {}
            for id_ in tables[template.table]:
                target = domain.schema.refs.get(template.new)
                new = next(iter(tables[target])) if target else "x"
                subject = domain.subject(tables, template, id_, new)
                if domain.fits(tables, template, subject):
                    wording = domain.wording(tables, template, subject, template.texts[0])
                    values = [domain.value(tables, template, subject, p) for _, *ps in template.calls for p in ps]
                    answer = domain.value(tables, template, subject, template.answer)
                    solutions.setdefault(wording, set()).add(json.dumps([values, answer]))
            assert all(len(found) == 1 for found in solutions.values()), template.name


@pytest.mark.parametrize("split", SPLITS)
def test_prompts_are_short(split: Split) -> None:
    assert len(ToolUseMiniEnv.system_prompt.split()) <= 25
    for task in tasks(split):
        assert len(task.instruction.split()) <= 40
        assert len(task.tools) == 6
        assert all(len(tool["function"]["description"].split()) <= 8 for tool in task.tools)
        assert all(len(tool["function"]["parameters"]["properties"]) <= 2 for tool in task.tools)
        assert 2 <= len(task.hidden["calls"]) + 1 <= 4
        assert task.budget.turns == len(task.hidden["calls"]) + 1 + 3


@pytest.mark.parametrize("hops", [1, 2, 3])
@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("split", SPLITS)
def test_knobs_choose_domain_and_depth(split: Split, domain: str, hops: int) -> None:
    for seed in range(5):
        task = ToolUseMiniSource(split).sample(seed, {"domain": domain, "hops": hops})
        assert task.public == {"domain": domain}
        assert len(task.hidden["calls"]) == hops
        assert task.difficulty == {**KNOBS, "domain": domain, "hops": hops}


def test_records_make_lists_longer_and_distractors_share_first_names() -> None:
    def size(records: int) -> int:
        sampled = (ToolUseMiniSource().sample(seed, {"records": records}) for seed in range(30))
        return sum(len(table) for task in sampled for table in task.hidden["db"].values())

    def firsts(distractors: int) -> int:
        task = ToolUseMiniSource().sample(0, {"domain": "shop", "records": 5, "distractors": distractors})
        return len({user["name"].split()[0] for user in task.hidden["db"]["users"].values()})

    assert size(2) < size(4) < size(6)
    assert [firsts(0), firsts(1), firsts(5)] == [6, 3, 1]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("extreme", [(2, 0), (2, 5), (6, 0), (6, 5)])
def test_extreme_knobs_still_make_tasks(split: Split, extreme: tuple[int, int]) -> None:
    records, distractors = extreme
    knobs = {"records": records, "distractors": distractors}
    made = [ToolUseMiniSource(split).sample(seed, knobs) for seed in range(2 * len(templates(split)))]
    assert len({task.digest for task in made}) == len(made)


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"hops": 4}, "'hops' must be from 0 to 3"),
        ({"records": 1}, "'records' must be from 2 to 6"),
        ({"domain": "zoo"}, "must be any, shop, library, clinic, not 'zoo'"),
        ({"recods": 3}, "unknown difficulty knob 'recods'"),
        ({"hops": True}, "takes int, not True"),
    ],
)
def test_a_wrong_knob_is_named(knobs: dict[str, Json], told: str) -> None:
    with pytest.raises(TaskError, match=told):
        ToolUseMiniSource().sample(0, knobs)


@pytest.mark.parametrize("seed", [-1, True, 1.0, "1", None])
def test_a_seed_is_a_natural_number(seed: Json) -> None:
    with pytest.raises(TaskError, match="a seed must be an integer"):
        ToolUseMiniSource().sample(seed)


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(TaskError, match="'test'"):
        ToolUseMiniSource("test")  # type: ignore[arg-type]


def test_a_task_survives_json() -> None:
    for task in tasks("train", 30):
        assert Task.from_dict(json.loads(json.dumps(task.to_dict()))) == task
