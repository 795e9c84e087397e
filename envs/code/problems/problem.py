"""A whole problem: an archetype's parts, stages before and after them, and forms of input and output.

Every part of a problem, its statement and both references among them, comes from the same choices.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from palestra.envs.base import Json, Split
from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import FORMS, arrange
from palestra.envs.code.problems.parts import AREAS, Gives, Parts, Values
from palestra.envs.code.problems.stages import AFTER, LISTS, SMALL, STAGES, Stage

MOST_CASES: Final = 4
HELDOUT_SHARE: Final = 4  # one template in so many is held out
SHOWN: Final[dict[Gives, tuple[str, ...]]] = {
    "int": ("plain", "labelled"),
    "text": ("plain", "quoted"),
    "ints": ("line", "lines", "counted"),
    "words": ("line", "lines", "counted"),
}
Instance = Values
Input = tuple[Instance, ...]  # one or more cases


@dataclass(frozen=True)
class Problem:
    """A problem that can be stated, solved, and given inputs."""

    area: str
    name: str  # of the archetype
    choices: Mapping[str, Json]  # all that was chosen, from which the problem can be built again
    template: str
    parts: Parts  # its fields have their forms
    before: tuple[tuple[Stage, int], ...]
    after: tuple[tuple[Stage, int], ...]
    has_cases: bool
    shown: str
    words: tuple[str, str]  # the label of a result, and what is printed for nothing
    helpers: int
    others: tuple[tuple[str, Mapping[str, Json]], ...]  # what would be chosen with one thing another, by what is wrong

    @property
    def gives(self) -> Gives:
        """The type of what is printed."""
        return self.after[-1][0].gives if self.after else self.parts.gives

    @cached_property
    def source(self) -> str:
        """The reference: restricted Python."""
        return self._source(self.parts.solve)

    @cached_property
    def slow_source(self) -> str:
        """The reference whose running time grows faster; empty if there is none."""
        return self._source(self.parts.slow) if self.parts.slow else ""

    def written(self, given: Input) -> str:
        """Return an input as text."""
        head = f"{len(given)}\n" if self.has_cases else ""
        texts = (field.written(value) for case in given for field, value in zip(self.parts.fields, case, strict=True))
        return head + "".join(texts)

    def expected(self, given: Input) -> str:
        """Return the output that the laws give."""
        return "".join(self._printed(self._law(case)) for case in given)

    def statement(self, size: int) -> str:
        """Return what is asked, complete with what is read and printed."""
        fields = [f"- {field.says(size)}" for field in self.parts.fields]
        head = f"Input: a line with the number of cases (1 to {MOST_CASES}), then for each case:"
        lines = [self.parts.story, *self._steps(), "", head if self.has_cases else "Input:", *fields, ""]
        return "\n".join([*lines, f"Output{' for each case' if self.has_cases else ''}: {self._output()}"])

    def draw(self, draws: Draws, size: int) -> Input:
        """Return a random input of at most `size` items a field."""
        count = draws.between(1, MOST_CASES) if self.has_cases else 1
        return tuple(self._draw_case(draws, size) for _ in range(count))

    def corners(self, size: int) -> list[tuple[str, Input]]:
        """Return the borderline inputs, each with the name of its class; the same for the same problem."""
        draws = Draws(self.template, size, "corners")
        made: list[tuple[str, Values]] = list(self.parts.corners)
        if self.parts.draw is None:
            for place, field in enumerate(self.parts.fields):
                for name, value in field.corners(size):
                    others = self._draw_case(draws, min(size, 4))
                    made.append((f"{field.name}: {name}", (*others[:place], value, *others[place + 1 :])))
        else:
            made += [(f"of size {small}", self._draw_case(draws, small)) for small in (1, 1, 2, 2)]
        return [(name, (values,)) for name, values in made]

    def adversarial(self, draws: Draws, size: int) -> Input:
        """Return an input that is as large as may be, of values that are often the greatest and the least."""
        if self.parts.large is not None:
            return (self.parts.large(draws, size),)
        if self.parts.draw is not None:
            return (self._draw_case(draws, size),)
        case = []
        for field in self.parts.fields:
            most = field.limit(size)
            if field.sort == "ints":
                pool = (field.low, field.high, draws.between(field.low, field.high))
                case.append([draws.pick(pool) for _ in range(most)])
            else:
                case.append(field.draw(draws, size))
        return (tuple(case),)

    def _draw_case(self, draws: Draws, size: int) -> Values:
        if self.parts.draw is not None:
            return self.parts.draw(draws, size)
        return tuple(field.draw(draws, size) for field in self.parts.fields)

    def _law(self, case: Values) -> Any:
        values = list(case)
        for stage, k in self.before:
            place = [field.name for field in self.parts.fields].index(self.parts.before)
            values[place] = stage.law(values[place], k)
        result = self.parts.law(*values)
        for stage, k in self.after:
            result = stage.law(result, k)
        return result

    def _printed(self, result: Any) -> str:
        label, nothing = self.words
        if self.gives == "int":
            return f"{label} {result}\n" if self.shown == "labelled" else f"{result}\n"
        if self.gives == "text":
            return f'"{result}"\n' if self.shown == "quoted" else f"{result or nothing}\n"
        items = list(map(str, result))
        if self.shown == "counted":
            return f"{len(items)}\n" + (" ".join(items) + "\n" if items else "")
        return ("\n" if self.shown == "lines" else " ").join(items or [nothing]) + "\n"

    def _output(self) -> str:
        label, nothing = self.words
        if self.gives == "int":
            return "the result, an integer" if self.shown == "plain" else f"the word {label} and the result, an integer"
        if self.gives == "text":
            quoted = 'a line with the result between double quotes (")'
            return quoted if self.shown == "quoted" else f"a line with the result, or {nothing} if it is empty"
        if self.shown == "counted":
            return "a line with the length of the result, then, unless it is 0, a line with the result, space-separated"
        how = "one entry a line" if self.shown == "lines" else "on one line, separated by spaces"
        return f"the result, {how}; a line with {nothing} if it has no entries"

    def _steps(self) -> list[str]:
        field = next((field for field in self.parts.fields if field.name == self.parts.before), None)
        lines = []
        if field is not None and self.before:
            lines = [f"Before anything else, change {field.what}, in this order:"]
            lines += [f"- {_phrase(*stage)}" for stage in self.before]
        if self.after:
            lines += ["Then, with the result, in this order:", *(f"- {_phrase(*stage)}" for stage in self.after)]
        return lines

    def _source(self, solve: str) -> str:
        functions, lines, number = arrange(self.parts.fields) + solve, list[str](), 0
        for field in self.parts.fields:
            lines += field.read().splitlines()
        arguments = [field.name for field in self.parts.fields]
        for stage, k in self.before:
            place = [field.name for field in self.parts.fields].index(self.parts.before)
            number += 1
            functions, lines = self._applied(stage, k, number, arguments[place], functions, lines)
            arguments[place] = f"value{number}"
        lines.append(f"answer = solve({', '.join(arguments)})")
        last = "answer"
        for stage, k in self.after:
            number += 1
            functions, lines = self._applied(stage, k, number, last, functions, lines)
            last = f"value{number}"
        lines += self._print(last)
        if self.has_cases:
            lines = ["cases = read_int()", "for case in range(cases):", *(f"    {line}" for line in lines)]
        source = functions + "\n" + "\n".join(lines) + "\n"
        return source.replace(" and True", "").replace("True and ", "")

    def _applied(
        self, stage: Stage, k: int, number: int, before: str, functions: str, lines: list[str]
    ) -> tuple[str, list[str]]:
        """Return functions and lines with a stage more, as a function as long as there may be more of them."""
        if number <= self.helpers:
            name, function = stage.function(k, number)
            return functions + function, [*lines, f"value{number} = {name}({before})"]
        return functions, [*lines, *stage.inline(before, f"value{number}", k, number).splitlines()]

    def _print(self, last: str) -> list[str]:
        label, nothing = self.words
        if self.gives == "int":
            return [f'print("{label}", {last})' if self.shown == "labelled" else f"print({last})"]
        if self.gives == "text":
            quoted = [f"print('\"' + {last} + '\"')"]
            return quoted if self.shown == "quoted" else [f'print({last} if len({last}) > 0 else "{nothing}")']
        if self.shown == "counted":
            return [f"print(len({last}))", f"if len({last}) > 0:", f"    print(*{last})"]
        show = (
            [f"    for entry in {last}:", "        print(entry)"] if self.shown == "lines" else [f"    print(*{last})"]
        )
        return [f"if len({last}) > 0:", *show, "else:", f'    print("{nothing}")']


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is wanted of a problem, whatever its archetype is."""

    steps: int = 2
    structure: str = "any"
    format: str = "any"  # of lists, where they can have it
    helpers: int = 1  # stages that are functions, at most
    before: bool = True  # whether stages may come before the heart


