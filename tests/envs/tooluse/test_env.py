"""Episodes: what the oracle earns, what a call does, and how one can end."""

import json
from dataclasses import replace

import pytest
from tests.envs.tooluse.byhand import BASE, PENDING, carrier_case, earn, say, task_of

from palestra.envs.augment.stack import Stack
from palestra.envs.base import SPLITS, Json, Split, Task, TaskError
from palestra.envs.tooluse.case import Case, Goal, Source
from palestra.envs.tooluse.closing import CLOSING
from palestra.envs.tooluse.env import ToolUseEnv

N = 60


@pytest.mark.parametrize("split", SPLITS)
def test_the_oracle_earns_1_and_doing_nothing_0(split: Split) -> None:
    env = ToolUseEnv(split=split)
    for seed in range(N):
        task = env.tasks.sample(seed)
        env.reset(options={"task": task})
        assert earn(env, task, list(env.oracle())) == 1.0, task.id
        assert earn(env, task, []) == 0.0


@pytest.mark.parametrize("split", SPLITS)
def test_the_oracle_does_all_of_its_own_steps(split: Split) -> None:
    """With progress paid and not taken back, it earns 1 more."""
    env = ToolUseEnv(split=split, shaping="progress")
    for seed in range(N):
        task = env.tasks.sample(seed)
        env.reset(options={"task": task})
        assert earn(env, task, list(env.oracle())) == 2.0, task.id


def test_calls_of_one_turn_are_carried_out_in_their_order() -> None:
    env, order = ToolUseEnv(), PENDING[0]
    task = task_of(carrier_case(order))
    env.reset(options={"task": task})
    carrier = say("change_carrier", order_id=order, carrier="Bluebox")
    observation, *_ = env.step(carrier + say("cancel_order", order_id=order) + carrier)
    codes = [json.loads(line).get("error", {}).get("code") for line in observation.splitlines()]
    assert codes == [None, None, "not_allowed"]


def test_what_cannot_be_read_is_told_and_changes_nothing() -> None:
    env = ToolUseEnv()
    task = task_of(carrier_case(PENDING[0]))
    for action in ('{"name": "no_such_tool", "arguments": {}}', "<tool_call>{", say("get_order"), '{"name": 1}'):
        env.reset(options={"task": task})
        key = env._state_key()
        observation, reward, over, _, info = env.step(action)
        assert (reward, over, info["state_key"]) == (0.0, False, key)
        assert observation.startswith("error: ")
        assert info["error"]


def test_what_is_written_and_undone_is_not_forgotten() -> None:
    env, (order, other) = ToolUseEnv(), PENDING[:2]
    case = carrier_case(order)
    task = task_of(case)
    right = say("change_carrier", **case.steps[0].arguments)
    before = BASE.rows["orders"][other]["carrier"]
    away, back = (say("change_carrier", order_id=other, carrier=name) for name in ("Swiftpost Two", before))
    assert earn(env, task, [right, say("finish")]) == 1.0
    assert earn(env, task, [right, away, back, say("finish")]) == 0.0
    assert env.verdict().checks[-1].name == "writes"
    assert not env.verdict().checks[-1].passed
    assert earn(env, task, [say("change_carrier", order_id=order, carrier="Globo"), right, say("finish")]) == 1.0


ENDS = {
    "finish": say("finish"),
    "report": say("report_problem", code="not_found", tool="get_order", parameter="order_id"),
    "report another": say("report_problem", code="not_found", tool="get_order"),
    "refuse": say("decline", reason="no_tool"),
    "refuse otherwise": say("decline", reason="not_allowed"),
    "ask": say("ask_user", about="Which carrier, please?"),
}
GOALS = {
    "finish": Goal(),
    "report": Goal(ending="report", told={"code": "not_found", "tool": "get_order", "parameter": "order_id"}),
    "refuse": Goal(ending="refuse", told={"reason": "no_tool"}),
    "ask": Goal(ending="ask", told={"tool": "change_carrier", "parameter": "carrier"}),
}


@pytest.mark.parametrize("ending", GOALS)
@pytest.mark.parametrize("said", ENDS)
def test_only_the_right_ending_is_worth_anything(ending: str, said: str) -> None:
    case = carrier_case(PENDING[0], steps=(), goal=GOALS[ending])
    env = ToolUseEnv()
    assert earn(env, task_of(case), [ENDS[said]]) == float(said == ending)
    assert earn(env, task_of(case), list(env.oracle())) == 1.0


def test_asking_is_no_ending_after_a_write() -> None:
    case = carrier_case(PENDING[0], steps=(), goal=GOALS["ask"])
    assert earn(ToolUseEnv(), task_of(case), [say("cancel_order", order_id=PENDING[0]), ENDS["ask"]]) == 0.0


def test_what_the_oracle_has_to_ask_it_asks_first() -> None:
    case = carrier_case(PENDING[0])
    step = replace(case.steps[0], sources={"carrier": Source(kind="user", path="carrier")})
    told = str(step.arguments["carrier"])
    task = task_of(replace(case, steps=(step,), user={"carrier|delivery service": f"{told}, please."}))
    env = ToolUseEnv()
    env.reset(options={"task": task})
    actions = list(env.oracle())
    assert actions[0] == say("ask_user", about="carrier")
    assert env.step(actions[0])[0] == json.dumps({"user": f"{told}, please."}, separators=(",", ":"))
    assert earn(env, task, actions) == 1.0


