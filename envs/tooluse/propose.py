"""A model rewrites requests and proposes goals; whatever it returns passes the checks that composed tasks pass.

The goal of a rewritten task never changes, and where a rewrite fails a check, the template's words stay. A goal is
proposed as a request and a plan; the plan is carried out here and assembled like any other. Rejections are kept.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from palestra.envs.actions import compact_json, fits
from palestra.envs.base import Json, Split, Task, TaskSource, derive_seed
from palestra.envs.endpoint import Backend, NoJson
from palestra.envs.tooluse.assemble import assemble, judged_of
from palestra.envs.tooluse.case import Source
from palestra.envs.tooluse.closing import public_of
from palestra.envs.tooluse.describe import function
from palestra.envs.tooluse.generate import KNOBS, domains_of
from palestra.envs.tooluse.goals import derive
from palestra.envs.tooluse.literals import COMPARING, MOMENTS, literals, numbers
from palestra.envs.tooluse.planner import QUERY, Draft, Known, Rejected, dig
from palestra.envs.tooluse.schema import Domain, Write
from palestra.envs.tooluse.templates import split_of
from palestra.envs.tooluse.validate import check
from palestra.envs.tooluse.world import FAMILY, Base, fill

MAX_GROWTH = 2.0  # of a request that is rewritten, in characters
MAX_STEPS = 12  # of a plan that is proposed
_HOWS = ("sum", "difference", "largest", "smallest")
_EXAMPLES = 4  # rows of each table that a model is shown
_ID = re.compile(r"\b[a-z]{2,4}_\d+\b")
_NEGATION = re.compile(r"\b(not|no|never|without|except|unless|instead|don't|doesn't|isn't|ignore|skip|avoid)\b", re.I)
_FOREIGN = re.compile(r"[<>{}\[\]|`\\]|https?://|[^\S ]|[\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")

REWRITE = (
    "You rewrite requests that a person makes of an assistant. Say the same in other words, as a person would. Keep "
    "every id, name, title, number, date and time exactly as it is, keep the order of what is asked for, and add "
    'nothing and leave nothing out. Answer with one JSON object: {"request": "..."}.'
)
PROPOSE = (
    "You invent a request that a person may make of an assistant with these tools, and the calls that carry it out. "
    'Answer with one JSON object: {"request": text, "steps": [{"tool": name, "arguments": {name: value}}], "answer": '
    '[value]}. Where an argument or an answer comes from an earlier reply, give {"step": number from 0, "path": '
    '"results.0.id"} instead of a value; where it follows from several, {"how": "sum", "of": [...]}, or "difference", '
    '"largest", "smallest". Whatever is given as a value must stand in the request. Leave "answer" empty where nothing '
    "is asked."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """What a model returned in vain."""

    what: str  # "rewrite" or "goal"
    about: str  # the task's id, or the domain
    text: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Rewriting:
    """A source whose requests a model rewrites; where it fails, the words stay as they were.

    Args:
        source: of tasks of this family.
        backend: the model.
    """

    source: TaskSource
    backend: Backend
    rejections: list[Rejection] = field(default_factory=list)

    @property
    def split(self) -> Split:
        """The split of the tasks."""
        return self.source.split

    @property
    def knobs(self) -> Mapping[str, Json]:
        """The knobs of the source."""
        return self.source.knobs

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed in the model's words, or in the template's.

        Raises:
            TaskError: as the source does.
            InfraError: the model's server fails.
        """
        task = self.source.sample(seed, difficulty)
        text = ""
        try:
            proposed = self.backend.ask(REWRITE, task.instruction, derive_seed(FAMILY, task.id, seed, "rewrite"))
            text = str(proposed.get("request", ""))
            return rewritten(task, text)
        except (Rejected, NoJson) as error:
            self.rejections.append(Rejection(what="rewrite", about=task.id, text=text[:2000], reason=str(error)))
            return task

    def __iter__(self) -> Iterator[Task]:
        """Yield the tasks of seeds 0, 1, 2 ... without end."""
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1


