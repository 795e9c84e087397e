"""Episodes: what the oracle earns, what each of its steps is needed for, and what the tools reply."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from palestra.envs.actions import call_text
from palestra.envs.base import SPLITS, Json, Split, Task, TaskError
from palestra.envs.toolmini.env import ToolUseMiniEnv
from palestra.envs.toolmini.generate import DOMAINS, templates

N = 200


def earn(env: ToolUseMiniEnv, actions: list[str]) -> float:
    """Return what the actions earn on the task that was just set; then nothing is done until the end."""
    total, over = 0.0, False
    for action in [*actions, *["nothing"] * env.task.budget.turns]:
        _, reward, terminated, truncated, _ = env.step(action)
        total += reward
        if over := terminated or truncated:
            break
    assert over
    return round(total, 9)


@pytest.mark.parametrize("split", SPLITS)
def test_the_oracle_earns_1_and_doing_nothing_0(split: Split) -> None:
    env = ToolUseMiniEnv(split=split)
    for seed in range(N):
        env.reset(seed=seed)
        actions = list(env.oracle())
        assert earn(env, actions) == 1.0
        env.reset(seed=seed)
        assert earn(env, []) == 0.0


def seen_values(env: ToolUseMiniEnv) -> tuple[str, list[Json]]:
    """Return the prompt, and every reply, as an agent has them."""
    messages = env.messages
    prompt = next(message["content"] for message in messages if message["role"] == "user")
    return prompt, [json.loads(message["content"]) for message in messages if message["role"] == "tool"]


def fields(value: Json, key: str = "") -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from fields(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner, key)
    else:
        yield key, value


def knows(env: ToolUseMiniEnv, arguments: dict[str, Json], answer_path: str) -> bool:
    """Tell whether an agent has seen the values that it is about to use."""
    prompt, replies = seen_values(env)
    shown = [pair for reply in replies for pair in fields(reply)]
    for value in arguments.values():
        if isinstance(value, str):
            known = value == "done" or value in prompt or value in [leaf for _, leaf in shown]
        elif answer_path == "count":
            known = value in [len(reply) for reply in replies if isinstance(reply, list)] and len(replies) == len(
                env.task.hidden["calls"]
            )
        else:
            known = (answer_path.split(".")[-1], value) in shown
        if not known:
            return False
    return True


@pytest.mark.parametrize("split", SPLITS)
def test_every_step_of_the_oracle_is_needed(split: Split) -> None:
    """An agent that leaves one step out, and uses no value it has not seen, earns nothing."""
    paths = {f"{domain.name}/{template.name}": template.answer for domain, template in templates(split)}
    env = ToolUseMiniEnv(split=split)
    for seed in range(100):
        env.reset(seed=seed)
        steps = [*env.task.hidden["calls"], {"name": "answer", "arguments": {"value": env.task.hidden["answer"]}}]
        for left_out in range(len(steps)):
            env.reset(seed=seed)
            path, total, over = paths[env.task.provenance["template"]], 0.0, False
            for number, step in enumerate(steps):
                if number != left_out and knows(env, step["arguments"], path):
                    _, reward, over, _, _ = env.step(call_text(step["name"], step["arguments"]))
                    total += reward
            assert (total if over else 0.0) == pytest.approx(0.0), (env.task.id, left_out)


@pytest.mark.parametrize("split", SPLITS)
def test_a_write_that_is_left_out_or_done_twice_elsewhere_earns_nothing(split: Split) -> None:
    env = ToolUseMiniEnv(split=split)
    written = 0
    for seed in range(N):
        env.reset(seed=seed)
        if not env.task.hidden["changes"]:
            continue
        written += 1
        *calls, write, answer = env.oracle()
        assert earn(env, [*calls, answer]) == 0.0
        env.reset(seed=seed)
        assert earn(env, [*calls, write, other_write(env), answer]) == 0.0
    assert written > 20


def other_write(env: ToolUseMiniEnv) -> str:
    """Return a call that is allowed and changes what the task does not ask to change."""
    changed = {id_ for _, id_, _, _ in env.task.hidden["changes"]}
    db = env.task.hidden["db"]
    table, tool, field = {
        "shop": ("orders", "move_order", "city"),
        "library": ("books", "move_book", "shelf"),
        "clinic": ("visits", "move_visit", "day"),
    }[env.task.public["domain"]]
    id_ = next(id_ for id_ in db[table] if id_ not in changed)
    return call_text(tool, {f"{table.removesuffix('s')}_id": id_, field: "Nowhere"})


def test_a_write_can_be_taken_back() -> None:
    env = ToolUseMiniEnv(difficulty={"domain": "library", "hops": 1})
    env.reset(seed=next(seed for seed in range(100) if not answers_done(env, seed)))
    book, record = next(iter(env.task.hidden["db"]["books"].items()))
    away, back = (call_text("move_book", {"book_id": book, "shelf": shelf}) for shelf in ("Z1", record["shelf"]))
    assert earn(env, [away + back, *env.oracle()]) == 1.0


def answers_done(env: ToolUseMiniEnv, seed: int) -> bool:
    env.reset(seed=seed)
    return bool(env.task.hidden["answer"] == "done")


def test_all_calls_may_come_in_one_turn_and_calls_after_the_answer_are_not_made() -> None:
    env = ToolUseMiniEnv(difficulty={"domain": "shop", "hops": 3})
    env.reset(seed=1)
    order = next(iter(env.task.hidden["db"]["orders"]))
    late = call_text("move_order", {"order_id": order, "city": "Nowhere"})
    observation, reward, terminated, truncated, info = env.step("Here: " + "".join(env.oracle()) + late)
    assert reward == pytest.approx(1.0)
    assert (terminated, truncated, info["is_success"]) == (True, False, True)
    assert observation.splitlines()[-2:] == ['{"ended":true}'] * 2
    assert [message["role"] for message in info["messages"][2:]] == ["assistant", *["tool"] * 5]
    assert env.snapshot().state.count("Nowhere") == 1  # in the messages, not in the tables


def test_the_potential_is_the_share_of_the_oracles_calls_and_repeating_adds_nothing() -> None:
    env = ToolUseMiniEnv(difficulty={"domain": "clinic", "hops": 3}, shaping="progress")
    env.reset(seed=0)
    first, second, *_ = env.oracle()
    assert env.step(second)[1] == pytest.approx(1 / 3)
    assert env.step(second)[1] == 0.0
    assert env.step(first.lower())[1] == pytest.approx(1 / 3)  # names are found whatever their case
    assert env.step(call_text("find_patient", {"name": "Nobody"}))[1] == 0.0


@pytest.fixture
def shop() -> ToolUseMiniEnv:
    env = ToolUseMiniEnv(difficulty={"domain": "shop", "hops": 1})
    users: dict[str, Any] = {
        "u1": {"name": "Ana Ruiz", "email": "ana@x.org"},
        "u2": {"name": "Ana Rossi", "email": "a@y.org"},
    }
    order = {"user": "u1", "item": "oak lamp", "price": 40, "city": "Oslo", "day": "May 3", "status": "open"}
    orders = {"o1": order, "o2": {**order, "status": "shipped"}}
    env.reset(seed=0)
    call = {"name": "cancel_order", "arguments": {"order_id": "o1"}}
    hidden = {
        "db": {"users": users, "orders": orders},
        "calls": [call],
        "changes": [["orders", "o1", "status", "cancelled"]],
        "answer": "done",
    }
    env.reset(options={"task": replace(env.task, hidden=hidden)})
    return env


@pytest.mark.parametrize(
    ("tool", "arguments", "reply"),
    [
        ("find_user", {"name": "ana ruiz"}, [{"id": "u1", "name": "Ana Ruiz", "email": "ana@x.org"}]),
        ("find_user", {"name": "Bob"}, {"error": "no user with name 'Bob'"}),
        ("find_user", {"name": "  "}, {"error": "no user with name '  '"}),
        ("list_orders", {"user_id": "u2"}, {"error": "no order with user 'u2'"}),
        ("get_order", {"order_id": "o99"}, {"error": "no order 'o99'"}),
        ("get_order", {"order_id": "x" * 500}, {"error": f"no order '{'x' * 40}'"}),
        (
            "get_order",
            {"order_id": "o1"},
            {"user": "Ana Ruiz", "item": "oak lamp", "city": "Oslo", "day": "May 3"},
        ),
        ("cancel_order", {"order_id": "o1"}, {"ok": True}),
        ("cancel_order", {"order_id": "o2"}, {"error": "order 'o2' is shipped"}),
        ("move_order", {"order_id": "o9", "city": "Rome"}, {"error": "no order 'o9'"}),
    ],
)
def test_tools_reply_in_short_json(shop: ToolUseMiniEnv, tool: str, arguments: dict[str, str], reply: Json) -> None:
    observation, *_ = shop.step(call_text(tool, arguments))
    assert json.loads(observation) == reply
    assert len(observation) < 120


def test_a_name_in_part_finds_all_who_share_it(shop: ToolUseMiniEnv) -> None:
    observation, *_ = shop.step(call_text("find_user", {"name": "Ana"}))
    assert [user["id"] for user in json.loads(observation)] == ["u1", "u2"]


def test_a_reference_can_only_be_set_to_a_record() -> None:
    env = ToolUseMiniEnv(difficulty={"domain": "library"})
    env.reset(seed=0)
    book = next(iter(env.task.hidden["db"]["books"]))
    observation, *_ = env.step(call_text("lend_book", {"book_id": book, "holder_id": "m0"}))
    assert json.loads(observation) == {"error": "no member 'm0'"}


def test_a_call_of_the_oracle_that_fails_counts_nothing(shop: ToolUseMiniEnv) -> None:
    observation, reward, *_ = shop.step(call_text("cancel_order", {"order_id": "O1"}))  # ids are exact
    assert "error" in observation
    assert reward == 0.0
    assert shop.step(call_text("cancel_order", {"order_id": "o1"}))[1] == 1.0


def test_the_order_of_records_in_a_file_does_not_show() -> None:
    env, other = ToolUseMiniEnv(), ToolUseMiniEnv()
    for seed in range(30):
        env.reset(seed=seed)
        db = env.task.hidden["db"]
        turned = {name: dict(reversed(table.items())) for name, table in db.items()}
        other.reset(options={"task": replace(env.task, hidden={**env.task.hidden, "db": turned})})
        for action in env.oracle():
            assert env.step(action)[:4] == other.step(action)[:4]


def test_a_call_that_the_oracle_makes_twice_counts_once_each_time(shop: ToolUseMiniEnv) -> None:
    find = {"name": "find_user", "arguments": {"name": "Ana Ruiz"}}
    shop.reset(options={"task": replace(shop.task, hidden={**shop.task.hidden, "calls": [find, find]})})
    text = call_text("find_user", {"name": "Ana Ruiz"})
    assert [shop.step(text)[1] for _ in range(3)] == [0.5, 0.5, 0.0]


def test_a_failed_write_changes_nothing(shop: ToolUseMiniEnv) -> None:
    before = json.loads(shop.snapshot().state)["family"]["tables"]
    shop.step(call_text("cancel_order", {"order_id": "o2"}) + call_text("cancel_order", {"order_id": "o3"}))
    assert json.loads(shop.snapshot().state)["family"]["tables"] == before


def test_words_without_a_call_are_told_to_call(shop: ToolUseMiniEnv) -> None:
    observation, reward, terminated, _, _ = shop.step("The answer is done.")
    assert json.loads(observation) == {"error": "call a tool, or answer"}
    assert (reward, terminated) == (0.0, False)


def test_wrong_arguments_are_explained_and_cost_only_a_turn(shop: ToolUseMiniEnv) -> None:
    observation, _, _, _, info = shop.step(call_text("cancel_order", {"id": "o1"}))
    assert observation.startswith("error: bad arguments for cancel_order")
    assert "order_id" in info["error"] or "'id'" in info["error"]
    assert earn(shop, list(shop.oracle())) == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"family": "code"},
        {"public": {}},
        {"public": {"domain": "zoo"}},
        {"public": {"domain": ["shop"]}},
        {"hidden": {}},
    ],
)
def test_a_task_of_another_kind_is_refused_and_leaves_no_episode(shop: ToolUseMiniEnv, wrong: dict[str, Json]) -> None:
    task = Task.from_dict({**shop.task.to_dict(), **wrong})
    with pytest.raises(TaskError, match="is not a tooluse task"):
        shop.reset(options={"task": task})
    with pytest.raises(RuntimeError, match=r"call reset\(\) first"):
        shop.step("hello")


def test_the_database_of_the_task_is_never_touched() -> None:
    env = ToolUseMiniEnv(split="heldout")
    for seed in range(30):
        env.reset(seed=seed)
        before = env.task.digest
        earn(env, list(env.oracle()))
        assert env.task.digest == before


def test_replies_stay_within_a_small_models_means() -> None:
    longest = 0
    for split in SPLITS:
        env = ToolUseMiniEnv(split=split)
        for seed in range(N):
            env.reset(seed=seed)
            longest = max(longest, *(len(env.step(action)[0]) for action in env.oracle()))
    assert longest < 400


def test_every_tool_is_part_of_some_training_template() -> None:
    for domain in DOMAINS.values():
        used = {call[0] for _, template in templates("train", domain.name) for call in template.calls}
        assert used == {tool.name for tool in domain.schema.tools}
