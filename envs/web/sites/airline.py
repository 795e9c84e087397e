"""What an airline has: flights of a few routes, their fares, and bookings that were made."""

from collections.abc import Mapping, Sequence
from typing import Final

from palestra.envs.base import Json
from palestra.envs.web.pools import COMPANIES, FIRST_NAMES, LAST_NAMES
from palestra.envs.web.site import Site

MONTHS: Final = ("June 2027", "July 2027")
DAYS: Final = 30
FARES: Final = ("Light", "Classic", "Flexible")
SEATS: Final = ("Any", "Window", "Aisle")
Rows = Mapping[str, Mapping[str, Json]]


def drawn_flights(site: Site, cities: Sequence[str]) -> Rows:
    """Return the flights of three routes between cities, by number."""
    draws, lines = site.draws("flights"), COMPANIES[site.split]
    pairs = draws.shuffled([(one, other) for one in cities for other in cities if one != other])
    flights: dict[str, dict[str, Json]] = {}
    for route in range(3):
        here, there = pairs[route]
        day = f"{draws.between(1, DAYS)} {draws.pick(MONTHS)}"
        hours, prices = draws.shuffled(range(6, 22)), draws.shuffled(range(60, 400, 5))
        lengths = draws.shuffled(range(70, 400, 5))
        for place in range(max(3, min(12, site.knobs.size // 2))):
            flights[f"{here[0]}{there[0]}{100 + 20 * route + place}"] = {
                "from": here,
                "to": there,
                "day": day,
                "hour": f"{hours[place]:02d}:{draws.pick(('00', '15', '30', '45'))}",
                "airline": draws.pick(lines),
                "price": prices[place],
                "minutes": lengths[place],
                "direct": draws.chance(0.5),
                "left": 0 if place == 2 else draws.between(2, 60),
            }
    return flights


def drawn_bookings(site: Site, flights: Rows) -> Rows:
    """Return a booking of each fare, by number."""
    draws, firsts, lasts = site.draws("bookings"), FIRST_NAMES[site.split], LAST_NAMES[site.split]
    taken = draws.shuffled([one for one, cells in flights.items() if cells["left"]])
    return {
        str(number): {
            "flight": taken[number],
            "fare": fare,
            "name": f"{draws.pick(firsts)} {draws.pick(lasts)}",
            "passport": f"{draws.pick('ABCDEFGH')}{draws.between(100000, 999999)}",
            "seat": draws.pick(SEATS),
        }
        for number, fare in enumerate(draws.shuffled(FARES), start=1)
    }


def fare_price(cells: Mapping[str, Json], fare: str) -> int:
    """Return what a fare of a flight costs, in EUR."""
    return int(cells["price"]) + 35 * FARES.index(fare)
