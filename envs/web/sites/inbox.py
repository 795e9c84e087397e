"""A mailbox: folders, a search, messages that are read, starred, moved, deleted, answered and passed on."""

from collections.abc import Iterator, Mapping
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
from palestra.envs.web.site import Goal, Knobs, Place, Site, wording

FOLDERS: Final = ("Inbox", "Projects", "Receipts", "Archive")
ALL_FOLDERS: Final = (*FOLDERS, "Sent", "Trash")
ME: Final = "me"
Messages = Mapping[str, Mapping[str, Json]]


class Inbox(Site):
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
        self._targets: dict[str, tuple[str, ...]] = {}  # of a goal, by its intent: the messages that it is about
        self._goals = tuple(self._made_goals())

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
            shown = [text("There is nothing here.")]
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
        selected = box(f"Select {message['subject']} from {message['from']}", f"pick {number}", place.ui)
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
        to, subject, body = _draft(kind, about)
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
        to, subject, body = _draft(kind, messages.get(place.query.get("about", ""), {}))
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

    def goals(self) -> Iterator[Goal]:
        yield from self._goals

    def _made_goals(self) -> Iterator[Goal]:
        draws = self.draws("goals")
        numbers = draws.shuffled(sorted(self._messages, key=int))
        sender = str(self._messages[numbers[0]]["from"])
        makers = (self._star, self._move, self._delete, self._reply, self._forward, self._reference)
        for make, number in zip(draws.shuffled(makers), numbers, strict=False):
            yield self._about(make(number), number)
        theirs = tuple(one for one in numbers if self._messages[one]["from"] == sender)
        yield self._about(self._count(sender, theirs), *theirs)
        if moving := [one for one in theirs if self._messages[one]["folder"] != "Archive"]:
            yield self._about(self._gather(sender, moving), *moving)
        yield self._absent(numbers[0])

    def _about(self, goal: Goal, *numbers: str) -> Goal:
        self._targets[goal.intent] = numbers
        return goal

    def _said(self, *wordings: str) -> str:
        return wording(self.draws(f"intent {wordings[0]}"), self.knobs.paraphrase, wordings)

    def _called(self, number: str) -> str:
        message = self._messages[number]
        return f'the message "{message["subject"]}" from {message["from"]}'

    def _star(self, number: str) -> Goal:
        what = self._called(number)
        intent = self._said(f"Put a star on {what}.", f"Star {what}.", f"Mark {what} with a star.")
        return Goal(kind="change", template="star", intent=intent, changes={f"messages/{number}/starred": True})

    def _move(self, number: str) -> Goal:
        draws, now = self.draws(f"move {number}"), self._messages[number]["folder"]
        into = draws.pick([folder for folder in FOLDERS if folder != now])
        what = self._called(number)
        intent = self._said(
            f"Move {what} to the folder {into}.", f"File {what} under {into}.", f"Put {what} into {into}."
        )
        changed = {f"messages/{number}/folder": into}
        return Goal(kind="change", template="move", intent=intent, changes=changed, values=(into,))

    def _delete(self, number: str) -> Goal:
        what = self._called(number)
        intent = self._said(f"Delete {what}.", f"Get rid of {what}.", f"Move {what} to the trash.")
        return Goal(kind="change", template="delete", intent=intent, changes={f"messages/{number}/folder": "Trash"})

    def _reply(self, number: str) -> Goal:
        about, said = self._messages[number], self.draws(f"reply {number}").pick(_REPLIES[self.split])
        what = self._called(number)
        intent = self._said(
            f'Reply to {what} with exactly this text: "{said}". Leave the subject as it is.',
            f'Answer {what}; write "{said}" and nothing else, and keep the subject that is suggested.',
        )
        made = {"to": about["from"], "subject": f"Re: {about['subject']}", "body": said}
        return Goal(kind="change", template="reply", intent=intent, changes=self._new(made), values=(said,))

    def _forward(self, number: str) -> Goal:
        about = self._messages[number]
        others = sorted({str(one["from"]) for one in self._messages.values()} - {str(about["from"])})
        to, what = self.draws(f"forward {number}").pick(others), self._called(number)
        intent = self._said(
            f"Forward {what} to {to}; change nothing else of it.",
            f"Pass {what} on to {to}, with subject and text as they are suggested.",
        )
        _, subject, body = _draft("forward", about)
        made = {"to": to, "subject": subject, "body": body}
        return Goal(kind="change", template="forward", intent=intent, changes=self._new(made), values=(to,))

    def _new(self, made: Mapping[str, Json]) -> dict[str, Json]:
        number = 1 + max(int(one) for one in self._messages)
        cells = {"folder": "Sent", "from": ME, "starred": False, **made}
        return {f"messages/{number}/{name}": value for name, value in cells.items()}

    def _gather(self, sender: str, numbers: list[str]) -> Goal:
        intent = self._said(
            f"Move all messages from {sender} to the folder Archive.",
            f"Put everything that {sender} has sent into Archive, wherever it is now.",
        )
        moved = {f"messages/{number}/folder": "Archive" for number in numbers}
        parts = tuple(
            (f"Move {self._called(number)} to the folder Archive.", {f"messages/{number}/folder": "Archive"})
            for number in numbers[: len(numbers) - 1]
        )
        values = ("Archive", sender)
        return Goal(kind="change", template="gather", intent=intent, changes=moved, values=values, parts=parts)

    def _reference(self, number: str) -> Goal:
        code = _reference_of(self._messages[number])
        what = self._called(number)
        intent = self._said(f"Which reference does {what} give?", f"Tell me the reference in {what}.")
        return Goal(kind="answer", template="reference", intent=intent, answer=code, facts=(code,))

    def _count(self, sender: str, numbers: tuple[str, ...]) -> Goal:
        intent = self._said(
            f"How many messages from {sender} are there in all folders together? Answer with a number.",
            f"Count the messages that {sender} has sent, over all folders; answer with the number alone.",
        )
        facts = tuple(str(self._messages[number]["subject"]) for number in numbers)
        values = (sender,)
        return Goal(kind="answer", template="count", intent=intent, answer=len(numbers), facts=facts, values=values)

    def _absent(self, number: str) -> Goal:
        """Return a goal about a message that is not there: another sender has written about that."""
        subject = self._messages[number]["subject"]
        about = {str(one["from"]) for one in self._messages.values() if one["subject"] == subject}
        others = sorted({str(one["from"]) for one in self._messages.values()} - about)
        sender = self.draws("absent").pick(others)
        intent = self._said(f'Star the message "{subject}" from {sender}.', f'Put a star on "{subject}" by {sender}.')
        return Goal(kind="infeasible", template="absent", intent=intent)

    def matters(self, place: Place, goal: Goal, key: str) -> bool:
        targets = self._targets.get(goal.intent)
        if targets is None:
            return True
        if key.startswith(("to /folder/", "q", "do search", "do seen", "to /search")):
            return True
        return any(key.split()[-1].endswith(f"{mark}{number}") for number in targets for mark in ("/", "=", "")) or (
            key.startswith(("into", "do move", "do send", "to", "body", "do delete")) and not key.startswith("to /")
        )


_REPLIES: Final[Mapping[str, tuple[str, ...]]] = {
    "train": ("Thank you, this is fine.", "I will call you on Monday.", "Please send the file again.", "Agreed."),
    "heldout": ("I need one more day.", "That works for me.", "Let us talk tomorrow.", "No, thank you."),
}


def _draft(kind: str, about: Mapping[str, Json]) -> tuple[str, str, str]:
    """Return what stands in the fields of a message before anything is entered: to whom, subject, text."""
    if kind == "reply":
        return str(about["from"]), f"Re: {about['subject']}", ""
    if kind == "forward":
        return "", f"Fwd: {about['subject']}", str(about["body"])
    return "", "", ""


def _reference_of(message: Mapping[str, Json]) -> str:
    return str(message["body"]).split("The reference is ")[1].split(".")[0]


def _offer() -> Element:
    return dialog("News", text("Our new mobile app is here."), button("Not now", ("seen",)))
