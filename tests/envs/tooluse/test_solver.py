"""The second solver: independent of the composer, and right about what can be done in how many calls."""

import ast
from itertools import islice
from pathlib import Path

import pytest

from palestra.envs.base import SPLITS, Split
from palestra.envs.tooluse import backward, literals, solver
from palestra.envs.tooluse.assemble import judged_of
from palestra.envs.tooluse.domains.retail import RETAIL
from palestra.envs.tooluse.generate import ToolUseSource
from palestra.envs.tooluse.interpret import call, is_fault
from palestra.envs.tooluse.solver import Asked, Wanted, solve
from palestra.envs.tooluse.validate import check
from palestra.envs.tooluse.world import World, fill

BASE = fill(RETAIL, "train", 7)
ROWS = BASE.rows
ORDER = next(id_ for id_, row in ROWS["orders"].items() if row["status"] == "pending")
CUSTOMER = str(ROWS["orders"][ORDER]["customer_id"])
COMPOSER = (
    "planner",
    "referral",
    "goals",
    "parts",
    "statement",
    "templates",
    "generate",
    "assemble",
    "phrases",
    "case",
)


@pytest.mark.parametrize("module", [solver, backward, literals])
def test_it_shares_no_code_with_the_composer(module: object) -> None:
    path = Path(str(getattr(module, "__file__", "")))
    imported = {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
    assert not {f"palestra.envs.tooluse.{name}" for name in COMPOSER} & imported


@pytest.mark.parametrize("split", SPLITS)
def test_both_solvers_reach_the_same_end(split: Split) -> None:
    for task in islice(ToolUseSource(split), 40):
        judged = judged_of(task)
        assert check(judged) == "", task.id
        assert judged.solution is not None
        assert len(judged.solution.calls) >= len(judged.case.steps), "a shorter way would have been a reason to reject"
        world = World(judged.base)
        assert not any(is_fault(call(world, name, arguments)) for name, arguments in judged.solution.calls)
        assert [tuple(cell) for cell in world.diff()] == [tuple(cell) for cell in judged.case.goal.changes]
        answers = judged.case.goal.answer
        told = answers if isinstance(answers, list) else [] if answers is None else [answers]
        assert list(judged.solution.answers) == told


def test_a_cell_takes_as_many_calls_as_references_lie_between() -> None:
    def calls(table: str, id_: str, column: str, text: str, tools: list[str] | None = None) -> list[str] | None:
        found = solve(BASE, text, Wanted(asked=(Asked(place=(table, id_, column)),)), tools)
        return None if found is None else [name for name, _ in found.calls]

    assert calls("orders", ORDER, "carrier", f"Who delivers order {ORDER}?") == ["get_order"]
    tools = ["get_order", "get_customer"]
    assert calls("customers", CUSTOMER, "tier", f"What is the tier of the customer of {ORDER}?", tools) == tools
    assert calls("orders", ORDER, "carrier", "Who delivers it?") is None, "nothing in the request leads there"
    assert calls("orders", ORDER, "nothing", f"What of order {ORDER}?") is None


def test_a_write_is_found_from_its_changes() -> None:
    def calls(text: str, *changes: tuple[str, str, str, object]) -> list[tuple[str, dict[str, object]]] | None:
        found = solve(BASE, text, Wanted(changes=changes))
        return None if found is None else [(name, dict(arguments)) for name, arguments in found.calls]

    wanted = ("orders", ORDER, "status", "cancelled")
    assert calls(f"Cancel {ORDER}.", wanted) == [("cancel_order", {"order_id": ORDER})]
    assert calls("Cancel it.", wanted) is None
    credit = round(float(str(ROWS["customers"][CUSTOMER]["credit"])) + 12.5, 2)
    assert calls(f"Grant {CUSTOMER} 12.50 USD.", ("customers", CUSTOMER, "credit", credit)) == [
        ("grant_credit", {"customer_id": CUSTOMER, "amount": 12.5})
    ]
    assert calls(f"Grant {CUSTOMER} something.", ("customers", CUSTOMER, "credit", credit)) is None
    assert calls(f"Cancel {ORDER}.", ("orders", ORDER, "status", "shipped")) is None, "no tool does that"


def test_two_writes_are_found_in_the_order_that_works() -> None:
    other = next(c for c in ("Swiftpost", "Bluebox") if c != ROWS["orders"][ORDER]["carrier"])
    wanted = Wanted(changes=(("orders", ORDER, "carrier", other), ("orders", ORDER, "status", "cancelled")))
    found = solve(BASE, f"Cancel {ORDER}, but first give it to {other}.", wanted)
    assert found is not None
    assert [name for name, _ in found.calls] == ["change_carrier", "cancel_order"]


def test_only_the_tools_that_there_are_can_be_used() -> None:
    wanted = Wanted(asked=(Asked(place=("orders", ORDER, "carrier")),))
    assert solve(BASE, f"Who delivers {ORDER}?", wanted, ["get_customer", "list_orders"]) is None


def test_a_total_can_be_counted_or_listed() -> None:
    own = frozenset(id_ for id_, row in ROWS["orders"].items() if row["customer_id"] == CUSTOMER)
    wanted = Wanted(asked=(Asked(total=("orders", own, "count", "")),))
    for tools in (["count_orders"], ["list_orders"]):
        found = solve(BASE, f"How many orders has {CUSTOMER}?", wanted, tools)
        assert found is not None
        assert ([name for name, _ in found.calls], found.answers) == (tools, (len(own),))


def test_literals_are_whole_words_and_numbers() -> None:
    name, email = str(ROWS["customers"][CUSTOMER]["name"]), str(ROWS["customers"][CUSTOMER]["email"])
    told = literals.literals(BASE, f"Is {name} ({email}) the one with {ORDER}, {CUSTOMER}0 and wrong item?")
    assert told["customers", "name"] == (name,)
    assert told["customers", "email"] == (email,)
    assert told["orders", "id"] == (ORDER,)
    assert ("customers", "id") not in told, "a longer id is another id"
    assert told["returns", "reason"] == ("wrong_item",)
    assert literals.numbers("12.50 USD on 2024-03-02 at 09:30 for ord_7, -3 and 5.") >= {12.5, -3.0, 5.0}
    assert not {7.0, 2024.0, 3.0, 2.0} & literals.numbers("ord_7 on 2024-03-02")
    assert literals.occurs(3, "send 3.")
    assert not literals.occurs(3, "send 30, 3.5 or v3")
    assert not literals.occurs("", "anything")
    assert not literals.occurs(True, "1 true")
