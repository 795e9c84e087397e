"""What is asked for in a calendar."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from palestra.envs.base import Json
from palestra.envs.web.pools import LAST_NAMES
from palestra.envs.web.site import Goal, Site
from palestra.envs.web.sites.goals import Goals
from palestra.envs.web.verify import either, together

Rows = Mapping[str, Mapping[str, Json]]
_MONTHS: Final = ("September 2027", "October 2027", "November 2027")
_HOURS: Final = tuple(f"{hour:02d}:00" for hour in range(8, 19))
_ROOMS: Final = ("Nowhere", "Room 1", "Room 2", "Canteen", "Roof")
_DEFAULTS: Final = {"month": _MONTHS[0], "day": "1", "hour": _HOURS[0], "room": _ROOMS[0]}


class CalendarGoals(Goals):
    """The goals of one calendar."""

    everywhere: ClassVar[tuple[str, ...]] = ("to /", "to /month/*", "do keep")

    def __init__(self, site: Site, events: Rows, invitations: Rows) -> None:
        self._events, self._invitations = events, invitations
        super().__init__(site)

    def _all(self) -> Iterator[Goal]:
        numbers = self._site.draws("goals").shuffled([one for one in self._events if one != "1"])
        yield self._create()
        yield self._move(numbers[0])
        yield self._rename(numbers[1])
        yield self._delete(numbers[2])
        yield self._room(numbers[0])
        yield self._when(numbers[1])
        yield self._accept()
        yield self._decline()
        yield self._inviter()
        yield self._clashing()
        yield self._impossible()

    def _day(self, number: str) -> str:
        cells = self._events[number]
        return f"{cells['day']} {cells['month']}"

    def _called(self, number: str) -> str:
        return f'the event "{self._events[number]["title"]}" on {self._day(number)}'

    def _way(self, number: str) -> tuple[str, ...]:
        """Return the keys of the links to an event."""
        cells = self._events[number]
        return f"to /day/{_MONTHS.index(str(cells['month'])) + 1}/{cells['day']}", f"to /event/{number}"

    def _free(self, stage: str, day: int) -> dict[str, str]:
        draws = self._site.draws(stage)
        taken = {(one["month"], one["day"], one["hour"]) for one in self._events.values()}
        month = draws.pick(_MONTHS)
        return {"month": month, "hour": draws.pick([one for one in _HOURS if (month, day, one) not in taken])}

    def _create(self) -> Goal:
        draws = self._site.draws("create")
        day = draws.between(1, 30)
        new = {"title": f"Lunch with {draws.pick(LAST_NAMES[self._site.split])}", "day": str(day)}
        new |= self._free("create at", day) | {"room": draws.pick(_ROOMS)}
        number = 1 + max(int(one) for one in self._events)
        room = "no room" if new["room"] == _ROOMS[0] else f"the room {new['room']}"
        intent = self.said(
            f'Enter an event "{new["title"]}" on {day} {new["month"]} at {new["hour"]}, with {room}.',
            f'Put "{new["title"]}" into the calendar: {day} {new["month"]}, {new["hour"]}, {room}.',
        )
        changed: dict[str, Json] = {f"events/{number}/{name}": value for name, value in new.items()}
        changed[f"events/{number}/day"] = day
        goal = Goal(kind="change", template="create", intent=intent, changes=changed, values=tuple(new.values()))
        entered = {name: value for name, value in new.items() if _DEFAULTS.get(name) != value}
        return self.about(goal, "to /new", "do save", **entered)

    def _move(self, number: str) -> Goal:
        day = self._site.draws("move").between(1, 30)
        to = self._free("move to", day)
        intent = self.said(
            f"Move {self._called(number)} to {day} {to['month']} at {to['hour']}.",
            f"Put {self._called(number)} off to {day} {to['month']}, {to['hour']}.",
        )
        new: dict[str, Json] = {"month": to["month"], "day": day, "hour": to["hour"]}
        old = self._events[number]
        changed = {f"events/{number}/{name}": value for name, value in new.items() if value != old[name]}
        entered = {name: str(value) for name, value in new.items()}
        goal = Goal(kind="change", template="move", intent=intent, changes=changed, values=tuple(entered.values()))
        return self.about(goal, *self._way(number), "do save", **entered)

    def _rename(self, number: str) -> Goal:
        draws, old = self._site.draws("rename"), self._events[number]
        title = f"{old['title']} with {draws.pick(LAST_NAMES[self._site.split])}"
        room = draws.pick([one for one in _ROOMS[1:] if one != old["room"]])
        intent = self.said(
            f'Change {self._called(number)}: it is called "{title}" now, and the room is {room}.',
            f'Rename {self._called(number)} to "{title}" and put it into the room {room}.',
        )
        changed = {f"events/{number}/title": title, f"events/{number}/room": room}
        part = (f'Rename {self._called(number)} to "{title}".', {f"events/{number}/title": title})
        goal = Goal(
            kind="change", template="rename", intent=intent, changes=changed, values=(title, room), parts=(part,)
        )
        return self.about(goal, *self._way(number), "do save", title=title, room=room)

    def _delete(self, number: str) -> Goal:
        what = self._called(number)
        intent = self.said(f"Delete {what}.", f"Cancel {what}.", f"Take {what} out of the calendar.")
        goal = Goal(kind="change", template="delete", intent=intent, changes={f"events/{number}": None})
        return self.about(goal, *self._way(number), "do ask", "do delete")

    def _room(self, number: str) -> Goal:
        cells = self._events[number]
        intent = self.said(f"Where is {self._called(number)}?", f"Which room does {self._called(number)} have?")
        facts = (f"{cells['hour']}, {cells['room']}",)
        answer = str(cells["room"])
        goal = Goal(kind="answer", template="room", intent=intent, answer=answer, facts=facts)
        return self.about(goal, *self._way(number))

    def _when(self, number: str) -> Goal:
        cells = self._events[number]
        intent = self.said(
            f'At which hour does "{cells["title"]}" begin on {self._day(number)}? Answer such as 09:00.',
            f'When is "{cells["title"]}" on {self._day(number)}? Answer with the hour alone, such as 09:00.',
        )
        facts = (f"{cells['hour']}, {cells['room']}",)
        goal = Goal(kind="answer", template="hour", intent=intent, answer=str(cells["hour"]), facts=facts)
        return self.about(goal, *self._way(number))

    def _accept(self) -> Goal:
        cells, number = self._invitations["1"], 1 + max(int(one) for one in self._events)
        intent = self.said(f"Accept the invitation of {cells['from']}.", f"Tell {cells['from']} that you will come.")
        changed: dict[str, Json] = {"invitations/1/answer": "accepted", f"events/{number}/room": _ROOMS[0]}
        changed |= {f"events/{number}/{name}": cells[name] for name in ("title", "month", "day", "hour")}
        goal = Goal(kind="change", template="accept", intent=intent, changes=changed)
        return self.about(goal, "to /invitations", "do accept 1")

    def _decline(self) -> Goal:
        first, second = (str(self._invitations[one]["from"]) for one in ("2", "3"))
        intent = self.said(
            f"Decline the invitations of {first} and {second}.", f"Tell {first} and {second} that you cannot come."
        )
        changed = {"invitations/2/answer": "declined", "invitations/3/answer": "declined"}
        part = (f"Decline the invitation of {first}.", {"invitations/2/answer": "declined"})
        goal = Goal(kind="change", template="decline", intent=intent, changes=changed, parts=(part,))
        return self.about(goal, "to /invitations", "do decline 2", "do decline 3")

    def _inviter(self) -> Goal:
        cells = self._invitations["2"]
        intent = self.said(
            f'Who invites you to "{cells["title"]}"?', f'From whom is the invitation to "{cells["title"]}"?'
        )
        facts = (f"{cells['from']} invites you to {cells['title']}",)
        goal = Goal(kind="answer", template="inviter", intent=intent, answer=str(cells["from"]), facts=facts)
        return self.about(goal, "to /invitations")

    def _clashing(self) -> Goal:
        cells = self._invitations["3"]
        intent = self.said(
            f"Accept the invitation of {cells['from']}; change no event for it.",
            f"Tell {cells['from']} that you will come, and leave all your events as they are.",
        )
        event = self._events["1"]
        facts = (
            f"{cells['from']} invites you to {cells['title']}",
            either(
                f"You cannot accept: at this hour there is {event['title']} already.",
                together(self._day("1"), f"{event['hour']}, {event['room']}", str(event["title"])),
            ),
        )
        changed = {"invitations/3/answer": "accepted"}
        goal = Goal(kind="infeasible", template="clash", intent=intent, changes=changed, facts=facts)
        return self.about(goal, "to /invitations", "do accept 3", self._way("1")[0])

    def _impossible(self) -> Goal:
        number = "1"
        intent = self.said(
            f"Move {self._called(number)} to 31 November 2027.", f"Put {self._called(number)} off to 31 November 2027."
        )
        changed: dict[str, Json] = {f"events/{number}/month": _MONTHS[2], f"events/{number}/day": 31}
        facts = (either(together(_MONTHS[2], "Sun"), "There is no such day in this month."),)
        goal = Goal(kind="infeasible", template="no such day", intent=intent, changes=changed, facts=facts)
        return self.about(goal, *self._way(number), "do save", month=_MONTHS[2], day="31")
