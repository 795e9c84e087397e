"""A house that is steered by a panel: a tree of floors and rooms, devices with sliders, timers."""

from typing import ClassVar

from palestra.envs.base import Json, Split
from palestra.envs.web.element import (
    Command,
    Element,
    Page,
    alert,
    box,
    button,
    choice,
    dialog,
    form,
    heading,
    link,
    listing,
    number,
    part,
    pressed,
    status,
    table,
    text,
)
from palestra.envs.web.pools import LAST_NAMES
from palestra.envs.web.site import Knobs, Place
from palestra.envs.web.sites.goals import AskingSite
from palestra.envs.web.sites.home_goals import FLOORS, HOURS, KINDS, HomeGoals, Rows, offline
from palestra.envs.web.sites.shared import leaflet, links_beside, offer

_LEVELS = (0, 100, 10)
_TABS = ("Now", "Timers", "About")


class Home(AskingSite):
    """A house whose truth is its devices and timers; which floors of the tree are open is the page's."""

    name: ClassVar[str] = "home"

    def __init__(self, seed: int, split: Split, knobs: Knobs) -> None:
        super().__init__(seed, split, knobs)
        draws = self.draws("devices")
        rooms = [room for floor in FLOORS.values() for room in floor]
        names = draws.shuffled([f"{maker} {kind}" for maker in LAST_NAMES[split] for kind in KINDS])
        self._devices: Rows = {
            str(place + 1): {
                "name": name,
                "room": draws.pick(rooms),
                "level": 10 * draws.between(0, 10),
                "on": draws.chance(0.5),
                "model": f"{draws.pick('KLMNPR')}{draws.between(100, 999)}",
                "power": draws.between(5, 95),
                "offline": place == 3,
            }
            for place, name in enumerate(names[: max(6, knobs.size)])
        }
        self._timers: Rows = {
            str(place + 1): {"device": one, "hour": hour, "level": 10 * draws.between(1, 9)}
            for place, (one, hour) in enumerate(zip(("1", "2", "5"), draws.shuffled(HOURS), strict=False))
        }
        labels = self.draws("labels")
        self._words = {
            "level": labels.pick(("Level in percent", "Strength", "How much, in percent")),
            "set": labels.pick(("Set", "Apply", "Set the level")),
            "add": labels.pick(("Add the timer", "Set a timer", "New timer")),
        }
        self._goals = HomeGoals(self, self._devices, self._timers)

    # -- pages -------------------------------------------------------------------------------------

    def start(self) -> Place:
        data = {"devices": self._devices, "timers": self._timers}
        return Place(data=data, visit={"closed": not self.knobs.popups}, path="/")

    def page(self, place: Place) -> Page | None:
        kind, _, which = place.path.strip("/").partition("/")
        if place.path == "/":
            return self._panel(place)
        if kind == "device" and which in self._devices:
            return self._device(place, which)
        if place.path == "/timers":
            return self._all_timers(place)
        if title := leaflet(place.path):
            return Page(title, (heading(title, 1), text("Nothing to see here yet."), link("Panel", "/")))
        return None

    def _panel(self, place: Place) -> Page:
        ui, devices = place.ui, place.data["devices"]
        shown, floors = str(ui.get("room", "")), list[Element]()
        for floor, rooms in FLOORS.items():
            is_open = bool(ui.get(f"open {floor}"))
            below = [pressed("treeitem", room, ("room", room), selected=room == shown) for room in rooms]
            floors.append(
                pressed("treeitem", floor, ("floor", floor), *(below if is_open else ()), expanded=is_open),
            )
        found = [one for one, cells in devices.items() if cells["room"] == shown]
        items = [[link(str(devices[one]["name"]), f"/device/{one}")] for one in found]
        told: list[Element] = [text("Choose a room.")]
        if shown:
            told = [heading(f"Devices: {shown}"), listing("Devices", items) if items else text("There are no devices.")]
        body = (
            heading("House", 1),
            part("tree", "Rooms", *(self.draws("layout").shuffled(floors) if self.knobs.shuffle else floors)),
            *told,
            link("All timers", "/timers"),
            part("navigation", "More", *links_beside(self.draws("beside"), self.knobs.distractors)),
        )
        return Page("House", body, None if place.visit["closed"] else offer(self.draws("offer"), "close offer"))

    def _device(self, place: Place, which: str) -> Page:
        cells, tab = place.data["devices"][which], str(place.ui.get("tab", _TABS[0]))
        name = str(cells["name"])
        tabs = part("tablist", name, *(pressed("tab", one, ("tab", one), selected=one == tab) for one in _TABS))
        inside = {"Now": self._now, "Timers": self._timed, "About": self._about}[tab](place, which)
        done = [status(place.query["told"][:60])] if "told" in place.query else []
        problem = [alert(str(place.ui["problem"]))] if place.ui.get("problem") else []
        body = (heading(name, 1), *done, *problem, tabs, part("tabpanel", tab, *inside), link("Panel", "/"))
        return Page(name, body, self._asked(place))

    def _asked(self, place: Place) -> Element | None:
        if not (one := str(place.ui.get("asked", ""))):
            return None
        hour = place.data["timers"][one]["hour"]
        return dialog(f"Delete the timer at {hour}?", button("Delete", ("delete", one)), button("Keep", ("keep",)))

    def _now(self, place: Place, which: str) -> list[Element]:
        cells, ui = place.data["devices"][which], place.ui
        told = [text(f"Room: {cells['room']}"), text("It is on." if cells["on"] else "It is off.")]
        if cells["offline"]:
            return [*told, text(offline(cells))]
        slider = number(self._words["level"], "level", ui, int(cells["level"]), _LEVELS, "slider")
        switch = button("Switch off" if cells["on"] else "Switch on", ("switch", which))
        used = [[slider, button(self._words["set"], ("set", which))], [switch]]
        return [*told, *(one for group in self._laid_out(used) for one in group)]

    def _laid_out(self, groups: list[list[Element]]) -> list[list[Element]]:
        return self.draws("device").shuffled(groups) if self.knobs.shuffle else groups

    def _timed(self, place: Place, which: str) -> list[Element]:
        timers, ui = place.data["timers"], place.ui
        mine = sorted((one for one in timers if timers[one]["device"] == which), key=lambda one: timers[one]["hour"])
        items = [
            [
                text(f"At {timers[one]['hour']}: {timers[one]['level']} %"),
                button(f"Delete {timers[one]['hour']}", ("ask", one)),
            ]
            for one in mine
        ]
        listed = listing("Timers", items) if items else text("There is no timer.")
        if place.data["devices"][which]["offline"]:
            return [listed, text(offline(place.data["devices"][which]))]
        fields = [
            choice("At", "hour", ui, HOURS, HOURS[0]),
            number(self._words["level"], "level", ui, 0, _LEVELS, "slider"),
        ]
        if ui.get("days"):
            fields.append(box("On Sundays as well", "sunday", ui, True))
        days = button("More", ("days",), expanded=bool(ui.get("days")))
        return [listed, form("New timer", ("add", which), *fields, days, button(self._words["add"], ("add", which)))]

    def _about(self, place: Place, which: str) -> list[Element]:
        cells = place.data["devices"][which]
        return [text(f"Model: {cells['model']}"), text(f"Uses {cells['power']} kWh a month.")]

    def _all_timers(self, place: Place) -> Page:
        timers, devices = place.data["timers"], place.data["devices"]
        hours: dict[str, list[str]] = {}
        for cells in timers.values():
            hours.setdefault(str(cells["device"]), []).append(str(cells["hour"]))
        rows = [(link(str(devices[one]["name"]), f"/device/{one}"), ", ".join(sorted(at))) for one, at in hours.items()]
        listed = table("Timers", ("Device", "At"), rows) if rows else text("There are no timers.")
        return Page("Timers", (heading("Timers", 1), listed, link("Panel", "/")))

    # -- commands ----------------------------------------------------------------------------------

    def do(self, place: Place, command: Command) -> Place:
        ui = place.ui
        match command:
            case ("close offer",):
                return place.noted(closed=True)
            case ("floor", floor):
                return place.entered(**{f"open {floor}": not ui.get(f"open {floor}") or None})
            case ("room", room):
                return place.entered(room=room)
            case ("tab", tab):
                return place.entered(tab=tab, level=None, problem=None)
            case ("days",):
                return place.entered(days=not ui.get("days") or None)
            case ("set", which):
                level = int(ui.get("level", place.data["devices"][which]["level"]))
                return place.put("devices", which, level=level).to(place.path, told="The level was set.")
            case ("switch", which):
                return place.put("devices", which, on=not place.data["devices"][which]["on"]).entered(problem=None)
            case ("add", which):
                return self._added(place, which)
            case ("ask", one):
                return place.entered(asked=one)
            case ("keep",):
                return place.entered(asked=None)
            case ("delete", one):
                return place.drop("timers", one).entered(asked=None)
        raise ValueError(f"no such command: {command}")

    def _added(self, place: Place, which: str) -> Place:
        timers, ui = place.data["timers"], place.ui
        hour, level = str(ui.get("hour", HOURS[0])), int(ui.get("level", 0))
        if any((cells["device"], cells["hour"]) == (which, hour) for cells in timers.values()):
            return place.entered(problem="There is a timer at this hour already.")
        row = str(1 + max((int(one) for one in timers), default=0))
        cells: dict[str, Json] = {"device": which, "hour": hour, "level": level}
        if not ui.get("sunday", True):
            cells["sunday"] = False
        return place.put("timers", row, **cells).to("/timers", told="The timer was added.")
