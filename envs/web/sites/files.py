"""A store of files: a tree of folders, files that are renamed, moved, shared, thrown away and brought back."""

from collections.abc import Mapping
from typing import ClassVar

from palestra.envs.base import Json, Split
from palestra.envs.web.element import (
    Command,
    Page,
    alert,
    button,
    choice,
    entry,
    form,
    heading,
    link,
    listing,
    part,
    pressed,
    status,
    text,
)
from palestra.envs.web.pools import FIRST_NAMES, TOPICS
from palestra.envs.web.site import Knobs, Place
from palestra.envs.web.sites.files_goals import FOLDERS, TRASH, FileGoals
from palestra.envs.web.sites.goals import AskingSite
from palestra.envs.web.sites.shared import links_beside, offer

Rows = Mapping[str, Mapping[str, Json]]


class Files(AskingSite):
    """A store whose truth is its files; which folders of the tree are open is the page's."""

    name: ClassVar[str] = "files"

    def __init__(self, seed: int, split: Split, knobs: Knobs) -> None:
        super().__init__(seed, split, knobs)
        draws = self.draws("files")
        self._people = tuple(sorted(draws.shuffled(FIRST_NAMES[split])[:4]))
        names = [
            f"{topic.lower().replace(' ', '-')}.{kind}" for topic in TOPICS[split] for kind in ("txt", "pdf", "png")
        ]
        self._files: Rows = {
            str(place + 1): {
                "name": name,
                "folder": TRASH if place == 5 else draws.pick(FOLDERS),
                "size": draws.between(2, 900),
                "shared": "",
                "locked": place == 6,
            }
            for place, name in enumerate(draws.shuffled(names)[: max(8, knobs.size)])
        }
        self._words = self.draws("labels").pick(("Rename", "Give this name", "Set the name"))
        self._goals = FileGoals(self, self._files, self._people)

    # -- pages -------------------------------------------------------------------------------------

    def start(self) -> Place:
        return Place(data={"files": self._files}, visit={"closed": not self.knobs.popups}, path="/")

    def page(self, place: Place) -> Page | None:
        kind, _, which = place.path.strip("/").partition("/")
        if place.path == "/":
            return self._tree(place)
        if kind == "file" and which in place.data["files"]:
            return self._file(place, which)
        return None

    def _tree(self, place: Place) -> Page:
        files, ui = place.data["files"], place.ui
        items, shown = [], str(ui.get("shown", ""))
        for folder in (*FOLDERS, TRASH):
            items.append(pressed("treeitem", folder, ("show", folder), selected=folder == shown))
        found = [one for one, cells in files.items() if cells["folder"] == shown]
        listed = listing(shown, [[link(str(files[one]["name"]), f"/file/{one}")] for one in found])
        body = (
            heading("Files", 1),
            *([status(place.query["told"][:60])] if "told" in place.query else []),
            part("tree", "Folders", *items),
            listed if found else text("There is nothing to see here." if shown else "Choose a folder."),
            part("navigation", "More", *links_beside(self.draws("beside"), self.knobs.distractors)),
        )
        return Page("Files", body, None if place.visit["closed"] else offer(self.draws("offer"), "close offer"))

    def _file(self, place: Place, which: str) -> Page:
        cells, ui, problem = place.data["files"][which], place.ui, place.ui.get("problem")
        folder, name = str(cells["folder"]), str(cells["name"])
        told = [text(f"Folder: {folder}"), text(f"Size: {cells['size']} KB")]
        told.append(text(f"Shared with {cells['shared']}" if cells["shared"] else "Not shared"))
        if cells["locked"]:
            used = [text("This file is locked by its owner.")]
        elif folder == TRASH:
            used = [button("Restore", ("move", which), is_disabled="into" not in ui)]
            used.insert(0, choice("Folder", "into", ui, ("Choose", *FOLDERS), "Choose"))
        else:
            used = [
                form(
                    "Name", ("rename", which), entry("Name", "name", ui, name), button(self._words, ("rename", which))
                ),
                choice("Folder", "into", ui, FOLDERS, folder),
                button("Move", ("move", which)),
                choice("Person", "who", ui, ("Nobody", *self._people), str(cells["shared"]) or "Nobody"),
                button("Share", ("share", which)),
                button("Throw away", ("trash", which)),
            ]
        body = (heading(name, 1), *([alert(str(problem))] if problem else []), *told, *used, link("Files", "/"))
        return Page(name, body)

    # -- commands ----------------------------------------------------------------------------------

    def do(self, place: Place, command: Command) -> Place:
        ui, files = place.ui, place.data["files"]
        match command:
            case ("close offer",):
                return place.noted(closed=True)
            case ("show", folder):
                return place.entered(shown=folder)
            case ("rename", which):
                name = str(ui.get("name", files[which]["name"])).strip()
                if not name or any(cells["name"] == name for one, cells in files.items() if one != which):
                    return place.entered(problem="Another name, please: a file has this one, or it is empty.")
                return place.put("files", which, name=name).to("/", told="The file was renamed.")
            case ("move", which):
                into = str(ui.get("into", files[which]["folder"]))
                if into not in FOLDERS:
                    return place.entered(problem="Choose a folder.")
                return place.put("files", which, folder=into).to("/", told="The file was moved.")
            case ("share", which):
                who = str(ui.get("who", files[which]["shared"]))
                return place.put("files", which, shared="" if who == "Nobody" else who).to("/", told="It was done.")
            case ("trash", which):
                return place.put("files", which, folder=TRASH).to("/", told="The file was thrown away.")
        raise ValueError(f"no such command: {command}")
