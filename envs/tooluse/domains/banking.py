"""A bank: customers, their accounts and cards, whom they pay, and what was paid or is paid every month."""

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

_KINDS = ("checking", "savings", "business")
_ACCOUNT_STATES = ("active", "frozen", "closed")
_CARD_KINDS = ("debit", "credit", "virtual")
_CARD_STATES = ("active", "blocked", "expired")
_TRANSFER_STATES = ("completed", "pending", "cancelled")

_CUSTOMERS = Table(
    name="customers",
    noun="customer",
    prefix="cst",
    rows=50,
    named_by=("name", "city"),
    columns=(
        Column(name="name", about="Full name", draw=Pick("first", "last")),
        Column(name="customer_no", about="Number that the bank gave", draw=Code("########"), is_unique=True),
        Column(name="city", about="City of residence", draw=Pick("city")),
        Column(name="street", about="Street of residence", draw=Pick("street")),
    ),
)
_ACCOUNTS = Table(
    name="accounts",
    noun="account",
    prefix="acc",
    rows=90,
    named_by=("customer_id.name", "kind"),
    columns=(
        Column(name="customer_id", about="Who owns it", draw=Ref("customers"), ref="customers"),
        Column(name="account_no", about="Account number", draw=Code("??##-####-####"), is_unique=True),
        Column(name="kind", about="Kind of account", draw=OneOf(*_KINDS, weights=(5, 4, 2)), enum=_KINDS),
        Column(name="balance", about="Money in the account", draw=Money(0, 6000), type="number", unit="USD"),
        Column(name="status", about="State", draw=OneOf(*_ACCOUNT_STATES, weights=(8, 1, 1)), enum=_ACCOUNT_STATES),
        Column(name="opened_on", about="Day on which it was opened", draw=Day(-900, -100), format="date"),
    ),
)
_CARDS = Table(
    name="cards",
    noun="card",
    prefix="crd",
    rows=70,
    named_by=("account_id.customer_id.name", "kind"),
    columns=(
        Column(name="account_id", about="The account that it draws on", draw=Ref("accounts"), ref="accounts"),
        Column(name="kind", about="Kind of card", draw=OneOf(*_CARD_KINDS, weights=(5, 3, 2)), enum=_CARD_KINDS),
        Column(name="last_digits", about="Last four digits of the number", draw=Code("####")),
        Column(name="status", about="State", draw=OneOf(*_CARD_STATES, weights=(6, 2, 1)), enum=_CARD_STATES),
        Column(name="daily_limit", about="Limit a day", draw=Whole(200, 3000, 100), type="integer", unit="USD"),
    ),
)
_PAYEES = Table(
    name="payees",
    noun="payee",
    prefix="pye",
    rows=70,
    named_by=("name", "city"),
    columns=(
        Column(name="name", about="Name of the payee", draw=Pick("company", "trade")),
        Column(name="payee_no", about="Account number of the payee", draw=Code("??##-####-####"), is_unique=True),
        Column(name="city", about="City of the payee", draw=Pick("city")),
        Column(
            name="is_verified", about="Whether the bank has checked them", draw=OneOf(True, True, False), type="boolean"
        ),
    ),
)
_TRANSFERS = Table(
    name="transfers",
    noun="transfer",
    prefix="trf",
    rows=100,
    named_by=("payee_id.name", "sent_on"),
    columns=(
        Column(name="account_id", about="The account that pays", draw=Ref("accounts"), ref="accounts"),
        Column(name="payee_id", about="Who is paid", draw=Ref("payees"), ref="payees"),
        Column(name="amount", about="Amount", draw=Money(5, 900), type="number", unit="USD"),
        Column(name="purpose", about="What it is for", draw=Pick("purpose")),
        Column(name="sent_on", about="Day of the order", draw=Day(-60, -1), format="date"),
        Column(name="status", about="State", draw=OneOf(*_TRANSFER_STATES, weights=(6, 3, 1)), enum=_TRANSFER_STATES),
    ),
)
_STANDING = Table(
    name="standing_orders",
    noun="standing order",
    prefix="sto",
    rows=40,
    named_by=("payee_id.name", "account_id.customer_id.name"),
    columns=(
        Column(name="account_id", about="The account that pays", draw=Ref("accounts"), ref="accounts"),
        Column(name="payee_id", about="Who is paid", draw=Ref("payees"), ref="payees"),
        Column(name="amount", about="Amount a month", draw=Money(5, 600), type="number", unit="USD"),
        Column(name="day", about="Day of the month", draw=Whole(1, 28), type="integer"),
    ),
)


