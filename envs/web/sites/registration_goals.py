"""What is asked for at a registration: one with these and those fields, in every combination, and what it costs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from palestra.envs.base import Json
from palestra.envs.web.element import Ui
from palestra.envs.web.pools import FIRST_NAMES, LAST_NAMES
from palestra.envs.web.site import Goal, Place, Site, wording
from palestra.envs.web.sites.goals import Asked
from palestra.envs.web.verify import together

_MONTHS: Final = ("March 2027", "April 2027", "May 2027")
_FIELDS: Final = ("mail", "city", "title", "day", "room", "guests", "meal", "workshops")
_EMPTY: Final = {"title": "No title", "guests": "0"}
_TAB_OF: Final = {
    **dict.fromkeys(("name", "mail", "city", "title"), "Person"),
    **dict.fromkeys(("day", "room", "guests"), "Stay"),
    **dict.fromkeys(("meal", "workshops"), "Extras"),
}


class RegistrationGoals(Asked):
    """The goals of one registration, and what each needs."""

    def __init__(
        self,
        site: Site,
        workshops: Sequence[str],
        fees: Mapping[str, int],
        cities: Sequence[str],
        taken: frozenset[str],
        full: frozenset[str],
    ) -> None:
        super().__init__(site)
        self._workshops, self._fees, self._cities = workshops, fees, cities
        self._taken, self._full = taken, full
        self._wanted: dict[str, dict[str, str]] = {}  # by intent: what the form must hold
        self.made = tuple(self._all())

    def matters(self, place: Place, goal: Goal, key: str) -> bool:
        """Whether using an element can be part of a shortest solution."""
        wanted = self._wanted.get(goal.intent)
        if wanted is None:
            pages = ("do close offer", "to /programme", "to /")
            return key in pages or key.startswith("to /programme/")
        if key == "do close offer":
            return True
        entered = _entered(place.ui)
        left = {name: value for name, value in wanted.items() if entered.get(name) != value}
        left |= {name: _EMPTY.get(name, "") for name in entered if name not in wanted}
        if key in ("to /programme", "to /") and (place.path != "/" or entered.keys() - wanted.keys()):
            return True  # where much was entered in vain, the page is best left
        if key.startswith("do tab "):
            return any(_TAB_OF[one] == key.removeprefix("do tab ") for one in left)
        return key == "do send" if not left else self._is_of(key, left, place.ui)

    def _is_of(self, key: str, left: Mapping[str, str], ui: Ui) -> bool:
        """Whether an element enters one of the values that are left, or leads to where it can be entered."""
        day, room = left.get("day", ""), left.get("room", "")
        house = "North house" if room.startswith("N") else "South house"
        leading = {
            "typed": "city" in left and ui.get("typed") != left["city"],
            "do calendar": bool(day) and not ui.get("calendar"),
            f"do day {day}": True,
            f"do house {house}": bool(room) and not ui.get(f"open {house}"),
            f"do room {room}": True,
            "do meals": "meal" in left and not ui.get("meals"),
            f"meal={left.get('meal')}": True,
            f"do city {left.get('city')}": True,
        }
        if key.startswith("do month ") and day:
            now, to = int(ui.get("month", 0)), _MONTHS.index(day.split(" ", 1)[1])
            return abs(int(key.split()[-1]) - to) < abs(now - to)
        if key.startswith("at ") and "workshops" in left:
            return bool(ui.get(key)) != (key.removeprefix("at ") in left["workshops"].split(", "))
        return leading.get(key, key in left)

    def texts(self, goal: Goal, key: str) -> Sequence[str]:
        """Return what a field may take."""
        field = "city" if key == "typed" else key
        return (self._wanted.get(goal.intent, {}).get(field, _EMPTY.get(field, "")),)

    # -- goals -------------------------------------------------------------------------------------

    def _all(self) -> Iterator[Goal]:
        draws = self._site.draws("goals")
        many = max(1, min(self._site.knobs.fields, len(_FIELDS)))
        for place in range(4):
            fields = sorted(draws.shuffled(_FIELDS)[: max(1, many - place)], key=_FIELDS.index)
            yield self._register(f"register {place}", fields)
        yield self._fee(draws.pick(self._workshops))
        yield self._sum(draws.shuffled(self._workshops)[:2])
        yield self._register("full day", ["day"], "infeasible")
        yield self._register("taken room", ["room"], "infeasible")

    def said(self, *wordings: str) -> str:
        """Return one of several wordings; goals that begin alike are said alike."""
        return wording(self._site.draws(f"intent {wordings[0][:30]}"), self._site.knobs.paraphrase, wordings)

    def _value(self, field: str, stage: str, is_possible: bool) -> str:
        draws = self._site.draws(f"{stage} {field}")
        days = [f"{day} {month}" for month in _MONTHS for day in range(1, 31)]
        rooms = [f"{house}{floor}{door}" for house in "NS" for floor in (1, 2) for door in range(1, 5)]
        chosen = draws.shuffled(self._workshops)[: draws.between(1, 2)]
        options: Mapping[str, Sequence[str]] = {
            "mail": [f"{draws.pick(LAST_NAMES[self._site.split]).lower()}@mail.test"],
            "city": self._cities,
            "title": ("Dr", "Prof"),
            "day": [one for one in days if (one not in self._full) == is_possible],
            "room": [one for one in rooms if (one not in self._taken) == is_possible],
            "guests": [str(count) for count in range(1, 9)],
            "meal": ("Meat", "Fish", "Vegetarian", "None"),
            "workshops": [", ".join(one for one in self._workshops if one in chosen)],
        }
        return draws.pick(options[field])

    def _register(self, stage: str, fields: Sequence[str], kind: str = "change") -> Goal:
        draws, split = self._site.draws(stage), self._site.split
        values = {"name": f"{draws.pick(FIRST_NAMES[split])} {draws.pick(LAST_NAMES[split])}"}
        values |= {field: self._value(field, stage, kind == "change") for field in fields}
        intent = self._intent(values)
        self._wanted[intent] = values
        parts = []
        for count in range(1, len(values)) if kind == "change" else ():
            less = dict(list(values.items())[:count])
            self._wanted[self._intent(less)] = less
            parts.append((self._intent(less), _cells(less)))
        template = "register with " + ", ".join(fields) if kind == "change" else stage
        entered = tuple(values.values())
        return Goal(
            kind=kind,
            template=template,
            intent=intent,
            changes=_cells(values),
            facts=() if kind == "change" else (_refused(values),),
            values=entered,
            parts=tuple(parts),
        )

    def _intent(self, values: Mapping[str, str]) -> str:
        told = {
            "mail": "the e-mail address {}",
            "city": "coming from {}",
            "title": "the title {}",
            "day": "arriving on {}",
            "room": "in room {}",
            "guests": "with {} guests",
            "meal": "the meals: {}",
            "workshops": "for the workshops: {}",
        }
        rest = "; ".join(told[name].format(value) for name, value in values.items() if name != "name")
        start = self.said("Register {} for the conference", "Sign {} up for the conference")
        end = self.said("Leave all other fields as they are.", "Enter nothing else.")
        return f"{start.format(values['name'])}{f': {rest}' if rest else ''}. {end}"

    def _fee(self, name: str) -> Goal:
        intent = self.said(
            f'What is the fee of the workshop "{name}", in EUR? Answer with a number.',
            f'How many EUR does the workshop "{name}" cost? Answer with the number alone.',
        )
        facts = (f"The fee is EUR {self._fees[name]}.",)
        return Goal(kind="answer", template="fee", intent=intent, answer=self._fees[name], facts=facts)

    def _sum(self, names: Sequence[str]) -> Goal:
        intent = self.said(
            f'How many EUR do the workshops "{names[0]}" and "{names[1]}" cost together? Answer with a number.',
            f'Add the fees of "{names[0]}" and "{names[1]}", in EUR; answer with the number alone.',
        )
        facts = tuple(f"The fee is EUR {self._fees[name]}." for name in names)
        total = sum(self._fees[name] for name in names)
        return Goal(kind="answer", template="two fees", intent=intent, answer=total, facts=facts)


def _refused(values: Mapping[str, str]) -> str:
    """Return what tells that a day is full, or that a room is taken."""
    if "room" in values:
        return f"Room {values['room']} (taken)"
    day, month = values["day"].split(" ", 1)
    return together(month, f"{day} (full)")


def _entered(ui: Ui) -> dict[str, str]:
    """Return what a form holds, by field; what it does not is not named."""
    held = {name: str(value) for name, value in ui.items() if name in _TAB_OF and value}
    held["city"] = str(ui["city"]) if ui.get("city") and ui.get("typed") == ui["city"] else ""
    held["workshops"] = ", ".join(name.removeprefix("at ") for name in ui if name.startswith("at ") and ui[name])
    held = {name: value for name, value in held.items() if value}
    return {name: value for name, value in held.items() if _EMPTY.get(name) != value}


def _cells(values: Mapping[str, Json]) -> dict[str, Json]:
    return {f"registrations/1/{name}": value for name, value in values.items()}
