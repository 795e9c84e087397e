"""What is asked for in a mailbox, and what an answer begins with."""

from collections.abc import Iterator, Mapping
from typing import Final

from palestra.envs.base import Json
from palestra.envs.web.site import Goal, Place, Site
from palestra.envs.web.sites.goals import Asked
from palestra.envs.web.verify import either

FOLDERS: Final = ("Inbox", "Projects", "Receipts", "Archive")
ME: Final = "me"
Messages = Mapping[str, Mapping[str, Json]]
_REPLIES: Final[Mapping[str, tuple[str, ...]]] = {
    "train": ("Thank you, this is fine.", "I will call you on Monday.", "Please send the file again.", "Agreed."),
    "heldout": ("I need one more day.", "That works for me.", "Let us talk tomorrow.", "No, thank you."),
}


class InboxGoals(Asked):
    """The goals of one mailbox, and which elements each needs."""

    def __init__(self, site: Site, messages: Messages) -> None:
        super().__init__(site)
        self._messages = messages
        self._targets: dict[str, tuple[str, ...]] = {}  # by intent: the messages that it is about
        self.made = tuple(self._all())

    def matters(self, place: Place, goal: Goal, key: str) -> bool:
        """Whether using an element can be part of a shortest solution."""
        targets = self._targets.get(goal.intent)
        if targets is None:
            return True
        if key.startswith(("to /folder/", "q", "do search", "do seen", "to /search")):
            return True
        if goal.kind == "infeasible":
            return False
        return any(key.split()[-1].endswith(f"{mark}{number}") for number in targets for mark in ("/", "=", "")) or (
            key.startswith(("into", "do move", "do send", "to", "body", "do delete")) and not key.startswith("to /")
        )

    def undoing(self, wrong: Mapping[str, Json]) -> Iterator[str]:
        """Yield the keys that take a star away, or put a message back into its folder."""
        for cell in wrong:
            _, one, column = cell.split("/")
            if column == "starred":
                yield from (f"do star {one}", f"to /message/{one}")
            elif column == "folder" and one in self._messages:
                yield from (f"to /message/{one}", f"do move {one}", f"pick {one}", "into", "do move selected")

    def _all(self) -> Iterator[Goal]:
        draws = self._site.draws("goals")
        numbers = draws.shuffled(sorted(self._messages, key=int))
        sender = str(self._messages[numbers[0]]["from"])
        makers = (self._star, self._move, self._delete, self._reply, self._forward, self._reference)
        for make, number in zip(draws.shuffled(makers), numbers, strict=False):
            yield self._about(make(number), number)
        theirs = tuple(one for one in numbers if self._messages[one]["from"] == sender)
        yield self._about(self._count(sender, theirs), *theirs)
        if moving := [one for one in theirs if self._messages[one]["folder"] != "Archive"]:
            yield self._about(self._gather(sender, moving), *moving)
        yield self._absent()

    def _about(self, goal: Goal, *numbers: str) -> Goal:
        for intent in (goal.intent, *(part for part, _ in goal.parts)):
            self._targets[intent] = numbers
        return goal

    def _called(self, number: str) -> str:
        message = self._messages[number]
        return f'the message "{message["subject"]}" from {message["from"]}'

    def _star(self, number: str) -> Goal:
        what = self._called(number)
        intent = self.said(f"Put a star on {what}.", f"Star {what}.", f"Mark {what} with a star.")
        return Goal(kind="change", template="star", intent=intent, changes={f"messages/{number}/starred": True})

    def _move(self, number: str) -> Goal:
        draws, now = self._site.draws(f"move {number}"), self._messages[number]["folder"]
        into = draws.pick([folder for folder in FOLDERS if folder != now])
        what = self._called(number)
        intent = self.said(
            f"Move {what} to the folder {into}.", f"File {what} under {into}.", f"Put {what} into {into}."
        )
        changed = {f"messages/{number}/folder": into}
        return Goal(kind="change", template="move", intent=intent, changes=changed, values=(into,))

    def _delete(self, number: str) -> Goal:
        what = self._called(number)
        intent = self.said(f"Delete {what}.", f"Get rid of {what}.", f"Move {what} to the trash.")
        return Goal(kind="change", template="delete", intent=intent, changes={f"messages/{number}/folder": "Trash"})

    def _reply(self, number: str) -> Goal:
        about, said = self._messages[number], self._site.draws(f"reply {number}").pick(_REPLIES[self._site.split])
        what = self._called(number)
        intent = self.said(
            f'Reply to {what} with exactly this text: "{said}". Leave the subject as it is.',
            f'Answer {what}; write "{said}" and nothing else, and keep the subject that is suggested.',
        )
        made = {"to": about["from"], "subject": f"Re: {about['subject']}", "body": said}
        return Goal(kind="change", template="reply", intent=intent, changes=self._new(made), values=(said,))

    def _forward(self, number: str) -> Goal:
        about = self._messages[number]
        others = sorted({str(one["from"]) for one in self._messages.values()} - {str(about["from"])})
        to, what = self._site.draws(f"forward {number}").pick(others), self._called(number)
        intent = self.said(
            f"Forward {what} to {to}; change nothing else of it.",
            f"Pass {what} on to {to}, with subject and text as they are suggested.",
        )
        _, subject, body = draft("forward", about)
        made = {"to": to, "subject": subject, "body": body}
        return Goal(kind="change", template="forward", intent=intent, changes=self._new(made), values=(to,))

    def _new(self, made: Mapping[str, Json]) -> dict[str, Json]:
        number = 1 + max(int(one) for one in self._messages)
        cells = {"folder": "Sent", "from": ME, "starred": False, **made}
        return {f"messages/{number}/{name}": value for name, value in cells.items()}

    def _gather(self, sender: str, numbers: list[str]) -> Goal:
        intent = self.said(
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
        intent = self.said(f"Which reference does {what} give?", f"Tell me the reference in {what}.")
        return Goal(kind="answer", template="reference", intent=intent, answer=code, facts=(code,))

    def _count(self, sender: str, numbers: tuple[str, ...]) -> Goal:
        intent = self.said(
            f"How many messages from {sender} are there in all folders together? Answer with a number.",
            f"Count the messages that {sender} has sent, over all folders; answer with the number alone.",
        )
        facts = tuple(str(self._messages[number]["subject"]) for number in numbers)
        values = (sender,)
        return Goal(kind="answer", template="count", intent=intent, answer=len(numbers), facts=facts, values=values)

    def _absent(self) -> Goal:
        """Return a goal about a message that is not there: its sender and its subject are those of others.

        Who has seen all of that sender, all about that, or that a search for both is in vain, knows it.
        """
        every = list(self._messages.values())
        there = {(str(one["from"]), str(one["subject"])) for one in every}
        hidden = {(str(one["from"]), str(one["subject"])) for one in every if one["folder"] != FOLDERS[0]}
        pairs = sorted({(who, what) for who, _ in hidden for _, what in hidden} - there)
        pairs = pairs or sorted({(who, what) for who, _ in there for _, what in there} - there)
        sender, subject = self._site.draws("absent").pick(pairs)
        about = [one for one in every if one["subject"] == subject]
        theirs = [one for one in every if one["from"] == sender]
        vain = (in_vain(f"{sender} {subject}"), in_vain(f"{sender.split()[-1]} {subject}"))
        facts = tuple(
            either(f"Select {called(one)}", f"Select {called(other)}", *vain) for one in theirs for other in about
        )
        intent = self.said(f'Star the message "{subject}" from {sender}.', f'Put a star on "{subject}" by {sender}.')
        goal = Goal(kind="infeasible", template="absent", intent=intent, facts=facts, values=(subject,))
        return self._about(goal)


def called(message: Mapping[str, Json]) -> str:
    """Return what a message is called in lists."""
    return f"{message['subject']} from {message['from']}"


def in_vain(words: str) -> str:
    """Return what a search tells that finds nothing."""
    return f"No message has all of these words: {', '.join(sorted(set(words.casefold().split())))}."


def draft(kind: str, about: Mapping[str, Json]) -> tuple[str, str, str]:
    """Return what stands in the fields of a message before anything is entered: to whom, subject, text."""
    if kind == "reply":
        return str(about["from"]), f"Re: {about['subject']}", ""
    if kind == "forward":
        return "", f"Fwd: {about['subject']}", str(about["body"])
    return "", "", ""


def _reference_of(message: Mapping[str, Json]) -> str:
    return str(message["body"]).split("The reference is ")[1].split(".")[0]
