"""What a fleet consists of: vehicles, their drivers and trips, services in the workshop and fuel stops."""

from collections.abc import Mapping

from palestra.envs.base import Split
from palestra.envs.tooluse.draw import Code, Day, Money, OneOf, Pick, Ref, Rows, Whole
from palestra.envs.tooluse.schema import Column, Table
from palestra.envs.tooluse.words import PEOPLE, words

_LICENCE_OF = {"car": "B", "van": "B", "truck": "C", "bus": "D"}
_KINDS = tuple(_LICENCE_OF)
_LICENCES = ("B", "C", "D")
_VEHICLE_STATES = ("ready", "grounded", "retired")
_TRIP_STATES = ("planned", "finished", "cancelled")
_SERVICE_KINDS = ("oil", "brakes", "tyres", "inspection")
_SERVICE_STATES = ("scheduled", "done", "cancelled")

_VEHICLES = Table(
    name="vehicles",
    noun="vehicle",
    prefix="veh",
    rows=50,
    named_by=("model", "city"),
    columns=(
        Column(name="plate", about="Number plate", draw=Code("??-###-??"), is_unique=True),
        Column(name="model", about="Make and model", draw=Pick("make", "series")),
        Column(name="body_type", about="Kind of vehicle", draw=OneOf(*_KINDS, weights=(3, 5, 3, 1)), enum=_KINDS),
        Column(name="licence", about="Licence class that its driver needs", draw=OneOf("B"), enum=_LICENCES),
        Column(name="city", about="City of the depot where it stands", draw=Pick("city")),
        Column(name="state", about="State", draw=OneOf(*_VEHICLE_STATES, weights=(7, 2, 1)), enum=_VEHICLE_STATES),
        Column(name="odometer", about="Distance driven so far", draw=Whole(900, 180_000), type="integer", unit="km"),
        Column(name="tank_size", about="Size of the tank", draw=Whole(60, 120, 10), type="integer", unit="litres"),
        Column(name="fuel_level", about="Fuel in the tank", draw=Whole(5, 60), type="integer", unit="litres"),
        Column(name="card_balance", about="Money on its fuel card", draw=Money(20, 600), type="number", unit="USD"),
    ),
)
_DRIVERS = Table(
    name="drivers",
    noun="driver",
    prefix="drv",
    rows=40,
    named_by=("name", "city"),
    columns=(
        Column(name="name", about="Full name", draw=Pick("first", "last")),
        Column(name="badge", about="Badge number", draw=Code("D-####"), is_unique=True),
        Column(name="licence", about="Licence class held", draw=OneOf(*_LICENCES, weights=(5, 3, 2)), enum=_LICENCES),
        Column(name="city", about="City of the depot where the driver works", draw=Pick("city")),
        Column(name="is_on_leave", about="Whether on leave", draw=OneOf(False, True, weights=(5, 1)), type="boolean"),
    ),
)
_TRIPS = Table(
    name="trips",
    noun="trip",
    prefix="trp",
    rows=130,
    named_by=("driver_id.name", "destination", "day"),
    columns=(
        Column(name="vehicle_id", about="The vehicle that is used", draw=Ref("vehicles"), ref="vehicles"),
        Column(name="driver_id", about="Who drives", draw=Ref("drivers"), ref="drivers"),
        Column(name="day", about="Day of the trip", draw=Day(-45, 60), format="date"),
        Column(name="origin", about="City where it begins", draw=Pick("city")),
        Column(name="destination", about="City where it ends", draw=Pick("city")),
        Column(name="distance", about="Length of the trip", draw=Whole(40, 900), type="integer", unit="km"),
        Column(
            name="state", about="State of the trip", draw=OneOf(*_TRIP_STATES, weights=(5, 4, 1)), enum=_TRIP_STATES
        ),
    ),
)
_SERVICES = Table(
    name="services",
    noun="service",
    prefix="srv",
    rows=80,
    named_by=("kind", "vehicle_id.model", "day"),
    columns=(
        Column(name="vehicle_id", about="The vehicle that is serviced", draw=Ref("vehicles"), ref="vehicles"),
        Column(name="kind", about="What is done", draw=OneOf(*_SERVICE_KINDS), enum=_SERVICE_KINDS),
        Column(name="day", about="Day in the workshop", draw=Day(-60, 60), format="date"),
        Column(name="workshop", about="Workshop", draw=Pick("workshop")),
        Column(name="cost", about="Price, or the estimate of it", draw=Money(60, 900), type="number", unit="USD"),
        Column(
            name="state",
            about="State of the service",
            draw=OneOf(*_SERVICE_STATES, weights=(5, 4, 1)),
            enum=_SERVICE_STATES,
        ),
    ),
)
_FUEL_STOPS = Table(
    name="fuel_stops",
    noun="fuel stop",
    prefix="fst",
    rows=110,
    named_by=("driver_id.name", "day"),
    columns=(
        Column(name="vehicle_id", about="The vehicle that was filled up", draw=Ref("vehicles"), ref="vehicles"),
        Column(name="driver_id", about="Who filled it up", draw=Ref("drivers"), ref="drivers"),
        Column(name="day", about="Day of the stop", draw=Day(-45, -1), format="date"),
        Column(name="station", about="Filling station", draw=Pick("station")),
        Column(name="litres", about="How much was filled in", draw=Whole(5, 60), type="integer", unit="litres"),
        Column(name="price", about="Price of one litre", draw=Money(1.2, 2.2), type="number", unit="USD"),
        Column(name="amount", about="Price of the whole stop", draw=Money(4, 4), type="number", unit="USD"),
    ),
)