def test_snapshots_hold_all_that_an_episode_came_to() -> None:
    env, (order, other) = ToolUseEnv(), PENDING[:2]
    case = carrier_case(order, user={"carrier": "Any."})
    env.reset(options={"task": task_of(case)})
    env.step(say("ask_user", about="carrier"))
    env.step(say("change_carrier", order_id=other, carrier="Globo"))
    env.step(say("change_carrier", **case.steps[0].arguments))
    (fork,) = env.fork()
    assert fork._dump() == env._dump()
    assert fork.final == env.final
    assert fork.final.touched == {("orders", other, "carrier")}
    assert fork.step(say("finish"))[1:3] == env.step(say("finish"))[1:3]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda hidden: hidden.pop("goal"),
        lambda hidden: hidden["place"].update(domain="nowhere"),
        lambda hidden: hidden["place"].update(digest="0" * 64),
        lambda hidden: hidden["place"].update(seed="seven"),
        lambda hidden: hidden["steps"].append({"tool": "no_tool", "arguments": {}, "after": [], "sources": {}}),
        lambda hidden: hidden["goal"].update(changes=[["orders", "x"]]),
        lambda hidden: hidden["layers"].append({"operator": "no_such_layer"}),
        lambda hidden: hidden["goal"].update(ending="ask"),
    ],
)
def test_a_malformed_task_is_refused(spoil: object) -> None:
    hidden = carrier_case(PENDING[0]).to_dict()
    assert callable(spoil)
    spoil(hidden)
    with pytest.raises(TaskError):
        ToolUseEnv().reset(options={"task": replace(task_of(carrier_case(PENDING[0])), hidden=hidden)})


# -- augmentations -----------------------------------------------------------------------------

RENAME = {
    "operator": "rename",
    "tools": {"change_carrier": "alterCarrier"},
    "arguments": {"change_carrier": {"carrier": "svc_carrier", "order_id": "svc_order_id"}},
    "values": {},
}
FAULT = {"operator": "faults", "schedule": [{"at": 0, "kind": "timeout", "times": 1}]}


def layered(case: Case, *layers: dict[str, Json]) -> Task:
    """Return the task of a case under layers, with the tools that the agent sees."""
    task = task_of(replace(case, layers=layers))
    shown = Stack(layers).tools([tool for tool in task.tools if tool["function"]["name"] not in CLOSING])
    closing = [tool for tool in task.tools if tool["function"]["name"] in CLOSING]
    return replace(task, tools=(*shown, *closing))


def test_calls_pass_the_layers_and_the_oracle_knows_them() -> None:
    env, case = ToolUseEnv(shaping="progress"), carrier_case(PENDING[0])
    task = layered(case, RENAME, FAULT)
    env.reset(options={"task": task})
    actions = list(env.oracle())
    call_ = say("alterCarrier", svc_order_id=PENDING[0], svc_carrier=case.steps[0].arguments["carrier"])
    assert actions == [call_, call_, say("finish")]
    assert "timeout" in env.step(actions[0])[0]
    (fork,) = env.fork()
    assert [one.step(actions[1])[0] for one in (env, fork)] == ['{"ok":true}'] * 2  # the fault is over in both
    assert earn(env, task, actions) == 2.0
    assert earn(env, task, [say("change_carrier", **case.steps[0].arguments), say("finish")]) == 0.0


@pytest.mark.parametrize(("about", "worth"), [("svc_carrier", 1.0), ("carrier", 1.0), ("svc_order_id", 0.0)])
def test_what_is_asked_for_may_be_called_as_the_agent_sees_it(about: str, worth: float) -> None:
    task = layered(carrier_case(PENDING[0], steps=(), goal=GOALS["ask"]), RENAME)
    env = ToolUseEnv()
    assert earn(env, task, [say("ask_user", about=about)]) == worth
    assert list(env.oracle()) == [say("ask_user", about="svc_carrier")]


def test_a_report_names_what_the_agent_sees() -> None:
    told = {"code": "unavailable", "tool": "change_carrier", "parameter": "carrier"}
    task = layered(carrier_case(PENDING[0], steps=(), goal=Goal(ending="report", told=told)), RENAME)
    env = ToolUseEnv()
    seen = {"code": "unavailable", "tool": "alterCarrier", "parameter": "svc_carrier"}
    assert earn(env, task, [say("report_problem", **seen)]) == 1.0
    assert list(env.oracle()) == [say("report_problem", **seen)]
    assert earn(env, task, [say("report_problem", **told)]) == 0.0


@pytest.mark.parametrize("split", SPLITS)
def test_augmented_tasks_are_solved_and_nothing_is_earned_for_nothing(split: Split) -> None:
    env = ToolUseEnv(split=split, difficulty={"augment": "random", "augmentations": 3})
    for seed in range(12):
        task = env.tasks.sample(seed, env.difficulty)
        env.reset(options={"task": task})
        assert earn(env, task, list(env.oracle())) == 1.0, task.id
        assert earn(env, task, []) == 0.0


@pytest.mark.parametrize("amount", [20.001, 10**13, 1e300])
def test_what_no_cell_could_hold_is_refused_and_changes_nothing(amount: float) -> None:
    env = ToolUseEnv()
    env.reset(options={"task": task_of(carrier_case(PENDING[0]))})
    customer = next(iter(BASE.rows["customers"]))
    key = env._dump()["changes"]
    assert "error" in env.step(say("grant_credit", customer_id=customer, amount=amount))[0]
    assert env._dump()["changes"] == key == {}
