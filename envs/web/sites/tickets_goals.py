"""What is asked for at a support desk."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from palestra.envs.base import Json
from palestra.envs.web.site import Goal, Place, Site
from palestra.envs.web.sites.goals import Asked
from palestra.envs.web.verify import together

Tickets = Mapping[str, Mapping[str, Json]]
_NOTES: Final[Mapping[str, tuple[str, ...]]] = {
    "train": ("Sent a new one.", "Refund was paid.", "Customer was called.", "Waiting for the factory."),
    "heldout": ("Part is on its way.", "Voucher was sent.", "Nothing more to do."),
}


class TicketGoals(Asked):
    """The goals of one desk, and which elements each needs."""

    def __init__(self, site: Site, tickets: Tickets, agents: Sequence[str]) -> None:
        super().__init__(site)
        self._tickets, self._agents = tickets, agents
        self._targets: dict[str, tuple[str, ...]] = {}  # by intent: the tickets that it is about
        self.made = tuple(self._all())

    def matters(self, place: Place, goal: Goal, key: str) -> bool:
        """Whether using an element can be part of a shortest solution."""
        if key in ("do close offer", "do filter", "state", "customer") or key.startswith("to /?"):
            return True
        if key.startswith("to /ticket/"):
            return any(key.startswith(f"to /ticket/{number}") for number in self._targets[goal.intent])
        if key == "to /":
            return place.path != "/"
        return not key.startswith("to /")

    def _all(self) -> Iterator[Goal]:
        draws = self._site.draws("goals")
        free = [number for number, cells in self._tickets.items() if not cells["locked"]]
        locked = [number for number in self._tickets if number not in free]
        numbers = draws.shuffled(free)
        for make, number in zip((self._assign, self._escalate, self._close, self._who), numbers, strict=False):
            yield self._about(make(number), number)
        if pair := self._mergeable(draws.shuffled(free)):
            yield self._about(self._merge(*pair), pair[0])
        customer = str(self._tickets[numbers[0]]["customer"])
        theirs = [number for number, cells in self._tickets.items() if cells["customer"] == customer]
        yield self._about(self._count(customer, theirs), *theirs)
        able = [number for number in theirs if number in free]
        if 2 <= len(able) <= 3 and len(able) == len(theirs):
            yield self._about(self._all_of(customer, able), *able)
        if locked:
            yield self._about(self._stuck(locked[0]), locked[0])

    def _about(self, goal: Goal, *numbers: str) -> Goal:
        for intent in (goal.intent, *(part for part, _ in goal.parts)):
            self._targets[intent] = numbers
        return goal

    def _called(self, number: str) -> str:
        cells = self._tickets[number]
        return f'the ticket "{cells["subject"]}" of {cells["customer"]}'

    def _other(self, options: Sequence[str], now: Json, stage: str) -> str:
        return self._site.draws(stage).pick([one for one in options if one != now])

    def _assign(self, number: str) -> Goal:
        who, what = self._other(self._agents, self._tickets[number]["agent"], "who"), self._called(number)
        intent = self.said(f"Assign {what} to {who}.", f"{who} is to take care of {what}.", f"Give {what} to {who}.")
        changed = {f"tickets/{number}/agent": who}
        return Goal(kind="change", template="assign", intent=intent, changes=changed, values=(who,))

    def _escalate(self, number: str) -> Goal:
        now, what = self._tickets[number]["priority"], self._called(number)
        to = self._other(("Low", "Normal", "High", "Urgent"), now, "priority")
        note = self._site.draws("escalate").pick(_NOTES[self._site.split])
        intent = self.said(
            f'Set the priority of {what} to {to} and leave the note "{note}" on it.',
            f'{what[0].upper()}{what[1:]} is to have the priority {to}; note on it: "{note}"',
        )
        changed = {f"tickets/{number}/priority": to, f"tickets/{number}/note": note}
        part = (f"Set the priority of {what} to {to}.", {f"tickets/{number}/priority": to})
        return Goal(
            kind="change", template="escalate", intent=intent, changes=changed, values=(to, note), parts=(part,)
        )

    def _close(self, number: str) -> Goal:
        note, what = self._site.draws("close").pick(_NOTES[self._site.split]), self._called(number)
        if self._tickets[number]["state"] == "Closed":
            intent = self.said(f'Open {what} again and note on it: "{note}"', f'Reopen {what} with the note "{note}".')
            state = "Open"
        else:
            intent = self.said(f'Close {what} with the note "{note}".', f'Note "{note}" on {what} and close it.')
            state = "Closed"
        changed = {f"tickets/{number}/state": state, f"tickets/{number}/note": note}
        return Goal(kind="change", template="close", intent=intent, changes=changed, values=(state, note))

    def _mergeable(self, numbers: Sequence[str]) -> tuple[str, str] | None:
        for one in numbers:
            for other, cells in self._tickets.items():
                is_same = other != one and cells["customer"] == self._tickets[one]["customer"]
                if is_same and cells["state"] != "Closed" != self._tickets[one]["state"]:
                    return one, other
        return None

    def _merge(self, one: str, other: str) -> Goal:
        intent = self.said(
            f"Merge {self._called(one)} into {self._called(other)}.",
            f"Two tickets are about the same: merge {self._called(one)} into {self._called(other)}.",
        )
        changed = {f"tickets/{one}/state": "Closed", f"tickets/{one}/note": f"Merged into {other}"}
        return Goal(kind="change", template="merge", intent=intent, changes=changed)

    def _all_of(self, customer: str, numbers: Sequence[str]) -> Goal:
        now = {self._tickets[number]["agent"] for number in numbers}
        who = self._site.draws("all of").pick([one for one in self._agents if one not in now] or list(self._agents))
        changed = {f"tickets/{number}/agent": who for number in numbers if self._tickets[number]["agent"] != who}
        intent = self.said(
            f"Assign all tickets of {customer} to {who}.", f"{who} takes over every ticket of {customer}."
        )
        cells = list(changed.items())
        parts = tuple(
            (f"Assign {self._called(place.split('/')[1])} to {who}.", {place: value}) for place, value in cells[:-1]
        )
        values = (who, customer)
        return Goal(kind="change", template="all of", intent=intent, changes=changed, values=values, parts=parts)

    def _who(self, number: str) -> Goal:
        cells = self._tickets[number]
        priority = str(cells["priority"])
        intent = self.said(
            f"Which priority does {self._called(number)} have?", f"Tell me the priority of {self._called(number)}."
        )
        return Goal(kind="answer", template="priority", intent=intent, answer=priority, facts=(f"Ticket {number}",))

    def _count(self, customer: str, numbers: Sequence[str]) -> Goal:
        intent = self.said(
            f"How many tickets does {customer} have, whatever their state? Answer with a number.",
            f"Count the tickets of {customer} and answer with the number alone.",
        )
        facts = tuple(str(self._tickets[number]["subject"]) for number in numbers)
        return Goal(
            kind="answer", template="count", intent=intent, answer=len(numbers), facts=facts, values=(customer,)
        )

    def _stuck(self, number: str) -> Goal:
        who, what = self._other(self._agents, self._tickets[number]["agent"], "stuck"), self._called(number)
        intent = self.said(f"Assign {what} to {who}.", f"{who} is to take care of {what}.")
        changed = {f"tickets/{number}/agent": who}
        facts = (together(f"Ticket {number}", "This ticket is locked for an audit and cannot be changed."),)
        return Goal(kind="infeasible", template="locked", intent=intent, changes=changed, values=(who,), facts=facts)
