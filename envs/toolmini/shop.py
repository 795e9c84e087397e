"""The shop: users and their orders."""

import random

from palestra.envs.toolmini.domain import Domain, Template
from palestra.envs.toolmini.facts import OF_PEOPLE, OF_THINGS, draw, lookups
from palestra.envs.toolmini.pools import Pools, fresh, ids, pairs, people
from palestra.envs.toolmini.tables import Record, Schema, Tables, Tool

SCHEMA = Schema(
    tools=(
        Tool(
            name="find_user",
            description="Find users by name.",
            kind="find",
            table="users",
            field="name",
            shows=("name", "*"),
        ),
        Tool(
            name="list_orders",
            description="List a user's orders.",
            kind="find",
            table="orders",
            field="user",
            shows=("item", "price"),
        ),
        Tool(
            name="get_order",
            description="Show one order.",
            kind="get",
            table="orders",
            shows=("user.name", "item", "city", "*"),
        ),
        Tool(
            name="cancel_order",
            description="Cancel an open order.",
            kind="set",
            table="orders",
            field="status",
            value="cancelled",
            only_if="open",
        ),
        Tool(
            name="move_order",
            description="Send an order to another city.",
            kind="set",
            table="orders",
            field="city",
        ),
    ),
    nouns={"users": "user", "orders": "order"},
    refs={"user": "users"},
    facts={"users": OF_PEOPLE, "orders": OF_THINGS},
)


def fill(rng: random.Random, pools: Pools, records: int, namesakes: int) -> Tables:
    """Return users with their orders, `records` each on average."""
    users: dict[str, Record] = {
        id_: {"name": name, **draw(rng, pools, OF_PEOPLE)}
        for id_, name in zip(ids(rng, "u", records + 1), people(rng, pools, records + 1, namesakes), strict=True)
    }
    sizes = [rng.randint(1, 2 * records - 1) for _ in users]
    order_ids = iter(ids(rng, "o", sum(sizes)))
    orders: dict[str, Record] = {}
    for user, size in zip(users, sizes, strict=True):
        items, prices = pairs(rng, pools, "make", "thing", size), rng.sample(range(5, 100), size)
        for item, price in zip(items, prices, strict=True):
            orders[next(order_ids)] = {
                "user": user,
                "item": item,
                "price": price,
                "city": fresh(rng, pools, "city"),
                "status": rng.choice(("open", "open", "shipped")),
                **draw(rng, pools, OF_THINGS),
            }
    return {"users": users, "orders": orders}


_BY_ORDER = ("get_order", "id")
_TO_ORDERS = (("find_user", "user.name"), ("list_orders", "user"))

DOMAIN = Domain(
    name="shop",
    schema=SCHEMA,
    fill=fill,
    templates=(
        *lookups("users", "user", ("find_user", "name"), OF_PEOPLE, first=0),
        *lookups("orders", "order", _BY_ORDER, OF_THINGS, first=0),
        Template(
            name="order_city",
            split="train",
            table="orders",
            texts=("To which city does order {id} go?", "What is the city of order {id}?", "Where does order {id} go?"),
            calls=(_BY_ORDER,),
            answer="city",
        ),
        Template(
            name="cancel_id",
            split="train",
            table="orders",
            texts=("Cancel order {id}.", "Please cancel the order {id}.", "Order {id} must be cancelled."),
            calls=(("cancel_order", "id"),),
            answer="done",
            where={"status": "open"},
        ),
        Template(
            name="move_id",
            split="train",
            table="orders",
            texts=("Send order {id} to {new}.", "Move order {id} to {new}.", "Order {id} must go to {new} instead."),
            calls=(("move_order", "id", "new"),),
            answer="done",
            new="city",
        ),
        Template(
            name="item_price",
            split="train",
            table="orders",
            texts=(
                "What is the price of the {item} that {user.name} ordered?",
                "{user.name} ordered a {item}. What is its price?",
                "How much is the {item} of {user.name}?",
            ),
            calls=_TO_ORDERS,
            answer="price",
        ),
        Template(
            name="dearest_item",
            split="train",
            table="orders",
            texts=(
                "Which item of {user.name} has the highest price?",
                "What is the most expensive item that {user.name} ordered?",
                "Name the dearest item in the orders of {user.name}.",
            ),
            calls=_TO_ORDERS,
            answer="item",
            group="user",
            top="price",
        ),
        Template(
            name="order_count",
            split="train",
            table="orders",
            texts=(
                "How many orders does {user.name} have?",
                "Count the orders of {user.name}.",
                "What is the number of orders of {user.name}?",
            ),
            calls=_TO_ORDERS,
            answer="count",
            group="user",
        ),
        Template(
            name="buyer_email",
            split="train",
            table="orders",
            texts=(
                "What is the email of the user of order {id}?",
                "Find the email of whoever placed order {id}.",
                "Order {id}: which email does its user have?",
            ),
            calls=(_BY_ORDER, ("find_user", "user.name")),
            answer="user.email",
        ),
        Template(
            name="item_day",
            split="train",
            table="orders",
            texts=(
                "On which day did {user.name} order the {item}?",
                "What is the day of the {item} order of {user.name}?",
                "{user.name} ordered a {item}. On which day?",
            ),
            calls=(*_TO_ORDERS, _BY_ORDER),
            answer="day",
        ),
        Template(
            name="cancel_item",
            split="train",
            table="orders",
            texts=(
                "Cancel the {item} order of {user.name}.",
                "{user.name} does not want the {item}. Cancel that order.",
                "Please cancel the order of a {item} by {user.name}.",
            ),
            calls=(*_TO_ORDERS, ("cancel_order", "id")),
            answer="done",
            where={"status": "open"},
        ),
        Template(
            name="dearest_price",
            split="heldout",
            table="orders",
            texts=(
                "What is the highest price among the orders of {user.name}?",
                "Tell me the price of the most expensive thing {user.name} bought.",
            ),
            calls=_TO_ORDERS,
            answer="price",
            group="user",
            top="price",
        ),
        Template(
            name="item_city",
            split="heldout",
            table="orders",
            texts=(
                "Where is the {item} bought by {user.name} going? Give the city.",
                "Tell me the city for the {item} which {user.name} ordered.",
            ),
            calls=(*_TO_ORDERS, _BY_ORDER),
            answer="city",
        ),
        Template(
            name="move_item",
            split="heldout",
            table="orders",
            texts=(
                "{user.name} wants the {item} in {new}. Move that order there.",
                "Change the city of the {item} bought by {user.name} to {new}.",
            ),
            calls=(*_TO_ORDERS, ("move_order", "id", "new")),
            answer="done",
            new="city",
        ),
        Template(
            name="cancel_dearest",
            split="heldout",
            table="orders",
            texts=(
                "Cancel the most expensive order of {user.name}.",
                "{user.name} regrets the purchase with the highest price. Cancel it.",
            ),
            calls=(*_TO_ORDERS, ("cancel_order", "id")),
            answer="done",
            group="user",
            top="price",
            where={"status": "open"},
        ),
    ),
)
