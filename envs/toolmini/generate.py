"""Tasks of the tool-use family, made from a seed: a world, a subject in it, and what is asked."""

import random
import re
from collections.abc import Iterator, Mapping

from palestra.envs.actions import function_tool
from palestra.envs.base import SPLITS, Budget, Json, Split, Task, TaskError, derive_seed, merge_knobs
from palestra.envs.toolmini import clinic, facts, library, shop
from palestra.envs.toolmini.domain import DONE, Domain, Template
from palestra.envs.toolmini.oracle import Plan, plan
from palestra.envs.toolmini.pools import POOLS, fresh
from palestra.envs.toolmini.tables import Record, Tables

FAMILY = "tooluse"
GENERATOR_VERSION = 1
DOMAINS: Mapping[str, Domain] = {module.DOMAIN.name: module.DOMAIN for module in (shop, library, clinic)}
KNOBS: Mapping[str, Json] = {"domain": "any", "hops": 0, "records": 3, "distractors": 1, "facts": 3}
_RANGES = {"hops": (0, 3), "records": (2, 6), "distractors": (0, 5), "facts": (1, 6)}
SPARE_TURNS = 3  # beyond the oracle's
MAX_WORLDS = 64  # tried before a seed is given up


class ToolUseMiniSource:
    """The family's own tasks.

    Knobs: ``domain`` ("any", or the name of one), ``hops`` (how many calls a task takes; 0 means any),
    ``records`` (how long lists are on average), ``distractors`` (how many people share a first name),
    ``facts`` (how many plain fields a record shows beside those that it always has). Any run of as many
    seeds as there are kinds of template, starting at a multiple of it, holds each kind once.

    Raises:
        TaskError: the split is unknown.
    """

    def __init__(self, split: Split = "train") -> None:
        if split not in SPLITS:
            raise TaskError(f"split must be one of {', '.join(SPLITS)}, not {split!r}")
        self.split: Split = split
        self.knobs: Mapping[str, Json] = dict(KNOBS)

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed: the same bytes for the same arguments, in any process.

        Raises:
            TaskError: the seed is no integer, or a knob is unknown or out of range.
        """
        if type(seed) is not int or seed < 0:
            raise TaskError(f"a seed must be an integer of at least 0, not {seed!r}")
        knobs = _checked(merge_knobs(KNOBS, difficulty))
        domain, template = _choose(seed, templates(self.split, knobs["domain"], knobs["hops"]))
        key = f"{domain.name}/{template.name}"
        for attempt in range(MAX_WORLDS):
            rng = random.Random(derive_seed(FAMILY, key, seed, f"world/{attempt}"))
            filled = domain.fill(rng, POOLS[self.split], knobs["records"], knobs["distractors"])
            tables = facts.choose(rng, domain, template, filled, knobs["facts"])
            rng = random.Random(derive_seed(FAMILY, key, seed, f"subject/{attempt}"))
            subject = _subject(rng, self.split, domain, template, tables)
            if subject is None:
                continue
            text = random.Random(derive_seed(FAMILY, key, seed, "wording")).choice(template.texts)
            instruction = domain.wording(tables, template, subject, text)
            answer = domain.value(tables, template, subject, template.answer)
            solved = plan(domain, template, tables, subject)
            if answer == DONE or not any(_occurs(answer, told) for told in (instruction, *solved.replies[:-1])):
                return self._task(seed, knobs, domain, template, tables, solved, instruction, answer)
        raise TaskError(f"no {key} task for seed {seed} with {knobs} in {MAX_WORLDS} tries; take another seed")

    def __iter__(self) -> Iterator[Task]:
        """Yield the tasks of seeds 0, 1, 2 ... without end."""
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1

    def _task(
        self,
        seed: int,
        knobs: Mapping[str, Json],
        domain: Domain,
        template: Template,
        tables: Tables,
        solved: Plan,
        instruction: str,
        answer: Json,
    ) -> Task:
        schema = domain.schema
        return Task(
            id=f"{FAMILY}/{domain.name}/{template.name}/{self.split}/{seed}",
            family=FAMILY,
            seed=seed,
            instruction=instruction,
            difficulty=knobs,
            tools=(*(schema.function(tool) for tool in schema.tools), _answer_tool(answer)),
            budget=Budget(turns=len(solved.calls) + 1 + SPARE_TURNS),
            public={"domain": domain.name},
            hidden={"db": tables, "calls": solved.calls, "changes": solved.changes, "answer": answer},
            provenance={
                "template": f"{domain.name}/{template.name}",
                "split": self.split,
                "generator": GENERATOR_VERSION,
            },
        )


def templates(split: Split, domain: str = "any", hops: int = 0) -> list[tuple[Domain, Template]]:
    """Return a split's templates with their domains, in a fixed order."""
    return [
        (one, template)
        for one in DOMAINS.values()
        for template in one.templates
        if template.split == split and domain in ("any", one.name) and hops in (0, template.hops)
    ]


def _checked(knobs: dict[str, Json]) -> dict[str, Json]:
    for name, (low, high) in _RANGES.items():
        if not low <= knobs[name] <= high:
            raise TaskError(f"knob {name!r} must be from {low} to {high}, not {knobs[name]!r}")
    if knobs["domain"] != "any" and knobs["domain"] not in DOMAINS:
        raise TaskError(f"knob 'domain' must be any, {', '.join(DOMAINS)}, not {knobs['domain']!r}")
    return knobs


def _choose(seed: int, options: list[tuple[Domain, Template]]) -> tuple[Domain, Template]:
    """Deal the kinds like cards: every round of seeds has its own order, so strides do not alias."""
    kinds: dict[tuple[str, str], list[tuple[Domain, Template]]] = {}
    for domain, template in options:
        kinds.setdefault((domain.name, template.kind or template.name), []).append((domain, template))
    around, position = divmod(seed, len(kinds))
    order = list(kinds)
    random.Random(derive_seed(FAMILY, "", around, "order")).shuffle(order)
    return random.Random(derive_seed(FAMILY, "", seed, "template")).choice(kinds[order[position]])


def _subject(rng: random.Random, split: Split, domain: Domain, template: Template, tables: Tables) -> Record | None:
    fits = [
        subject
        for id_ in tables[template.table]
        if domain.fits(tables, template, subject := domain.subject(tables, template, id_))
    ]
    if not fits:
        return None
    subject = rng.choice(fits)
    if template.new in domain.schema.refs:
        subject["new"] = rng.choice(list(tables[domain.schema.refs[template.new]]))
    elif template.new:
        subject["new"] = fresh(rng, POOLS[split], template.new)
    return None if template.new and subject["new"] == subject[template.new] else subject


def _occurs(answer: Json, told: str) -> bool:
    """Tell whether a text gives the answer away, in another meaning or in its own."""
    if isinstance(answer, str):
        return answer.casefold() in told.casefold()
    return str(answer) in re.findall(r"\d+", told)


def _answer_tool(answer: Json) -> dict[str, Json]:
    kind = "string" if isinstance(answer, str) else "number"
    return function_tool("answer", "Give the final answer.", {"value": {"type": kind}})
