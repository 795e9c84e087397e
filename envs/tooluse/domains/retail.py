"""A web shop: customers, products, orders and what is in them."""

from palestra.envs.tooluse.draw import Code, Day, Money, OneOf, Pick, Ref, Rows, Whole
from palestra.envs.tooluse.schema import (
    Arg,
    Cell,
    Column,
    Const,
    Delete,
    Domain,
    Filter,
    Get,
    Insert,
    Param,
    Policy,
    Product,
    Require,
    Search,
    Set,
    Sum,
    Table,
    Today,
    Total,
    Write,
)
from palestra.envs.tooluse.words import PEOPLE, words

_STATUSES = ("pending", "packed", "shipped", "delivered", "cancelled")
_TIERS = ("basic", "silver", "gold")
_CATEGORIES = ("kitchen", "office", "garden", "sports", "toys")

_CUSTOMERS = Table(
    name="customers",
    noun="customer",
    prefix="cus",
    rows=60,
    named_by=("name", "city"),
    columns=(
        Column(name="name", about="Full name", draw=Pick("first", "last")),
        Column(
            name="email",
            about="E-mail address",
            draw=Pick("box", "host", joined_by="@"),
            is_unique=True,
            format="email",
        ),
        Column(name="city", about="City of the delivery address", draw=Pick("city")),
        Column(name="street", about="Street of the delivery address", draw=Pick("street")),
        Column(name="tier", about="Membership", draw=OneOf(*_TIERS, weights=(6, 3, 1)), enum=_TIERS),
        Column(name="credit", about="Store credit", draw=Money(0, 200), type="number", unit="USD"),
    ),
)
_PRODUCTS = Table(
    name="products",
    noun="product",
    prefix="prd",
    rows=40,
    named_by=("name",),
    columns=(
        Column(name="name", about="Product name", draw=Pick("make", "thing"), is_unique=True),
        Column(name="category", about="Department", draw=OneOf(*_CATEGORIES), enum=_CATEGORIES),
        Column(name="price", about="Price of one", draw=Money(4, 180), type="number", unit="USD"),
        Column(name="stock", about="Pieces in the warehouse", draw=Whole(0, 60), type="integer", unit="pieces"),
        Column(name="sku", about="Stock keeping unit", draw=Code("??-####"), is_unique=True),
    ),
)
_ORDERS = Table(
    name="orders",
    noun="order",
    prefix="ord",
    rows=120,
    named_by=("customer_id.name", "placed_on"),
    columns=(
        Column(name="customer_id", about="Who ordered", draw=Ref("customers"), ref="customers"),
        Column(name="placed_on", about="Day of the order", draw=Day(-90, -1), format="date"),
        Column(
            name="status", about="State of the order", draw=OneOf(*_STATUSES, weights=(4, 2, 3, 5, 1)), enum=_STATUSES
        ),
        Column(name="carrier", about="Who delivers it", draw=Pick("carrier")),
        Column(name="shipping_fee", about="Fee for the delivery", draw=Money(0, 25), type="number", unit="USD"),
    ),
)
_LINES = Table(
    name="order_lines",
    noun="order line",
    prefix="lin",
    rows=200,
    named_by=("product_id.name", "order_id.placed_on"),
    columns=(
        Column(name="order_id", about="The order it belongs to", draw=Ref("orders"), ref="orders"),
        Column(name="product_id", about="What was ordered", draw=Ref("products"), ref="products"),
        Column(name="quantity", about="How many", draw=Whole(1, 6), type="integer", unit="pieces"),
        Column(name="amount", about="Price of the whole line", draw=Money(4, 4), type="number", unit="USD"),
    ),
)
_RETURNS = Table(
    name="returns",
    noun="return",
    prefix="ret",
    rows=20,
    named_by=("order_id.customer_id.name", "opened_on"),
    columns=(
        Column(name="order_id", about="The order that comes back", draw=Ref("orders"), ref="orders"),
        Column(
            name="reason",
            about="Why it comes back",
            draw=OneOf("damaged", "wrong_item", "too_late", "not_needed"),
            enum=("damaged", "wrong_item", "too_late", "not_needed"),
        ),
        Column(name="opened_on", about="Day on which the return was opened", draw=Day(-40, -1), format="date"),
    ),
)


def _settle(rows: Rows) -> None:
    """A line costs what its pieces cost, and what comes back was delivered."""
    for line in rows["order_lines"].values():
        line["amount"] = round(line["quantity"] * rows["products"][line["product_id"]]["price"], 2)
    delivered = [id_ for id_, order in rows["orders"].items() if order["status"] == "delivered"]
    for number, returned in enumerate(rows["returns"].values()):
        if delivered:
            returned["order_id"] = delivered[number % len(delivered)]
        returned["opened_on"] = max(returned["opened_on"], rows["orders"][returned["order_id"]]["placed_on"])


_ORDER = Param(name="order_id", of="orders.id")
_OPEN = "only pending orders can be changed, and {order_id} is not pending"

