"""A site as small as can be: notes with a title and a mark, for tests of what all sites share."""

from collections.abc import Iterator
from typing import ClassVar

from palestra.envs.web.element import (
    Command,
    Element,
    Page,
    box,
    button,
    choice,
    dialog,
    entry,
    form,
    heading,
    link,
    listing,
    number,
    radios,
    status,
    text,
)
from palestra.envs.web.site import Goal, Place, Site

COLOURS = ("red", "green", "blue")


class Notes(Site):
    """Three notes; one can be opened, changed, saved and, after a question, deleted."""

    name: ClassVar[str] = "notes"

    def start(self) -> Place:
        notes = {str(number): {"title": f"Note {number}", "colour": "red", "done": False} for number in (1, 2, 3)}
        return Place(data={"notes": notes}, visit={}, path="/")

    def page(self, place: Place) -> Page | None:
        notes = place.data["notes"]
        if place.path == "/":
            links = [[link(note["title"], f"/notes/{number}")] for number, note in notes.items()]
            told = [status("Deleted.")] if place.query.get("told") else []
            return Page("Notes", (heading("Notes", 1), *told, listing("Notes", links)))
        number_of = place.path.removeprefix("/notes/")
        if place.path == f"/notes/{number_of}" and number_of in notes:
            return self._note(place, number_of)
        return None

    def _note(self, place: Place, which: str) -> Page:
        note, ui = place.data["notes"][which], place.ui
        fields: list[Element] = [
            entry("Title", "title", ui, note["title"], is_required=True),
            choice("Colour", "colour", ui, COLOURS, note["colour"]),
            box("Done", "done", ui, note["done"]),
            radios("Size", "size", ui, ("small", "large"), "small"),
            number("Weight", "weight", ui, 5, (0, 10, 1), role="slider"),
        ]
        buttons = (
            button("Save", ("save",)),
            button("Delete", ("ask",)),
            button("Print", ("print",), is_disabled=True),
        )
        body = (heading(note["title"], 1), form("Note", ("save",), *fields, *buttons), link("All notes", "/"))
        if not ui.get("asked"):
            return Page(note["title"], body)
        asked = dialog("Delete?", text("It will be gone."), button("Yes", ("delete",)), button("No", ("keep",)))
        return Page(note["title"], body, asked)

    def do(self, place: Place, command: Command) -> Place:
        which, ui = place.path.removeprefix("/notes/"), place.ui
        match command:
            case ("save",):
                note = place.data["notes"][which]
                done = place.put("notes", which, **{name: ui.get(name, old) for name, old in note.items()})
                return done.at("/")
            case ("ask",):
                return place.entered(asked=True)
            case ("keep",):
                return place.entered(asked=None)
            case ("delete",):
                return place.drop("notes", which).at("/?told=1")
        raise ValueError(f"no such command: {command}")

    def goals(self) -> Iterator[Goal]:
        changed = {"notes/2/title": "Milk", "notes/2/done": True}
        yield Goal(kind="change", template="rename", intent="Name note 2 Milk; it is done.", changes=changed)
        yield Goal(kind="change", template="delete", intent="Delete note 3.", changes={"notes/3": None})
