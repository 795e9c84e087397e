"""What is asked for in a store of files."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from palestra.envs.base import Json
from palestra.envs.web.site import Goal, Site
from palestra.envs.web.sites.goals import Goals
from palestra.envs.web.verify import together

FOLDERS: Final = ("Home", "Work", "Pictures", "Old things")
TRASH: Final = "Trash"
Rows = Mapping[str, Mapping[str, Json]]


class FileGoals(Goals):
    """The goals of one store."""

    everywhere: ClassVar[tuple[str, ...]] = ("to /", "do show *")

    def __init__(self, site: Site, files: Rows, people: Sequence[str]) -> None:
        self._files, self._people = files, people
        super().__init__(site)

    def undoing(self, wrong: Mapping[str, Json]) -> Iterator[str]:
        """Yield the keys that put a file's name, folder or reader back."""
        for cell in wrong:
            _, one, column = cell.split("/")
            yield from (f"to /file/{one}", _FIELDS[column], *(f"do {name} {one}" for name in _COMMANDS))

    def texts(self, goal: Goal, key: str) -> Sequence[str]:
        """Return what a field may take."""
        return (*super().texts(goal, key), "Nobody") if key == "who" else super().texts(goal, key)

    def _all(self) -> Iterator[Goal]:
        draws = self._site.draws("goals")
        numbers = draws.shuffled([one for one, cells in self._files.items() if int(one) not in (6, 7)])
        into, who = draws.pick(FOLDERS), draws.pick(self._people)
        yield self._change("rename", numbers[0], "name", f"new-{self._files[numbers[0]]['name']}", "Rename {} to {}.")
        other = draws.pick([one for one in FOLDERS if one != self._files[numbers[1]]["folder"]])
        yield self._change("move", numbers[1], "folder", other, "Move {} to the folder {}.")
        yield self._change("share", numbers[2], "shared", who, "Share {} with {}.")
        yield self._change("trash", numbers[3], "folder", TRASH, "Throw {} away: it goes to the {}.")
        yield self._change("restore", "6", "folder", into, "Bring {} back from the trash, into the folder {}.")
        yield self._change("locked", "7", "shared", who, "Share {} with {}.", "infeasible")
        one = numbers[4]
        size, folder = int(self._files[one]["size"]), str(self._files[one]["folder"])
        intent = self.said(f"How many KB does {self._called(one)} have? Answer with a number.")
        goal = Goal(kind="answer", template="size", intent=intent, answer=size, facts=(f"Size: {size} KB",))
        yield self.about(goal, f"to /file/{one}")
        theirs = [other for other, cells in self._files.items() if cells["folder"] == folder]
        intent = self.said(f"How many files are there in the folder {folder}? Answer with a number.")
        facts = tuple(str(self._files[other]["name"]) for other in theirs)
        yield self.about(Goal(kind="answer", template="count", intent=intent, answer=len(theirs), facts=facts))

    def _called(self, one: str) -> str:
        return f'the file "{self._files[one]["name"]}"'

    def _change(self, template: str, one: str, column: str, value: str, words: str, kind: str = "change") -> Goal:
        said = words.format(self._called(one), value)
        intent = self.said(said, f"Please {said[0].lower()}{said[1:]}")
        locked = together(str(self._files[one]["name"]), "This file is locked by its owner.")
        facts = (locked,) if kind == "infeasible" else ()
        changed = {f"files/{one}/{column}": value}
        goal = Goal(kind=kind, template=template, intent=intent, changes=changed, values=(value,), facts=facts)
        return self.about(
            goal, f"to /file/{one}", *(f"do {name} {one}" for name in _COMMANDS), **{_FIELDS[column]: value}
        )


_FIELDS: Final = {"name": "name", "folder": "into", "shared": "who"}  # by column
_COMMANDS: Final = ("rename", "move", "share", "trash")
