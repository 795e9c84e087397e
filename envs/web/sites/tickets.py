"""A support desk: a queue of tickets with filters, each assigned, rated, noted, closed or merged into another."""

from collections.abc import Mapping
from typing import ClassVar, Final

from palestra.envs.base import Json, Split
from palestra.envs.web.element import (
    Command,
    Element,
    Page,
    alert,
    button,
    choice,
    entry,
    form,
    heading,
    link,
    part,
    radios,
    status,
    table,
    text,
)
from palestra.envs.web.pools import COMPANIES, FIRST_NAMES, PRODUCTS
from palestra.envs.web.site import Knobs, Place
from palestra.envs.web.sites.goals import AskingSite
from palestra.envs.web.sites.shared import leaflet, links_beside, offer, shown_part
from palestra.envs.web.sites.tickets_goals import TicketGoals

STATES: Final = ("Open", "Waiting", "Closed")
PRIORITIES: Final = ("Low", "Normal", "High", "Urgent")
NOBODY: Final = "Nobody"
Tickets = Mapping[str, Mapping[str, Json]]
_COMPLAINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "train": ("The {} came broken", "The {} is missing a part", "Refund for the {}", "Wrong colour of the {}"),
    "heldout": ("The {} stopped working", "The {} was never delivered", "Invoice for the {}"),
}