TABLES = (_VEHICLES, _DRIVERS, _TRIPS, _SERVICES, _FUEL_STOPS)
POOLS: Mapping[Split, Mapping[str, tuple[str, ...]]] = {
    "train": PEOPLE["train"]
    | {
        "make": words("Norvan Tessel Brandt Kallio Motora Ardent Velox Corvina"),
        "series": words("Cargo Metro 200 340 Sprint Tempo Liner Comfort"),
        "workshop": words("Autofix Wheelhouse Garage_North Motorcare"),
        "station": words("Petrolia Fuelpoint Roadstar Tankhaus Gaswell"),
    },
    "heldout": PEOPLE["heldout"]
    | {
        "make": words("Solaris Hedin Marlow Ostra Pegaso Trident Zenker Lumina"),
        "series": words("Haul Urban 410 650 Dash Viva Shuttle Eco"),
        "workshop": words("Carclinic Torque_South Gearbox_Brothers Brakeworks"),
        "station": words("Dieselix Pumpline Highoctane Fillmore Energo"),
    },
}


def settle(rows: Rows) -> None:
    """Drivers hold the licence for what they drive, what is to come is not finished, and amounts are right."""
    vehicles, drivers = rows["vehicles"], rows["drivers"]
    holders: dict[str, list[str]] = {}
    for id_, driver in drivers.items():
        holders.setdefault(driver["licence"], []).append(id_)
    for vehicle in vehicles.values():
        vehicle["licence"] = _LICENCE_OF[vehicle["body_type"]]
    yesterday = max(stop["day"] for stop in rows["fuel_stops"].values())
    for table in ("trips", "fuel_stops"):
        for number, row in enumerate(rows[table].values()):
            fit = holders.get(vehicles[row["vehicle_id"]]["licence"])
            if fit:
                row["driver_id"] = fit[number % len(fit)]
    for trip in rows["trips"].values():
        trip["origin"] = vehicles[trip["vehicle_id"]]["city"]
        if trip["day"] > yesterday and trip["state"] == "finished":
            trip["state"] = "planned"
    for service in rows["services"].values():
        if service["day"] > yesterday and service["state"] == "done":
            service["state"] = "scheduled"
    for stop in rows["fuel_stops"].values():
        stop["amount"] = round(stop["litres"] * stop["price"], 2)