def _settle(rows: Rows) -> None:
    """Closed accounts are empty, and so are some others."""
    for number, account in enumerate(rows["accounts"].values()):
        if account["status"] == "closed" or number % 6 == 0:
            account["balance"] = 0.0


_ACCOUNT = Param(name="account_id", of="accounts.id")
_CARD = Param(name="card_id", of="cards.id")
_STANDING_ORDER = Param(name="standing_order_id", of="standing_orders.id")
_SPENT = Param(name="amount", of="transfers.amount", minimum=0.01, maximum=100_000)
_MONTHLY = Param(name="amount", of="standing_orders.amount", minimum=0.01, maximum=100_000)


def _active(account: str, path: str = "status") -> Require:
    return Require(
        left=Cell(account, path),
        op="==",
        right=Const("active"),
        error=f"the account of {{{account}}} is frozen or closed" if "." in path else f"{{{account}}} is not active",
        policy="active_only",
    )


def _covered(account: str) -> Require:
    return Require(
        left=Cell(account, "balance"),
        op=">=",
        right=Arg("amount"),
        error=f"{{{account}}} holds less than {{amount}} USD",
        policy="covered",
    )


_CARD_ACTIVE = Require(
    left=Cell("card_id", "status"), op="==", right=Const("active"), error="{card_id} is blocked or expired"
)

