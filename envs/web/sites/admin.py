"""An administration of staff: a list with filters, pages and boxes, forms to make and edit, and what asks first."""

from collections.abc import Iterator, Mapping
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
    dialog,
    entry,
    form,
    heading,
    link,
    number,
    part,
    status,
    table,
    text,
)
from palestra.envs.web.pools import CITIES, FIRST_NAMES, LAST_NAMES
from palestra.envs.web.site import Knobs, Place
from palestra.envs.web.sites.admin_goals import AdminGoals
from palestra.envs.web.sites.goals import AskingSite
from palestra.envs.web.sites.shared import leaflet, links_beside, offer, shown_part

TEAMS: Final = ("Sales", "Design", "Finance", "Support")
ROLES: Final = ("Reader", "Editor", "Owner")
ANY: Final = "Any"
_HOURS: Final = (4, 40, 1)  # a week
Rows = Mapping[str, Mapping[str, Json]]


class Admin(AskingSite):
    """An administration whose truth is its people. The list tells name and team; the rest is on a person's page."""

    name: ClassVar[str] = "admin"

    def __init__(self, seed: int, split: Split, knobs: Knobs) -> None:
        super().__init__(seed, split, knobs)
        self._people = self._drawn()
        labels = self.draws("labels")
        self._words = {
            "name": labels.pick(("Name", "Full name", "Person")),
            "save": labels.pick(("Save", "Save record", "Store")),
            "delete": labels.pick(("Delete", "Remove", "Delete record")),
            "active": labels.pick(("Active", "Account is active", "May log in")),
        }
        self._goals = AdminGoals(self, self._people)

    def _drawn(self) -> Rows:
        draws, people = self.draws("people"), dict[str, dict[str, Json]]()
        names = [f"{first} {last}" for first in FIRST_NAMES[self.split] for last in LAST_NAMES[self.split]]
        for place, name in enumerate(draws.shuffled(names)[: max(8, self.knobs.size)]):
            people[str(place + 1)] = {
                "name": name,
                "team": TEAMS[place] if place < len(TEAMS) else draws.pick(TEAMS),
                "role": ROLES[-1] if place == 0 else draws.pick(ROLES[:-1]),
                "city": draws.pick(CITIES[self.split]),
                "hours": draws.between(_HOURS[0], _HOURS[1]),
                "active": draws.chance(0.7),
            }
        return people

    # -- pages -------------------------------------------------------------------------------------

    def start(self) -> Place:
        return Place(data={"people": self._people}, visit={"closed": not self.knobs.popups}, path="/")

    def page(self, place: Place) -> Page | None:
        kind, _, which = place.path.strip("/").partition("/")
        if place.path == "/":
            return self._list(place)
        if kind == "person" and which in place.data["people"]:
            return self._person(place, which)
        if place.path == "/new":
            return Page("New person", tuple(self._form(place, "New person", {})))
        if title := leaflet(place.path):
            return Page(title, (heading(title, 1), text("Nothing to see here yet."), link("People", "/")))
        return None

    def _list(self, place: Place) -> Page:
        asked, ui = place.query, place.ui
        people: Rows = place.data["people"]
        words = asked.get("q", "").casefold().split()
        found = [
            one
            for one, cells in people.items()
            if asked.get("team", ANY) in (ANY, cells["team"])
            and all(word in str(cells["name"]).casefold() for word in words)
        ]
        now, pages = shown_part(place, found, max(4, -(-len(people) // max(1, self.knobs.pages))))
        rows = [
            (
                box(f"Choose {people[one]['name']}", f"pick {one}", ui),
                link(str(people[one]["name"]), f"/person/{one}"),
                str(people[one]["team"]),
            )
            for one in now
        ]
        team = asked.get("team", ANY)
        filters: list[Element] = [
            entry("Name contains", "q", ui, asked.get("q", ""), role="searchbox"),
            choice("Team", "team", ui, (ANY, *TEAMS), team if team in TEAMS else ANY),
        ]
        filters = self.draws("layout").shuffled(filters) if self.knobs.shuffle else filters
        bulk = part(
            "group",
            "Chosen people",
            choice("Into the team", "into", ui, TEAMS, TEAMS[0]),
            button("Move them", ("move",)),
            button("Deactivate them", ("deactivate",)),
        )
        body = (
            heading("People", 1),
            *([status(asked["told"][:60])] if "told" in asked else []),
            form("Filter", ("filter",), *filters, button("Show", ("filter",))),
            table("People", ("Choose", "Name", "Team"), rows) if rows else text("Nobody was found."),
            *pages,
            bulk,
            link("New person", "/new"),
            part("navigation", "More", *links_beside(self.draws("beside"), self.knobs.distractors)),
        )
        return Page("People", body, None if place.visit["closed"] else offer(self.draws("offer"), "close offer"))

    def _person(self, place: Place, which: str) -> Page:
        cells = place.data["people"][which]
        name, is_owner = str(cells["name"]), cells["role"] == ROLES[-1]
        told = [text("An owner cannot be deleted.")] if is_owner else []
        body = (*self._form(place, name, cells), *told, button(self._words["delete"], ("ask",), is_disabled=is_owner))
        asked = dialog(f"Delete {name}?", button("Yes, delete", ("delete",)), button("Cancel", ("cancel",)))
        return Page(name, body, asked if place.ui.get("asked") else None)

    def _form(self, place: Place, title: str, cells: Mapping[str, Json]) -> Iterator[Element]:
        ui, problem = place.ui, str(place.ui.get("problem", ""))
        roles = ROLES if cells.get("role") == ROLES[-1] else ROLES[:-1]
        fields: list[Element] = [
            entry(self._words["name"], "name", ui, str(cells.get("name", "")), is_required=True),
            choice("Team", "team", ui, TEAMS, str(cells.get("team", TEAMS[0]))),
            choice("Role", "role", ui, roles, str(cells.get("role", ROLES[0]))),
            entry("City", "city", ui, str(cells.get("city", ""))),
            number("Hours a week", "hours", ui, int(cells.get("hours", _HOURS[1])), _HOURS),
            box(self._words["active"], "active", ui, bool(cells.get("active", True))),
        ]
        yield heading(title, 1)
        if problem:
            yield alert(problem)
        fields = self.draws("fields").shuffled(fields) if self.knobs.shuffle else fields
        yield form("Record", ("save",), *fields, button(self._words["save"], ("save",)))
        yield link("People", "/")

    # -- commands ----------------------------------------------------------------------------------

    def do(self, place: Place, command: Command) -> Place:
        ui, which = place.ui, place.path.rpartition("/")[2]
        match command:
            case ("close offer",):
                return place.noted(closed=True)
            case ("filter",):
                asked = {"q": "", "team": ANY}
                return place.to(
                    "/", **{name: str(ui.get(name, place.query.get(name, old))) for name, old in asked.items()}
                )
            case ("move",):
                return self._each(place, "team", str(ui.get("into", TEAMS[0])))
            case ("deactivate",):
                return self._each(place, "active", False)
            case ("ask",):
                return place.entered(asked=True)
            case ("cancel",):
                return place.entered(asked=None)
            case ("delete",):
                return place.drop("people", which).to("/", told="The record was deleted.")
            case ("save",):
                return self._saved(place, which)
        raise ValueError(f"no such command: {command}")

    def _each(self, place: Place, column: str, value: Json) -> Place:
        """Return the place where the people that were chosen have another value, and the list is shown anew."""
        done = place
        for name, is_chosen in place.ui.items():
            if name.startswith("pick ") and is_chosen:
                done = done.put("people", name.removeprefix("pick "), **{column: value})
        return done.to("/", told="It was done.")

    def _saved(self, place: Place, which: str) -> Place:
        people = place.data["people"]
        fresh = {"name": "", "team": TEAMS[0], "role": ROLES[0], "city": "", "hours": _HOURS[1], "active": True}
        old = people.get(which, fresh)
        new = {name: place.ui.get(name, value) for name, value in old.items()}
        new |= {"name": str(new["name"]).strip(), "city": str(new["city"]).strip(), "hours": int(new["hours"])}
        if not new["name"]:
            return place.entered(problem="The name is missing.")
        if self.knobs.strict and not new["city"]:
            return place.entered(problem="The city is missing.")
        number = which if which in people else str(1 + max((int(one) for one in people), default=0))
        return place.put("people", number, **new).to("/", told="The record was saved.")
