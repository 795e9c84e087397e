"""Restaurants that take bookings: their tables and dishes, guests, reservations and what is ordered. Held out."""

from palestra.envs.tooluse.draw import Clock, Code, Day, Money, OneOf, Pick, Ref, Rows, Whole
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

_CUISINES = ("italian", "indian", "japanese", "mexican", "greek")
_AREAS = ("window", "terrace", "garden", "bar")
_COURSES = ("starter", "main", "dessert", "drink")
_STATUSES = ("booked", "seated", "finished", "cancelled")

_RESTAURANTS = Table(
    name="restaurants",
    noun="restaurant",
    prefix="res",
    rows=6,
    named_by=("name", "city"),
    columns=(
        Column(name="name", about="Name of the restaurant", draw=Pick("look", "sign"), is_unique=True),
        Column(name="cuisine", about="Cuisine", draw=OneOf(*_CUISINES), enum=_CUISINES),
        Column(name="city", about="City", draw=Pick("city")),
        Column(name="street", about="Street", draw=Pick("street")),
        Column(name="rating", about="Rating by its guests, 1 to 5", draw=Whole(1, 5), type="integer", unit="stars"),
        Column(name="opens_at", about="Time at which the kitchen opens", draw=Clock(11, 18), format="time"),
    ),
)
_GUESTS = Table(
    name="guests",
    noun="guest",
    prefix="gst",
    rows=60,
    named_by=("name", "city"),
    columns=(
        Column(name="name", about="Full name", draw=Pick("first", "last")),
        Column(name="phone", about="Telephone number", draw=Code("555-####"), is_unique=True),
        Column(name="city", about="City where the guest lives", draw=Pick("city")),
        Column(name="points", about="Bonus points", draw=Whole(0, 900, 10), type="integer", unit="points"),
    ),
)
_TABLES = Table(
    name="tables",
    noun="table",
    prefix="tab",
    rows=80,
    named_by=("restaurant_id.name", "seats"),
    columns=(
        Column(name="restaurant_id", about="Where the table stands", draw=Ref("restaurants"), ref="restaurants"),
        Column(name="area", about="Part of the restaurant", draw=OneOf(*_AREAS), enum=_AREAS),
        Column(name="seats", about="How many guests fit", draw=Whole(2, 10, 2), type="integer", unit="guests"),
    ),
)
_RESERVATIONS = Table(
    name="reservations",
    noun="reservation",
    prefix="rsv",
    rows=110,
    named_by=("guest_id.name", "day"),
    columns=(
        Column(name="guest_id", about="Who made the reservation", draw=Ref("guests"), ref="guests"),
        Column(name="table_id", about="The table that is reserved", draw=Ref("tables"), ref="tables"),
        Column(name="day", about="Day of the visit", draw=Day(0, 45), format="date"),
        Column(name="time", about="Time of arrival", draw=Clock(18, 22), format="time"),
        Column(name="party_size", about="How many guests come", draw=Whole(2, 7), type="integer", unit="guests"),
        Column(name="status", about="State", draw=OneOf(*_STATUSES, weights=(5, 5, 1, 1)), enum=_STATUSES),
    ),
)
_DISHES = Table(
    name="dishes",
    noun="dish",
    prefix="dsh",
    rows=80,
    named_by=("name", "restaurant_id.name"),
    columns=(
        Column(name="restaurant_id", about="The restaurant that serves it", draw=Ref("restaurants"), ref="restaurants"),
        Column(name="name", about="Name on the menu", draw=Pick("taste", "food")),
        Column(name="course", about="Course", draw=OneOf(*_COURSES), enum=_COURSES),
        Column(name="price", about="Price of one portion", draw=Money(4, 48), type="number", unit="USD"),
        Column(
            name="portions", about="Portions left in the kitchen", draw=Whole(0, 60), type="integer", unit="portions"
        ),
    ),
)
_ORDERS = Table(
    name="orders",
    noun="order",
    prefix="odr",
    rows=100,
    named_by=("dish_id.name", "reservation_id.guest_id.name"),
    columns=(
        Column(name="reservation_id", about="The reservation it is for", draw=Ref("reservations"), ref="reservations"),
        Column(name="dish_id", about="The dish", draw=Ref("dishes"), ref="dishes"),
        Column(name="portions", about="How many portions", draw=Whole(2, 6), type="integer", unit="portions"),
        Column(name="amount", about="Price of all portions together", draw=Money(4, 4), type="number", unit="USD"),
    ),
)


