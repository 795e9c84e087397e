"""What can be done with a fleet of vehicles."""

from palestra.envs.tooluse.domains.fleet import POOLS, TABLES, settle
from palestra.envs.tooluse.schema import (
    Arg,
    Cell,
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
    Today,
    Total,
    Write,
)

_TRIP = Param(name="trip_id", of="trips.id")
_VEHICLE = Param(name="vehicle_id", of="vehicles.id")
_DRIVER = Param(name="driver_id", of="drivers.id")
_NOT_PAST = Require(left=Arg("day"), op=">=", right=Today(), error="{day} is past; name today or a later day")
_PLANNED = Require(
    left=Cell("trip_id", "state"),
    op="==",
    right=Const("planned"),
    error="only planned trips can be changed, and {trip_id} is not planned",
    policy="planned_only",
)
_AT_WORK = Require(
    left=Cell("driver_id", "is_on_leave"),
    op="==",
    right=Const(False),
    error="{driver_id} is on leave; choose a driver who is not",
    policy="nobody_on_leave",
)

VEHICLES = Domain(
    name="vehicles",
    about="You are the dispatcher of a company's fleet.",
    tables=TABLES,
    settle=settle,
    policies=(
        Policy(name="ready_only", text="Only vehicles that are ready are sent on trips."),
        Policy(name="licence_fits", text="A trip is given only to a driver with the licence class of its vehicle."),
        Policy(name="nobody_on_leave", text="No trip is given to a driver who is on leave."),
        Policy(name="planned_only", text="A trip can be reassigned, cancelled or finished only while it is planned."),
        Policy(name="card_covers", text="A fuel card never pays more than the money that is on it."),
    ),
    tools=(
        Search(
            name="search_vehicles",
            about="Find vehicles by model, body type, city or state.",
            table="vehicles",
            filters=(
                Filter(arg="model", path="model", compare="has_words"),
                Filter(arg="body_type", path="body_type"),
                Filter(arg="city", path="city"),
                Filter(arg="state", path="state"),
            ),
            shows=("model", "body_type", "city", "state"),
        ),
        Get(
            name="get_vehicle",
            about="Show everything about a vehicle.",
            table="vehicles",
            arg="vehicle_id",
            shows=(
                "plate",
                "model",
                "body_type",
                "licence",
                "city",
                "state",
                "odometer",
                "tank_size",
                "fuel_level",
                "card_balance",
            ),
        ),
        Get(
            name="find_vehicle_by_plate",
            about="Find the vehicle that has a number plate.",
            table="vehicles",
            arg="plate",
            by="plate",
            shows=("plate", "model", "body_type", "city", "state"),
        ),
        Search(
            name="search_drivers",
            about="Find drivers by name, licence class or city.",
            table="drivers",
            filters=(
                Filter(arg="name", path="name", compare="has_words"),
                Filter(arg="licence", path="licence"),
                Filter(arg="city", path="city"),
            ),
            shows=("name", "licence", "city", "is_on_leave"),
        ),
        Get(
            name="find_driver_by_badge",
            about="Find the driver who has a badge number.",
            table="drivers",
            arg="badge",
            by="badge",
            shows=("name", "badge", "licence", "city", "is_on_leave"),
        ),
        Search(
            name="list_trips",
            about="List trips by vehicle, driver, destination, state or day.",
            table="trips",
            filters=(
                Filter(arg="vehicle_id", path="vehicle_id"),
                Filter(arg="driver_id", path="driver_id"),
                Filter(arg="destination", path="destination"),
                Filter(arg="state", path="state"),
                Filter(arg="from_day", path="day", compare="at_least"),
                Filter(arg="until_day", path="day", compare="at_most"),
            ),
            shows=("vehicle_id", "driver_id", "driver_id.name", "day", "origin", "destination", "distance", "state"),
        ),
        Search(
            name="list_services",
            about="List services in the workshop by vehicle, kind, state or day.",
            table="services",
            filters=(
                Filter(arg="vehicle_id", path="vehicle_id"),
                Filter(arg="kind", path="kind"),
                Filter(arg="state", path="state"),
                Filter(arg="until_day", path="day", compare="at_most"),
            ),
            shows=("vehicle_id", "vehicle_id.model", "kind", "day", "workshop", "cost", "state"),
        ),
        Search(
            name="list_fuel_stops",
            about="List fuel stops by vehicle, driver, station or day.",
            table="fuel_stops",
            filters=(
                Filter(arg="vehicle_id", path="vehicle_id"),
                Filter(arg="driver_id", path="driver_id"),
                Filter(arg="station", path="station"),
                Filter(arg="from_day", path="day", compare="at_least"),
            ),
            shows=("vehicle_id", "driver_id", "driver_id.name", "day", "station", "litres", "price", "amount"),
        ),
        Total(
            name="total_distance",
            about="Add up the length of trips, by vehicle, driver and state.",
            table="trips",
            filters=(
                Filter(arg="vehicle_id", path="vehicle_id"),
                Filter(arg="driver_id", path="driver_id"),
                Filter(arg="state", path="state"),
            ),
            how="sum",
            of="distance",
        ),
        Total(
            name="highest_service_cost",
            about="Show the highest price of a service, by vehicle and kind.",
            table="services",
            filters=(Filter(arg="vehicle_id", path="vehicle_id"), Filter(arg="kind", path="kind")),
            how="max",
            of="cost",
        ),
        Total(
            name="count_fuel_stops",
            about="Count fuel stops by vehicle, driver and station.",
            table="fuel_stops",
            filters=(
                Filter(arg="vehicle_id", path="vehicle_id"),
                Filter(arg="driver_id", path="driver_id"),
                Filter(arg="station", path="station"),
            ),
            how="count",
        ),
        Write(
            name="plan_trip",
            about="Plan a trip that begins at the depot of its vehicle.",
            params=(
                _VEHICLE,
                _DRIVER,
                Param(name="destination", of="trips.destination"),
                Param(name="distance", of="trips.distance", minimum=1, maximum=5000),
                Param(name="day", of="trips.day"),
            ),
            requires=(
                Require(
                    left=Cell("vehicle_id", "state"),
                    op="==",
                    right=Const("ready"),
                    error="{vehicle_id} is not ready for a trip; choose another vehicle",
                    policy="ready_only",
                ),
                Require(
                    left=Cell("driver_id", "licence"),
                    op="==",
                    right=Cell("vehicle_id", "licence"),
                    error="{driver_id} lacks the licence class that {vehicle_id} needs",
                    policy="licence_fits",
                ),
                _AT_WORK,
                _NOT_PAST,
            ),
            effects=(
                Insert(
                    "trips",
                    {
                        "vehicle_id": Arg("vehicle_id"),
                        "driver_id": Arg("driver_id"),
                        "day": Arg("day"),
                        "origin": Cell("vehicle_id", "city"),
                        "destination": Arg("destination"),
                        "distance": Arg("distance"),
                        "state": Const("planned"),
                    },
                ),
            ),
            asks=(
                "plan a trip of {distance} km to {destination} on {day} with {vehicle_id}, driven by {driver_id}",
                "send {driver_id} to {destination} with {vehicle_id} on {day}, a trip of {distance} km",
                "have {vehicle_id} driven to {destination} ({distance} km) by {driver_id} on {day}",
            ),
        ),
        Write(
            name="cancel_trip",
            about="Cancel a planned trip.",
            params=(_TRIP,),
            requires=(_PLANNED,),
            effects=(Set("trip_id", "state", Const("cancelled")),),
            asks=("cancel {trip_id}", "call off {trip_id}", "have {trip_id} cancelled"),
            is_idempotent=True,
        ),
        Write(
            name="reassign_trip",
            about="Give a planned trip to another driver.",
            params=(_TRIP, _DRIVER),
            requires=(
                _PLANNED,
                Require(
                    left=Cell("driver_id", "licence"),
                    op="==",
                    right=Cell("trip_id", "vehicle_id.licence"),
                    error="{driver_id} lacks the licence class that the vehicle of {trip_id} needs",
                    policy="licence_fits",
                ),
                _AT_WORK,
            ),
            effects=(Set("trip_id", "driver_id", Arg("driver_id")),),
            asks=(
                "reassign {trip_id} to {driver_id}",
                "have {driver_id} drive {trip_id}",
                "give {trip_id} to {driver_id}",
            ),
            is_idempotent=True,
        ),
        Write(
            name="finish_trip",
            about="Report a planned trip as finished; its length is added to the odometer of the vehicle.",
            params=(_TRIP,),
            requires=(
                _PLANNED,
                Require(
                    left=Cell("trip_id", "day"), op="<=", right=Today(), error="the day of {trip_id} is still to come"
                ),
            ),
            effects=(
                Set("trip_id", "state", Const("finished")),
                Set(
                    "trip_id",
                    "vehicle_id.odometer",
                    Sum(Cell("trip_id", "vehicle_id.odometer"), Cell("trip_id", "distance")),
                ),
            ),
            asks=("report {trip_id} as finished", "mark {trip_id} as finished", "record that {trip_id} is finished"),
            is_idempotent=True,
        ),
        Write(
            name="schedule_service",
            about="Book a vehicle into a workshop.",
            params=(
                _VEHICLE,
                Param(name="kind", of="services.kind"),
                Param(name="day", of="services.day"),
                Param(name="workshop", of="services.workshop"),
            ),
            requires=(_NOT_PAST,),
            effects=(
                Insert(
                    "services",
                    {
                        "vehicle_id": Arg("vehicle_id"),
                        "kind": Arg("kind"),
                        "day": Arg("day"),
                        "workshop": Arg("workshop"),
                        "state": Const("scheduled"),
                    },
                ),
            ),
            asks=(
                "schedule a service ({kind}) for {vehicle_id} at {workshop} on {day}",
                "book {vehicle_id} into {workshop} on {day} for this service: {kind}",
                "send {vehicle_id} to {workshop} on {day}, the service being {kind}",
            ),
        ),
        Write(
            name="record_fuel_stop",
            about="Record a fuel stop of today; the fuel goes into the tank and its price off the fuel card.",
            params=(
                _VEHICLE,
                _DRIVER,
                Param(name="station", of="fuel_stops.station"),
                Param(name="litres", of="fuel_stops.litres", minimum=2, maximum=200),
                Param(name="price", of="fuel_stops.price", minimum=0.5, maximum=5),
            ),
            requires=(
                Require(
                    left=Sum(Cell("vehicle_id", "fuel_level"), Arg("litres")),
                    op="<=",
                    right=Cell("vehicle_id", "tank_size"),
                    error="{litres} litres more do not fit into the tank of {vehicle_id}",
                ),
                Require(
                    left=Cell("vehicle_id", "card_balance"),
                    op=">=",
                    right=Product(Arg("litres"), Arg("price")),
                    error="the fuel card of {vehicle_id} does not cover {litres} litres at {price} USD",
                    policy="card_covers",
                ),
            ),
            effects=(
                Insert(
                    "fuel_stops",
                    {
                        "vehicle_id": Arg("vehicle_id"),
                        "driver_id": Arg("driver_id"),
                        "day": Today(),
                        "station": Arg("station"),
                        "litres": Arg("litres"),
                        "price": Arg("price"),
                        "amount": Product(Arg("litres"), Arg("price")),
                    },
                ),
                Set("vehicle_id", "fuel_level", Sum(Cell("vehicle_id", "fuel_level"), Arg("litres"))),
                Set(
                    "vehicle_id",
                    "card_balance",
                    Sum(Cell("vehicle_id", "card_balance"), Product(Arg("litres"), Arg("price")), -1),
                ),
            ),
            asks=(
                "record that {driver_id} filled {litres} litres at {price} USD a litre into {vehicle_id} at {station}",
                "enter a fuel stop of {vehicle_id} at {station}: {litres} litres at {price} USD each, by {driver_id}",
                "note a stop at {station} where {driver_id} filled up {vehicle_id} with {litres} litres at {price} USD "
                "a litre",
            ),
        ),
        Write(
            name="delete_fuel_stop",
            about="Delete a fuel stop that was recorded by mistake; its price goes back to the fuel card.",
            params=(Param(name="fuel_stop_id", of="fuel_stops.id"),),
            effects=(
                Set(
                    "fuel_stop_id",
                    "vehicle_id.card_balance",
                    Sum(Cell("fuel_stop_id", "vehicle_id.card_balance"), Cell("fuel_stop_id", "amount")),
                ),
                Delete("fuel_stop_id"),
            ),
            asks=(
                "delete {fuel_stop_id}",
                "remove {fuel_stop_id}, which was recorded by mistake",
                "take {fuel_stop_id} off the books",
            ),
            is_idempotent=True,
        ),
        Write(
            name="transfer_balance",
            about="Move money from the fuel card of one vehicle to that of another.",
            params=(
                Param(name="from_vehicle_id", of="vehicles.id", about="The id of the vehicle whose card pays"),
                Param(name="to_vehicle_id", of="vehicles.id", about="The id of the vehicle whose card is topped up"),
                Param(name="amount", of="vehicles.card_balance", about="How much (USD)", minimum=5, maximum=400),
            ),
            requires=(
                Require(
                    left=Arg("from_vehicle_id"),
                    op="!=",
                    right=Arg("to_vehicle_id"),
                    error="from_vehicle_id and to_vehicle_id are both {to_vehicle_id}; name two vehicles",
                ),
                Require(
                    left=Cell("from_vehicle_id", "card_balance"),
                    op=">=",
                    right=Arg("amount"),
                    error="the fuel card of {from_vehicle_id} holds less than {amount} USD",
                    policy="card_covers",
                ),
            ),
            effects=(
                Set("from_vehicle_id", "card_balance", Sum(Cell("from_vehicle_id", "card_balance"), Arg("amount"), -1)),
                Set("to_vehicle_id", "card_balance", Sum(Cell("to_vehicle_id", "card_balance"), Arg("amount"))),
            ),
            asks=(
                "transfer {amount} USD from the fuel card of {from_vehicle_id} to that of {to_vehicle_id}",
                "move {amount} USD of fuel money from {from_vehicle_id} to {to_vehicle_id}",
                "top up the fuel card of {to_vehicle_id} with {amount} USD from that of {from_vehicle_id}",
            ),
        ),
    ),
    pools=POOLS,
)
