"""An office: people, meeting rooms, events and who is invited, and mail threads in folders."""

from palestra.envs.tooluse.draw import Clock, Day, OneOf, Pick, Ref, Rows, Whole
from palestra.envs.tooluse.schema import (
    Arg,
    Cell,
    Column,
    Const,
    Delete,
    Domain,
    Filter,
    Get,
    Insert,
    Param,
    Policy,
    Require,
    Search,
    Set,
    Sum,
    Table,
    Today,
    Total,
    Write,
)
from palestra.envs.tooluse.words import PEOPLE, words

_TEAMS = ("sales", "engineering", "finance", "legal", "support")
_EVENT_STATES = ("planned", "cancelled")
_RESPONSES = ("pending", "accepted", "declined")
_PRIORITIES = ("low", "normal", "high")

_PEOPLE = Table(
    name="people",
    noun="person",
    prefix="per",
    rows=60,
    named_by=("name", "team"),
    columns=(
        Column(name="name", about="Full name", draw=Pick("first", "last")),
        Column(
            name="email",
            about="E-mail address",
            draw=Pick("handle", "host", joined_by="@"),
            is_unique=True,
            format="email",
        ),
        Column(name="team", about="Team", draw=OneOf(*_TEAMS), enum=_TEAMS),
        Column(name="office", about="City of the office", draw=Pick("city")),
    ),
)
_ROOMS = Table(
    name="rooms",
    noun="meeting room",
    prefix="rom",
    rows=18,
    named_by=("name",),
    columns=(
        Column(name="name", about="Name of the room", draw=Pick("tone", "space"), is_unique=True),
        Column(name="floor", about="Floor", draw=Whole(0, 6), type="integer"),
        Column(name="seats", about="Seats", draw=Whole(2, 9), type="integer", unit="seats"),
        Column(name="has_screen", about="Whether it has a screen", draw=OneOf(True, False), type="boolean"),
    ),
)
_EVENTS = Table(
    name="events",
    noun="event",
    prefix="evt",
    rows=80,
    named_by=("title", "date"),
    columns=(
        Column(name="title", about="Title", draw=Pick("topic", "meeting")),
        Column(name="organizer_id", about="Who organizes it", draw=Ref("people"), ref="people"),
        Column(name="room_id", about="Where it takes place", draw=Ref("rooms"), ref="rooms"),
        Column(name="date", about="Day", draw=Day(-6, 28), format="date"),
        Column(name="starts_at", about="Time at which it starts", draw=Clock(8, 17), format="time"),
        Column(name="minutes", about="Length", draw=OneOf(15, 30, 45, 60, 90, 120), type="integer", unit="minutes"),
        Column(name="places_left", about="Guests that the room still holds", draw=Whole(0, 0), type="integer"),
        Column(name="status", about="State", draw=OneOf(*_EVENT_STATES, weights=(6, 1)), enum=_EVENT_STATES),
    ),
)
_INVITATIONS = Table(
    name="invitations",
    noun="invitation",
    prefix="inv",
    rows=130,
    named_by=("person_id.name", "event_id.title"),
    columns=(
        Column(name="event_id", about="To what", draw=Ref("events"), ref="events"),
        Column(name="person_id", about="Who is invited", draw=Ref("people"), ref="people"),
        Column(name="response", about="Answer", draw=OneOf(*_RESPONSES, weights=(4, 3, 1)), enum=_RESPONSES),
        Column(name="is_required", about="Whether the guest must come", draw=OneOf(True, False), type="boolean"),
    ),
)
_FOLDERS = Table(
    name="folders",
    noun="mail folder",
    prefix="fld",
    rows=14,
    named_by=("name",),
    columns=(
        Column(name="name", about="Name of the folder", draw=Pick("area", "drawer"), is_unique=True),
        Column(name="is_locked", about="Whether its mail must stay", draw=OneOf(True, False, False), type="boolean"),
    ),
)
_THREADS = Table(
    name="threads",
    noun="mail thread",
    prefix="thr",
    rows=100,
    named_by=("subject", "sender_id.name"),
    columns=(
        Column(name="subject", about="Subject", draw=Pick("topic", "matter")),
        Column(name="sender_id", about="Who wrote first", draw=Ref("people"), ref="people"),
        Column(name="folder_id", about="The folder that it is in", draw=Ref("folders"), ref="folders"),
        Column(name="received_on", about="Day of the last message", draw=Day(-40, 0), format="date"),
        Column(name="messages", about="Number of messages", draw=Whole(1, 12), type="integer", unit="messages"),
        Column(name="is_read", about="Whether it was read", draw=OneOf(True, False), type="boolean"),
        Column(name="priority", about="Priority", draw=OneOf(*_PRIORITIES, weights=(2, 5, 2)), enum=_PRIORITIES),
    ),
)


