"""A library: a catalogue that is searched, books that are reserved, loans that are renewed."""

from collections.abc import Mapping
from typing import ClassVar, Final

from palestra.envs.base import Json, Split
from palestra.envs.web.element import (
    Command,
    Page,
    button,
    choice,
    entry,
    form,
    heading,
    link,
    listing,
    part,
    radios,
    status,
    text,
)
from palestra.envs.web.pools import LAST_NAMES, TOPICS
from palestra.envs.web.site import Knobs, Place
from palestra.envs.web.sites.goals import AskingSite
from palestra.envs.web.sites.library_goals import LibraryGoals
from palestra.envs.web.sites.shared import leaflet, links_beside, offer, shown_part

SUBJECTS: Final = ("Science", "History", "Novels", "Cooking")
BRANCHES: Final = ("Main library", "Harbour", "Old town")
Rows = Mapping[str, Mapping[str, Json]]


class Library(AskingSite):
    """A library whose truth is its books, reservations and loans."""

    name: ClassVar[str] = "library"

    def __init__(self, seed: int, split: Split, knobs: Knobs) -> None:
        super().__init__(seed, split, knobs)
        draws = self.draws("books")
        pairs = draws.shuffled([(topic, who) for topic in TOPICS[split] for who in LAST_NAMES[split]])
        self._books: Rows = {
            str(place + 1): {
                "title": f"{topic}, by {who}",
                "subject": draws.pick(SUBJECTS),
                "year": draws.between(1950, 2026),
                "shelf": f"{draws.pick('ABCDEFGH')}{draws.between(10, 99)}",
                "lent": place % 4 != 0,
            }
            for place, (topic, who) in enumerate(pairs[: max(8, knobs.size)])
        }
        self._loans: Rows = {
            str(place + 1): {"book": str(4 * place + 2), "weeks": draws.between(1, 2), "renewed": place == 1}
            for place in range(2)
        }
        self._words = self.draws("labels").pick(("Find", "Search", "Show"))
        self._goals = LibraryGoals(self, self._books, self._loans)

    # -- pages -------------------------------------------------------------------------------------

    def start(self) -> Place:
        data = {"books": self._books, "loans": self._loans, "reservations": {}}
        return Place(data=data, visit={"closed": not self.knobs.popups}, path="/")

    def page(self, place: Place) -> Page | None:
        kind, _, which = place.path.strip("/").partition("/")
        if place.path == "/":
            return self._catalogue(place)
        if kind == "book" and which in self._books:
            return self._book(place, which)
        if place.path == "/account":
            return self._account(place)
        if title := leaflet(place.path):
            return Page(title, (heading(title, 1), text("Nothing to see here yet."), link("Catalogue", "/")))
        return None

    def _catalogue(self, place: Place) -> Page:
        asked, ui = place.query, place.ui
        subject, words = asked.get("subject", "All"), asked.get("q", "").casefold().split()
        found = [
            one
            for one, cells in self._books.items()
            if subject in ("All", cells["subject"]) and all(word in str(cells["title"]).casefold() for word in words)
        ]
        now, pages = shown_part(place, found, max(4, -(-len(self._books) // max(1, self.knobs.pages))))
        fields = [
            entry("Title or author", "q", ui, asked.get("q", ""), role="searchbox"),
            choice("Subject", "subject", ui, ("All", *SUBJECTS), subject if subject in SUBJECTS else "All"),
        ]
        fields = self.draws("layout").shuffled(fields) if self.knobs.shuffle else fields
        items = [[link(str(self._books[one]["title"]), f"/book/{one}")] for one in now]
        body = (
            heading("Catalogue", 1),
            form("Search", ("find",), *fields, button(self._words, ("find",))),
            listing("Books", items) if items else text("Nothing was found."),
            *pages,
            link("My account", "/account"),
            part("navigation", "More", *links_beside(self.draws("beside"), self.knobs.distractors)),
        )
        return Page("Catalogue", body, None if place.visit["closed"] else offer(self.draws("offer"), "close offer"))

    def _book(self, place: Place, which: str) -> Page:
        cells = self._books[which]
        told = [text(f"{name.capitalize()}: {cells[name]}") for name in ("subject", "year", "shelf")]
        if which in place.data["reservations"]:
            used = [text("You have reserved this book.")]
        elif not cells["lent"]:
            used = [text("It stands on its shelf and cannot be reserved.")]
        else:
            branches = radios("Where will you fetch it?", "branch", place.ui, BRANCHES)
            used = [branches, button("Reserve", ("reserve", which), is_disabled="branch" not in place.ui)]
        title = str(cells["title"])
        ways = (link("Catalogue", "/"), link("My account", "/account"))
        return Page(title, (heading(title, 1), *told, *used, *ways))

    def _account(self, place: Place) -> Page:
        loans, reserved = [], []
        for one, cells in place.data["loans"].items():
            told = text(f"{self._books[str(cells['book'])]['title']}: {cells['weeks']} weeks left")
            used = text("It cannot be renewed again.") if cells["renewed"] else button("Renew", ("renew", one))
            loans.append([told, used, button("Give back", ("return", one))])
        for one, cells in place.data["reservations"].items():
            reserved.append(
                [text(f"{self._books[one]['title']}: {cells['branch']}"), button("Cancel", ("cancel", one))]
            )
        done = [status(place.query["told"][:60])] if "told" in place.query else []
        body = (heading("My account", 1), *done, listing("Loans", loans), listing("Reservations", reserved))
        return Page("My account", (*body, link("Catalogue", "/")))

    # -- commands ----------------------------------------------------------------------------------

    def do(self, place: Place, command: Command) -> Place:
        ui = place.ui
        match command:
            case ("close offer",):
                return place.noted(closed=True)
            case ("find",):
                asked = {"q": "", "subject": "All"}
                told = {name: str(ui.get(name, place.query.get(name, old))) for name, old in asked.items()}
                return place.to("/", **told)
            case ("reserve", which):
                done = place.put("reservations", which, branch=str(ui["branch"]))
                return done.to("/account", told="It was reserved.")
            case ("renew", one):
                weeks = place.data["loans"][one]["weeks"] + 4
                return place.put("loans", one, weeks=weeks, renewed=True)
            case ("return", one):
                return place.drop("loans", one)
            case ("cancel", one):
                return place.drop("reservations", one)
        raise ValueError(f"no such command: {command}")
