"""A travel desk: travellers, flights and hotels, and what was booked of them."""

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

_TIERS = ("basic", "silver", "gold")
_FLIGHT_STATES = ("scheduled", "delayed", "cancelled")
_BOOKING_STATES = ("confirmed", "checked_in", "cancelled")
_BAG_FEE = 30

_TRAVELLERS = Table(
    name="travellers",
    noun="traveller",
    prefix="trv",
    rows=50,
    named_by=("name", "home_city"),
    columns=(
        Column(name="name", about="Full name", draw=Pick("first", "last")),
        Column(name="passport", about="Number of the passport", draw=Code("??######"), is_unique=True),
        Column(name="home_city", about="City where the traveller lives", draw=Pick("city")),
        Column(name="tier", about="Frequent flyer status", draw=OneOf(*_TIERS, weights=(6, 3, 1)), enum=_TIERS),
        Column(name="miles", about="Miles that can be spent", draw=Whole(0, 40_000, 250), type="integer", unit="miles"),
    ),
)
_FLIGHTS = Table(
    name="flights",
    noun="flight",
    prefix="flt",
    rows=70,
    named_by=("origin", "destination", "date"),
    columns=(
        Column(name="flight_no", about="Flight number", draw=Code("??####"), is_unique=True),
        Column(name="airline", about="Airline", draw=Pick("airline")),
        Column(name="origin", about="City of departure", draw=Pick("city")),
        Column(name="destination", about="City of arrival", draw=Pick("city")),
        Column(name="date", about="Day of departure", draw=Day(1, 45), format="date"),
        Column(name="departs_at", about="Local time of departure", draw=Clock(5, 22, 5), format="time"),
        Column(name="status", about="State", draw=OneOf(*_FLIGHT_STATES, weights=(6, 2, 1)), enum=_FLIGHT_STATES),
        Column(name="fare", about="Fare for one seat", draw=Money(39, 780), type="number", unit="USD"),
        Column(name="seats_left", about="Seats that are not sold", draw=Whole(0, 24), type="integer", unit="seats"),
    ),
)
_HOTELS = Table(
    name="hotels",
    noun="hotel",
    prefix="htl",
    rows=40,
    named_by=("name",),
    columns=(
        Column(name="name", about="Name of the hotel", draw=Pick("house", "kind"), is_unique=True),
        Column(name="city", about="City", draw=Pick("city")),
        Column(name="stars", about="Rating", draw=Whole(2, 5), type="integer", unit="stars"),
        Column(name="rate", about="Price of a room for a night", draw=Money(45, 320), type="number", unit="USD"),
        Column(name="rooms_free", about="Rooms that can be booked", draw=Whole(0, 9), type="integer", unit="rooms"),
        Column(name="has_parking", about="Whether guests can park", draw=OneOf(True, False), type="boolean"),
    ),
)
_BOOKINGS = Table(
    name="bookings",
    noun="flight booking",
    prefix="bkg",
    rows=110,
    named_by=("traveller_id.name", "flight_id.flight_no"),
    columns=(
        Column(name="traveller_id", about="Who flies", draw=Ref("travellers"), ref="travellers"),
        Column(name="flight_id", about="The flight", draw=Ref("flights"), ref="flights"),
        Column(name="seats", about="Seats booked", draw=Whole(1, 4), type="integer", unit="seats"),
        Column(name="bags", about="Bags checked in", draw=Whole(0, 4), type="integer", unit="bags"),
        Column(name="status", about="State", draw=OneOf(*_BOOKING_STATES, weights=(6, 2, 1)), enum=_BOOKING_STATES),
        Column(name="price", about="Price of all seats and bags", draw=Money(39, 39), type="number", unit="USD"),
        Column(name="booked_on", about="Day of the booking", draw=Day(-60, -1), format="date"),
    ),
)
_STAYS = Table(
    name="stays",
    noun="hotel stay",
    prefix="sty",
    rows=80,
    named_by=("traveller_id.name", "hotel_id.name"),
    columns=(
        Column(name="traveller_id", about="Who stays", draw=Ref("travellers"), ref="travellers"),
        Column(name="hotel_id", about="The hotel", draw=Ref("hotels"), ref="hotels"),
        Column(name="check_in", about="Day of arrival", draw=Day(-8, 40), format="date"),
        Column(name="nights", about="Length of the stay", draw=Whole(1, 9), type="integer", unit="nights"),
        Column(name="price", about="Price of the whole stay", draw=Money(45, 45), type="number", unit="USD"),
    ),
)