class SupportDesk(AskingSite):
    """A desk whose truth is its tickets. The list tells subject, customer and state; all else is on a ticket's page."""

    name: ClassVar[str] = "tickets"

    def __init__(self, seed: int, split: Split, knobs: Knobs) -> None:
        super().__init__(seed, split, knobs)
        draws = self.draws("people")
        self._agents = tuple(draws.shuffled(FIRST_NAMES[split])[:4])
        self._customers = tuple(draws.shuffled(COMPANIES[split])[:5])
        self._tickets = self._drawn()
        self._words = {
            "save": self.draws("save").pick(("Save", "Save changes", "Update ticket")),
            "note": self.draws("note").pick(("Note", "Internal note", "Comment")),
        }
        self._goals = TicketGoals(self, self._tickets, self._agents)

    def _drawn(self) -> Tickets:
        draws, tickets = self.draws("tickets"), dict[str, dict[str, Json]]()
        about = draws.shuffled([(said, what) for said in _COMPLAINTS[self.split] for what in PRODUCTS[self.split]])
        number = draws.between(200, 700)
        for said, what in about[: max(8, self.knobs.size)]:
            number += draws.between(1, 9)
            tickets[str(number)] = {
                "subject": said.format(what),
                "customer": draws.pick(self._customers),
                "state": draws.pick(STATES),
                "priority": draws.pick(PRIORITIES),
                "agent": draws.pick((*self._agents, NOBODY)),
                "note": "",
                "locked": draws.chance(0.15),
            }
        return tickets

    # -- pages -------------------------------------------------------------------------------------

    def start(self) -> Place:
        return Place(data={"tickets": self._tickets}, visit={"closed": not self.knobs.popups}, path="/")

    def page(self, place: Place) -> Page | None:
        parts = place.path.strip("/").split("/")
        number = parts[1] if len(parts) > 1 else ""
        if place.path == "/":
            return self._queue(place)
        if parts[0] == "ticket" and len(parts) == 2 and number in place.data["tickets"]:
            return self._ticket(place, number)
        if parts[0] == "ticket" and parts[2:] == ["merge"] and number in place.data["tickets"]:
            return self._merging(place, number)
        if title := leaflet(place.path):
            return Page(title, (heading(title, 1), text("Nothing to see here yet."), link("All tickets", "/")))
        return None

    def _queue(self, place: Place) -> Page:
        asked = place.query
        wanted = {name: asked[name] for name in ("state", "customer") if asked.get(name, "Any") != "Any"}
        tickets: Tickets = place.data["tickets"]
        found = [one for one, cells in tickets.items() if all(cells[name] == wanted[name] for name in wanted)]
        now, pages = shown_part(place, found, max(5, -(-len(tickets) // max(1, self.knobs.pages))))
        rows = [
            (
                one,
                link(str(tickets[one]["subject"]), f"/ticket/{one}"),
                str(tickets[one]["customer"]),
                str(tickets[one]["state"]),
            )
            for one in now
        ]
        filters = [
            choice("State", "state", place.ui, ("Any", *STATES), asked.get("state", "Any")),
            choice("Customer", "customer", place.ui, ("Any", *self._customers), asked.get("customer", "Any")),
        ]
        if self.knobs.shuffle:
            filters = self.draws("layout").shuffled(filters)
        told = [status(asked["told"][:60])] if "told" in asked else []
        shown: Element = (
            table("Tickets", ("Number", "Subject", "Customer", "State"), rows) if rows else text("None found.")
        )
        body = (
            heading("Tickets", 1),
            *told,
            form("Filter", ("filter",), *filters, button("Show", ("filter",))),
            shown,
            *pages,
            part("navigation", "More", *links_beside(self.draws("beside"), self.knobs.distractors)),
        )
        return Page("Tickets", body, None if place.visit["closed"] else offer(self.draws("offer"), "close offer"))

    def _ticket(self, place: Place, number: str) -> Page:
        cells, ui = place.data["tickets"][number], place.ui
        locked, problem = bool(cells["locked"]), str(ui.get("problem", ""))
        if locked:
            fields = [text(f"{name}: {cells[name.casefold()]}") for name in ("State", "Priority", "Agent")]
            fields.append(text("This ticket is locked for an audit and cannot be changed."))
        else:
            fields = [
                choice("State", "state", ui, STATES, str(cells["state"])),
                choice("Priority", "priority", ui, PRIORITIES, str(cells["priority"])),
                choice("Agent", "agent", ui, (NOBODY, *self._agents), str(cells["agent"])),
                entry(self._words["note"], "note", ui, str(cells["note"]), is_invalid=bool(problem)),
            ]
            if self.knobs.shuffle:
                fields = self.draws("fields").shuffled(fields)
        buttons = [] if locked else [button(self._words["save"], ("save",)), link("Merge", f"/ticket/{number}/merge")]
        body = (
            heading(str(cells["subject"]), 1),
            text(f"Ticket {number} of {cells['customer']}"),
            *([alert(problem)] if problem else []),
            form("Ticket", ("save",) if not locked else ("nothing",), *fields, *buttons),
            link("All tickets", "/"),
        )
        return Page(str(cells["subject"]), body)

    def _merging(self, place: Place, number: str) -> Page:
        tickets: Tickets = place.data["tickets"]
        cells = tickets[number]
        others = [
            f"{one}: {other['subject']}"
            for one, other in tickets.items()
            if one != number and other["customer"] == cells["customer"] and other["state"] != "Closed"
        ]
        if cells["locked"] or not others:
            return Page("Merge", (heading("Merge", 1), text("It cannot be merged."), link("Back", f"/ticket/{number}")))
        body = (
            heading(f"Merge ticket {number}", 1),
            text("It will be closed, with a note that names the other one."),
            radios("Into which ticket?", "into", place.ui, others),
            button("Merge", ("merge",), is_disabled="into" not in place.ui),
            link("Back", f"/ticket/{number}"),
        )
        return Page("Merge", body)

    # -- commands ----------------------------------------------------------------------------------

    def do(self, place: Place, command: Command) -> Place:
        number = place.path.strip("/").split("/")[-1 if command != ("merge",) else 1]
        match command:
            case ("close offer",):
                return place.noted(closed=True)
            case ("filter",):
                chosen = {name: str(place.ui.get(name, place.query.get(name, "Any"))) for name in ("state", "customer")}
                return place.to("/", **chosen)
            case ("save",):
                return self._saved(place, number)
            case ("merge",):
                into = str(place.ui["into"]).split(":")[0]
                done = place.put("tickets", number, state="Closed", note=f"Merged into {into}")
                return done.to("/", told=f"Ticket {number} was merged.")
        raise ValueError(f"no such command: {command}")

    def _saved(self, place: Place, number: str) -> Place:
        cells = place.data["tickets"][number]
        new = {name: place.ui.get(name, cells[name]) for name in ("state", "priority", "agent", "note")}
        new["note"] = str(new["note"]).strip()
        if self.knobs.strict and new["state"] == "Closed" != cells["state"] and not new["note"]:
            return place.entered(problem="Write a note before you close a ticket.")
        return place.put("tickets", number, **new).to("/", told=f"Ticket {number} was saved.")
