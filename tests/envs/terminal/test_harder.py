"""Every operator's steps can be made harder: by values told elsewhere, by files beside them, by damaged inputs."""

import subprocess
from typing import Final

import pytest

from palestra.envs.draws import Draws
from palestra.envs.terminal.catalogue import OPERATORS, REPAIRS
from palestra.envs.terminal.compose import AREAS, joined
from palestra.envs.terminal.generate import TerminalTasks
from palestra.envs.terminal.harder import DAMAGES, MENDS, harder
from palestra.envs.terminal.step import HOME, TOLD, Knobs, Operator, Step
from palestra.envs.terminal.tree import Tree

FOLDER: Final = f"{HOME}/part"
SEEDS: Final = range(6)
EVERY: Final = pytest.mark.parametrize("operator", OPERATORS.values(), ids=lambda one: one.name)
WHOLE: Final = {  # operators none of whose steps can have a damaged input, by reason
    "files_archives": "the text names folders and archives, and no file of lines",
    "files_dates": "what there is has no text that counts",
    "files_duplicates": "what there is may be deleted",
    "files_find": "the text names folders and no input",
    "files_join": "the text names a folder and no input",
    "files_rename": "the text names a folder and no input",
    "logs_rotate": "every input is moved",
    "data_json_edit": "the input is what is edited",
    "data_line_edit": "the input is what is edited",
    "databases_dumps": "some inputs are no text, and the others no table",
    "databases_exports": "the input is no text",
    "databases_migrations": "the input is no text",
    "databases_reports": "the input is no text",
    "databases_views": "the input is no text",
}


def drawn(operator: Operator, seed: int, knobs: Knobs, *, is_damaged: bool = False) -> Step | None:
    draws, held = Draws("terminal", operator.name, seed, "harder"), seed % 2 == 1
    step = operator.draw(draws, FOLDER, None, knobs, heldout=held)
    if step is None:
        return None
    return harder(step, operator, draws, FOLDER, None, knobs, heldout=held, is_damaged=is_damaged)


@EVERY
def test_values_stand_in_a_file_that_the_text_names(operator: Operator) -> None:
    found = 0
    for seed in SEEDS:
        plain, told = drawn(operator, seed, Knobs()), drawn(operator, seed, Knobs(indirect=True))
        if plain is None or told is None:
            continue
        found += 1
        (path,) = [one for one in told.starts if one.endswith(f"/{TOLD}")]
        assert f"`{path}`" in told.text
        assert path in told.keeps
        values = dict(line.split("=", 1) for line in told.starts.text(path).splitlines())
        assert values
        assert all(values.values())
        if "X" in values:  # the operator itself knows of no such file
            before, _, _ = told.text.rpartition(" Here `[")
            for name, value in values.items():
                assert f"`{value}`" not in told.text
                before = before.replace(f"`[{name}]`", f"`{value}`")
            assert before == plain.text
    assert found


@EVERY
def test_files_of_similar_names_stand_beside_and_must_stay(operator: Operator) -> None:
    found = 0
    for seed in SEEDS:
        plain, beside = drawn(operator, seed, Knobs()), drawn(operator, seed, Knobs(decoys=4))
        if plain is None or beside is None:
            continue
        found += 1
        more = {path for path in beside.starts if path not in plain.starts}
        assert len({path[len(FOLDER) :] for path in more}) >= 4
        assert more <= set(beside.keeps)
        assert not any(f"`{path}`" in beside.text for path in more)
        assert joined([beside], [-1], [FOLDER], Tree()) is not None, "they are in the way"
    assert found


@EVERY
def test_a_step_without_knobs_is_the_operators_own(operator: Operator) -> None:
    for seed in SEEDS:
        draws = Draws("terminal", operator.name, seed, "harder")
        own, made = operator.draw(draws, FOLDER, None, Knobs(), heldout=seed % 2 == 1), drawn(operator, seed, Knobs())
        assert (own is None) == (made is None)
        if own is not None and made is not None:
            assert (own.text, own.starts, own.solve, own.keeps) == (made.text, made.starts, made.solve, made.keeps)


def test_inputs_can_be_damaged_but_for_those_of_some_operators() -> None:
    able = {
        operator.name
        for operator in OPERATORS.values()
        if operator.area != "scripting"
        and any(drawn(operator, seed, Knobs(), is_damaged=True) is not None for seed in range(40))
    }
    others = {operator.name for operator in OPERATORS.values() if operator.area != "scripting"} - able - REPAIRS
    assert others == set(WHOLE)


@pytest.mark.parametrize("name", DAMAGES)
def test_what_damages_a_text_is_mended_by_python_and_by_bash(name: str) -> None:
    damage, text = DAMAGES[name], "b\tfür 1\n\na  c\n" + "x" * 100 + "\n"
    data = damage.does(text)
    assert data != text.encode()
    assert damage.mends(data) == text
    ran = subprocess.run(["bash", "-c", damage.bash], input=data, capture_output=True, check=True)
    assert ran.stdout.decode() == text


@pytest.mark.parametrize("area", AREAS)
def test_something_can_be_mended_in_every_area(area: str) -> None:
    source = TerminalTasks("train")
    for seed in range(4):
        task = source.sample(seed, {"area": area, "operators": 2, "faults": 2})
        for step in task.hidden["steps"]:
            assert step["operator"] in REPAIRS or any(one.startswith(MENDS) for one in step["choices"])


def test_a_damaged_input_is_mended_and_then_stays() -> None:
    operator = OPERATORS["data_query"]
    step = next(step for seed in range(9) if (step := drawn(operator, seed, Knobs(), is_damaged=True)))
    whole = next(check for check in step.checks if check["path"] not in step.effect(step.starts).folders)
    path = whole["path"]
    assert path in step.makes
    assert path not in step.keeps
    assert step.starts.data(path) != whole["equals"].encode()
    assert step.effect(step.starts).text(path) == whole["equals"]
    assert "does not mend first" in step.wrong


def test_steps_that_go_on_with_another_have_decoys_too() -> None:
    source, found = TerminalTasks("train"), 0
    for seed in range(30):
        knobs = {"operators": 3, "indirect": seed % 2 == 0}
        few, many = (source.composed(seed, {**knobs, "decoys": count}) for count in (0, 3))
        for plain, beside, at in zip(few.steps, many.steps, many.sources, strict=True):
            found += at >= 0
            assert plain.operator == beside.operator
            assert len([path for path in beside.starts if path not in plain.starts]) >= 3
    assert found > 10
