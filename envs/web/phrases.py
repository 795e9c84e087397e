"""The words for changes of sites' data, table by table; `palestra.envs.web.telling` makes instructions of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Told:
    """How changes of one table are told.

    Attributes:
        row: names a row, of its cells, its ``id``, and what its site has it ``called``.
        cells: by column, what a value is told as: by the value's text, or ``*`` for all others. "" follows by itself.
        made: tells a new row; "" if it cannot be told.
        gone: tells that a row is no longer there; "" if it cannot be told.
        others: by column that holds a row's id, the table of it; it is told by that row's name.
        after: a table, and a column of both: a new row follows by itself from a changed one there with the same value.
        otherwise: by column that a new row may lack, what is told then.
    """

    row: str
    cells: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    made: str = ""
    gone: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, str] | None = None
    otherwise: Mapping[str, str] = field(default_factory=dict)


_AS_IT_IS: Final = {"*": ""}
TOLD: Final[Mapping[str, Mapping[str, Told]]] = {
    "admin": {
        "people": Told(
            row='the record of "{name}"',
            cells={
                "name": {"*": 'the name is to be "{}"'},
                "team": {"*": "the team is to be {}"},
                "role": {"*": "the role is to be {}"},
                "city": {"*": 'the city is to be "{}"', "": "no city is to stand there"},
                "hours": {"*": "the hours a week are to be {}"},
                "active": {"True": "it is to be active", "False": "it is to be no longer active"},
            },
            made='Enter a new person: name "{name}", team {team}, role {role}, city "{city}", {hours} hours a week, '
            "active: {active}",
            gone="Delete {row}",
        )
    },
    "bank": {
        "accounts": Told(
            row="{called}",
            cells={
                "balance": _AS_IT_IS,
                "limit": {"*": "set its limit to EUR {}"},
                "locked": {"True": "lock it", "False": "unlock it"},
            },
        ),
        "bookings": Told(
            row="the booking {id}",
            made='Transfer EUR {paid} from {account} to {with}, with this reference: "{note}"',
            others={"account": "accounts"},
        ),
    },
    "calendar": {
        "events": Told(
            row='the event "{title}" on {day} {month} at {hour}',
            cells={
                "title": {"*": 'rename it to "{}"'},
                "month": {"*": "put it into {}"},
                "day": {"*": "put it on the day {} of the month"},
                "hour": {"*": "let it begin at {}"},
                "room": {"*": "its place is to be: {}"},
            },
            made='Enter an event "{title}" on {day} {month} at {hour}; its place is: {room}',
            gone="Delete {row}",
            after=("invitations", "title"),
        ),
        "invitations": Told(
            row='the invitation to "{title}"',
            cells={"answer": {"accepted": "accept it", "declined": "decline it"}},
        ),
    },
    "courses": {
        "enrolments": Told(
            row="{called}", made="Enrol in the course {called} with the plan: {plan}", gone="Leave the course {called}"
        ),
        "exams": Told(row="{called}", made="Book the exam of {called} for the day {day} of the month at {hour}"),
        "reviews": Told(
            row="{called}",
            made='Review {called} with {stars} stars and the words "{words}" (with your name: {named})',
        ),
    },
    "files": {
        "files": Told(
            row='the file "{name}"',
            cells={
                "name": {"*": 'rename it to "{}"'},
                "folder": {"*": "move it to the folder {}", "Trash": "throw it away"},
                "shared": {"*": "share it with {}", "": "share it with nobody"},
            },
        )
    },
    "flights": {
        "bookings": Told(
            row="the booking {id} of {name}", cells={"seat": {"*": "the seat is to be: {}"}}, gone="Cancel {row}"
        )
    },
    "forum": {
        "threads": Told(
            row='the thread "{title}" (board {board})', made='Open a thread "{title}" on the board {board}'
        ),
        "posts": Told(
            row="the post of {by} in {thread}",
            cells={"voted": {"True": "vote for it", "False": "take your vote back"}, "votes": _AS_IT_IS},
            made='Write the post "{text}" in {thread}',
            others={"thread": "threads"},
        ),
        "reports": Told(row="the report {id}", made="Report {post}; the reason is: {why}", others={"post": "posts"}),
        "users": Told(
            row="the user {id}",
            cells={
                "city": {"*": 'the city of the profile is to be "{}"', "": "no city is to stand in the profile"},
                "followed": {"True": "follow this user", "False": "follow this user no longer"},
            },
        ),
    },
    "home": {
        "devices": Told(
            row="the {name} ({room})",
            cells={
                "level": {"*": "set its level to {} percent"},
                "on": {"True": "switch it on", "False": "switch it off"},
            },
        ),
        "timers": Told(
            row="the timer of {device} at {hour}",
            made="Add a timer: {device} is to be set to {level} percent at {hour} (on Sundays: {sunday})",
            gone="Delete {row}",
            others={"device": "devices"},
            otherwise={"sunday": "yes"},
        ),
    },
    "inbox": {
        "messages": Told(
            row='the message "{subject}" from {from}',
            cells={
                "starred": {"True": "put a star on it", "False": "take its star away"},
                "folder": {"*": "move it to the folder {}", "Trash": "delete it"},
            },
            made='Send a message to {to} with the subject "{subject}" and this text: "{body}"',
        )
    },
    "library": {
        "books": Told(row='"{title}"'),
        "loans": Told(
            row="the loan of {book}",
            cells={"renewed": {"True": "renew it"}, "weeks": _AS_IT_IS},
            gone="Give back {book}",
            others={"book": "books"},
        ),
        "reservations": Told(row="", made="Reserve {id}, to be fetched at: {branch}", others={"id": "books"}),
    },
    "registration": {"registrations": Told(row="", made="Register for the conference: {cells}")},
    "shop": {
        "orders": Told(
            row="", made="Order {items}, to be sent to {name}, {street}, {city}; the way of delivery is: {way}"
        )
    },
    "tickets": {
        "tickets": Told(
            row='the ticket "{subject}" of {customer}',
            cells={
                "agent": {"*": "its agent is to be: {}"},
                "state": {"*": "its state is to be: {}"},
                "priority": {"*": "its priority is to be: {}"},
                "note": {"*": 'its note is to be "{}"', "": "no note is to stand on it"},
            },
        )
    },
}
