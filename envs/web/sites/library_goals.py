"""What is asked for in a library."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from palestra.envs.base import Json
from palestra.envs.web.site import Goal, Site
from palestra.envs.web.sites.goals import Goals
from palestra.envs.web.verify import together

Rows = Mapping[str, Mapping[str, Json]]
_BRANCHES: Final = ("Main library", "Harbour", "Old town")


class LibraryGoals(Goals):
    """The goals of one library."""

    everywhere: ClassVar[tuple[str, ...]] = ("to /", "to /?*", "to /account", "do find", "do cancel *")

    def __init__(self, site: Site, books: Rows, loans: Rows) -> None:
        self._books, self._loans = books, loans
        super().__init__(site)

    def _all(self) -> Iterator[Goal]:
        draws = self._site.draws("goals")
        lent = draws.shuffled([one for one, cells in self._books.items() if cells["lent"]])
        yield self._reserve("reserve", lent[:1])
        yield self._reserve("reserve two", lent[1:3])
        first, second = self._title(str(self._loans["1"]["book"])), self._title(str(self._loans["2"]["book"]))
        weeks = int(self._loans["1"]["weeks"]) + 4
        changed = {"loans/1/weeks": weeks, "loans/1/renewed": True}
        intent = self.said(f"Renew the loan of {first}.", f"Keep {first} for longer: renew it.")
        yield self.about(self._change("renew", intent, changed), "do renew 1")
        intent = self.said(f"Give {second} back.", f"Return {second}.")
        yield self.about(self._change("return", intent, {"loans/2": None}), "do return 2")
        yield self._told("shelf", draws.pick(list(self._books)), "On which shelf is {}?", "Tell me the shelf of {}.")
        yield self._told("subject", lent[0], "Which subject does {} belong to?", "Tell me the subject of {}.")
        free = next(one for one, cells in self._books.items() if not cells["lent"])
        yield self._reserve("on its shelf", [free], "infeasible")
        intent = self.said(f"Renew the loan of {second}.", f"Keep {second} for longer: renew it.")
        facts = (together(str(self._books[str(self._loans["2"]["book"])]["title"]), "It cannot be renewed again."),)
        changed = {"loans/2/weeks": int(self._loans["2"]["weeks"]) + 4}
        goal = Goal(kind="infeasible", template="renewed before", intent=intent, changes=changed, facts=facts)
        yield self.about(goal, "do renew 2")

    def _title(self, one: str) -> str:
        return f'"{self._books[one]["title"]}"'

    def _change(self, template: str, intent: str, changed: Mapping[str, Json]) -> Goal:
        return Goal(kind="change", template=template, intent=intent, changes=changed)

    def _reserve(self, template: str, books: list[str], kind: str = "change") -> Goal:
        branch = self._site.draws(template).pick(_BRANCHES)
        what = " and ".join(self._title(one) for one in books)
        intent = self.said(f"Reserve {what}, to be fetched at: {branch}.", f"Have {what} reserved at: {branch}.")
        changed = {f"reservations/{one}/branch": branch for one in books}
        refused = together(str(self._books[books[0]]["title"]), "It stands on its shelf and cannot be reserved.")
        facts = (refused,) if kind == "infeasible" else ()
        goal = Goal(kind=kind, template=template, intent=intent, changes=changed, facts=facts)
        keys = [key for one in books for key in (f"to /book/{one}", f"do reserve {one}")]
        return self.about(goal, *keys, branch=branch, q=[str(self._books[one]["title"]) for one in books])

    def _told(self, column: str, one: str, *wordings: str) -> Goal:
        answer = str(self._books[one][column])
        intent = self.said(*(words.format(self._title(one)) for words in wordings))
        facts = (f"{column.capitalize()}: {answer}", f"Year: {self._books[one]['year']}")
        goal = Goal(kind="answer", template=column, intent=intent, answer=answer, facts=facts)
        return self.about(goal, f"to /book/{one}", q=str(self._books[one]["title"]))