def _settle(rows: Rows) -> None:
    """An event has the places that its room has seats, less one for each guest."""
    for event in rows["events"].values():
        event["places_left"] = rows["rooms"][event["room_id"]]["seats"]
    for invitation in rows["invitations"].values():
        event = rows["events"][invitation["event_id"]]
        event["places_left"] = max(0, event["places_left"] - 1)


_EVENT = Param(name="event_id", of="events.id")
_INVITATION = Param(name="invitation_id", of="invitations.id")
_THREAD = Param(name="thread_id", of="threads.id")
_DATE = Param(name="date", of="events.date", about="The new day")
_BY_EVENT = Filter(arg="event_id", path="event_id")
_BY_PERSON = Filter(arg="person_id", path="person_id")
_BY_ROOM = Filter(arg="room_id", path="room_id")
_BY_ORGANIZER = Filter(arg="organizer_id", path="organizer_id")
_BY_FOLDER = Filter(arg="folder_id", path="folder_id")
_BY_READ = Filter(arg="is_read", path="is_read")
_FROM = Filter(arg="date_from", path="date", compare="at_least")
_UNTIL = Filter(arg="date_until", path="date", compare="at_most")


def _planned(arg: str, way: str = "") -> tuple[Require, Require]:
    told = f"the event of {{{arg}}}" if way else f"{{{arg}}}"
    return (
        Require(left=Cell(arg, f"{way}status"), op="==", right=Const("planned"), error=f"{told} was cancelled"),
        Require(left=Cell(arg, f"{way}date"), op=">=", right=Today(), error=f"{told} is over", policy="past_stays"),
    )


_NOT_PAST = Require(left=Arg("date"), op=">=", right=Today(), error="{date} is in the past")