RETAIL = Domain(
    name="retail",
    about="You are the service desk of a web shop.",
    tables=(_CUSTOMERS, _PRODUCTS, _ORDERS, _LINES, _RETURNS),
    settle=_settle,
    policies=(
        Policy(name="pending_only", text="An order can be changed or cancelled only while it is pending."),
        Policy(name="return_delivered", text="A return can be opened only for an order that was delivered."),
        Policy(name="credit_cap", text="At most 50 USD of store credit are granted at once."),
        Policy(name="in_stock", text="No more pieces can be ordered than the warehouse has."),
    ),
    tools=(
        Search(
            name="search_customers",
            about="Find customers by name, city or membership.",
            table="customers",
            filters=(
                Filter(arg="name", path="name", compare="has_words"),
                Filter(arg="city", path="city"),
                Filter(arg="tier", path="tier"),
            ),
            shows=("name", "city", "tier"),
        ),
        Get(
            name="get_customer",
            about="Show a customer's record.",
            table="customers",
            arg="customer_id",
            shows=("name", "email", "city", "street", "tier", "credit"),
        ),
        Get(
            name="find_customer_by_email",
            about="Find the customer who uses an e-mail address.",
            table="customers",
            arg="email",
            by="email",
            shows=("name", "city"),
        ),
        Search(
            name="search_products",
            about="Find products by name, department or price.",
            table="products",
            filters=(
                Filter(arg="name", path="name", compare="has_words"),
                Filter(arg="category", path="category"),
                Filter(arg="max_price", path="price", compare="at_most"),
            ),
            shows=("name", "category", "price"),
        ),
        Get(
            name="get_product",
            about="Show a product with its stock.",
            table="products",
            arg="product_id",
            shows=("name", "category", "price", "stock", "sku"),
        ),
        Search(
            name="list_orders",
            about="List the orders of a customer, of a state or of a time.",
            table="orders",
            filters=(
                Filter(arg="customer_id", path="customer_id"),
                Filter(arg="status", path="status"),
                Filter(arg="placed_from", path="placed_on", compare="at_least"),
                Filter(arg="placed_until", path="placed_on", compare="at_most"),
            ),
            shows=("customer_id", "placed_on", "status"),
        ),
        Get(
            name="get_order",
            about="Show an order's head: who, when, state, carrier, fee.",
            table="orders",
            arg="order_id",
            shows=("customer_id", "customer_id.name", "placed_on", "status", "carrier", "shipping_fee"),
        ),
        Search(
            name="list_order_lines",
            about="List what is in an order, or the orders that hold a product.",
            table="order_lines",
            filters=(Filter(arg="order_id", path="order_id"), Filter(arg="product_id", path="product_id")),
            shows=("order_id", "product_id", "product_id.name", "quantity", "amount"),
        ),
        Search(
            name="list_returns",
            about="List the returns of an order, for a reason or of a time.",
            table="returns",
            filters=(
                Filter(arg="order_id", path="order_id"),
                Filter(arg="reason", path="reason"),
                Filter(arg="opened_from", path="opened_on", compare="at_least"),
            ),
            shows=("order_id", "order_id.customer_id.name", "reason", "opened_on"),
        ),
        Total(
            name="order_total",
            about="Add up the lines of an order, without the shipping fee.",
            table="order_lines",
            filters=(Filter(arg="order_id", path="order_id", is_required=True),),
            how="sum",
            of="amount",
        ),
        Total(
            name="count_orders",
            about="Count orders by customer and state.",
            table="orders",
            filters=(Filter(arg="customer_id", path="customer_id"), Filter(arg="status", path="status")),
            how="count",
        ),
        Write(
            name="cancel_order",
            about="Cancel a pending order.",
            params=(_ORDER,),
            requires=(
                Require(
                    left=Cell("order_id", "status"), op="==", right=Const("pending"), error=_OPEN, policy="pending_only"
                ),
            ),
            effects=(Set("order_id", "status", Const("cancelled")),),
            asks=("cancel {order_id}", "call off {order_id}", "have {order_id} cancelled"),
            is_idempotent=True,
        ),
        Write(
            name="change_carrier",
            about="Have a pending order delivered by another carrier.",
            params=(_ORDER, Param(name="carrier", of="orders.carrier")),
            requires=(
                Require(
                    left=Cell("order_id", "status"), op="==", right=Const("pending"), error=_OPEN, policy="pending_only"
                ),
            ),
            effects=(Set("order_id", "carrier", Arg("carrier")),),
            asks=(
                "have {order_id} delivered by {carrier}",
                "change the carrier of {order_id} to {carrier}",
                "let {carrier} deliver {order_id}",
            ),
            is_idempotent=True,
        ),
        Write(
            name="update_address",
            about="Change where a customer's parcels go.",
            params=(
                Param(name="customer_id", of="customers.id"),
                Param(name="city", of="customers.city"),
                Param(name="street", of="customers.street"),
            ),
            effects=(Set("customer_id", "city", Arg("city")), Set("customer_id", "street", Arg("street"))),
            asks=(
                "change the delivery address of {customer_id} to {street}, {city}",
                "update the address of {customer_id}, who has moved to {street} in {city}",
                "send the parcels of {customer_id} to {street}, {city} from now on",
            ),
            is_idempotent=True,
        ),
        Write(
            name="grant_credit",
            about="Add store credit to a customer's account.",
            params=(
                Param(name="customer_id", of="customers.id"),
                Param(name="amount", of="customers.credit", about="How much to add (USD)", minimum=1, maximum=500),
            ),
            requires=(
                Require(
                    left=Arg("amount"),
                    op="<=",
                    right=Const(50),
                    error="at most 50 USD can be granted at once, and {amount} were asked for",
                    policy="credit_cap",
                ),
            ),
            effects=(Set("customer_id", "credit", Sum(Cell("customer_id", "credit"), Arg("amount"))),),
            asks=(
                "grant {customer_id} a store credit of {amount} USD",
                "add {amount} USD of store credit for {customer_id}",
                "give {customer_id} {amount} USD as store credit",
            ),
        ),
        Write(
            name="add_order_line",
            about="Put more of a product into a pending order; the stock goes down accordingly.",
            params=(
                _ORDER,
                Param(name="product_id", of="products.id"),
                Param(name="quantity", of="order_lines.quantity", minimum=1, maximum=20),
            ),
            requires=(
                Require(
                    left=Cell("order_id", "status"), op="==", right=Const("pending"), error=_OPEN, policy="pending_only"
                ),
                Require(
                    left=Cell("product_id", "stock"),
                    op=">=",
                    right=Arg("quantity"),
                    error="the warehouse has fewer than {quantity} pieces of {product_id}",
                    policy="in_stock",
                ),
            ),
            effects=(
                Insert(
                    "order_lines",
                    {
                        "order_id": Arg("order_id"),
                        "product_id": Arg("product_id"),
                        "quantity": Arg("quantity"),
                        "amount": Product(Arg("quantity"), Cell("product_id", "price")),
                    },
                ),
                Set("product_id", "stock", Sum(Cell("product_id", "stock"), Arg("quantity"), -1)),
            ),
            asks=(
                "add {quantity} of {product_id} to {order_id}",
                "put {quantity} pieces of {product_id} into {order_id}",
                "extend {order_id} by {quantity} of {product_id}",
            ),
        ),
        Write(
            name="remove_order_line",
            about="Take a line out of a pending order; its pieces go back to the warehouse.",
            params=(Param(name="line_id", of="order_lines.id"),),
            requires=(
                Require(
                    left=Cell("line_id", "order_id.status"),
                    op="==",
                    right=Const("pending"),
                    error="only pending orders can be changed, and the order of {line_id} is not pending",
                    policy="pending_only",
                ),
            ),
            effects=(
                Set(
                    "line_id", "product_id.stock", Sum(Cell("line_id", "product_id.stock"), Cell("line_id", "quantity"))
                ),
                Delete("line_id"),
            ),
            asks=("take {line_id} out of its order", "remove {line_id}", "delete {line_id} from the order it is in"),
            is_idempotent=True,
        ),
        Write(
            name="open_return",
            about="Open a return for a delivered order.",
            params=(_ORDER, Param(name="reason", of="returns.reason")),
            requires=(
                Require(
                    left=Cell("order_id", "status"),
                    op="==",
                    right=Const("delivered"),
                    error="only delivered orders can be returned, and {order_id} was not delivered",
                    policy="return_delivered",
                ),
            ),
            effects=(Insert("returns", {"order_id": Arg("order_id"), "reason": Arg("reason"), "opened_on": Today()}),),
            asks=(
                "open a return for {order_id}, the reason being {reason}",
                "note {reason} as the reason and open a return for {order_id}",
                "start a return of {order_id} with the reason {reason}",
            ),
        ),
    ),
    pools={
        "train": PEOPLE["train"]
        | {
            "box": words("sunny fox river moon starling pine cloud ember violet cedar maple otter falcon willow comet")
            + tuple(f"{word}{number}" for word in words("anna benj cleo dave edit fred") for number in range(10, 40)),
            "make": words("Red Blue Purple Small Large Oaken Steel Paper Glass Round Soft Classic Striped Plain"),
            "thing": words("Lamp Desk Chair Table Clock Kettle Racket Puzzle Spade Notebook Mug Tent Shovel Scarf"),
            "carrier": words("Swiftpost Bluebox Northline Parcelo"),
        },
        "heldout": PEOPLE["heldout"]
        | {
            "box": words("bird horse rain fire silver lemon lake wave acorn basil coral dune")
            + tuple(f"{word}{number}" for word in words("gwen hans inge joel kurt lena") for number in range(40, 70)),
            "make": words("Black White Yellow Tiny Heavy Cork Iron Leather Oval Folding Travel Rustic Dotted Bright"),
            "thing": words(
                "Sofa Basket Carpet Radio Guitar Bottle Knife Helmet Hammock Stapler Bucket Kite Vase Toaster"
            ),
            "carrier": words("Harborex Quickvan Globo Trailmail"),
        },
    },
)
