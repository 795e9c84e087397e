"""What is asked for in a house that is steered by a panel."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from palestra.envs.base import Json
from palestra.envs.web.site import Goal, Site
from palestra.envs.web.sites.goals import Goals
from palestra.envs.web.verify import together

FLOORS: Final[Mapping[str, Sequence[str]]] = {
    "Cellar": ("Laundry", "Workshop"),
    "Ground floor": ("Hall", "Kitchen", "Living room"),
    "Upper floor": ("Bathroom", "Bedroom", "Study"),
}
KINDS: Final = ("lamp", "heater", "fan", "blind")
HOURS: Final = tuple(f"{hour:02d}:{minute}" for hour in range(6, 22, 3) for minute in ("00", "30"))
Rows = Mapping[str, Mapping[str, Json]]
_UNDOING: Final = {"level": ("set", "level"), "on": ("switch",)}  # by column: the command, and the field


class HomeGoals(Goals):
    """The goals of one house."""

    everywhere: ClassVar[tuple[str, ...]] = ("to /", "do keep")

    def __init__(self, site: Site, devices: Rows, timers: Rows) -> None:
        self._devices, self._timers = devices, timers
        super().__init__(site)

    def undoing(self, wrong: Mapping[str, Json]) -> Iterator[str]:
        """Yield the keys that put a device back, or end a timer that nobody asked for."""
        for cell, value in wrong.items():
            table, one, *column = cell.split("/")
            if table == "devices":
                yield from (*self._way(one), "do tab Now", *_UNDOING[column[0]], f"do {_UNDOING[column[0]][0]} {one}")
            elif column == ["device"] and one not in self._timers:
                yield from (*self._way(str(value)), "to /timers", "do tab Timers", f"do ask {one}", f"do delete {one}")

    def _all(self) -> Iterator[Goal]:
        draws = self._site.draws("goals")
        able = draws.shuffled([one for one, cells in self._devices.items() if not cells["offline"]])
        yield self._levels("level", able[:1])
        yield self._levels("two levels", able[1:3])
        yield self._switch(able[3])
        yield self._timer(able[4])
        yield self._deleted(draws.pick(list(self._timers)))
        one = able[0]
        model = str(self._devices[one]["model"])
        intent = self.said(f"Which model is {self._called(one)}?", f"Tell me the model of {self._called(one)}.")
        goal = Goal(kind="answer", template="model", intent=intent, answer=model, facts=(f"Model: {model}",))
        yield self.about(goal, *self._way(one), "do tab About")
        one = able[1]
        power = int(self._devices[one]["power"])
        intent = self.said(
            f"How many kWh does {self._called(one)} use a month? Answer with a number.",
            f"Tell me the kWh a month of {self._called(one)}, as a number.",
        )
        facts = (together(str(self._devices[one]["name"]), f"Uses {power} kWh a month."),)
        yield self.about(
            Goal(kind="answer", template="power", intent=intent, answer=power, facts=facts),
            *self._way(one),
            "do tab About",
        )
        yield self._count(str(self._devices[able[2]]["room"]))
        gone = next(one for one, cells in self._devices.items() if cells["offline"])
        yield self._levels("offline", [gone], "infeasible")
        yield self._absent()

    def _called(self, one: str) -> str:
        return f"the {self._devices[one]['name']} ({self._devices[one]['room']})"

    def _way(self, one: str) -> tuple[str, ...]:
        """Return the keys that lead to a device."""
        room = str(self._devices[one]["room"])
        ways = (*_to(room), f"to /device/{one}")
        return (*ways, "to /timers") if any(cells["device"] == one for cells in self._timers.values()) else ways

    def _other(self, one: str, stage: str) -> int:
        now = self._devices[one]["level"]
        return self._site.draws(f"{stage} {one}").pick([level for level in range(0, 101, 10) if level != now])

    def _levels(self, template: str, devices: Sequence[str], kind: str = "change") -> Goal:
        wanted = {one: self._other(one, template) for one in devices}
        told = [f"{self._called(one)} to {level} percent" for one, level in wanted.items()]
        intent = self.said(f"Set {' and '.join(told)}.", f"Change the level of {' and of '.join(told)}.")
        changed = {f"devices/{one}/level": level for one, level in wanted.items()}
        facts = tuple(offline(self._devices[one]) for one in devices) if kind == "infeasible" else ()
        first = next(iter(changed.items()))
        parts = ((f"Set {told[0]}.", dict([first])),) if len(changed) > 1 else ()
        values = tuple(str(level) for level in wanted.values())
        goal = Goal(
            kind=kind, template=template, intent=intent, changes=changed, facts=facts, values=values, parts=parts
        )
        keys = [key for one in devices for key in (*self._way(one), "do tab Now", f"do set {one}")]
        return self.about(goal, *keys, level=values)

    def _switch(self, one: str) -> Goal:
        is_on = bool(self._devices[one]["on"])
        word = "off" if is_on else "on"
        intent = self.said(f"Switch {self._called(one)} {word}.", f"Turn {word} {self._called(one)}.")
        changed = {f"devices/{one}/on": not is_on}
        goal = Goal(kind="change", template="switch", intent=intent, changes=changed)
        return self.about(goal, *self._way(one), "do tab Now", f"do switch {one}")

    def _timer(self, one: str) -> Goal:
        draws = self._site.draws("timer")
        taken = [cells["hour"] for cells in self._timers.values() if cells["device"] == one]
        hour = draws.pick([hour for hour in HOURS if hour not in taken])
        level, row = 10 * draws.between(1, 10), len(self._timers) + 1
        new: dict[str, Json] = {"device": one, "hour": hour, "level": level}
        without = draws.chance(0.5)
        rest = ", but not on Sundays" if without else ""
        new |= {"sunday": False} if without else {}
        intent = self.said(
            f"Have {self._called(one)} set to {level} percent at {hour} every day{rest}.",
            f"Add a timer for {self._called(one)}: {level} percent at {hour} each day{rest}.",
        )
        changed = {f"timers/{row}/{name}": value for name, value in new.items()}
        goal = Goal(kind="change", template="timer", intent=intent, changes=changed, values=(hour, str(level)))
        sundays = ("do days", "sunday") if without else ()
        keys = (*self._way(one), "do tab Timers", f"do add {one}", *sundays)
        return self.about(goal, *keys, level=str(level), hour=hour)

    def _deleted(self, row: str) -> Goal:
        cells = self._timers[row]
        one, hour = str(cells["device"]), cells["hour"]
        intent = self.said(
            f"Delete the timer of {self._called(one)} at {hour}.", f"The timer of {self._called(one)} at {hour} can go."
        )
        goal = Goal(kind="change", template="delete timer", intent=intent, changes={f"timers/{row}": None})
        return self.about(goal, *self._way(one), "do tab Timers", f"do ask {row}", f"do delete {row}")

    def _count(self, room: str) -> Goal:
        found = [str(cells["name"]) for cells in self._devices.values() if cells["room"] == room]
        intent = self.said(
            f"How many devices are there in the room {room}? Answer with a number.",
            f"Count the devices of the room {room}; answer with the number alone.",
        )
        facts = (together(f"Devices: {room}", *found),)
        goal = Goal(kind="answer", template="count", intent=intent, answer=len(found), facts=facts)
        return self.about(goal, *_to(room))

    def _absent(self) -> Goal:
        """Return a goal about a device that is in another room."""
        draws = self._site.draws("absent")
        one = self._devices[draws.pick(list(self._devices))]
        name = str(one["name"])
        room = draws.pick([room for floor in FLOORS.values() for room in floor if room != one["room"]])
        intent = self.said(f"Switch off the {name} in the room {room}.", f"Room {room}: the {name} should be off.")
        found = [str(cells["name"]) for cells in self._devices.values() if cells["room"] == room]
        facts = (together(f"Devices: {room}", *(found or ["There are no devices."])),)
        return self.about(Goal(kind="infeasible", template="absent", intent=intent, facts=facts), *_to(room))


def _to(room: str) -> tuple[str, str]:
    """Return the keys that lead to a room."""
    return f"do floor {next(floor for floor, rooms in FLOORS.items() if room in rooms)}", f"do room {room}"


def offline(cells: Mapping[str, Json]) -> str:
    """Return what is told of a device that cannot be reached."""
    return f"The {cells['name']} is offline and cannot be changed."
