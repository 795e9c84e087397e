"""A mailbox: folders, a search, messages that are read, starred, moved, deleted, answered and passed on."""

from collections.abc import Mapping
from typing import ClassVar, Final
from urllib.parse import urlencode

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
    entry,
    form,
    heading,
    link,
    part,
    status,
    table,
    text,
)
from palestra.envs.web.pools import FIRST_NAMES, LAST_NAMES, TOPICS
from palestra.envs.web.site import Knobs, Place, wording
from palestra.envs.web.sites.goals import AskingSite
from palestra.envs.web.sites.inbox_goals import FOLDERS, ME, InboxGoals, Messages, called, draft, in_vain

ALL_FOLDERS: Final = (*FOLDERS, "Sent", "Trash")


class Inbox(AskingSite):
    """A mailbox whose truth is its messages: what was read is remembered of the visitor only."""

    name: ClassVar[str] = "inbox"

    def __init__(self, seed: int, split: Split, knobs: Knobs) -> None:
        super().__init__(seed, split, knobs)
        self._messages = self._drawn()
        labels = self.draws("labels")
        self._words = {
            name: wording(labels, knobs.paraphrase, options)
            for name, options in {
                "search": ("Search mail", "Find messages", "Look for"),
                "to": ("To", "Recipient", "Send to"),
                "body": ("Message", "Text", "Your message"),
                "send": ("Send", "Send message", "Send now"),
                "move": ("Move", "Move to folder", "Put there"),
                "star": ("Star", "Add star", "Mark with a star"),
                "delete": ("Delete", "Remove", "Move to trash"),
            }.items()
        }
        self._goals = InboxGoals(self, self._messages)

    def _drawn(self) -> Messages:
        draws = self.draws("messages")
        firsts, lasts = FIRST_NAMES[self.split], draws.shuffled(LAST_NAMES[self.split])
        people = [f"{first} {last}" for first, last in zip(draws.shuffled(firsts), lasts, strict=False)][:6]
        messages: dict[str, dict[str, Json]] = {}
        pairs = draws.shuffled([(who, topic) for who in people for topic in TOPICS[self.split]])
        for number, (who, topic) in enumerate(pairs[: max(8, self.knobs.size)], start=1):
            code = f"{draws.pick('ABCDEFGHKLMNPRST')}{draws.between(1000, 9999)}"
            messages[str(number)] = {
                "folder": FOLDERS[0] if number <= 5 else draws.pick(FOLDERS),
                "from": who,
                "to": ME,
                "subject": topic,
                "body": f"Please have a look when you can. The reference is {code}. Best regards, {who.split()[0]}",
                "starred": False,
            }
        return messages

    # -- what there is -----------------------------------------------------------------------------

    def start(self) -> Place:
        return Place(data={"messages": self._messages}, visit={"seen": not self.knobs.popups}, path="/folder/Inbox")

    def page(self, place: Place) -> Page | None:
        kind, _, which = place.path.strip("/").partition("/")
        messages: Messages = place.data["messages"]
        if kind in ("", "folder") and (which or "Inbox") in ALL_FOLDERS:
            return self._list(place, which or "Inbox")
        if kind == "search" and not which:
            return self._list(place, "")
        if kind == "message" and which in messages:
            return self._message(place, which)
        about = place.query.get("about", "")
        if kind in ("compose", "reply", "forward") and not which and (kind == "compose" or about in messages):
            return self._compose(place, kind, messages.get(about, {}))
        return None

    def _around(self, title: str, *body: Element) -> tuple[Element, ...]:
        folders = part("navigation", "Folders", *(link(name, f"/folder/{name}") for name in ALL_FOLDERS))
        words = self._words["search"]
        search = form("Search", ("search",), entry(words, "q", {}, role="searchbox"), button("Go", ("search",)))
        return (folders, search, heading(title, 1), *body, link("Write a message", "/compose"))

    def _matching(self, place: Place, folder: str) -> list[str]:
        messages: Messages = place.data["messages"]
        if folder:
            return [number for number, one in messages.items() if one["folder"] == folder]
        words = place.query.get("q", "").casefold().split()
        told = {number: f"{one['from']} {one['subject']}".casefold() for number, one in messages.items()}
        return [number for number in messages if words and all(word in told[number] for word in words)]

    def _list(self, place: Place, folder: str) -> Page:
        found, size = self._matching(place, folder), self._page_size
        pages = max(1, -(-len(found) // size))
        now = min(
            pages, max(1, int(told) if (told := place.query.get("page", "1")).isdecimal() and told.isascii() else 1)
        )
        rows = [self._row(place, number) for number in found[(now - 1) * size : now * size]]
        title = folder or f"Results for {place.query.get('q', '')}"
        shown: list[Element] = [table("Messages", ("Select", "Star", "From", "Subject"), rows)]
        if not rows:
            shown = [text("There is nothing here." if folder else in_vain(place.query.get("q", "")))]
        for other, name in ((now - 1, "Newer"), (now + 1, "Older")):
            if 1 <= other <= pages:
                query = {**({"q": place.query["q"]} if "q" in place.query else {}), "page": str(other)}
                shown.append(link(name, f"{place.path}?{urlencode(query)}"))
        bulk = part(
            "group",
            "Selected messages",
            choice("Folder", "into", place.ui, FOLDERS, FOLDERS[0]),
            button("Move selected", ("move selected",)),
            button("Delete selected", ("delete selected",)),
        )
        told_of = [status(place.query["told"][:80])] if "told" in place.query else []
        body = self._around(title, *told_of, *shown, *([bulk] if rows else []))
        return Page(title, body, None if place.visit["seen"] else _offer())

    @property
    def _page_size(self) -> int:
        return max(5, -(-max(8, self.knobs.size) // max(1, self.knobs.pages)))

    def _row(self, place: Place, number: str) -> tuple[str | Element, ...]:
        message = place.data["messages"][number]
        selected = box(f"Select {called(message)}", f"pick {number}", place.ui)
        star = button("Unstar" if message["starred"] else self._words["star"], ("star", number))
        return (selected, star, str(message["from"]), link(str(message["subject"]), f"/message/{number}"))

    def _message(self, place: Place, number: str) -> Page:
        message, words = place.data["messages"][number], self._words
        folder = str(message["folder"])
        parts: list[Element] = [
            text(f"From: {message['from']}"),
            text(f"To: {message['to']}"),
            text(f"Folder: {folder}"),
            text(str(message["body"])),
            button("Unstar" if message["starred"] else words["star"], ("star", number)),
            choice("Folder", "into", place.ui, FOLDERS, folder if folder in FOLDERS else FOLDERS[0]),
            button(words["move"], ("move", number)),
            button(words["delete"], ("delete", number), is_disabled=folder == "Trash"),
            link("Reply", f"/reply?about={number}"),
            link("Forward", f"/forward?about={number}"),
        ]
        head, rest = parts[:4], parts[4:]
        if self.knobs.shuffle:
            rest = self.draws("layout").shuffled(rest)
        return Page(str(message["subject"]), self._around(str(message["subject"]), *head, *rest))

    def _compose(self, place: Place, kind: str, about: Mapping[str, Json]) -> Page:
        ui, words, errors = place.ui, self._words, place.ui.get("errors", "")
        to, subject, body = draft(kind, about)
        fields = [
            entry(words["to"], "to", ui, to, is_required=True, is_invalid="recipient" in str(errors)),
            entry("Subject", "subject", ui, subject),
            entry(words["body"], "body", ui, body, is_invalid="text" in str(errors)),
        ]
        title = {"compose": "New message", "reply": "Reply", "forward": "Forward"}[kind]
        told = [alert(str(errors))] if errors else []
        written = form(title, ("send",), *fields, button(words["send"], ("send",)))
        return Page(title, self._around(title, *told, written))

    # -- what can be done --------------------------------------------------------------------------

    def do(self, place: Place, command: Command) -> Place:
        messages: Messages = place.data["messages"]
        match command:
            case ("seen",):
                return place.noted(seen=True)
            case ("search",):
                return place.to("/search", q=str(place.ui.get("q", "")))
            case ("star", number):
                return place.put("messages", number, starred=not messages[number]["starred"])
            case ("move", number):
                folder = str(messages[number]["folder"])
                into = place.ui.get("into", folder if folder in FOLDERS else FOLDERS[0])
                return place.put("messages", number, folder=into).to(f"/folder/{into}", told="Moved.")
            case ("delete", number):
                return place.put("messages", number, folder="Trash").to("/folder/Inbox", told="Deleted.")
            case ("move selected",):
                return self._each(place, str(place.ui.get("into", FOLDERS[0])))
            case ("delete selected",):
                return self._each(place, "Trash")
            case ("send",):
                return self._sent(place)
        raise ValueError(f"no such command: {command}")

    def _each(self, place: Place, into: str) -> Place:
        picked = [name.removeprefix("pick ") for name, value in place.ui.items() if name.startswith("pick ") and value]
        for number in sorted(picked, key=int):
            place = place.put("messages", number, folder=into)
        kept = {name: value for name, value in place.ui.items() if not name.startswith("pick ")}
        return Place(data=place.data, visit=place.visit, path=place.path, query=place.query, ui=kept)

    def _sent(self, place: Place) -> Place:
        kind, messages = place.path.strip("/"), place.data["messages"]
        to, subject, body = draft(kind, messages.get(place.query.get("about", ""), {}))
        made = {
            "folder": "Sent",
            "from": ME,
            "to": str(place.ui.get("to", to)).strip(),
            "subject": str(place.ui.get("subject", subject)).strip(),
            "body": str(place.ui.get("body", body)).strip(),
            "starred": False,
        }
        if made["to"] not in {one["from"] for one in self._messages.values()}:
            return place.entered(errors="There is no such recipient; write a full name.")
        if not made["body"]:
            return place.entered(errors="Write a text before you send.")
        number = str(1 + max(int(one) for one in messages))
        return place.put("messages", number, **made).to("/folder/Sent", told="Sent.")

    # -- what is asked for -------------------------------------------------------------------------


def _offer() -> Element:
    return dialog("News", text("Our new mobile app is here."), button("Not now", ("seen",)))
