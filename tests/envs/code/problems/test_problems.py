"""Problems are stated, solved and tested from the same choices, and their two references agree."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from palestra.envs.base import SPLITS, Split
from palestra.envs.code.draws import Draws
from palestra.envs.code.ir.parse import parse
from palestra.envs.code.problems.catalogue import AREAS
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import FORMS, SEPARATED, Field
from palestra.envs.code.problems.large import large_test
from palestra.envs.code.problems.problem import Plan, Problem, build, drawn, is_heldout, rebuilt
from palestra.envs.code.problems.stages import AFTER, Stage
from palestra.envs.code.problems.tasks import archetypes
from palestra.envs.code.problems.testing import Case, cases_of, choose, inputs, printer, words_of, wrong_programs

ARCHETYPES = sorted((area, name) for area, names in AREAS.items() for name in names)
SIZE = 8


def problem_of(area: str, name: str, seed: int, split: Split = "train", **plan: Any) -> Problem:
    return drawn(area, name, Draws(f"{area}/{name}", seed, "test"), split, Plan(**plan))


def pool_of(problem: Problem, count: int) -> list[Case]:
    """Return cases on which law and reference agree, or raise."""
    draws = Draws(problem.template, 0, "pool")
    hard = [("adversarial", problem.adversarial(draws, SIZE)) for _ in range(count // 8)]
    return cases_of(
        problem, [*problem.corners(SIZE), *inputs(problem, draws, SIZE, count), *hard], parse(problem.source)
    )


def test_there_are_many_areas_archetypes_and_choices() -> None:
    assert len(AREAS) >= 10
    for area, names in AREAS.items():
        assert len(names) >= 3, area
    for area, name in ARCHETYPES:
        choices = Choices(Draws("count", 0, name), "train")
        AREAS[area][name](choices)
        picks = [one for one in choices.otherwise() if one[0].partition("=")[0] in choices.picks]
        assert len(picks) >= 4, f"{area}/{name} has fewer than four other ways"


@pytest.mark.parametrize(("area", "name"), ARCHETYPES)
def test_law_and_reference_agree(area: str, name: str) -> None:
    for seed, split in itertools.product(range(2), SPLITS):
        problem = problem_of(area, name, seed, split, steps=1 + seed)
        assert len(pool_of(problem, 16)) >= 5


@pytest.mark.slow
@pytest.mark.parametrize(("area", "name"), ARCHETYPES)
def test_law_and_reference_agree_on_many_inputs(area: str, name: str) -> None:
    agreed = 0
    for seed in range(12):
        problem = problem_of(area, name, seed, SPLITS[seed % 2], steps=1 + seed % 4, helpers=seed % 3)
        agreed += len(pool_of(problem, 40))
    assert agreed >= 200


@pytest.mark.slow
@pytest.mark.parametrize(("area", "name"), ARCHETYPES)
def test_naive_references_agree_as_well(area: str, name: str) -> None:
    for seed in range(6):
        problem = problem_of(area, name, seed)
        assert not problem.slow_source or parse(problem.slow_source) != parse(problem.source)
        for case in pool_of(problem, 16) if problem.slow_source else ():
            assert printer(parse(problem.slow_source))(case.stdin) == case.lines


def test_a_problem_can_be_built_again() -> None:
    for area, name in ARCHETYPES:
        plan = Plan(steps=3)
        problem = drawn(area, name, Draws("again", 1, name), "heldout", plan)
        again = rebuilt(area, name, problem.choices, "heldout", plan)
        assert (again.source, again.template, again.statement(6)) == (
            problem.source,
            problem.template,
            problem.statement(6),
        )


def test_splits_share_no_template_and_no_constant() -> None:
    templates: dict[str, set[str]] = {}
    for split in SPLITS:
        made = [problem_of(area, name, seed, split) for area, name in ARCHETYPES for seed in range(3)]
        templates[split] = {problem.template for problem in made}
        assert {is_heldout(problem.template) for problem in made} == {split == "heldout"}
    assert not templates["train"] & templates["heldout"]


def test_statements_say_what_is_read_and_printed() -> None:
    for area, name in ARCHETYPES:
        problem = problem_of(area, name, 0)
        statement = problem.statement(SIZE)
        assert "result" in statement
        assert statement.count("\nInput:") + statement.count("\nInput: ") >= 1
        assert "Output" in statement
        assert not any(mark in statement for mark in ("{", "<k>", "None", "  ")) or "{}" in str(problem.choices)


@pytest.mark.parametrize("sort", ["ints", "words"])
def test_every_form_of_a_list_is_read_as_it_was_written(sort: str) -> None:
    values: Any = {"ints": ([], [7], [3, -4, 0]), "words": ([], ["ab"], ["a", "bc", "a"])}[sort]
    for form in FORMS[sort]:  # type: ignore[index]
        field = Field(name="xs", sort=sort, what="the list", form=form)  # type: ignore[arg-type]
        helpers = SEPARATED if form == "comma" else ""
        program = parse(
            f"{helpers}\n{field.read()}\nprint(len(xs))\nfor x in xs:\n    print(x)\nlast = read_line()\nprint(last)\n"
        )
        for value in values:
            told = words_of("\n".join(map(str, [len(value), *value, "next"])))
            assert printer(program)(field.written(value) + "next\n") == told, (form, value)


@pytest.mark.parametrize("stage", AFTER, ids=lambda stage: stage.name)
def test_a_stage_does_what_its_law_says(stage: Stage) -> None:
    kinds = {"int": "read_int()", "text": "read_line()"}
    values: Any = {
        "int": [(0, "0"), (-37, "-37"), (48, "48")],
        "text": [("ab", "ab"), ("xyz", "xyz")],
        "ints": [([], "0"), ([4, -3, 4, 12, 9], "5 4 -3 4 12 9"), ([2], "1 2")],
        "words": [([], ""), (["a", "b:2", "a"], "a b:2 a")],
    }
    name, function = stage.function(3, 1)
    first = {"ints": "n = read_int()\nx = read_ints(n)", "words": "line = read_line()\nx = line.split()"}.get(
        stage.takes, f"x = {kinds.get(stage.takes)}"
    )
    show = "print(*z)" if stage.gives in ("ints", "words") else "print(z)"
    inlined = stage.inline("x", "z", 3, 1)
    for value, text in values[stage.takes]:
        law = stage.law(value, 3)
        told = words_of(" ".join(map(str, law)) if isinstance(law, list) else str(law))
        assert printer(parse(f"{function}\n{first}\nz = {name}(x)\n{show}\n"))(f"{text}\n") == told
        assert printer(parse(f"{first}\n{inlined}{show}\n"))(f"{text}\n") == told


def test_no_kept_test_is_useless() -> None:
    """Each fails a wrong program that the tests before it let pass, or is the first of its class."""
    kept = 0
    for area, name in ARCHETYPES[::6]:
        plan = Plan(steps=2)
        problem = problem_of(area, name, 3, steps=2)
        chosen = choose(problem, plan, Draws(problem.template, 0, "choose"), 6, (0.3, 0.2))
        if chosen is None:
            continue
        kept += 1
        wrong = dict(wrong_programs(problem, plan, parse(problem.source)))
        for number, (case, reason) in enumerate(zip(chosen.hidden, chosen.reasons, strict=True)):
            if reason in wrong:
                own = wrong[reason]
                assert printer(own, 10_000)(case.stdin) != case.lines
                assert all(printer(own, 10_000)(other.stdin) == other.lines for other in chosen.hidden[:number])
            else:
                assert reason.startswith(("simple: ", "corner: "))
        shown = {case.stdin for case in chosen.examples}
        assert not shown & {case.stdin for case in chosen.hidden}
    assert kept >= 3


@pytest.mark.slow
@pytest.mark.parametrize("cost", ["linear", "loglinear", "quadratic"])
def test_a_large_test_is_far_beyond_naive_solutions(cost: str) -> None:
    plan = Plan(steps=2, structure="one", before=False)
    for (area, name), seed in itertools.product(archetypes(cost), range(30)):
        problem = drawn(area, name, Draws(f"{area}/{name}", seed, "large"), "train", plan)
        large = large_test(problem, Draws(problem.template, seed, "large"))
        if large is not None:
            assert large.steps * 4 <= large.cpu_s * 10_000_000
            assert large.naive_steps >= 10 * large.cpu_s * 10_000_000
            return
    pytest.fail(f"no large test demands {cost} time")


def test_choices_are_replayed_and_varied() -> None:
    first = Choices(Draws("x", 1, "y"), "train")
    picked = first.pick("tie", ("first", "last")), first.constant("k", (3,), (4,))
    others = dict(first.otherwise())
    assert set(others) == {"tie=last" if picked[0] == "first" else "tie=first", "k+1", "k-1"}
    again = Choices(Draws("z", 9, "y"), "heldout", first.chosen)
    assert (again.pick("tie", ("first", "last")), again.constant("k", (3,), (4,))) == picked


def test_a_plan_is_kept_to() -> None:
    for area, name in ARCHETYPES[::5]:
        problem = build(area, name, Choices(Draws("plan", 0, name), "train"), Plan(steps=1, structure="cases"))
        assert problem.has_cases
        assert not problem.before + problem.after
        assert problem.statement(6).count("number of cases") == 1
        assert replace(problem, has_cases=False).statement(6).count("number of cases") == 0
