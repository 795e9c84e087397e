"""A bank: accounts with statements that are narrowed and added up, and transfers that are checked and confirmed."""

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
    dialog,
    entry,
    form,
    heading,
    link,
    part,
    pressed,
    status,
    table,
    text,
)
from palestra.envs.web.pools import COMPANIES, FIRST_NAMES, LAST_NAMES
from palestra.envs.web.site import Knobs, Place
from palestra.envs.web.sites.bank_goals import BankGoals
from palestra.envs.web.sites.goals import AskingSite
from palestra.envs.web.sites.shared import leaflet, links_beside, offer, shown_part

NAMES: Final = {"1": "Current account", "2": "Savings account", "3": "Household account"}
MONTHS: Final = ("January", "February", "March")
KINDS: Final = ("All", "Money in", "Money out")
Rows = Mapping[str, Mapping[str, Json]]


class Bank(AskingSite):
    """A bank whose truth is its accounts and what was booked on them. Nothing is paid before it was confirmed."""

    name: ClassVar[str] = "bank"

    def __init__(self, seed: int, split: Split, knobs: Knobs) -> None:
        super().__init__(seed, split, knobs)
        draws, firsts, lasts = self.draws("accounts"), FIRST_NAMES[split], LAST_NAMES[split]
        people = [f"{first} {last}" for first, last in zip(draws.shuffled(firsts), draws.shuffled(lasts), strict=False)]
        self._payees = (*people[:4], *draws.shuffled(COMPANIES[split])[:2])
        self._accounts: Rows = {
            one: {"balance": draws.between(200, 3000), "limit": draws.pick((100, 200, 500)), "locked": False}
            for one in NAMES
        }
        self._bookings = self._drawn()
        labels = self.draws("labels")
        self._words = {
            "to": labels.pick(("Payee", "To", "Pay to")),
            "amount": labels.pick(("Amount in EUR", "How many EUR", "EUR")),
            "note": labels.pick(("Note", "Reference", "What is it for?")),
            "go": labels.pick(("Continue", "Check", "Next")),
        }
        self._goals = BankGoals(self, self._accounts, self._bookings, self._payees)

    def _drawn(self) -> Rows:
        draws, amounts = self.draws("bookings"), self.draws("amounts").shuffled(range(3, 190))
        size = min(len(amounts), max(12, self.knobs.size))
        return {
            str(row + 1): {
                "account": "1" if row < 6 else draws.pick(list(NAMES)),
                "month": draws.pick(MONTHS),
                "with": self._payees[row % 3] if row < 6 else draws.pick(self._payees),
                "amount": amounts[row] if draws.chance(0.4) else -amounts[row],
                "note": draws.pick(("Rent", "Books", "Dinner", "Tickets", "Present", "Repair")),
            }
            for row in range(size)
        }

    # -- pages -------------------------------------------------------------------------------------

    def start(self) -> Place:
        data = {"accounts": self._accounts, "bookings": self._bookings}
        return Place(data=data, visit={"closed": not self.knobs.popups}, path="/")

    def page(self, place: Place) -> Page | None:
        kind, _, which = place.path.strip("/").partition("/")
        if place.path == "/":
            return self._overview(place)
        if kind == "account" and which in NAMES:
            return self._statement(place, which)
        if kind == "settings" and which in NAMES:
            return self._settings(place, which)
        if place.path == "/transfer":
            return self._transfer(place)
        if title := leaflet(place.path):
            return Page(title, (heading(title, 1), text("Nothing to see here yet."), link("Accounts", "/")))
        return None

    def _overview(self, place: Place) -> Page:
        told = [status(place.query["told"][:60])] if "told" in place.query else []
        order = self.draws("layout").shuffled(list(NAMES)) if self.knobs.shuffle else list(NAMES)
        rows = [(link(NAMES[one], f"/account/{one}"), link("Settings", f"/settings/{one}")) for one in order]
        body = (
            heading("Accounts", 1),
            *told,
            table("Accounts", ("Account", "More"), rows),
            link("Make a transfer", "/transfer"),
            part("navigation", "More", *links_beside(self.draws("beside"), self.knobs.distractors)),
        )
        return Page("Accounts", body, None if place.visit["closed"] else offer(self.draws("offer"), "close offer"))

    def _statement(self, place: Place, which: str) -> Page:
        asked, ui = place.query, place.ui
        month, kind, who = (asked.get(name, "All") for name in ("month", "kind", "with"))
        found = [
            cells
            for cells in place.data["bookings"].values()
            if cells["account"] == which
            and month in ("All", cells["month"])
            and who in ("All", cells["with"])
            and kind in ("All", KINDS[1] if cells["amount"] > 0 else KINDS[2])
        ]
        now, pages = shown_part(place, found, max(6, -(-len(found) // max(1, self.knobs.pages))))
        rows = [tuple(str(cells[name]) for name in ("month", "with", "note", "amount")) for cells in now]
        filters = [
            choice("Month", "month", ui, ("All", *MONTHS), month if month in MONTHS else "All"),
            choice("Bookings", "kind", ui, KINDS, kind if kind in KINDS else "All"),
            choice("With", "with", ui, ("All", *self._payees), who if who in self._payees else "All"),
        ]
        filters = self.draws("filters").shuffled(filters) if self.knobs.shuffle else filters
        body = (
            heading(NAMES[which], 1),
            text(f"Balance: EUR {place.data['accounts'][which]['balance']}"),
            form("Filter", ("filter",), *filters, button("Show", ("filter",))),
            table("Bookings", ("Month", "With", "Note", "EUR"), rows) if rows else text("There are no bookings."),
            text(f"Sum of what was found: EUR {sum(cells['amount'] for cells in found)}"),
            *pages,
            link("Accounts", "/"),
        )
        return Page(NAMES[which], body)

    def _settings(self, place: Place, which: str) -> Page:
        cells, ui, problem = place.data["accounts"][which], place.ui, place.ui.get("problem")
        if cells["locked"]:
            used: list[Element] = [text("This account is locked."), button("Unlock", ("lock", which))]
        else:
            line = entry("Most that one transfer takes, in EUR", "limit", ui, str(cells["limit"]))
            used = [form("Limit", ("limit", which), line, button("Set the limit", ("limit", which)))]
            used.append(button("Lock the account", ("lock", which)))
        told = [alert(str(problem))] if problem else []
        body = (heading(f"Settings: {NAMES[which]}", 1), *told, *used, link("Accounts", "/"))
        return Page("Settings", body)

    def _transfer(self, place: Place) -> Page:
        ui, problem = place.ui, place.ui.get("problem")
        hints = [one for one in (*self._payees, *NAMES.values()) if _is_meant(ui, one)][:4]
        options = (pressed("option", one, ("payee", one), selected=False) for one in hints)
        to = [entry(self._words["to"], "to", ui, is_required=True)]
        to += [part("listbox", "Suggestions", *options)] if hints else []
        groups: list[list[Element]] = [
            [choice("From", "from", ui, tuple(NAMES.values()), NAMES["1"])],
            to,
            [entry(self._words["amount"], "amount", ui, is_required=True)],
            [entry(self._words["note"], "note", ui)],
        ]
        groups = self.draws("fields").shuffled(groups) if self.knobs.shuffle else groups
        body = (
            heading("Make a transfer", 1),
            *([alert(str(problem))] if problem else []),
            form("Transfer", ("check",), *(one for group in groups for one in group)),
            button(self._words["go"], ("check",)),
            link("Accounts", "/"),
        )
        words = text(f"Pay EUR {ui.get('amount', '')} to {ui.get('to', '')}?")
        asked = dialog("Confirm", words, button("Confirm", ("pay",)), button("Go back", ("change",)))
        return Page("Transfer", body, asked if ui.get("asked") else None)

    def called(self, table: str, row: str) -> str:
        return f"the {NAMES[row].lower()}" if table == "accounts" else row

    # -- commands ----------------------------------------------------------------------------------

    def do(self, place: Place, command: Command) -> Place:
        ui, accounts = place.ui, place.data["accounts"]
        match command:
            case ("close offer",):
                return place.noted(closed=True)
            case ("filter",):
                names = ("month", "kind", "with")
                return place.to(place.path, **{one: str(ui.get(one, place.query.get(one, "All"))) for one in names})
            case ("lock", which):
                return place.put("accounts", which, locked=not accounts[which]["locked"]).to("/", told="It was done.")
            case ("limit", which):
                limit = _amount(str(ui.get("limit", accounts[which]["limit"])))
                if limit is None:
                    return place.entered(problem="A limit is a whole number of EUR, from 1 to 9999.")
                return place.put("accounts", which, limit=limit).to("/", told="The limit was set.")
            case ("payee", name):
                return place.entered(to=name)
            case ("check",):
                problem = self._problem(place)
                return place.entered(problem=problem or None, asked=None if problem else True)
            case ("change",):
                return place.entered(asked=None)
            case ("pay",):
                return self._paid(place)
        raise ValueError(f"no such command: {command}")

    def _problem(self, place: Place) -> str:
        """Return why a transfer cannot be made; "" if it can."""
        ui, amount = place.ui, _amount(str(place.ui.get("amount", "")))
        cells = place.data["accounts"][_account(str(ui.get("from", NAMES["1"])))]
        if str(ui.get("to", "")) not in (*self._payees, *NAMES.values()) or ui["to"] == ui.get("from", NAMES["1"]):
            return "Choose a payee from what is suggested."
        if amount is None:
            return "Enter a whole number of EUR, from 1 to 9999."
        if self.knobs.strict and not str(ui.get("note", "")).strip():
            return "Say what it is for."
        if cells["locked"]:
            return "This account is locked."
        if amount > cells["limit"]:
            return f"One transfer takes EUR {cells['limit']} at most."
        return "" if amount <= cells["balance"] else "There is not enough money on this account."

    def _paid(self, place: Place) -> Place:
        ui, amount = place.ui, int(str(place.ui["amount"]).strip())
        source, to = _account(str(ui.get("from", NAMES["1"]))), str(ui["to"])
        accounts, row = place.data["accounts"], str(len(place.data["bookings"]) + 1)
        note = str(ui.get("note", "")).strip()
        booked = {"account": source, "month": MONTHS[-1], "with": to, "amount": -amount, "note": note}
        done = place.put("bookings", row, **booked)
        done = done.put("accounts", source, balance=accounts[source]["balance"] - amount)
        if to in NAMES.values():
            done = done.put("accounts", _account(to), balance=accounts[_account(to)]["balance"] + amount)
        return done.to("/", told="The transfer was made.")


def _account(name: str) -> str:
    return next(one for one, called in NAMES.items() if called == name)


def _amount(told: str) -> int | None:
    told = told.strip()
    is_number = told.isascii() and told.isdecimal() and len(told) <= 4
    return int(told) if is_number and int(told) else None


def _is_meant(ui: Mapping[str, Json], name: str) -> bool:
    typed = str(ui.get("to", "")).casefold()
    return bool(typed) and name.casefold().startswith(typed) and name != ui.get("to")