def _settle(rows: Rows) -> None:
    """Parties fit their tables, only those who came have ordered, and what they ordered is on the menu there."""
    restaurants = list(rows["restaurants"])
    menu: dict[str, list[str]] = {}
    for number, (id_, dish) in enumerate(rows["dishes"].items()):
        dish["restaurant_id"] = restaurants[number % len(restaurants)]  # so each serves something
        menu.setdefault(dish["restaurant_id"], []).append(id_)
    tables = rows["tables"]
    for reservation in rows["reservations"].values():
        reservation["party_size"] = min(reservation["party_size"], tables[reservation["table_id"]]["seats"])
    came = [id_ for id_, row in rows["reservations"].items() if row["status"] in ("seated", "finished")]
    for number, order in enumerate(rows["orders"].values()):
        if came:
            order["reservation_id"] = came[number % len(came)]
        table = rows["reservations"][order["reservation_id"]]["table_id"]
        choice = menu[tables[table]["restaurant_id"]]
        order["dish_id"] = choice[number % len(choice)]
        order["amount"] = round(order["portions"] * rows["dishes"][order["dish_id"]]["price"], 2)


_RESERVATION = Param(name="reservation_id", of="reservations.id")
_DISH = Param(name="dish_id", of="dishes.id")
_DAY = Param(name="day", of="reservations.day")
_TIME = Param(name="time", of="reservations.time")
_BOOKED = Require(
    left=Cell("reservation_id", "status"),
    op="==",
    right=Const("booked"),
    error="only a reservation that is booked can be changed, and {reservation_id} is not",
    policy="booked_only",
)
_NOT_PAST = Require(left=Arg("day"), op=">=", right=Today(), error="{day} is past; name today or a later day")