CALENDAR_MAIL = Domain(
    name="calendar_mail",
    about="You are an office assistant who keeps calendars and mailboxes.",
    tables=(_PEOPLE, _ROOMS, _EVENTS, _INVITATIONS, _FOLDERS, _THREADS),
    settle=_settle,
    policies=(
        Policy(name="past_stays", text="Events whose day is past are not changed any more, nor are their invitations."),
        Policy(name="places_left", text="Nobody is invited to an event that has no places left."),
        Policy(name="required_guests", text="An invitation is not withdrawn while its guest is required."),
        Policy(name="locked_folders", text="Mail that is in a locked folder stays there."),
    ),
    tools=(
        Search(
            name="search_people",
            about="Find people by name, team or office.",
            table="people",
            filters=(
                Filter(arg="name", path="name", compare="has_words"),
                Filter(arg="team", path="team"),
                Filter(arg="office", path="office"),
            ),
            shows=("name", "team", "office"),
        ),
        Get(
            name="get_person",
            about="Show a person's entry in the address book.",
            table="people",
            arg="person_id",
            shows=("name", "email", "team", "office"),
        ),
        Get(
            name="find_person_by_email",
            about="Find the person who uses an e-mail address.",
            table="people",
            arg="email",
            by="email",
            shows=("name", "team"),
        ),
        Search(
            name="search_rooms",
            about="Find meeting rooms by name, seats and screen.",
            table="rooms",
            filters=(
                Filter(arg="name", path="name", compare="has_words"),
                Filter(arg="min_seats", path="seats", compare="at_least"),
                Filter(arg="has_screen", path="has_screen"),
            ),
            shows=("name", "floor", "seats", "has_screen"),
        ),
        Search(
            name="search_events",
            about="Find events by title, organizer, room and day.",
            table="events",
            filters=(Filter(arg="title", path="title", compare="has_words"), _BY_ORGANIZER, _BY_ROOM, _FROM, _UNTIL),
            shows=("title", "organizer_id", "room_id", "date", "starts_at", "status"),
        ),
        Get(
            name="get_event",
            about="Show an event with its organizer, its room and the places that are left.",
            table="events",
            arg="event_id",
            shows=(
                "title",
                "organizer_id",
                "organizer_id.name",
                "room_id.name",
                "date",
                "starts_at",
                "minutes",
                "places_left",
                "status",
            ),
        ),
        Total(
            name="meeting_minutes",
            about="Add up the minutes of an organizer's events.",
            table="events",
            filters=(Filter(arg="organizer_id", path="organizer_id", is_required=True), _FROM, _UNTIL),
            how="sum",
            of="minutes",
        ),
        Search(
            name="list_invitations",
            about="List the invitations to an event or of a person.",
            table="invitations",
            filters=(_BY_EVENT, _BY_PERSON, Filter(arg="response", path="response")),
            shows=("event_id", "event_id.title", "person_id", "person_id.name", "response", "is_required"),
        ),
        Total(
            name="count_invitations",
            about="Count invitations by event, person and answer.",
            table="invitations",
            filters=(_BY_EVENT, _BY_PERSON, Filter(arg="response", path="response")),
            how="count",
        ),
        Search(
            name="list_folders",
            about="List mail folders by name.",
            table="folders",
            filters=(Filter(arg="name", path="name", compare="has_words"), Filter(arg="is_locked", path="is_locked")),
            shows=("name", "is_locked"),
        ),
        Search(
            name="search_threads",
            about="Find mail threads by subject, sender and folder.",
            table="threads",
            filters=(
                Filter(arg="subject", path="subject", compare="has_words"),
                Filter(arg="sender_id", path="sender_id"),
                _BY_FOLDER,
                _BY_READ,
                Filter(arg="received_from", path="received_on", compare="at_least"),
            ),
            shows=(
                "subject",
                "sender_id",
                "sender_id.name",
                "folder_id",
                "received_on",
                "messages",
                "is_read",
                "priority",
            ),
        ),
        Total(
            name="longest_thread",
            about="Tell how many messages the longest thread has, in a folder or by a sender.",
            table="threads",
            filters=(_BY_FOLDER, Filter(arg="sender_id", path="sender_id")),
            how="max",
            of="messages",
        ),
        Write(
            name="reschedule_event",
            about="Put a planned event on another day and time.",
            params=(_EVENT, _DATE, Param(name="starts_at", of="events.starts_at", about="The new time")),
            requires=(*_planned("event_id"), _NOT_PAST),
            effects=(Set("event_id", "date", Arg("date")), Set("event_id", "starts_at", Arg("starts_at"))),
            asks=(
                "move {event_id} to {date} at {starts_at}",
                "reschedule {event_id} to {starts_at} on {date}",
                "have {event_id} take place on {date}, starting at {starts_at}",
            ),
            is_idempotent=True,
        ),
        Write(
            name="create_event",
            about="Plan an event of an organizer in a room.",
            params=(
                Param(name="title", of="events.title"),
                Param(name="organizer_id", of="people.id"),
                Param(name="room_id", of="rooms.id"),
                Param(name="date", of="events.date"),
                Param(name="starts_at", of="events.starts_at"),
                Param(name="minutes", of="events.minutes", minimum=15, maximum=480),
            ),
            requires=(_NOT_PAST,),
            effects=(
                Insert(
                    "events",
                    {
                        "title": Arg("title"),
                        "organizer_id": Arg("organizer_id"),
                        "room_id": Arg("room_id"),
                        "date": Arg("date"),
                        "starts_at": Arg("starts_at"),
                        "minutes": Arg("minutes"),
                        "places_left": Cell("room_id", "seats"),
                        "status": Const("planned"),
                    },
                ),
            ),
            asks=(
                "plan an event titled {title}, organized by {organizer_id}, in {room_id} on {date} at {starts_at} "
                "for {minutes} minutes",
                "put an event with the title {title} on the calendar: {date} at {starts_at}, {minutes} minutes, in "
                "{room_id}, organized by {organizer_id}",
                "create an event called {title} with {organizer_id} as the organizer on {date} at {starts_at}, "
                "lasting {minutes} minutes, in {room_id}",
            ),
        ),
        Write(
            name="cancel_event",
            about="Cancel a planned event.",
            params=(_EVENT,),
            requires=_planned("event_id"),
            effects=(Set("event_id", "status", Const("cancelled")),),
            asks=("cancel {event_id}", "call off {event_id}", "have {event_id} cancelled"),
            is_idempotent=True,
        ),
        Write(
            name="invite_person",
            about="Invite a person to a planned event; the guest takes one of its places.",
            params=(
                _EVENT,
                Param(name="person_id", of="people.id"),
                Param(name="is_required", of="invitations.is_required", is_required=False),
            ),
            requires=(
                *_planned("event_id"),
                Require(
                    left=Cell("event_id", "places_left"),
                    op=">=",
                    right=Const(1),
                    error="{event_id} has no places left",
                    policy="places_left",
                ),
            ),
            effects=(
                Insert(
                    "invitations",
                    {
                        "event_id": Arg("event_id"),
                        "person_id": Arg("person_id"),
                        "response": Const("pending"),
                        "is_required": Arg("is_required"),
                    },
                ),
                Set("event_id", "places_left", Sum(Cell("event_id", "places_left"), Const(1), -1)),
            ),
            asks=(
                "invite {person_id} to {event_id}",
                "add {person_id} to the guests of {event_id}",
                "send {person_id} an invitation to {event_id}",
            ),
        ),
        Write(
            name="answer_invitation",
            about="Note a guest's answer to the invitation to a planned event.",
            params=(_INVITATION, Param(name="response", of="invitations.response", enum=("accepted", "declined"))),
            requires=_planned("invitation_id", "event_id."),
            effects=(Set("invitation_id", "response", Arg("response")),),
            asks=(
                "mark {invitation_id} as {response}",
                "note that {invitation_id} was {response}",
                "record the answer to {invitation_id} as {response}",
            ),
            is_idempotent=True,
        ),
        Write(
            name="withdraw_invitation",
            about="Remove the invitation of a guest who need not come; the place is free again.",
            params=(_INVITATION,),
            requires=(
                Require(
                    left=Cell("invitation_id", "is_required"),
                    op="==",
                    right=Const(False),
                    error="the guest of {invitation_id} is required",
                    policy="required_guests",
                ),
                *_planned("invitation_id", "event_id."),
            ),
            effects=(
                Set(
                    "invitation_id",
                    "event_id.places_left",
                    Sum(Cell("invitation_id", "event_id.places_left"), Const(1)),
                ),
                Delete("invitation_id"),
            ),
            asks=("withdraw {invitation_id}", "take back {invitation_id}", "have {invitation_id} removed"),
            is_idempotent=True,
        ),
        Write(
            name="move_thread",
            about="Move a mail thread into another folder.",
            params=(_THREAD, Param(name="folder_id", of="folders.id")),
            requires=(
                Require(
                    left=Cell("thread_id", "folder_id.is_locked"),
                    op="==",
                    right=Const(False),
                    error="{thread_id} is in a locked folder",
                    policy="locked_folders",
                ),
            ),
            effects=(Set("thread_id", "folder_id", Arg("folder_id")),),
            asks=(
                "move {thread_id} to {folder_id}",
                "file {thread_id} in {folder_id}",
                "put {thread_id} into {folder_id}",
            ),
            is_idempotent=True,
        ),
        Write(
            name="set_priority",
            about="Change the priority of a mail thread.",
            params=(_THREAD, Param(name="priority", of="threads.priority")),
            effects=(Set("thread_id", "priority", Arg("priority")),),
            asks=(
                "set the priority of {thread_id} to {priority}",
                "give {thread_id} {priority} priority",
                "mark {thread_id} as {priority} priority",
            ),
            is_idempotent=True,
        ),
    ),
    pools={
        "train": PEOPLE["train"]
        | {
            "handle": tuple(
                f"{word}{number}" for word in words("al bo cy di ed fay gus hal") for number in range(10, 60)
            ),
            "topic": words("Budget Design Sprint Hiring Sales Launch Website Payroll Roadmap Intern"),
            "meeting": words("Review Meeting Workshop Call Standup Kickoff"),
            "matter": words("update question approval schedule summary feedback"),
            "tone": words("Amber Crimson Scarlet Violet Azure Olive Maroon Teal Golden Ochre"),
            "space": words("Room Hall Lounge Corner Loft Alcove Deck Den Bay Nook"),
            "area": words("Client Supplier Visitor Press Project Event Contract Bulletin"),
            "drawer": words("Mail Notes Requests Replies Reports Archive Drafts Records"),
        },
        "heldout": PEOPLE["heldout"]
        | {
            "handle": tuple(
                f"{word}{number}" for word in words("ann bea cal don eva flo ian joe") for number in range(60, 99)
            ),
            "topic": words("Marketing Security Quarterly Vendor Onboarding Research Audit Pricing Training Rebrand"),
            "meeting": words("Sync Briefing Retrospective Interview Demo Planning"),
            "matter": words("reminder proposal agenda estimate comments follow-up"),
            "tone": words("Silver Ivory Emerald Lilac Copper Jade Navy Coral Pearl Sepia"),
            "space": words("Chamber Gallery Pavilion Parlour Cabin Library Atrium Booth Forum Salon"),
            "area": words("Customer Partner Insurance Facility Product Campaign Lease Member"),
            "drawer": words("Letters Memos Queries Answers Documents Vault Outlines Dossiers"),
        },
    },
)