def build(area: str, name: str, choices: Choices, plan: Plan) -> Problem:
    """Return the problem of an archetype with these choices."""
    parts = AREAS[area][name](choices).parts()
    before, after = _stages(parts, choices, plan)
    fields = []
    for field in parts.fields:
        known = FORMS[field.sort]
        wanted = [plan.format] if plan.format in known else known
        fields.append(replace(field, form=choices.pick(f"form of {field.name}", wanted)))
    gives = after[-1][0].gives if after else parts.gives
    structures = ("one", "one", "cases") if plan.structure == "any" else (plan.structure,)
    has_cases = choices.pick("structure", structures) == "cases"
    shown = choices.pick("shown", SHOWN[gives])
    words = _words(choices)
    return Problem(
        area=area,
        name=name,
        choices=choices.chosen,
        template=f"{area}/{name}: " + ", ".join(f"{key}={value}" for key, value in sorted(choices.picks.items())),
        parts=replace(parts, fields=tuple(fields)),
        before=before,
        after=after,
        has_cases=has_cases,
        shown=shown,
        words=words,
        helpers=plan.helpers,
        others=tuple(choices.otherwise()),
    )


def is_heldout(template: str) -> bool:
    """Return whether a template is never trained on."""
    return hashlib.sha256(template.encode()).digest()[0] % HELDOUT_SHARE == 0


