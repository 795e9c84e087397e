"""What is asked for where flights are booked."""

from collections.abc import Iterator
from typing import ClassVar, Final

from palestra.envs.web.element import Ui
from palestra.envs.web.pools import FIRST_NAMES, LAST_NAMES
from palestra.envs.web.site import Goal, Place, Site
from palestra.envs.web.sites.airline import FARES, MONTHS, SEATS, Rows
from palestra.envs.web.sites.goals import Goals
from palestra.envs.web.verify import together

_LOWEST: Final = "Lowest price first"


class FlightGoals(Goals):
    """The goals of one airline's site."""

    everywhere: ClassVar[tuple[str, ...]] = ("to /", "do find", "to /results*", "to /bookings")

    def __init__(self, site: Site, flights: Rows, bookings: Rows) -> None:
        self._flights, self._bookings = flights, bookings
        super().__init__(site)

    def matters(self, place: Place, goal: Goal, key: str) -> bool:
        """Whether using an element can be part of a shortest solution."""
        if "from" not in self._entries[goal.intent]:
            return super().matters(place, goal, key) and not key.startswith(("do find", "to /results"))
        if not super().matters(place, goal, key):
            return False
        return place.path != "/" or self._is_left(goal, place.ui, key)

    def _is_left(self, goal: Goal, ui: Ui, key: str) -> bool:
        """Whether an element of the search still has something to enter, or nothing is left and it is sent."""
        route = self._entries[goal.intent]
        day, now = route["day"][0], int(ui.get("month", 0))
        done = {one: ui.get(one) == ui.get(f"chosen {one}") == route[one][0] for one in ("from", "to")}
        done |= {"day": ui.get("day") == day}
        if key == "do find":
            return all(done.values())
        if key in ("from", "to"):
            return not done[key] and ui.get(key) != route[key][0]
        if key == "do calendar":
            return not done["day"] and not ui.get("calendar")
        if key.startswith("do month "):
            return int(key.split()[-1]) == MONTHS.index(day.split(" ", 1)[1]) != now
        return not key.startswith("do city from") or not done["from"]

    def _all(self) -> Iterator[Goal]:
        draws = self._site.draws("goals")
        free = draws.shuffled([one for one, cells in self._flights.items() if cells["left"]])
        gone = [one for one, cells in self._flights.items() if not cells["left"]]
        route = draws.shuffled(sorted({self._route(one) for one in self._flights}))
        yield self._booked("by hour", free[0], f"that leaves at {self._flights[free[0]]['hour']}")
        cheapest = min(self._same(*route[0]), key=self._price)
        fastest = min(self._same(*route[1]), key=lambda one: int(self._flights[one]["minutes"]))
        latest = max(self._same(*route[2]), key=lambda one: str(self._flights[one]["hour"]))
        for template, one in (("cheapest", cheapest), ("fastest", fastest), ("latest", latest)):
            if self._flights[one]["left"]:
                which = {"fastest": "that takes the shortest time", "latest": "that leaves last"}
                yield self._booked(template, one, which.get(template, "with the lowest price"))
        yield self._least(*route[0])
        yield self._airline(free[1])
        yield self._count(*route[1])
        yield self._booked("full flight", gone[0], f"that leaves at {self._flights[gone[0]]['hour']}", "infeasible")
        yield from self._old()

    def _old(self) -> Iterator[Goal]:
        """Yield what is asked for of bookings that there are."""
        draws = self._site.draws("old")
        light = next(one for one, cells in self._bookings.items() if cells["fare"] == FARES[0])
        able, other = draws.shuffled([one for one in self._bookings if one != light])
        seat = draws.pick([one for one in SEATS if one != self._bookings[other]["seat"]])
        for one, kind in ((able, "change"), (light, "infeasible")):
            name = self._bookings[one]["name"]
            intent = self.said(
                f"Cancel the booking {one} of {name}.", f"{name} does not fly: cancel the booking {one}."
            )
            refused = together(f"Booking {one}", "Bookings of this fare cannot be cancelled.")
            facts = (refused,) if kind == "infeasible" else ()
            template = "cancel" if kind == "change" else "no way to cancel"
            goal = Goal(kind=kind, template=template, intent=intent, changes={f"bookings/{one}": None}, facts=facts)
            yield self.about(goal, f"to /booking/{one}", f"do cancel {one}")
        intent = self.said(
            f"Change the seat of the booking {other} to: {seat}.", f"The seat of booking {other}: {seat}."
        )
        changed = {f"bookings/{other}/seat": seat}
        goal = Goal(kind="change", template="seat", intent=intent, changes=changed, values=(seat,))
        yield self.about(goal, f"to /booking/{other}", f"do seat {other}", seat=seat)
        one = draws.pick(list(self._bookings))
        intent = self.said(f"Which passport is booking {one} made with?", f"Tell me the passport of booking {one}.")
        passport = str(self._bookings[one]["passport"])
        goal = Goal(
            kind="answer", template="passport", intent=intent, answer=passport, facts=(f"Passport: {passport}",)
        )
        yield self.about(goal, f"to /booking/{one}")

    def _price(self, one: str) -> int:
        return int(self._flights[one]["price"])

    def _route(self, one: str) -> tuple[str, str, str]:
        cells = self._flights[one]
        return str(cells["from"]), str(cells["to"]), str(cells["day"])

    def _same(self, *route: str) -> list[str]:
        return [one for one in self._flights if self._route(one) == route]

    def _searching(self, route: tuple[str, str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
        here, there, day = route
        keys = (f"do city from {here}", f"do city to {there}", "do calendar", "do month *", f"do day {day}")
        return keys, {"from": here, "to": there, "day": day}

    def _booked(self, template: str, one: str, which: str, kind: str = "change") -> Goal:
        draws, split = self._site.draws(f"book {template}"), self._site.split
        here, there, day = self._route(one)
        fare, name = draws.pick(FARES), f"{draws.pick(FIRST_NAMES[split])} {draws.pick(LAST_NAMES[split])}"
        passport = f"{draws.pick('ABCDEFGH')}{draws.between(100000, 999999)}"
        seat = draws.pick(SEATS)
        rest = f"fare {fare}, passport {passport}, seat: {seat}"
        intent = self.said(
            f"Book for {name} the flight from {here} to {there} on {day} {which} ({rest}).",
            f"{name} flies from {here} to {there} on {day}. Book the flight {which}: {rest}.",
        )
        new = {"flight": one, "fare": fare, "name": name, "passport": passport, "seat": seat}
        changed = {f"bookings/{len(self._bookings) + 1}/{cell}": value for cell, value in new.items()}
        facts = (together(f"Flight {one}", "This flight is fully booked."),) if kind == "infeasible" else ()
        goal = Goal(
            kind=kind, template=template, intent=intent, changes=changed, values=tuple(new.values()), facts=facts
        )
        keys, entries = self._searching((here, there, day))
        entries |= {"fare": fare, "name": name, "passport": passport}
        entries |= {"seat": seat} if seat != "Any" else {}
        entries |= {"sort": _LOWEST} if template == "cheapest" else {}
        sorting = ("do sort",) if template == "cheapest" else ()
        return self.about(goal, *keys, f"to /flight/{one}", f"do fare {one}", "do book", *sorting, **entries)

    def _least(self, *route: str) -> Goal:
        here, there, day = route
        price = min(self._price(one) for one in self._same(*route))
        intent = self.said(
            f"What does the cheapest flight from {here} to {there} on {day} cost, in EUR? Answer with a number.",
            f"Find the lowest price from {here} to {there} on {day}, in EUR; answer with the number alone.",
        )
        facts = (f"EUR {price}",)
        goal = Goal(kind="answer", template="lowest price", intent=intent, answer=price, facts=facts)
        keys, entries = self._searching((here, there, day))
        return self.about(goal, *keys, "do sort", **entries, sort=_LOWEST)

    def _airline(self, one: str) -> Goal:
        cells, (here, there, day) = self._flights[one], self._route(one)
        intent = self.said(
            f"Which airline flies from {here} to {there} on {day} at {cells['hour']}?",
            f"By whom is the flight from {here} to {there} on {day} flown that leaves at {cells['hour']}?",
        )
        facts = (f"Flown by {cells['airline']}", f"Flight {one}")
        goal = Goal(kind="answer", template="airline", intent=intent, answer=str(cells["airline"]), facts=facts)
        keys, entries = self._searching((here, there, day))
        return self.about(goal, *keys, f"to /flight/{one}", **entries)

    def _count(self, *route: str) -> Goal:
        here, there, day = route
        found = self._same(*route)
        intent = self.said(
            f"How many flights are there from {here} to {there} on {day}? Answer with a number.",
            f"Count the flights from {here} to {there} on {day}; answer with the number alone.",
        )
        facts = tuple(f"Flight {one}" for one in found)
        goal = Goal(kind="answer", template="count", intent=intent, answer=len(found), facts=facts)
        keys, entries = self._searching((here, there, day))
        return self.about(goal, *keys, **entries)
