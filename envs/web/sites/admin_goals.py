"""What is asked for in an administration."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from palestra.envs.base import Json
from palestra.envs.web.pools import CITIES, FIRST_NAMES, LAST_NAMES
from palestra.envs.web.site import Goal, Place, Site
from palestra.envs.web.sites.goals import Goals
from palestra.envs.web.verify import together

Rows = Mapping[str, Mapping[str, Json]]
_TEAMS: Final = ("Sales", "Design", "Finance", "Support")
_FRESH: Final[Mapping[str, Json]] = {"team": "Sales", "role": "Reader", "hours": 40, "active": True}


class AdminGoals(Goals):
    """The goals of one administration."""

    everywhere: ClassVar[tuple[str, ...]] = ("to /", "to /?*", "do filter", "do cancel")

    def __init__(self, site: Site, people: Rows) -> None:
        self._people = people
        super().__init__(site)

    def matters(self, place: Place, goal: Goal, key: str) -> bool:
        """Whether using an element can be part of a shortest solution."""
        if key == "team" and place.path == "/" and not goal.template.startswith(("count", "bulk")):
            return False  # who is looked for is found by name at least as soon
        return super().matters(place, goal, key)

    def _all(self) -> Iterator[Goal]:
        draws = self._site.draws("goals")
        numbers = draws.shuffled([one for one, cells in self._people.items() if cells["role"] != "Owner"])
        yield self._create()
        yield self._edit(numbers[0])
        yield self._moving(numbers[1])
        yield self._delete(numbers[2])
        team = str(self._people[numbers[3]]["team"])
        theirs = [one for one, cells in self._people.items() if cells["team"] == team]
        yield self._count(team, theirs)
        yield self._deactivate(team, theirs)
        yield self._bulk(*numbers[:2])
        yield self._city(numbers[4])
        yield self._hours(numbers[5])
        yield self._owner("1")

    def _name(self, one: str) -> str:
        return str(self._people[one]["name"])

    def _create(self) -> Goal:
        draws, split = self._site.draws("create"), self._site.split
        taken = {cells["name"] for cells in self._people.values()}
        names = [f"{first} {last}" for first in FIRST_NAMES[split] for last in LAST_NAMES[split]]
        new: dict[str, Json] = {
            "name": draws.pick([one for one in names if one not in taken]),
            "team": draws.pick(_TEAMS),
            "role": draws.pick(("Reader", "Editor")),
            "city": draws.pick(CITIES[split]),
            "hours": draws.between(4, 40),
        }
        intent = self.said(
            "Make a record: {name}, team {team}, role {role}, city {city}, {hours} hours a week, active.".format(**new),
            "{name} is new in the team {team} ({role}, {hours} hours a week, from {city}, active): enter that.".format(
                **new
            ),
        )
        row = 1 + max(int(one) for one in self._people)
        changed = {f"people/{row}/{name}": value for name, value in {**_FRESH, **new}.items()}
        entries = {name: str(value) for name, value in new.items() if _FRESH.get(name) != value}
        values = tuple(str(value) for value in new.values())
        goal = Goal(kind="change", template="create", intent=intent, changes=changed, values=values)
        return self.about(goal, "to /new", "do save", **entries)

    def _edit(self, one: str) -> Goal:
        draws, cells = self._site.draws("edit"), self._people[one]
        city = draws.pick([other for other in CITIES[self._site.split] if other != cells["city"]])
        hours = draws.pick([count for count in range(4, 41) if count != cells["hours"]])
        name = self._name(one)
        intent = self.said(
            f"Change the record of {name}: city {city}, {hours} hours a week.",
            f"{name} has moved to {city} and works {hours} hours a week now; bring the record up to date.",
        )
        changed = {f"people/{one}/city": city, f"people/{one}/hours": hours}
        part = (f"Change the city of {name} to {city}.", {f"people/{one}/city": city})
        values = (city, str(hours))
        goal = Goal(kind="change", template="edit", intent=intent, changes=changed, values=values, parts=(part,))
        return self.about(goal, f"to /person/{one}", "do save", q=name, city=city, hours=str(hours))

    def _moving(self, one: str) -> Goal:
        now, name = self._people[one], self._name(one)
        team = self._site.draws("moving").pick([other for other in _TEAMS if other != now["team"]])
        is_active = not now["active"]
        word = "Activate" if is_active else "Deactivate"
        intent = self.said(
            f"{word} the account of {name} and put the record into the team {team}.",
            f"Put {name} into the team {team}. {word} the account as well.",
        )
        changed = {f"people/{one}/team": team, f"people/{one}/active": is_active}
        goal = Goal(kind="change", template="account", intent=intent, changes=changed, values=(team, name))
        keys = (f"to /person/{one}", "do save", "active", "do move", "do deactivate", f"pick {one}")
        return self.about(goal, *keys, q=name, team=team, into=team)

    def _delete(self, one: str) -> Goal:
        name = self._name(one)
        intent = self.said(f"Delete the record of {name}.", f"{name} has left: delete the record.")
        goal = Goal(kind="change", template="delete", intent=intent, changes={f"people/{one}": None})
        return self.about(goal, f"to /person/{one}", "do ask", "do delete", q=name)

    def _count(self, team: str, theirs: list[str]) -> Goal:
        intent = self.said(
            f"How many people are there in the team {team}? Answer with a number.",
            f"Count the people of the team {team}; answer with the number alone.",
        )
        facts = tuple(self._name(one) for one in theirs)
        goal = Goal(kind="answer", template="count", intent=intent, answer=len(theirs), facts=facts)
        return self.about(goal, team=team)

    def _deactivate(self, team: str, theirs: list[str]) -> Goal:
        left = [one for one in theirs if self._people[one]["active"]][:3]
        names = ", ".join(self._name(one) for one in left)
        if not left:
            return self._bulk(theirs[0], next(one for one in self._people if one not in theirs))
        intent = self.said(
            f"Deactivate the accounts of these people of the team {team}: {names}.",
            f"These people of the team {team} may no longer log in: {names}.",
        )
        changed = {f"people/{one}/active": False for one in left}
        goal = Goal(kind="change", template="bulk deactivate", intent=intent, changes=changed)
        return self.about(goal, *(f"pick {one}" for one in left), "do deactivate", team=team)

    def _bulk(self, first: str, second: str) -> Goal:
        teams = {self._people[one]["team"] for one in (first, second)}
        team = self._site.draws("bulk").pick([one for one in _TEAMS if one not in teams])
        intent = self.said(
            f"Move {self._name(first)} and {self._name(second)} into the team {team}.",
            f"Both {self._name(first)} and {self._name(second)} go to the team {team}.",
        )
        changed = {f"people/{one}/team": team for one in (first, second)}
        part = (f"Move {self._name(first)} into the team {team}.", {f"people/{first}/team": team})
        goal = Goal(kind="change", template="bulk move", intent=intent, changes=changed, values=(team,), parts=(part,))
        now = sorted({team, *map(str, teams)})
        return self.about(goal, f"pick {first}", f"pick {second}", "do move", into=team, team=now)

    def _city(self, one: str) -> Goal:
        name, city = self._name(one), str(self._people[one]["city"])
        intent = self.said(f"In which city is {name}?", f"Which city does the record of {name} tell?")
        goal = Goal(kind="answer", template="city", intent=intent, answer=city, facts=(city,))
        return self.about(goal, f"to /person/{one}", q=name)

    def _hours(self, one: str) -> Goal:
        name, hours = self._name(one), int(self._people[one]["hours"])
        intent = self.said(
            f"How many hours a week does {name} work? Answer with a number.",
            f"Tell me the hours a week of {name}, as a number.",
        )
        role = str(self._people[one]["city"])
        goal = Goal(kind="answer", template="hours", intent=intent, answer=hours, facts=(role, str(hours)))
        return self.about(goal, f"to /person/{one}", q=name)

    def _owner(self, one: str) -> Goal:
        name = self._name(one)
        intent = self.said(f"Delete the record of {name}.", f"{name} has left: delete the record.")
        facts = (together(name, "An owner cannot be deleted."),)
        changed = {f"people/{one}": None}
        goal = Goal(kind="infeasible", template="owner", intent=intent, changes=changed, facts=facts)
        return self.about(goal, f"to /person/{one}", "do ask", "do delete", q=name)
