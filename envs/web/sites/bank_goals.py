"""What is asked for at a bank."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from palestra.envs.base import Json
from palestra.envs.web.site import Goal, Site
from palestra.envs.web.sites.goals import Goals
from palestra.envs.web.verify import either, together

Rows = Mapping[str, Mapping[str, Json]]
_NAMES: Final = {"1": "Current account", "2": "Savings account", "3": "Household account"}
_NOTES: Final[Mapping[str, tuple[str, ...]]] = {
    "train": ("Concert", "Half of the bill", "Lamp", "Bus fares"),
    "heldout": ("Flowers", "Membership", "Old debt"),
}


class BankGoals(Goals):
    """The goals of one bank."""

    everywhere: ClassVar[tuple[str, ...]] = ("to /", "do change", "do filter", "to /account/*")

    def __init__(self, site: Site, accounts: Rows, bookings: Rows, payees: Sequence[str]) -> None:
        self._accounts, self._bookings, self._payees = accounts, bookings, payees
        super().__init__(site)

    def undoing(self, wrong: Mapping[str, Json]) -> Iterator[str]:
        """Yield the keys that unlock an account, or set its limit back."""
        for cell in wrong:
            table, one, column = cell.split("/")
            if table == "accounts" and column in ("locked", "limit"):
                yield from (f"to /settings/{one}", f"do lock {one}", "limit", f"do limit {one}")

    def _all(self) -> Iterator[Goal]:
        payees = self._site.draws("goals").shuffled(self._payees)
        least, other = (min(int(self._accounts[one][name]) for name in ("limit", "balance")) for one in ("1", "2"))
        amounts = self._site.draws("amounts").shuffled(range(11, least - 5))
        yield self._pay("pay", "1", payees[0], amounts[0])
        yield self._pay("pay from another", "2", payees[1], min(amounts[1], other))
        yield self._pay("between accounts", "1", _NAMES["3"], amounts[2])
        yield self._limit("3")
        yield self._lock("2")
        yield self._balance("3")
        yield self._sum(str(self._bookings["1"]["with"]))
        yield self._count(str(self._bookings["2"]["month"]))
        yield self._refused("1", payees[2])

    def _paying(self, source: str, to: str, amount: int, stage: str) -> tuple[dict[str, Json], str]:
        """Return the cells of a transfer, and its note."""
        note = self._site.draws(f"note {stage}").pick(_NOTES[self._site.split])
        row = len(self._bookings) + 1
        new: dict[str, Json] = {"account": source, "month": "March", "with": to, "amount": -amount, "note": note}
        changed = {f"bookings/{row}/{name}": value for name, value in new.items()}
        changed[f"accounts/{source}/balance"] = int(self._accounts[source]["balance"]) - amount
        for one, name in _NAMES.items():
            if name == to:
                changed[f"accounts/{one}/balance"] = int(self._accounts[one]["balance"]) + amount
        return changed, note

    def _pay(self, template: str, source: str, to: str, amount: int) -> Goal:
        changed, note = self._paying(source, to, amount, template)
        intent = self.said(
            f"Transfer EUR {amount} from the {_NAMES[source].lower()} to {to}, with the note: {note}.",
            f"Pay EUR {amount} to {to} from the {_NAMES[source].lower()} (note: {note}).",
        )
        values = (_NAMES[source], to, str(amount), note)
        goal = Goal(kind="change", template=template, intent=intent, changes=changed, values=values)
        entries = {"to": to, "amount": str(amount), "note": note, "from": _NAMES[source]}
        return self.about(goal, "to /transfer", "do check", "do pay", **entries)

    def _limit(self, one: str) -> Goal:
        limit = self._site.draws("limit").between(510, 990)
        intent = self.said(
            f"Let one transfer from the {_NAMES[one].lower()} take EUR {limit} at most.",
            f"Set the limit of the {_NAMES[one].lower()} to EUR {limit}.",
        )
        changed = {f"accounts/{one}/limit": limit}
        goal = Goal(kind="change", template="limit", intent=intent, changes=changed, values=(str(limit),))
        return self.about(goal, f"to /settings/{one}", f"do limit {one}", limit=str(limit))

    def _lock(self, one: str) -> Goal:
        name = _NAMES[one].lower()
        intent = self.said(f"Lock the {name}.", f"Nothing more may be paid from the {name}: lock it.")
        goal = Goal(kind="change", template="lock", intent=intent, changes={f"accounts/{one}/locked": True})
        return self.about(goal, f"to /settings/{one}", f"do lock {one}")

    def _balance(self, one: str) -> Goal:
        name, balance = _NAMES[one].lower(), int(self._accounts[one]["balance"])
        intent = self.said(
            f"How many EUR are there on the {name}? Answer with a number.",
            f"Tell me the balance of the {name}, as a number.",
        )
        facts = (f"Balance: EUR {balance}",)
        goal = Goal(kind="answer", template="balance", intent=intent, answer=balance, facts=facts)
        return self.about(goal)

    def _found(self, **wanted: str) -> list[int]:
        rows = [one for one in self._bookings.values() if all(one[name] == value for name, value in wanted.items())]
        return [int(one["amount"]) for one in rows]

    def _sum(self, who: str) -> Goal:
        paid = [one for one in self._found(account="1", **{"with": who}) if one < 0]
        intent = self.said(
            f"How many EUR were paid to {who} from the current account in all? Answer with a number, without a sign.",
            f"Add up what the current account has paid to {who}; answer with the number of EUR alone, without a sign.",
        )
        facts = tuple(str(one) for one in paid) or (f"Balance: EUR {self._accounts['1']['balance']}",)
        goal = Goal(kind="answer", template="sum", intent=intent, answer=-sum(paid), facts=facts)
        return self.about(goal, "to /account/1?*", kind="Money out", **{"with": who})

    def _count(self, month: str) -> Goal:
        amounts = self._found(account="1", month=month)
        intent = self.said(
            f"How many bookings does the current account have in {month}? Answer with a number.",
            f"Count the bookings of the current account in {month}; answer with the number alone.",
        )
        facts = tuple(str(one) for one in amounts)
        goal = Goal(kind="answer", template="count", intent=intent, answer=len(amounts), facts=facts)
        return self.about(goal, "to /account/1?*", month=month)

    def _refused(self, source: str, to: str) -> Goal:
        limit = int(self._accounts[source]["limit"])
        amount = limit + self._site.draws("refused").between(10, 90)
        changed, note = self._paying(source, to, amount, "refused")
        intent = self.said(
            f"Transfer EUR {amount} at once from the {_NAMES[source].lower()} to {to} (note: {note}); change no limit.",
            f"In one transfer, pay EUR {amount} to {to} from the {_NAMES[source].lower()}, with the note {note}; "
            "leave all limits as they are.",
        )
        facts = (
            either(f"One transfer takes EUR {limit} at most.", together(f"Settings: {_NAMES[source]}", str(limit))),
        )
        values = (to, str(amount), note)
        goal = Goal(
            kind="infeasible", template="over the limit", intent=intent, changes=changed, values=values, facts=facts
        )
        return self.about(
            goal, "to /transfer", "do check", "do pay", f"to /settings/{source}", to=to, amount=str(amount), note=note
        )
