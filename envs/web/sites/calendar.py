"""A calendar: a grid of a month, days, events that are made, changed, moved and deleted, and invitations."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from palestra.envs.base import Json, Split
from palestra.envs.web.element import (
    Command,
    Element,
    Page,
    alert,
    button,
    choice,
    dialog,
    entry,
    form,
    heading,
    link,
    listing,
    part,
    status,
    table,
    text,
)
from palestra.envs.web.pools import FIRST_NAMES, LAST_NAMES, TOPICS
from palestra.envs.web.site import Knobs, Place
from palestra.envs.web.sites.calendar_goals import CalendarGoals
from palestra.envs.web.sites.goals import AskingSite
from palestra.envs.web.sites.shared import leaflet, links_beside, offer

MONTHS: Final = ("September 2027", "October 2027", "November 2027")
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAYS: Final = {"September 2027": 30, "October 2027": 31, "November 2027": 30}
_FIRST: Final = {"September 2027": 2, "October 2027": 4, "November 2027": 0}  # the weekday of the first
HOURS: Final = tuple(f"{hour:02d}:00" for hour in range(8, 19))
ROOMS: Final = ("Nowhere", "Room 1", "Room 2", "Canteen", "Roof")
Rows = Mapping[str, Mapping[str, Json]]


class Calendar(AskingSite):
    """A calendar whose truth is its events and how invitations were answered; no two events begin at one hour."""

    name: ClassVar[str] = "calendar"

    def __init__(self, seed: int, split: Split, knobs: Knobs) -> None:
        super().__init__(seed, split, knobs)
        self._events, self._invitations = self._drawn()
        labels = self.draws("labels")
        self._words = {
            "title": labels.pick(("Title", "What", "Name of the event")),
            "room": labels.pick(("Room", "Where", "Place")),
            "save": labels.pick(("Save", "Save event", "Done")),
            "accept": labels.pick(("Accept", "Yes, I will come")),
            "decline": labels.pick(("Decline", "No, I cannot come")),
            "delete": labels.pick(("Delete", "Remove event", "Cancel this event")),
        }
        self._goals = CalendarGoals(self, self._events, self._invitations)

    def _drawn(self) -> tuple[Rows, Rows]:
        draws = self.draws("events")
        topics = draws.shuffled(TOPICS[self.split])
        topics += [f"{one}, part two" for one in topics]
        months = MONTHS[: max(1, min(3, self.knobs.pages))]
        slots = draws.shuffled(
            [(month, day, hour) for month in months for day in range(1, DAYS[month] + 1) for hour in HOURS]
        )
        made: list[dict[str, Json]] = []
        for topic, (month, day, hour) in zip(topics[: max(7, self.knobs.size)], slots, strict=False):
            made.append({"title": topic, "month": month, "day": day, "hour": hour, "room": draws.pick(ROOMS)})
        events = {str(number): one for number, one in enumerate(made[:-3], start=1)}
        firsts, lasts = draws.shuffled(FIRST_NAMES[self.split]), draws.shuffled(LAST_NAMES[self.split])
        invitations = {
            str(number): {**one, "from": f"{firsts[number]} {lasts[number]}", "answer": ""}
            for number, one in enumerate(made[-3:], start=1)
        }
        taken = events["1"]
        invitations["3"] |= {name: taken[name] for name in ("month", "day", "hour")}
        return events, invitations

    # -- pages -------------------------------------------------------------------------------------

    def start(self) -> Place:
        data = {"events": self._events, "invitations": self._invitations}
        return Place(data=data, visit={"closed": not self.knobs.popups}, path="/")

    def page(self, place: Place) -> Page | None:
        kind, _, which = place.path.strip("/").partition("/")
        months = {str(number): month for number, month in enumerate(MONTHS, start=1)}
        if place.path == "/":
            return self._month(place, 1)
        if kind == "month" and which in months:
            return self._month(place, int(which))
        at, _, day = which.partition("/")
        if kind == "day" and at in months and day in map(str, range(1, DAYS[months[at]] + 1)):
            return self._day(place, int(at), int(day))
        if kind == "event" and which in place.data["events"]:
            return self._form(place, place.data["events"][which])
        if place.path == "/new":
            return self._form(place, {})
        if place.path == "/invitations":
            return self._asked(place)
        if title := leaflet(place.path):
            return Page(title, (heading(title, 1), text("Nothing to see here yet."), link("Calendar", "/")))
        return None

    def _month(self, place: Place, at: int) -> Page:
        month = MONTHS[at - 1]
        events: Rows = place.data["events"]
        count = [0] * (DAYS[month] + 1)
        for one in events.values():
            if one["month"] == month:
                count[int(one["day"])] += 1
        days: list[str | Element] = [""] * _FIRST[month]
        for day in range(1, DAYS[month] + 1):
            more = f", {count[day]} event{'s' if count[day] > 1 else ''}" if count[day] else ""
            days.append(link(f"{day}{more}", f"/day/{at}/{day}"))
        days += [""] * (-len(days) % 7)
        told = [status(place.query["told"][:60])] if "told" in place.query else []
        ways = [
            link(name, f"/month/{other}")
            for other, name in ((at - 1, "Earlier month"), (at + 1, "Later month"))
            if 1 <= other <= len(MONTHS)
        ]
        beside = [link("New event", "/new"), link("Invitations", "/invitations")]
        if self.knobs.shuffle:
            beside = self.draws("layout").shuffled(beside)
        body = (
            heading(month, 1),
            *told,
            *ways,
            table(month, WEEKDAYS, [days[start : start + 7] for start in range(0, len(days), 7)]),
            *beside,
            part("navigation", "More", *links_beside(self.draws("beside"), self.knobs.distractors)),
        )
        return Page(month, body, None if place.visit["closed"] else offer(self.draws("offer"), "close offer"))

    def _day(self, place: Place, at: int, day: int) -> Page:
        events: Rows = place.data["events"]
        here = [one for one, cells in events.items() if (cells["month"], cells["day"]) == (MONTHS[at - 1], day)]
        items = [
            [text(f"{events[one]['hour']}, {events[one]['room']}"), link(str(events[one]["title"]), f"/event/{one}")]
            for one in sorted(here, key=lambda one: str(events[one]["hour"]))
        ]
        title = f"{day} {MONTHS[at - 1]}"
        shown = listing("Events", items) if items else text("There is nothing on this day.")
        return Page(title, (heading(title, 1), shown, link("Month", f"/month/{at}"), link("New event", "/new")))

    def _form(self, place: Place, cells: Mapping[str, Json]) -> Page:
        ui, words, problem = place.ui, self._words, str(place.ui.get("problem", ""))
        days = [str(day) for day in range(1, 32)]
        fields: list[Element] = [
            entry(words["title"], "title", ui, str(cells.get("title", "")), is_required=True),
            choice("Month", "month", ui, MONTHS, str(cells.get("month", MONTHS[0]))),
            choice("Day", "day", ui, days, str(cells.get("day", 1))),
            choice("Begins at", "hour", ui, HOURS, str(cells.get("hour", HOURS[0]))),
            choice(words["room"], "room", ui, ROOMS, str(cells.get("room", ROOMS[0]))),
        ]
        fields = self.draws("fields").shuffled(fields) if self.knobs.shuffle else fields
        title = "Event" if cells else "New event"
        body = (
            heading(title, 1),
            *([alert(problem)] if problem else []),
            form(title, ("save",), *fields, button(words["save"], ("save",))),
            *([button(words["delete"], ("ask",))] if cells else []),
            link("Calendar", "/"),
        )
        asked = dialog("Delete the event?", button("Yes, delete it", ("delete",)), button("Keep it", ("keep",)))
        return Page(title, body, asked if cells and ui.get("asked") else None)

    def _asked(self, place: Place) -> Page:
        rows: Rows = place.data["invitations"]
        items: list[Sequence[Element]] = []
        for one, cells in rows.items():
            told = text(
                f"{cells['from']} invites you to {cells['title']}: {cells['day']} {cells['month']}, {cells['hour']}"
            )
            if cells["answer"]:
                items.append([told, text(f"You have {cells['answer']}.")])
                continue
            names = (f"{self._words['accept']}: {cells['title']}", f"{self._words['decline']}: {cells['title']}")
            items.append([told, button(names[0], ("accept", one)), button(names[1], ("decline", one))])
        problem = [alert(str(place.ui["problem"]))] if place.ui.get("problem") else []
        body = (heading("Invitations", 1), *problem, listing("Invitations", items), link("Calendar", "/"))
        return Page("Invitations", body)

    # -- commands ----------------------------------------------------------------------------------

    def do(self, place: Place, command: Command) -> Place:
        number = place.path.rpartition("/")[2]
        match command:
            case ("close offer",):
                return place.noted(closed=True)
            case ("save",):
                return self._saved(place, number)
            case ("ask",):
                return place.entered(asked=True, problem=None)
            case ("keep",):
                return place.entered(asked=None)
            case ("delete",):
                return place.drop("events", number).to("/", told="The event was deleted.")
            case ("accept", which):
                return self._accepted(place, which)
            case ("decline", which):
                return place.put("invitations", which, answer="declined").entered(problem=None)
        raise ValueError(f"no such command: {command}")

    def _saved(self, place: Place, number: str) -> Place:
        events, ui = place.data["events"], place.ui
        old = events.get(number, {"title": "", "month": MONTHS[0], "day": 1, "hour": HOURS[0], "room": ROOMS[0]})
        new = {name: ui.get(name, value) for name, value in old.items()}
        new |= {"title": str(new["title"]).strip(), "day": int(new["day"])}
        if not new["title"]:
            return place.entered(problem="An event needs a title.")
        if new["day"] > DAYS[str(new["month"])]:
            return place.entered(problem="There is no such day in this month.")
        if clash := self._clash(place, new, number):
            return place.entered(problem=f"At this hour there is {clash} already.")
        if number not in events:
            number = str(1 + max((int(one) for one in events), default=0))
        at = MONTHS.index(str(new["month"])) + 1
        return place.put("events", number, **new).to(f"/month/{at}", told="The event was saved.")

    def _clash(self, place: Place, new: Mapping[str, Json], number: str) -> str:
        """Return the title of another event at the same hour; "" if there is none."""
        for one, cells in place.data["events"].items():
            if one != number and all(cells[name] == new[name] for name in ("month", "day", "hour")):
                return str(cells["title"])
        return ""

    def _accepted(self, place: Place, which: str) -> Place:
        asked = place.data["invitations"][which]
        if clash := self._clash(place, asked, ""):
            return place.entered(problem=f"You cannot accept: at this hour there is {clash} already.")
        number = str(1 + max((int(one) for one in place.data["events"]), default=0))
        made = {name: asked[name] for name in ("title", "month", "day", "hour")}
        done = place.put("events", number, **made, room=ROOMS[0]).put("invitations", which, answer="accepted")
        return done.entered(problem=None)
