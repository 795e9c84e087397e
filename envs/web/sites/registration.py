"""The registration for a conference: one form over three tabs with every usual widget, and a programme to read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from palestra.envs.base import Json, Split
from palestra.envs.web.element import (
    Command,
    Element,
    Page,
    alert,
    box,
    button,
    choice,
    entry,
    form,
    heading,
    link,
    number,
    part,
    pressed,
    radios,
    status,
    table,
    text,
)
from palestra.envs.web.pools import CITIES, TOPICS
from palestra.envs.web.site import Knobs, Place
from palestra.envs.web.sites.goals import AskingSite
from palestra.envs.web.sites.registration_goals import RegistrationGoals
from palestra.envs.web.sites.shared import leaflet, links_beside, offer

MONTHS: Final = ("March 2027", "April 2027", "May 2027")
DAYS: Final = 30
MEALS: Final = ("Meat", "Fish", "Vegetarian", "None")
TITLES: Final = ("No title", "Dr", "Prof")
BUILDINGS: Final = ("North house", "South house")
_TABS: Final = ("Person", "Stay", "Extras")
_HINTS: Final = 5  # cities that are suggested


class Registration(AskingSite):
    """A form whose truth are the registrations that were sent; what was entered is the page's until then."""

    name: ClassVar[str] = "registration"

    def __init__(self, seed: int, split: Split, knobs: Knobs) -> None:
        super().__init__(seed, split, knobs)
        draws = self.draws("conference")
        self.workshops = tuple(draws.shuffled(TOPICS[split])[: 3 + min(3, knobs.fields)])
        self.fees = {one: fee for one, fee in zip(self.workshops, draws.shuffled(range(20, 95, 5)), strict=False)}
        self.cities = tuple(sorted(CITIES[split]))
        rooms = [f"{house[0]}{floor}{door}" for house in BUILDINGS for floor in (1, 2) for door in range(1, 5)]
        self.taken = frozenset(draws.shuffled(rooms)[:4])
        self.full = frozenset(f"{day} {month}" for month in MONTHS for day in draws.shuffled(range(1, DAYS + 1))[:6])
        labels = self.draws("labels")
        self._words = {
            "name": labels.pick(("Full name", "Name", "Your name")),
            "mail": labels.pick(("E-mail", "E-mail address", "Mail")),
            "city": labels.pick(("City", "Home town", "Where do you come from?")),
            "guests": labels.pick(("Guests", "Number of guests", "People with you")),
            "send": labels.pick(("Register", "Send registration", "Sign up")),
        }
        self._goals = RegistrationGoals(self, self.workshops, self.fees, self.cities, self.taken, self.full)

    # -- pages -------------------------------------------------------------------------------------

    def start(self) -> Place:
        return Place(data={"registrations": {}}, visit={"closed": not self.knobs.popups}, path="/")

    def page(self, place: Place) -> Page | None:
        more = part("navigation", "More", link("Programme", "/programme"), *self._beside())
        which = place.path.removeprefix("/programme/")
        if place.path == "/":
            in_the_way = None if place.visit["closed"] else offer(self.draws("offer"), "close offer")
            return Page("Registration", (*self._form(place), more), in_the_way)
        if place.path == "/programme":
            rows = [[link(one, f"/programme/{number}")] for number, one in enumerate(self.workshops, start=1)]
            listed = table("Workshops", ("Workshop",), rows)
            return Page("Programme", (heading("Programme", 1), listed, link("Registration", "/")))
        if place.path.startswith("/programme/") and which in map(str, range(1, 1 + len(self.workshops))):
            name = self.workshops[int(which) - 1]
            told = text(f"The fee is EUR {self.fees[name]}.")
            return Page(name, (heading(name, 1), told, link("Programme", "/programme")))
        if title := leaflet(place.path):
            return Page(title, (heading(title, 1), text("Nothing to see here yet."), link("Registration", "/")))
        return None

    def _beside(self) -> Sequence[Element]:
        return links_beside(self.draws("beside"), self.knobs.distractors)

    def _form(self, place: Place) -> Iterator[Element]:
        ui, tab = place.ui, str(place.ui.get("tab", _TABS[0]))
        yield heading("Registration", 1)
        if "told" in place.query:
            yield status("Thank you, you are registered.")
        if ui.get("problem"):
            yield alert(str(ui["problem"]))
        yield part("tablist", "Parts", *(pressed("tab", one, ("tab", one), selected=one == tab) for one in _TABS))
        parts = {"Person": self._person, "Stay": self._stay, "Extras": self._extras}[tab](ui)
        fields = self.draws(f"layout {tab}").shuffled(parts) if self.knobs.shuffle else parts
        yield part("tabpanel", tab, *(element for group in fields for element in group))
        yield button(self._words["send"], ("send",))

    def _person(self, ui: Mapping[str, Json]) -> list[Sequence[Element]]:
        typed = str(ui.get("typed", ""))
        hints = [one for one in self.cities if typed and one.casefold().startswith(typed.casefold())][:_HINTS]
        suggested = [pressed("option", one, ("city", one), selected=one == ui.get("city")) for one in hints]
        city = [entry(self._words["city"], "typed", ui)]
        if suggested and typed != ui.get("city"):
            city.append(part("listbox", "Suggestions", *suggested))
        who = form("Person", ("send",), entry(self._words["name"], "name", ui, is_required=True))
        return [
            [who],
            [entry(self._words["mail"], "mail", ui)],
            city,
            [choice("Title", "title", ui, TITLES, TITLES[0])],
        ]

    def _stay(self, ui: Mapping[str, Json]) -> list[Sequence[Element]]:
        return [
            self._calendar(ui),
            self._rooms(ui),
            [number(self._words["guests"], "guests", ui, 0, (0, 8, 1), "slider")],
        ]

    def _calendar(self, ui: Mapping[str, Json]) -> list[Element]:
        day, is_open = str(ui.get("day", "")), bool(ui.get("calendar"))
        shown = [button(f"Arrival: {day or 'choose a day'}", ("calendar",), expanded=is_open)]
        if not is_open:
            return shown
        month = MONTHS[int(ui.get("month", 0))]
        cells = [
            pressed(
                "gridcell",
                f"{one} (full)" if f"{one} {month}" in self.full else str(one),
                ("day", f"{one} {month}"),
                selected=day == f"{one} {month}",
                is_disabled=f"{one} {month}" in self.full,
            )
            for one in range(1, DAYS + 1)
        ]
        weeks = [Element(role="row", children=tuple(cells[start : start + 7])) for start in range(0, DAYS, 7)]
        at = MONTHS.index(month)
        earlier = button("Earlier month", ("month", str(at - 1)), is_disabled=at == 0)
        later = button("Later month", ("month", str(at + 1)), is_disabled=at == len(MONTHS) - 1)
        return [*shown, earlier, later, part("grid", month, *weeks)]

    def _rooms(self, ui: Mapping[str, Json]) -> list[Element]:
        chosen, houses = str(ui.get("room", "")), list[Element]()
        for house in BUILDINGS:
            is_open = bool(ui.get(f"open {house}"))
            doors = [f"{house[0]}{floor}{door}" for floor in (1, 2) for door in range(1, 5)] if is_open else []
            names = {one: f"Room {one} (taken)" if one in self.taken else f"Room {one}" for one in doors}
            rooms = [
                pressed("treeitem", name, ("room", one), selected=one == chosen, is_disabled=one in self.taken)
                for one, name in names.items()
            ]
            houses.append(pressed("treeitem", house, ("house", house), *rooms, expanded=is_open))
        return [part("tree", "Rooms", *houses)]

    def _extras(self, ui: Mapping[str, Json]) -> list[Sequence[Element]]:
        is_open = bool(ui.get("meals"))
        meals: list[Element] = [button("Meals", ("meals",), expanded=is_open)]
        if is_open:
            meals.append(radios("Which meals?", "meal", ui, MEALS))
        workshops = part("group", "Workshops", *(box(one, f"at {one}", ui) for one in self.workshops))
        return [meals, [workshops]]

    # -- commands ----------------------------------------------------------------------------------

    def do(self, place: Place, command: Command) -> Place:
        ui = place.ui
        match command:
            case ("close offer",):
                return place.noted(closed=True)
            case ("tab", name):
                return place.entered(tab=name)
            case ("city", name):
                return place.entered(city=name, typed=name)
            case ("calendar",):
                return place.entered(calendar=not ui.get("calendar") or None)
            case ("month", at):
                return place.entered(month=int(at))
            case ("day", day):
                return place.entered(day=day, calendar=None)
            case ("house", house):
                return place.entered(**{f"open {house}": not ui.get(f"open {house}") or None})
            case ("room", room):
                return place.entered(room=room)
            case ("meals",):
                return place.entered(meals=not ui.get("meals") or None)
            case ("send",):
                return self._sent(place)
        raise ValueError(f"no such command: {command}")

    def _sent(self, place: Place) -> Place:
        ui = place.ui
        told = {one: str(ui.get(one, "")).strip() for one in ("name", "mail", "day", "room", "meal")}
        told["city"] = str(ui["city"]) if ui.get("city") and ui.get("typed") == ui["city"] else ""
        title, guests = str(ui.get("title", TITLES[0])), str(ui.get("guests", "0"))
        told |= {"title": "" if title == TITLES[0] else title, "guests": "" if guests == "0" else guests}
        told["workshops"] = ", ".join(one for one in self.workshops if ui.get(f"at {one}"))
        if not told["name"]:
            return place.entered(problem="Your name is missing.")
        if self.knobs.strict and told["mail"] and "@" not in told["mail"]:
            return place.entered(problem="That is no e-mail address.")
        row = str(len(place.data["registrations"]) + 1)
        made = {one: value for one, value in told.items() if value}
        return place.put("registrations", row, **made).to("/", told=row)