RESTAURANT = Domain(
    name="restaurant",
    about="You take reservations and orders for a group of restaurants.",
    tables=(_RESTAURANTS, _GUESTS, _TABLES, _RESERVATIONS, _DISHES, _ORDERS),
    settle=_settle,
    is_held_out=True,
    policies=(
        Policy(name="party_fits", text="A table is given only to a party for which it has enough seats."),
        Policy(name="booked_only", text="A reservation can be moved or cancelled only until the guests are seated."),
        Policy(name="same_house", text="A reservation keeps its restaurant: only the table within it can change."),
        Policy(
            name="own_menu", text="Guests can order only once they are seated, and only what their restaurant serves."
        ),
        Policy(name="portions_left", text="No more portions can be ordered than the kitchen has left."),
    ),
    tools=(
        Search(
            name="search_restaurants",
            about="Find restaurants by name, cuisine, city or rating.",
            table="restaurants",
            filters=(
                Filter(arg="name", path="name", compare="has_words"),
                Filter(arg="cuisine", path="cuisine"),
                Filter(arg="city", path="city"),
                Filter(arg="min_rating", path="rating", compare="at_least"),
            ),
            shows=("name", "cuisine", "city", "rating"),
        ),
        Get(
            name="get_restaurant",
            about="Show a restaurant with its address and opening time.",
            table="restaurants",
            arg="restaurant_id",
            shows=("name", "cuisine", "city", "street", "rating", "opens_at"),
        ),
        Search(
            name="list_tables",
            about="List tables by restaurant, area and number of seats.",
            table="tables",
            filters=(
                Filter(arg="restaurant_id", path="restaurant_id"),
                Filter(arg="area", path="area"),
                Filter(arg="min_seats", path="seats", compare="at_least"),
            ),
            shows=("restaurant_id", "restaurant_id.name", "area", "seats"),
        ),
        Search(
            name="search_guests",
            about="Find guests by name or city.",
            table="guests",
            filters=(Filter(arg="name", path="name", compare="has_words"), Filter(arg="city", path="city")),
            shows=("name", "city", "points"),
        ),
        Get(
            name="find_guest_by_phone",
            about="Find the guest who has a telephone number.",
            table="guests",
            arg="phone",
            by="phone",
            shows=("name", "phone", "city", "points"),
        ),
        Search(
            name="list_reservations",
            about="List reservations by guest, restaurant, day and state.",
            table="reservations",
            filters=(
                Filter(arg="guest_id", path="guest_id"),
                Filter(arg="restaurant_id", path="table_id.restaurant_id"),
                Filter(arg="from_day", path="day", compare="at_least"),
                Filter(arg="until_day", path="day", compare="at_most"),
                Filter(arg="status", path="status"),
            ),
            shows=("guest_id", "guest_id.name", "day", "time", "status"),
        ),
        Get(
            name="get_reservation",
            about="Show a reservation with its guest, table and party.",
            table="reservations",
            arg="reservation_id",
            shows=(
                "guest_id",
                "guest_id.name",
                "table_id",
                "table_id.restaurant_id",
                "day",
                "time",
                "party_size",
                "status",
            ),
        ),
        Search(
            name="list_dishes",
            about="List the dishes of a restaurant, of a course or up to a price.",
            table="dishes",
            filters=(
                Filter(arg="restaurant_id", path="restaurant_id"),
                Filter(arg="name", path="name", compare="has_words"),
                Filter(arg="course", path="course"),
                Filter(arg="max_price", path="price", compare="at_most"),
            ),
            shows=("restaurant_id", "restaurant_id.name", "name", "course", "price", "portions"),
        ),
        Search(
            name="list_orders",
            about="List what was ordered for a reservation, or the orders of a dish.",
            table="orders",
            filters=(Filter(arg="reservation_id", path="reservation_id"), Filter(arg="dish_id", path="dish_id")),
            shows=("reservation_id", "reservation_id.guest_id.name", "dish_id", "dish_id.name", "portions", "amount"),
        ),
        Total(
            name="bill_of_reservation",
            about="Add up what was ordered for a reservation.",
            table="orders",
            filters=(Filter(arg="reservation_id", path="reservation_id", is_required=True),),
            how="sum",
            of="amount",
        ),
        Total(
            name="count_reservations",
            about="Count reservations by guest, restaurant and state.",
            table="reservations",
            filters=(
                Filter(arg="guest_id", path="guest_id"),
                Filter(arg="restaurant_id", path="table_id.restaurant_id"),
                Filter(arg="status", path="status"),
            ),
            how="count",
        ),
        Total(
            name="cheapest_price",
            about="Show the lowest price of a dish, by restaurant and course.",
            table="dishes",
            filters=(Filter(arg="restaurant_id", path="restaurant_id"), Filter(arg="course", path="course")),
            how="min",
            of="price",
        ),
        Write(
            name="book_table",
            about="Reserve a table for a guest.",
            params=(
                Param(name="guest_id", of="guests.id"),
                Param(name="table_id", of="tables.id"),
                _DAY,
                _TIME,
                Param(name="party_size", of="reservations.party_size", minimum=1, maximum=20),
            ),
            requires=(
                Require(
                    left=Arg("party_size"),
                    op="<=",
                    right=Cell("table_id", "seats"),
                    error="{table_id} has fewer than {party_size} seats; choose a larger table",
                    policy="party_fits",
                ),
                _NOT_PAST,
            ),
            effects=(
                Insert(
                    "reservations",
                    {
                        "guest_id": Arg("guest_id"),
                        "table_id": Arg("table_id"),
                        "day": Arg("day"),
                        "time": Arg("time"),
                        "party_size": Arg("party_size"),
                        "status": Const("booked"),
                    },
                ),
            ),
            asks=(
                "reserve {table_id} for {guest_id} and a party of {party_size} on {day} at {time}",
                "book {table_id} on {day} at {time} for {guest_id}, party size {party_size}",
                "make a reservation of {table_id} for {guest_id} on {day} at {time}, with {party_size} guests in all",
            ),
        ),
        Write(
            name="cancel_reservation",
            about="Cancel a reservation before the guests are seated.",
            params=(_RESERVATION,),
            requires=(_BOOKED,),
            effects=(Set("reservation_id", "status", Const("cancelled")),),
            asks=("cancel {reservation_id}", "call off {reservation_id}", "have {reservation_id} cancelled"),
            is_idempotent=True,
        ),
        Write(
            name="move_reservation",
            about="Change the day and time of a reservation before the guests are seated.",
            params=(_RESERVATION, _DAY, _TIME),
            requires=(
                _BOOKED,
                _NOT_PAST,
            ),
            effects=(Set("reservation_id", "day", Arg("day")), Set("reservation_id", "time", Arg("time"))),
            asks=(
                "move {reservation_id} to {day} at {time}",
                "change {reservation_id} to {day}, {time}",
                "reschedule {reservation_id} to {time} on {day}",
            ),
            is_idempotent=True,
        ),
        Write(
            name="change_table",
            about="Give a reservation another table of the same restaurant.",
            params=(_RESERVATION, Param(name="table_id", of="tables.id")),
            requires=(
                _BOOKED,
                Require(
                    left=Cell("table_id", "restaurant_id"),
                    op="==",
                    right=Cell("reservation_id", "table_id.restaurant_id"),
                    error="{table_id} stands in another restaurant than that of {reservation_id}",
                    policy="same_house",
                ),
                Require(
                    left=Cell("reservation_id", "party_size"),
                    op="<=",
                    right=Cell("table_id", "seats"),
                    error="{table_id} has too few seats for the party of {reservation_id}",
                    policy="party_fits",
                ),
            ),
            effects=(Set("reservation_id", "table_id", Arg("table_id")),),
            asks=(
                "switch {reservation_id} to {table_id}",
                "seat {reservation_id} at {table_id} instead",
                "change the table of {reservation_id} to {table_id}",
            ),
            is_idempotent=True,
        ),
        Write(
            name="order_dish",
            about="Order a dish for guests who are seated; the portions are taken from what the kitchen has left.",
            params=(_RESERVATION, _DISH, Param(name="portions", of="orders.portions", minimum=1, maximum=20)),
            requires=(
                Require(
                    left=Cell("reservation_id", "status"),
                    op="==",
                    right=Const("seated"),
                    error="only seated guests can order, and those of {reservation_id} are not seated",
                    policy="own_menu",
                ),
                Require(
                    left=Cell("dish_id", "restaurant_id"),
                    op="==",
                    right=Cell("reservation_id", "table_id.restaurant_id"),
                    error="{dish_id} is not on the menu of the restaurant of {reservation_id}",
                    policy="own_menu",
                ),
                Require(
                    left=Cell("dish_id", "portions"),
                    op=">=",
                    right=Arg("portions"),
                    error="the kitchen has fewer than {portions} portions of {dish_id} left",
                    policy="portions_left",
                ),
            ),
            effects=(
                Insert(
                    "orders",
                    {
                        "reservation_id": Arg("reservation_id"),
                        "dish_id": Arg("dish_id"),
                        "portions": Arg("portions"),
                        "amount": Product(Arg("portions"), Cell("dish_id", "price")),
                    },
                ),
                Set("dish_id", "portions", Sum(Cell("dish_id", "portions"), Arg("portions"), -1)),
            ),
            asks=(
                "order {portions} portions of {dish_id} for {reservation_id}",
                "add {portions} portions of {dish_id} to what was ordered for {reservation_id}",
                "have {portions} portions of {dish_id} brought to the guests of {reservation_id}",
            ),
        ),
        Write(
            name="withdraw_order",
            about="Take back an order of guests who are seated; its portions go back to the kitchen.",
            params=(Param(name="order_id", of="orders.id"),),
            requires=(
                Require(
                    left=Cell("order_id", "reservation_id.status"),
                    op="==",
                    right=Const("seated"),
                    error="only orders of seated guests can be taken back, and those of {order_id} are not seated",
                ),
            ),
            effects=(
                Set(
                    "order_id",
                    "dish_id.portions",
                    Sum(Cell("order_id", "dish_id.portions"), Cell("order_id", "portions")),
                ),
                Delete("order_id"),
            ),
            asks=("take back {order_id}", "withdraw {order_id}", "strike {order_id} off the bill"),
            is_idempotent=True,
        ),
        Write(
            name="transfer_points",
            about="Move bonus points from one guest to another.",
            params=(
                Param(name="from_guest_id", of="guests.id", about="The id of the guest who gives points"),
                Param(name="to_guest_id", of="guests.id", about="The id of the guest who gets them"),
                Param(name="points", of="guests.points", about="How many (points)", minimum=10, maximum=500),
            ),
            requires=(
                Require(
                    left=Arg("from_guest_id"),
                    op="!=",
                    right=Arg("to_guest_id"),
                    error="from_guest_id and to_guest_id are both {to_guest_id}; name two guests",
                ),
                Require(
                    left=Cell("from_guest_id", "points"),
                    op=">=",
                    right=Arg("points"),
                    error="{from_guest_id} has fewer than {points} points",
                ),
            ),
            effects=(
                Set("from_guest_id", "points", Sum(Cell("from_guest_id", "points"), Arg("points"), -1)),
                Set("to_guest_id", "points", Sum(Cell("to_guest_id", "points"), Arg("points"))),
            ),
            asks=(
                "transfer {points} bonus points from {from_guest_id} to {to_guest_id}",
                "move {points} of the bonus points of {from_guest_id} to {to_guest_id}",
                "let {from_guest_id} give {points} bonus points to {to_guest_id}",
            ),
        ),
    ),
    pools={
        "train": PEOPLE["train"]
        | {
            "look": words("Golden Old Laughing Hungry Blue Little Grand Crooked Rosy"),
            "sign": words("Spoon Olive Rooster Anchor Barrel Oven Pepper Garlic Kettle"),
            "taste": words("Grilled Smoked Roasted Spicy Baked Stuffed Crispy Marinated Creamy Fresh"),
            "food": words("Trout Lamb Aubergine Dumplings Noodles Tofu Salmon Peaches Lemonade Risotto Squid Pancakes"),
        },
        "heldout": PEOPLE["heldout"]
        | {
            "look": words("Silver Hidden Dancing Cheerful Copper Tall Humble Velvet Jolly"),
            "sign": words("Fork Fig Pheasant Lantern Cellar Hearth Saffron Thyme Ladle"),
            "taste": words("Fried Pickled Braised Mild Steamed Glazed Tender Poached Sweet Chilled"),
            "food": words("Cod Duck Courgette Ravioli Rice Lentils Prawns Pears Cordial Paella Mussels Waffles"),
        },
    },
)