def _settle(rows: Rows) -> None:
    """A flight goes somewhere else; a booking costs its seats and bags, a stay its nights."""
    flights, hotels = rows["flights"], rows["hotels"]
    cities = [flight["destination"] for flight in flights.values()]
    for flight in flights.values():
        if flight["origin"] == flight["destination"]:
            flight["destination"] = next((city for city in cities if city != flight["origin"]), flight["destination"])
    for booking in rows["bookings"].values():
        fare = flights[booking["flight_id"]]["fare"]
        booking["price"] = round(booking["seats"] * fare + booking["bags"] * _BAG_FEE, 2)
    for stay in rows["stays"].values():
        stay["price"] = round(stay["nights"] * hotels[stay["hotel_id"]]["rate"], 2)


_BOOKING = Param(name="booking_id", of="bookings.id")
_STAY = Param(name="stay_id", of="stays.id")
_TRAVELLER = Param(name="traveller_id", of="travellers.id")
_CONFIRMED = Require(
    left=Cell("booking_id", "status"),
    op="==",
    right=Const("confirmed"),
    error="only a confirmed booking can be changed, and {booking_id} is checked in or cancelled",
    policy="confirmed_only",
)
_NOT_BEGUN = Require(
    left=Cell("stay_id", "check_in"),
    op=">",
    right=Today(),
    error="the stay {stay_id} begins today or has begun",
    policy="stay_not_begun",
)

