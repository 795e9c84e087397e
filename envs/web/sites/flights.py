"""Flights: a search with suggestions and a calendar, results that are narrowed and sorted, fares, and who flies."""

from collections.abc import Iterator
from typing import ClassVar, Final

from palestra.envs.base import Split
from palestra.envs.web.element import (
    Command,
    Element,
    Page,
    Ui,
    alert,
    box,
    button,
    choice,
    entry,
    form,
    heading,
    link,
    listing,
    part,
    pressed,
    radios,
    status,
    table,
    text,
)
from palestra.envs.web.pools import CITIES
from palestra.envs.web.site import Knobs, Place
from palestra.envs.web.sites.airline import (
    DAYS,
    FARES,
    MONTHS,
    SEATS,
    Rows,
    drawn_bookings,
    drawn_flights,
    fare_price,
)
from palestra.envs.web.sites.flights_goals import FlightGoals
from palestra.envs.web.sites.goals import AskingSite
from palestra.envs.web.sites.shared import leaflet, links_beside, offer, shown_part

SORTS: Final = ("Earliest first", "Lowest price first", "Shortest first")
_HINTS: Final = 4  # cities that are suggested
_BAGS: Final = {"Light": "no bag", "Classic": "one bag", "Flexible": "two bags"}


class Flights(AskingSite):
    """An airline's site whose truth is its bookings; flight and fare are remembered of the visitor until then."""

    name: ClassVar[str] = "flights"

    def __init__(self, seed: int, split: Split, knobs: Knobs) -> None:
        super().__init__(seed, split, knobs)
        draws = self.draws("airline")
        self._cities = tuple(sorted(draws.shuffled(CITIES[split])[:10]))
        self._flights = drawn_flights(self, self._cities)
        self._bookings = drawn_bookings(self, self._flights)
        labels = self.draws("labels")
        self._words = {
            "from": labels.pick(("From", "Leaving from", "Departure")),
            "to": labels.pick(("To", "Going to", "Destination")),
            "name": labels.pick(("Passenger", "Full name", "Name of the passenger")),
            "passport": labels.pick(("Passport", "Number of the passport")),
            "find": labels.pick(("Search", "Find flights", "Show flights")),
            "book": labels.pick(("Book", "Book now", "Confirm the booking")),
        }
        self._goals = FlightGoals(self, self._flights, self._bookings)

    # -- pages -------------------------------------------------------------------------------------

    def start(self) -> Place:
        visit = {"flight": "", "fare": "", "closed": not self.knobs.popups}
        return Place(data={"bookings": self._bookings}, visit=visit, path="/")

    def page(self, place: Place) -> Page | None:
        kind, _, which = place.path.strip("/").partition("/")
        if place.path == "/":
            in_the_way = None if place.visit["closed"] else offer(self.draws("offer"), "close offer")
            return Page("Flights", tuple(self._search(place)), in_the_way)
        if place.path == "/results":
            return self._results(place)
        if kind == "flight" and which in self._flights:
            return self._flight(place, which)
        if place.path == "/passenger" and place.visit["flight"]:
            return self._passenger(place)
        if place.path == "/bookings":
            return self._booked_list(place)
        if kind == "booking" and which in place.data["bookings"]:
            return self._booking(place, which)
        if title := leaflet(place.path):
            return Page(title, (heading(title, 1), text("Nothing to see here yet."), link("Search", "/")))
        return None

    def _search(self, place: Place) -> Iterator[Element]:
        ui = place.ui
        yield heading("Where do you want to go?", 1)
        if ui.get("problem"):
            yield alert(str(ui["problem"]))
        groups = [
            self._city("from", ui),
            self._city("to", ui),
            self._calendar(ui),
            [box("Direct flights", "direct", ui)],
        ]
        for group in self.draws("layout").shuffled(groups) if self.knobs.shuffle else groups:
            yield from group
        yield button(self._words["find"], ("find",))
        beside = links_beside(self.draws("beside"), self.knobs.distractors)
        yield part("navigation", "More", link("My bookings", "/bookings"), *beside)

    def _city(self, field: str, ui: Ui) -> list[Element]:
        typed = str(ui.get(field, ""))
        hints = [one for one in self._cities if typed and one.casefold().startswith(typed.casefold())][:_HINTS]
        shown = [entry(self._words[field], field, ui, is_required=True)]
        if hints and typed != ui.get(f"chosen {field}"):
            options = (pressed("option", one, ("city", field, one), selected=False) for one in hints)
            shown.append(part("listbox", f"Suggestions: {self._words[field]}", *options))
        return shown

    def _calendar(self, ui: Ui) -> list[Element]:
        day, is_open = str(ui.get("day", "")), bool(ui.get("calendar"))
        shown = [button(f"Day: {day or 'choose one'}", ("calendar",), expanded=is_open)]
        if not is_open:
            return shown
        at = int(ui.get("month", 0))
        days = [f"{one} {MONTHS[at]}" for one in range(1, DAYS + 1)]
        cells = [pressed("gridcell", one.split()[0], ("day", one), selected=day == one) for one in days]
        weeks = [Element(role="row", children=tuple(cells[start : start + 7])) for start in range(0, DAYS, 7)]
        other = button("Earlier month" if at else "Later month", ("month", str(1 - at)))
        return [*shown, other, part("grid", MONTHS[at], *weeks)]

    def _results(self, place: Place) -> Page:
        asked = place.query
        found = [
            one
            for one, cells in self._flights.items()
            if all(cells[name] == asked.get(name) for name in ("from", "to", "day"))
            and (cells["direct"] or asked.get("direct") != "yes")
        ]
        by = {SORTS[1]: "price", SORTS[2]: "minutes"}.get(asked.get("sort", ""), "hour")
        found.sort(key=lambda one: self._flights[one][by])
        now, pages = shown_part(place, found, max(4, -(-len(found) // max(1, self.knobs.pages))))
        rows = [self._result(one) for one in now]
        sort = choice("Sort by", "sort", place.ui, SORTS, asked["sort"] if asked.get("sort") in SORTS else SORTS[0])
        title = f"Flights from {asked.get('from', '')[:40]} to {asked.get('to', '')[:40]}"
        columns = ("Flight", "Leaves at", "Takes", "Price", "Way")
        body = (
            heading(title, 1),
            text(f"On {asked.get('day', '')[:40]}"),
            form("Sort", ("sort",), sort, button("Sort", ("sort",))),
            table("Flights", columns, rows) if rows else text("No flights were found."),
            *pages,
            link("Search again", "/"),
        )
        return Page("Results", body)

    def _result(self, one: str) -> tuple[str | Element, ...]:
        cells = self._flights[one]
        way = "direct" if cells["direct"] else "one stop"
        price = f"EUR {cells['price']}"
        return (link(f"Flight {one}", f"/flight/{one}"), str(cells["hour"]), f"{cells['minutes']} min", price, way)

    def _flight(self, place: Place, which: str) -> Page:
        cells, ui = self._flights[which], place.ui
        told = [
            text(f"{cells['from']} to {cells['to']}, {cells['day']}, {cells['hour']}"),
            text(f"Flown by {cells['airline']}"),
        ]
        fares: list[Element] = [text("This flight is fully booked.")]
        if cells["left"]:
            prices = [f"{fare}: EUR {fare_price(cells, fare)}, {_BAGS[fare]}" for fare in FARES]
            fares = [
                *(text(one) for one in prices),
                radios("Fare", "fare", ui, FARES),
                button("Continue", ("fare", which), is_disabled="fare" not in ui),
            ]
        return Page(f"Flight {which}", (heading(f"Flight {which}", 1), *told, *fares, link("Search again", "/")))

    def _passenger(self, place: Place) -> Page:
        ui, visit = place.ui, place.visit
        problem = [alert(str(ui["problem"]))] if ui.get("problem") else []
        fields: list[Element] = [
            entry(self._words["name"], "name", ui, is_required=True),
            entry(self._words["passport"], "passport", ui, is_required=self.knobs.strict),
            choice("Seat", "seat", ui, SEATS, SEATS[0]),
        ]
        fields = self.draws("fields").shuffled(fields) if self.knobs.shuffle else fields
        price = fare_price(self._flights[visit["flight"]], str(visit["fare"]))
        body = (
            heading("Who flies?", 1),
            text(f"Flight {visit['flight']}, fare {visit['fare']}, to pay: EUR {price}"),
            *problem,
            form("Passenger", ("book",), *fields, button(self._words["book"], ("book",))),
            link("Another fare", f"/flight/{visit['flight']}"),
        )
        return Page("Passenger", body)

    def _booked_list(self, place: Place) -> Page:
        bookings: Rows = place.data["bookings"]
        items = [[link(f"Booking {one}", f"/booking/{one}"), text(str(bookings[one]["flight"]))] for one in bookings]
        told = [status(place.query["told"][:60])] if "told" in place.query else []
        shown = listing("Bookings", items) if items else text("There are none.")
        return Page("My bookings", (heading("My bookings", 1), *told, shown, link("Search", "/")))

    def _booking(self, place: Place, which: str) -> Page:
        cells = place.data["bookings"][which]
        told = [text(f"{name.capitalize()}: {cells[name]}") for name in ("flight", "name", "fare", "passport")]
        seat = choice("Seat", "seat", place.ui, SEATS, str(cells["seat"]))
        used = [form("Seat", ("seat", which), seat, button("Change the seat", ("seat", which)))]
        if cells["fare"] == FARES[0]:
            used.append(text("Bookings of this fare cannot be cancelled."))
        else:
            used.append(button("Cancel the booking", ("cancel", which)))
        ways = link("My bookings", "/bookings")
        return Page(f"Booking {which}", (heading(f"Booking {which}", 1), *told, *used, ways))

    # -- commands ----------------------------------------------------------------------------------

    def do(self, place: Place, command: Command) -> Place:
        ui = place.ui
        match command:
            case ("close offer",):
                return place.noted(closed=True)
            case ("city", field, name):
                return place.entered(**{field: name, f"chosen {field}": name})
            case ("calendar",):
                return place.entered(calendar=not ui.get("calendar") or None)
            case ("month", at):
                return place.entered(month=int(at))
            case ("day", day):
                return place.entered(day=day, calendar=None)
            case ("find",):
                return self._searched(place)
            case ("sort",):
                by = ui.get("sort", place.query.get("sort", SORTS[0]))
                return place.to("/results", **{**place.query, "page": "1", "sort": str(by)})
            case ("fare", which):
                return place.noted(flight=which, fare=str(ui["fare"])).to("/passenger")
            case ("seat", which):
                seat = place.ui.get("seat", place.data["bookings"][which]["seat"])
                return place.put("bookings", which, seat=seat).to("/bookings", told="The seat was changed.")
            case ("cancel", which):
                return place.drop("bookings", which).to("/bookings", told="The booking was cancelled.")
            case ("book",):
                return self._booked(place)
        raise ValueError(f"no such command: {command}")

    def _searched(self, place: Place) -> Place:
        ui = place.ui
        if any(ui.get(one) not in self._cities or ui[one] != ui.get(f"chosen {one}") for one in ("from", "to")):
            return place.entered(problem="Choose both cities from what is suggested.")
        if not ui.get("day"):
            return place.entered(problem="Choose a day.")
        asked = {name: str(ui[name]) for name in ("from", "to", "day")}
        return place.to("/results", **asked, direct="yes" if ui.get("direct") else "no")

    def _booked(self, place: Place) -> Place:
        ui, visit = place.ui, place.visit
        name, passport = (str(ui.get(one, "")).strip() for one in ("name", "passport"))
        if not name:
            return place.entered(problem="Say who flies.")
        if self.knobs.strict and not passport:
            return place.entered(problem="The passport is missing.")
        told = {"flight": visit["flight"], "fare": visit["fare"], "name": name, "passport": passport}
        row = str(1 + max((int(one) for one in place.data["bookings"]), default=0))
        done = place.put("bookings", row, **told, seat=ui.get("seat", SEATS[0]))
        return done.noted(flight="", fare="").to("/bookings", told="Thank you, your flight is booked.")