def drawn(area: str, name: str, draws: Draws, split: Split, plan: Plan) -> Problem:
    """Return a random problem of an archetype whose template is of the split."""
    while True:
        problem = build(area, name, Choices(draws, split), plan)
        if is_heldout(problem.template) == (split == "heldout"):
            return problem


def rebuilt(area: str, name: str, given: Mapping[str, Json], split: Split, plan: Plan) -> Problem:
    """Return the problem of what was chosen; what is missing is drawn."""
    return build(area, name, Choices(Draws(f"{area}/{name}", 0, "rebuilt"), split, given), plan)


def _words(choices: Choices) -> tuple[str, str]:
    label = choices.constant("label", ("result", "answer", "total", "ans"), ("outcome", "value", "found"))
    return label, choices.constant("nothing", ("none", "empty", "-"), ("nothing", "void", "no"))


def _phrase(stage: Stage, k: int) -> str:
    return stage.phrase.replace("{k}", str(k))


def _stages(parts: Parts, choices: Choices, plan: Plan) -> tuple[tuple[tuple[Stage, int], ...], ...]:
    """Return as many stages as asked for, some before the heart and the others after it; each at most once."""
    before: list[tuple[Stage, int]] = []
    after: list[tuple[Stage, int]] = []
    used: set[str] = set()
    gives: Gives = parts.gives
    for number in range(1, plan.steps):
        where = ["after"]
        if parts.before and plan.before:
            where.append("before")
        is_before = choices.pick(f"stage {number} is", where) == "before"
        pool = [
            stage
            for stage in (LISTS if is_before else AFTER)
            if stage.name not in used and stage.takes == ("ints" if is_before else gives)
        ]
        if not pool:
            continue
        stage = STAGES[choices.pick(f"stage {number}", [stage.name for stage in pool])]
        used.add(stage.name)
        k = choices.constant(f"k{number}", *SMALL) if stage.needs_constant else 0
        (before if is_before else after).append((stage, k))
        if not is_before:
            gives = stage.gives
    return tuple(before), tuple(after)