def rewritten(task: Task, text: str) -> Task:
    """Return a task with its request in other words, and everything else as it was.

    Raises:
        Rejected: the words lose or add a value, turn something around, or fail a check of the case.
    """
    text = text.strip()
    judged = replace(judged_of(task), request=text)
    if reason := unfaithful(judged.base, task.instruction, text):
        raise Rejected(reason)
    if named := next((name for name in judged.tools if "_" in name and name in text), None):
        raise Rejected(f"words: the request names the tool {named}")
    if reason := check(judged):
        raise Rejected(reason)
    return replace(task, instruction=text, provenance={**task.provenance, "rewritten": True})


def unfaithful(base: Base, before: str, after: str) -> str:
    """Return which value or turn of a request is not the same in other words; "" if all are."""
    if not after or len(after) > MAX_GROWTH * len(before) + 80:
        return f"words: the request has {len(after)} characters where it had {len(before)}"
    if found := _FOREIGN.search(after):
        return f"words: {found.group()!r} is not what people write"
    for name, pattern in {"id": _ID, **MOMENTS}.items():
        if set(pattern.findall(before)) != set(pattern.findall(after)):
            return f"words: its {name}s are {sorted(set(pattern.findall(after)))}"
    if numbers(before) != numbers(after):
        return f"words: its numbers are {sorted(numbers(after))}, not {sorted(numbers(before))}"
    told, again = literals(base, before), literals(base, after)
    if changed := sorted(place for place in told.keys() | again.keys() if told.get(place) != again.get(place)):
        return f"words: it tells other values of {'.'.join(changed[0])}: {again.get(changed[0], ())}"
    for what, pattern in (("comparison", COMPARING), ("negation", _NEGATION)):
        old, new = (sorted(word.casefold() for word in pattern.findall(text)) for text in (before, after))
        if set(old) != set(new):
            return f"words: another {what}: {new}"
    if _sequence(told, before) != _sequence(told, after):
        return "words: it asks in another order"
    return ""


def _sequence(told: Mapping[tuple[str, str], Sequence[Json]], text: str) -> list[str]:
    """Return the texts that are told, in the order in which they first occur."""
    values = {value for some in told.values() for value in some if isinstance(value, str) and value in text}
    return sorted(values, key=lambda value: (text.index(value), -len(value), value))


# -- goals -----------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Proposing:
    """Goals that a model invents for the worlds of a split.

    Args:
        split: of the worlds.
        backend: the model.
    """

    split: Split
    backend: Backend
    rejections: list[Rejection] = field(default_factory=list)

    def propose(self, seed: int) -> Task | None:
        """Return the task that a model proposes for the world of a seed; None if it is rejected.

        Raises:
            InfraError: the model's server fails.
        """
        domains = domains_of(self.split)
        domain = domains[seed % len(domains)]
        world_seed = derive_seed(FAMILY, f"{domain.name}/{self.split}/proposed", seed, "world")
        base = fill(domain, self.split, world_seed)
        rng = random.Random(derive_seed(FAMILY, domain.name, seed, "proposal"))
        told: dict[str, Json] = {}
        try:
            told = self.backend.ask(PROPOSE, compact_json(_shown(rng, base)), seed)
            return composed(base, self.split, world_seed, seed, told)
        except (Rejected, NoJson) as error:
            self.rejections.append(
                Rejection(what="goal", about=domain.name, text=compact_json(told)[:2000], reason=str(error))
            )
            return None