TRAVEL = Domain(
    name="travel",
    about="You are the assistant of a travel agency.",
    tables=(_TRAVELLERS, _FLIGHTS, _HOTELS, _BOOKINGS, _STAYS),
    settle=_settle,
    policies=(
        Policy(name="confirmed_only", text="A flight booking can be changed or cancelled only while it is confirmed."),
        Policy(name="seats_left", text="No more seats can be booked than the flight has left."),
        Policy(name="bag_limit", text="A booking has at most 5 bags; each bag that is added costs 30 USD."),
        Policy(name="stay_not_begun", text="A hotel stay can be cancelled only before its day of arrival."),
    ),
    tools=(
        Search(
            name="search_travellers",
            about="Find travellers by name, home city or frequent flyer status.",
            table="travellers",
            filters=(
                Filter(arg="name", path="name", compare="has_words"),
                Filter(arg="home_city", path="home_city"),
                Filter(arg="tier", path="tier"),
            ),
            shows=("name", "home_city", "tier"),
        ),
        Get(
            name="get_traveller",
            about="Show a traveller's profile.",
            table="travellers",
            arg="traveller_id",
            shows=("name", "passport", "home_city", "tier", "miles"),
        ),
        Get(
            name="find_traveller_by_passport",
            about="Find the traveller who holds a passport.",
            table="travellers",
            arg="passport",
            by="passport",
            shows=("name", "home_city"),
        ),
        Search(
            name="search_flights",
            about="Find flights by route, day and fare.",
            table="flights",
            filters=(
                Filter(arg="origin", path="origin"),
                Filter(arg="destination", path="destination"),
                Filter(arg="date_from", path="date", compare="at_least"),
                Filter(arg="date_until", path="date", compare="at_most"),
                Filter(arg="max_fare", path="fare", compare="at_most"),
            ),
            shows=("flight_no", "origin", "destination", "date", "fare"),
        ),
        Get(
            name="get_flight",
            about="Show a flight with its state and the seats that are left.",
            table="flights",
            arg="flight_id",
            shows=(
                "flight_no",
                "airline",
                "origin",
                "destination",
                "date",
                "departs_at",
                "status",
                "fare",
                "seats_left",
            ),
        ),
        Total(
            name="lowest_fare",
            about="Tell the lowest fare to a city.",
            table="flights",
            filters=(
                Filter(arg="destination", path="destination", is_required=True),
                Filter(arg="origin", path="origin"),
            ),
            how="min",
            of="fare",
        ),
        Search(
            name="search_hotels",
            about="Find hotels by name, city, rating and price.",
            table="hotels",
            filters=(
                Filter(arg="name", path="name", compare="has_words"),
                Filter(arg="city", path="city"),
                Filter(arg="min_stars", path="stars", compare="at_least"),
                Filter(arg="max_rate", path="rate", compare="at_most"),
            ),
            shows=("name", "city", "stars", "rate", "rooms_free", "has_parking"),
        ),
        Search(
            name="list_bookings",
            about="List the flight bookings of a traveller or on a flight.",
            table="bookings",
            filters=(
                Filter(arg="traveller_id", path="traveller_id"),
                Filter(arg="flight_id", path="flight_id"),
                Filter(arg="status", path="status"),
            ),
            shows=("traveller_id", "flight_id", "flight_id.flight_no", "status", "booked_on"),
        ),
        Get(
            name="get_booking",
            about="Show a flight booking.",
            table="bookings",
            arg="booking_id",
            shows=(
                "traveller_id",
                "traveller_id.name",
                "flight_id",
                "flight_id.flight_no",
                "seats",
                "bags",
                "status",
                "price",
                "booked_on",
            ),
        ),
        Total(
            name="count_bookings",
            about="Count flight bookings by traveller, flight and state.",
            table="bookings",
            filters=(
                Filter(arg="traveller_id", path="traveller_id"),
                Filter(arg="flight_id", path="flight_id"),
                Filter(arg="status", path="status"),
            ),
            how="count",
        ),
        Search(
            name="list_stays",
            about="List the hotel stays of a traveller or in a hotel.",
            table="stays",
            filters=(
                Filter(arg="traveller_id", path="traveller_id"),
                Filter(arg="hotel_id", path="hotel_id"),
                Filter(arg="check_in_from", path="check_in", compare="at_least"),
            ),
            shows=("traveller_id", "hotel_id", "hotel_id.name", "check_in", "nights", "price"),
        ),
        Total(
            name="hotel_spending",
            about="Add up what a traveller's hotel stays cost.",
            table="stays",
            filters=(Filter(arg="traveller_id", path="traveller_id", is_required=True),),
            how="sum",
            of="price",
        ),
        Write(
            name="book_flight",
            about="Book seats on a flight; they are paid at the flight's fare.",
            params=(
                _TRAVELLER,
                Param(name="flight_id", of="flights.id"),
                Param(name="seats", of="bookings.seats", minimum=1, maximum=9),
            ),
            requires=(
                Require(
                    left=Cell("flight_id", "status"),
                    op="!=",
                    right=Const("cancelled"),
                    error="the flight {flight_id} is cancelled",
                ),
                Require(
                    left=Cell("flight_id", "seats_left"),
                    op=">=",
                    right=Arg("seats"),
                    error="the flight {flight_id} has fewer than {seats} seats left",
                    policy="seats_left",
                ),
            ),
            effects=(
                Insert(
                    "bookings",
                    {
                        "traveller_id": Arg("traveller_id"),
                        "flight_id": Arg("flight_id"),
                        "seats": Arg("seats"),
                        "bags": Const(0),
                        "status": Const("confirmed"),
                        "price": Product(Arg("seats"), Cell("flight_id", "fare")),
                        "booked_on": Today(),
                    },
                ),
                Set("flight_id", "seats_left", Sum(Cell("flight_id", "seats_left"), Arg("seats"), -1)),
            ),
            asks=(
                "book {flight_id} for {traveller_id} with {seats} seat(s)",
                "put {traveller_id} on {flight_id}, number of seats: {seats}",
                "reserve {seats} seat(s) for {traveller_id} on {flight_id}",
            ),
        ),
        Write(
            name="cancel_booking",
            about="Cancel a confirmed flight booking; its seats are free again.",
            params=(_BOOKING,),
            requires=(_CONFIRMED,),
            effects=(
                Set("booking_id", "status", Const("cancelled")),
                Set(
                    "booking_id",
                    "flight_id.seats_left",
                    Sum(Cell("booking_id", "flight_id.seats_left"), Cell("booking_id", "seats")),
                ),
            ),
            asks=("cancel {booking_id}", "call off {booking_id}", "have {booking_id} cancelled"),
            is_idempotent=True,
        ),
        Write(
            name="check_in",
            about="Check in for a confirmed flight booking.",
            params=(_BOOKING,),
            requires=(
                _CONFIRMED,
                Require(
                    left=Cell("booking_id", "flight_id.status"),
                    op="!=",
                    right=Const("cancelled"),
                    error="the flight of {booking_id} is cancelled",
                ),
            ),
            effects=(Set("booking_id", "status", Const("checked_in")),),
            asks=("check in {booking_id}", "do the check-in for {booking_id}", "have {booking_id} checked in"),
            is_idempotent=True,
        ),
        Write(
            name="add_bags",
            about="Add bags to a confirmed flight booking, at 30 USD each.",
            params=(_BOOKING, Param(name="bags", of="bookings.bags", about="Bags to add", minimum=1, maximum=9)),
            requires=(
                _CONFIRMED,
                Require(
                    left=Sum(Cell("booking_id", "bags"), Arg("bags")),
                    op="<=",
                    right=Const(5),
                    error="with {bags} more, {booking_id} would have more than 5 bags",
                    policy="bag_limit",
                ),
            ),
            effects=(
                Set("booking_id", "bags", Sum(Cell("booking_id", "bags"), Arg("bags"))),
                Set("booking_id", "price", Sum(Cell("booking_id", "price"), Product(Arg("bags"), Const(_BAG_FEE)))),
            ),
            asks=(
                "add {bags} more bag(s) to {booking_id}",
                "extend {booking_id} by {bags} more checked bag(s)",
                "put {bags} additional bag(s) on {booking_id}",
            ),
        ),
        Write(
            name="transfer_miles",
            about="Move miles from one traveller to another.",
            params=(
                Param(name="from_traveller_id", of="travellers.id", about="The traveller who gives miles"),
                Param(name="to_traveller_id", of="travellers.id", about="The traveller who gets them"),
                Param(name="miles", of="travellers.miles", about="How many", minimum=1, maximum=100_000),
            ),
            requires=(
                Require(
                    left=Arg("from_traveller_id"),
                    op="!=",
                    right=Arg("to_traveller_id"),
                    error="miles go from one traveller to another, and both are {to_traveller_id}",
                ),
                Require(
                    left=Cell("from_traveller_id", "miles"),
                    op=">=",
                    right=Arg("miles"),
                    error="{from_traveller_id} has fewer than {miles} miles",
                ),
            ),
            effects=(
                Set("from_traveller_id", "miles", Sum(Cell("from_traveller_id", "miles"), Arg("miles"), -1)),
                Set("to_traveller_id", "miles", Sum(Cell("to_traveller_id", "miles"), Arg("miles"))),
            ),
            asks=(
                "transfer {miles} miles from {from_traveller_id} to {to_traveller_id}",
                "move {miles} miles of {from_traveller_id} over to {to_traveller_id}",
                "give {to_traveller_id} {miles} of the miles that {from_traveller_id} has",
            ),
        ),
        Write(
            name="book_hotel",
            about="Book a room from a day on; it is paid at the hotel's rate.",
            params=(
                _TRAVELLER,
                Param(name="hotel_id", of="hotels.id"),
                Param(name="check_in", of="stays.check_in"),
                Param(name="nights", of="stays.nights", minimum=1, maximum=30),
            ),
            requires=(
                Require(
                    left=Cell("hotel_id", "rooms_free"),
                    op=">=",
                    right=Const(1),
                    error="the hotel {hotel_id} is fully booked",
                ),
                Require(left=Arg("check_in"), op=">=", right=Today(), error="{check_in} is in the past"),
            ),
            effects=(
                Insert(
                    "stays",
                    {
                        "traveller_id": Arg("traveller_id"),
                        "hotel_id": Arg("hotel_id"),
                        "check_in": Arg("check_in"),
                        "nights": Arg("nights"),
                        "price": Product(Arg("nights"), Cell("hotel_id", "rate")),
                    },
                ),
                Set("hotel_id", "rooms_free", Sum(Cell("hotel_id", "rooms_free"), Const(1), -1)),
            ),
            asks=(
                "book a room in {hotel_id} for {traveller_id} from {check_in}, number of nights: {nights}",
                "reserve {nights} night(s) in {hotel_id} from {check_in} on for {traveller_id}",
                "get {traveller_id} a room in {hotel_id}, arriving on {check_in} and staying {nights} night(s)",
            ),
        ),
        Write(
            name="cancel_stay",
            about="Cancel a hotel stay that has not begun: it is removed and the room is free again.",
            params=(_STAY,),
            requires=(_NOT_BEGUN,),
            effects=(
                Set("stay_id", "hotel_id.rooms_free", Sum(Cell("stay_id", "hotel_id.rooms_free"), Const(1))),
                Delete("stay_id"),
            ),
            asks=("cancel {stay_id}", "call {stay_id} off", "have {stay_id} cancelled"),
            is_idempotent=True,
        ),
    ),
    pools={
        "train": PEOPLE["train"]
        | {
            "airline": words("Skyline Aerovia Blueway Nordair Swiftwing"),
            "house": words(
                "Grand Royal Central Golden Riverside Station Imperial Alpine Crown Lakeside Monarch Regent Sunrise "
                "Corner Parkside Majestic"
            ),
            "kind": words("Hotel Inn Lodge Palace House Suites Residence Court Arms Tower Plaza Villa"),
        },
        "heldout": PEOPLE["heldout"]
        | {
            "airline": words("Aquila Jetstar Cloudliner Sunwings Globair"),
            "house": words(
                "Seaside Palm Vista Coral Emerald Orchard Bayview Marina Heritage Northern Bellevue Sapphire Panorama "
                "Cliffside Windmill Lighthouse"
            ),
            "kind": words("Resort Hostel Manor Retreat Guesthouse Pension Chalet Hideaway Motel Mansion Lofts Spa"),
        },
    },
)