BANKING = Domain(
    name="banking",
    about="You are the assistant of a bank's branch.",
    tables=(_CUSTOMERS, _ACCOUNTS, _CARDS, _PAYEES, _TRANSFERS, _STANDING),
    settle=_settle,
    policies=(
        Policy(name="active_only", text="Money leaves and enters only accounts that are active."),
        Policy(name="covered", text="No more can be paid from an account than it holds."),
        Policy(name="verified_only", text="Only payees that the bank has verified are paid."),
        Policy(name="move_cap", text="At most 800 USD are moved between two accounts at once."),
        Policy(name="limit_cap", text="A card's daily limit is at most 2,500 USD."),
    ),
    tools=(
        Search(
            name="search_customers",
            about="Find customers by name and city.",
            table="customers",
            filters=(Filter(arg="name", path="name", compare="has_words"), Filter(arg="city", path="city")),
            shows=("name", "city"),
        ),
        Get(
            name="get_customer",
            about="Show a customer's record.",
            table="customers",
            arg="customer_id",
            shows=("name", "customer_no", "city", "street"),
        ),
        Get(
            name="find_account_by_number",
            about="Find an account by its number.",
            table="accounts",
            arg="account_no",
            by="account_no",
            shows=("customer_id", "customer_id.name", "kind", "status"),
        ),
        Search(
            name="list_accounts",
            about="List accounts by owner, kind, state or balance.",
            table="accounts",
            filters=(
                Filter(arg="customer_id", path="customer_id"),
                Filter(arg="kind", path="kind"),
                Filter(arg="status", path="status"),
                Filter(arg="min_balance", path="balance", compare="at_least"),
            ),
            shows=("customer_id", "account_no", "kind", "status"),
        ),
        Get(
            name="get_account",
            about="Show an account with its balance.",
            table="accounts",
            arg="account_id",
            shows=("customer_id", "customer_id.name", "account_no", "kind", "balance", "status", "opened_on"),
        ),
        Total(
            name="total_balance",
            about="Add up what a customer's accounts hold.",
            table="accounts",
            filters=(
                Filter(arg="customer_id", path="customer_id", is_required=True),
                Filter(arg="kind", path="kind"),
            ),
            how="sum",
            of="balance",
        ),
        Search(
            name="list_cards",
            about="List the cards of an account, of a kind or of a state.",
            table="cards",
            filters=(
                Filter(arg="account_id", path="account_id"),
                Filter(arg="kind", path="kind"),
                Filter(arg="status", path="status"),
            ),
            shows=("account_id", "kind", "last_digits", "status", "daily_limit"),
        ),
        Search(
            name="list_payees",
            about="List payees by name and city, or those that were verified.",
            table="payees",
            filters=(
                Filter(arg="name", path="name", compare="has_words"),
                Filter(arg="city", path="city"),
                Filter(arg="is_verified", path="is_verified"),
            ),
            shows=("name", "payee_no", "city", "is_verified"),
        ),
        Search(
            name="list_transfers",
            about="List transfers by account, payee, state and day.",
            table="transfers",
            filters=(
                Filter(arg="account_id", path="account_id"),
                Filter(arg="payee_id", path="payee_id"),
                Filter(arg="status", path="status"),
                Filter(arg="sent_from", path="sent_on", compare="at_least"),
                Filter(arg="sent_until", path="sent_on", compare="at_most"),
            ),
            shows=("account_id", "payee_id", "payee_id.name", "amount", "purpose", "sent_on", "status"),
        ),
        Total(
            name="largest_transfer",
            about="Tell the largest amount that was sent, from an account or to a payee.",
            table="transfers",
            filters=(
                Filter(arg="account_id", path="account_id"),
                Filter(arg="payee_id", path="payee_id"),
                Filter(arg="status", path="status"),
            ),
            how="max",
            of="amount",
        ),
        Search(
            name="list_standing_orders",
            about="List the standing orders of an account or for a payee.",
            table="standing_orders",
            filters=(Filter(arg="account_id", path="account_id"), Filter(arg="payee_id", path="payee_id")),
            shows=("account_id", "payee_id", "payee_id.name", "amount", "day"),
        ),
        Write(
            name="send_transfer",
            about="Pay an amount from an account to a payee.",
            params=(
                _ACCOUNT,
                Param(name="payee_id", of="payees.id"),
                _SPENT,
                Param(name="purpose", of="transfers.purpose", is_required=False),
            ),
            requires=(
                Require(
                    left=Cell("payee_id", "is_verified"),
                    op="==",
                    right=Const(True),
                    error="{payee_id} was not verified",
                    policy="verified_only",
                ),
                _active("account_id"),
                _covered("account_id"),
            ),
            effects=(
                Insert(
                    "transfers",
                    {
                        "account_id": Arg("account_id"),
                        "payee_id": Arg("payee_id"),
                        "amount": Arg("amount"),
                        "purpose": Arg("purpose"),
                        "sent_on": Today(),
                        "status": Const("pending"),
                    },
                ),
                Set("account_id", "balance", Sum(Cell("account_id", "balance"), Arg("amount"), -1)),
            ),
            asks=(
                "pay {payee_id} {amount} USD from {account_id}",
                "send {amount} USD from {account_id} to {payee_id}",
                "transfer {amount} USD to {payee_id}, out of {account_id}",
            ),
        ),
        Write(
            name="cancel_transfer",
            about="Cancel a pending transfer; its amount goes back to the account.",
            params=(Param(name="transfer_id", of="transfers.id"),),
            requires=(
                Require(
                    left=Cell("transfer_id", "status"),
                    op="==",
                    right=Const("pending"),
                    error="{transfer_id} is not pending any more",
                ),
                _active("transfer_id", "account_id.status"),
            ),
            effects=(
                Set("transfer_id", "status", Const("cancelled")),
                Set(
                    "transfer_id",
                    "account_id.balance",
                    Sum(Cell("transfer_id", "account_id.balance"), Cell("transfer_id", "amount")),
                ),
            ),
            asks=("cancel {transfer_id}", "stop {transfer_id}", "have {transfer_id} recalled"),
            is_idempotent=True,
        ),
        Write(
            name="move_money",
            about="Move an amount from one account to another.",
            params=(
                Param(name="from_account_id", of="accounts.id", about="The account that gives"),
                Param(name="to_account_id", of="accounts.id", about="The account that gets it"),
                _SPENT,
            ),
            requires=(
                Require(
                    left=Arg("from_account_id"),
                    op="!=",
                    right=Arg("to_account_id"),
                    error="money moves from one account to another, and both are {to_account_id}",
                ),
                Require(
                    left=Arg("amount"),
                    op="<=",
                    right=Const(800),
                    error="at most 800 USD are moved at once, and {amount} were asked for",
                    policy="move_cap",
                ),
                _active("from_account_id"),
                _active("to_account_id"),
                _covered("from_account_id"),
            ),
            effects=(
                Set("from_account_id", "balance", Sum(Cell("from_account_id", "balance"), Arg("amount"), -1)),
                Set("to_account_id", "balance", Sum(Cell("to_account_id", "balance"), Arg("amount"))),
            ),
            asks=(
                "move {amount} USD from {from_account_id} to {to_account_id}",
                "shift {amount} USD out of {from_account_id} into {to_account_id}",
                "top up {to_account_id} with {amount} USD from {from_account_id}",
            ),
        ),
        Write(
            name="block_card",
            about="Block a card that is active.",
            params=(_CARD,),
            requires=(_CARD_ACTIVE,),
            effects=(Set("card_id", "status", Const("blocked")),),
            asks=("block {card_id}", "have {card_id} blocked", "put a block on {card_id}"),
            is_idempotent=True,
        ),
        Write(
            name="set_card_limit",
            about="Change the daily limit of an active card.",
            params=(_CARD, Param(name="daily_limit", of="cards.daily_limit", minimum=0, maximum=10_000)),
            requires=(
                _CARD_ACTIVE,
                Require(
                    left=Arg("daily_limit"),
                    op="<=",
                    right=Const(2500),
                    error="a limit is at most 2,500 USD a day, and {daily_limit} were asked for",
                    policy="limit_cap",
                ),
            ),
            effects=(Set("card_id", "daily_limit", Arg("daily_limit")),),
            asks=(
                "set the daily limit of {card_id} to {daily_limit} USD",
                "change the daily limit of {card_id} to {daily_limit} USD",
                "let {card_id} spend at most {daily_limit} USD a day",
            ),
            is_idempotent=True,
        ),
        Write(
            name="change_standing_order",
            about="Change the amount of a standing order, and its day if one is given.",
            params=(
                _STANDING_ORDER,
                _MONTHLY,
                Param(name="day", of="standing_orders.day", is_required=False, minimum=1, maximum=28),
            ),
            effects=(Set("standing_order_id", "amount", Arg("amount")), Set("standing_order_id", "day", Arg("day"))),
            asks=(
                "change the amount of {standing_order_id} to {amount} USD",
                "let {standing_order_id} pay {amount} USD from now on",
                "set {standing_order_id} to {amount} USD a month",
            ),
            is_idempotent=True,
        ),
        Write(
            name="delete_standing_order",
            about="Remove a standing order.",
            params=(_STANDING_ORDER,),
            effects=(Delete("standing_order_id"),),
            asks=("delete {standing_order_id}", "end {standing_order_id}", "have {standing_order_id} removed"),
            is_idempotent=True,
        ),
        Write(
            name="close_account",
            about="Close an active account that holds nothing.",
            params=(_ACCOUNT,),
            requires=(
                _active("account_id"),
                Require(
                    left=Cell("account_id", "balance"),
                    op="==",
                    right=Const(0),
                    error="{account_id} still holds money",
                ),
            ),
            effects=(Set("account_id", "status", Const("closed")),),
            asks=("close {account_id}", "have {account_id} closed", "shut down {account_id}"),
            is_idempotent=True,
        ),
    ),
    pools={
        "train": PEOPLE["train"]
        | {
            "company": words(
                "Alder Brightwater Castle Delta Falcon Granite Horizon Juniper Keystone Lattice Magnet Orbit Pinnacle"
            ),
            "trade": words("Energy Water Telecom Brokerage Rentals Fitness Bakery School Motors Clinic Books"),
            "purpose": words("rent groceries tuition membership invoice deposit"),
        },
        "heldout": PEOPLE["heldout"]
        | {
            "company": words("Aurora Birch Saffron Dynamo Everest Fjord Tundra Quartz Jasper Lotus Mosaic Nimbus Opal"),
            "trade": words("Gas Broadband Leasing Academy Dental Catering Studio Nursery Pharmacy Printing Optics"),
            "purpose": words("heating repairs donation subscription gift childcare"),
        },
    },
)