def composed(base: Base, split: Split, world_seed: int, seed: int, told: Mapping[str, Json]) -> Task:
    """Return the task that a proposal amounts to: its plan is carried out, then checked like any other.

    Raises:
        Rejected: the proposal is malformed, its plan fails, or the case fails a check.
    """
    request, plan, asked = told.get("request"), told.get("steps"), told.get("answer", [])
    if not isinstance(request, str) or not isinstance(plan, list) or not isinstance(asked, list):
        raise Rejected("a proposal needs a request (text), steps (list) and an answer (list)")
    if not 1 <= len(plan) <= MAX_STEPS or len(asked) > MAX_STEPS:
        raise Rejected(f"a plan has 1 to {MAX_STEPS} steps, not {len(plan)}, and as many answers at most")
    if found := _FOREIGN.search(request):
        raise Rejected(f"words: {found.group()!r} is not what people write")
    rng = random.Random(derive_seed(FAMILY, base.domain.name, seed, "tools"))
    draft = Draft(base, split, rng)
    for step in plan:
        _carry_out(draft, step)
    answers = [_known(draft, one) for one in asked]
    template = "proposed." + ".".join(made.tool for made in draft.calls)
    if split_of(base.domain, template) != split:
        raise Rejected(f"{template} is a template of the other split")
    return assemble(draft, world_seed, request.strip(), answers, template=template, seed=seed, knobs=KNOBS)


def _carry_out(draft: Draft, step: Json) -> None:
    name, given = (step.get("tool"), step.get("arguments")) if isinstance(step, dict) else (None, None)
    if not isinstance(name, str) or name not in draft.domain.tool or not isinstance(given, dict):
        raise Rejected(f"a step needs one of the tools and arguments, not {str(step)[:100]}")
    tool = draft.domain.tool[name]
    arguments = {argument: _known(draft, value) for argument, value in given.items()}
    values = {argument: known.value for argument, known in arguments.items()}
    if not fits(values, function(draft.domain, tool)["function"]["parameters"]):
        raise Rejected(f"schema: the arguments do not fit {name}: {str(values)[:200]}")
    made = len(draft.calls)
    if isinstance(tool, Write):
        draft.write(tool, arguments)
    elif draft.read(tool, arguments) < made:
        raise Rejected(f"the plan makes the same call of {name} twice")


def _known(draft: Draft, told: Json) -> Known:
    """Return a value of the request, one that an earlier reply shows, or what follows from such."""
    if not isinstance(told, dict):
        return Known(told, QUERY)
    if "how" in told:
        return _derived(draft, told["how"], told.get("of"))
    step, path = told.get("step"), told.get("path")
    if type(step) is not int or not isinstance(path, str) or not 0 <= step < len(draft.calls):
        raise Rejected(f"a value comes from an earlier step and a path in its reply, not {str(told)[:100]}")
    value = dig(draft.calls[step].reply, path)
    if value is None or isinstance(value, (dict, list)):
        raise Rejected(f"the reply of step {step} shows no value at {path[:60]!r}")
    return Known(value, Source(kind="reply", step=step, path=path))


def _derived(draft: Draft, how: Json, of: Json) -> Known:
    if how not in _HOWS or not isinstance(of, list) or not 2 <= len(of) <= MAX_STEPS:
        raise Rejected(f"a derived value is one of {', '.join(_HOWS)} of two values or more, not {str(how)[:100]}")
    if any(not isinstance(one, dict) or "how" in one for one in of):
        raise Rejected("a derived value follows from values in replies")
    known = [_known(draft, one) for one in of]
    values = [one.value for one in known]
    if any(type(value) not in (int, float) for value in values) and (
        how in _HOWS[:2] or len(set(map(type, values))) > 1
    ):
        raise Rejected(f"no {how} follows from {str(values)[:100]}")
    return Known(derive(how, values), Source(kind="derived", how=how, of=tuple(one.source for one in known)))


def _shown(rng: random.Random, base: Base) -> dict[str, Json]:
    """Return what a model is shown of a world: its tools and some rows."""
    domain: Domain = base.domain
    rows = {
        name: {id_: table[id_] for id_ in rng.sample(list(table), min(_EXAMPLES, len(table)))}
        for name, table in base.rows.items()
    }
    return {**public_of(base), "tools": [function(domain, tool) for tool in domain.tools], "rows": rows}
