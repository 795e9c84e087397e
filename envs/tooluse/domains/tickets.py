"""An issue tracker: members of teams, projects and their releases, tickets and the comments on them."""

from palestra.envs.tooluse.draw import Code, Day, OneOf, Pick, Ref, Rows, Whole
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

_TEAMS = ("platform", "mobile", "web", "data")
_RELEASE_STATES = ("planned", "frozen", "shipped")
_STATUSES = ("open", "started", "reviewed", "closed")
_KINDS = ("bug", "feature", "question")
_PRIORITIES = ("low", "normal", "high", "urgent")

_MEMBERS = Table(
    name="members",
    noun="team member",
    prefix="mem",
    rows=45,
    named_by=("name",),
    columns=(
        Column(name="name", about="Full name", draw=Pick("first", "last")),
        Column(name="handle", about="Login name", draw=Pick("mood", "animal", joined_by="-"), is_unique=True),
        Column(name="team", about="Team", draw=OneOf(*_TEAMS), enum=_TEAMS),
        Column(name="is_away", about="Whether on leave", draw=OneOf(False, True, weights=(4, 1)), type="boolean"),
    ),
)
_PROJECTS = Table(
    name="projects",
    noun="project",
    prefix="prj",
    rows=8,
    named_by=("name",),
    columns=(
        Column(name="name", about="Project name", draw=Pick("codename", "product"), is_unique=True),
        Column(name="key", about="Short key of three letters", draw=Code("???"), is_unique=True),
        Column(name="lead_id", about="Who leads the project", draw=Ref("members"), ref="members"),
        Column(
            name="hours_left",
            about="Working time that is left in the budget",
            draw=Whole(2, 160, 2),
            type="integer",
            unit="hours",
        ),
    ),
)
_RELEASES = Table(
    name="releases",
    noun="release",
    prefix="rel",
    rows=32,
    named_by=("project_id.name", "version"),
    columns=(
        Column(name="project_id", about="The project that is released", draw=Ref("projects"), ref="projects"),
        Column(name="version", about="Version number", draw=Code("#.##")),
        Column(
            name="state",
            about="State of the release",
            draw=OneOf("planned", "frozen", weights=(4, 1)),
            enum=_RELEASE_STATES,
        ),
        Column(name="due_on", about="Day of the release", draw=Day(-50, 120), format="date"),
    ),
)
_TICKETS = Table(
    name="tickets",
    noun="ticket",
    prefix="tic",
    rows=140,
    named_by=("title", "project_id.name"),
    columns=(
        Column(name="title", about="What it is about, in a few words", draw=Pick("part", "element", "trouble")),
        Column(name="project_id", about="The project it concerns", draw=Ref("projects"), ref="projects"),
        Column(name="kind", about="Kind of ticket", draw=OneOf(*_KINDS, weights=(5, 3, 2)), enum=_KINDS),
        Column(name="priority", about="How pressing it is", draw=OneOf(*_PRIORITIES), enum=_PRIORITIES),
        Column(name="status", about="State of the work", draw=OneOf(*_STATUSES, weights=(3, 3, 3, 2)), enum=_STATUSES),
        Column(name="reporter_id", about="Who reported it", draw=Ref("members"), ref="members"),
        Column(name="assignee_id", about="Who works on it", draw=Ref("members"), ref="members"),
        Column(name="release_id", about="The release it is scheduled for", draw=Ref("releases"), ref="releases"),
        Column(name="opened_on", about="Day on which it was reported", draw=Day(-120, -1), format="date"),
        Column(name="logged_hours", about="Time spent on it so far", draw=Whole(0, 30), type="integer", unit="hours"),
    ),
)
_COMMENTS = Table(
    name="comments",
    noun="comment",
    prefix="com",
    rows=120,
    named_by=("author_id.name", "ticket_id.title"),
    columns=(
        Column(name="ticket_id", about="The ticket it is about", draw=Ref("tickets"), ref="tickets"),
        Column(name="author_id", about="Who wrote it", draw=Ref("members"), ref="members"),
        Column(name="text", about="What it says", draw=Pick("remark")),
        Column(name="written_on", about="Day on which it was written", draw=Day(-60, -1), format="date"),
    ),
)


def _settle(rows: Rows) -> None:
    """A ticket is scheduled for a release of its own project; a release has shipped when its day is past."""
    projects = list(rows["projects"])
    last_day = max(ticket["opened_on"] for ticket in rows["tickets"].values())
    releases = rows["releases"]
    own: dict[str, list[str]] = {}
    for number, (id_, release) in enumerate(releases.items()):
        release["project_id"] = projects[number % len(projects)]  # so each has some
        if release["due_on"] <= last_day:
            release["state"] = "shipped"
        own.setdefault(release["project_id"], []).append(id_)
    for number, ticket in enumerate(rows["tickets"].values()):
        choice = own[ticket["project_id"]]
        ticket["release_id"] = choice[number % len(choice)]
    for comment in rows["comments"].values():
        comment["written_on"] = max(comment["written_on"], rows["tickets"][comment["ticket_id"]]["opened_on"])


_TICKET = Param(name="ticket_id", of="tickets.id")
_NOT_CLOSED = Require(
    left=Cell("ticket_id", "status"),
    op="!=",
    right=Const("closed"),
    error="closed tickets can no longer be changed, and {ticket_id} is closed",
    policy="closed_stays",
)

TICKETS = Domain(
    name="tickets",
    about="You look after the issue tracker of a software company.",
    tables=(_MEMBERS, _PROJECTS, _RELEASES, _TICKETS, _COMMENTS),
    settle=_settle,
    policies=(
        Policy(name="closed_stays", text="A closed ticket and its comments can no longer be changed."),
        Policy(name="review_first", text="A ticket can be closed only once it has been reviewed."),
        Policy(name="nobody_away", text="Tickets are assigned only to members who are not on leave."),
        Policy(
            name="own_release",
            text="A ticket can be scheduled only for a release of its own project that has not shipped yet.",
        ),
        Policy(name="log_cap", text="At most 12 hours of work are logged at once."),
    ),
    tools=(
        Search(
            name="search_tickets",
            about="Find tickets by the words of their title, by project, assignee, status or priority.",
            table="tickets",
            filters=(
                Filter(arg="title", path="title", compare="has_words"),
                Filter(arg="project_id", path="project_id"),
                Filter(arg="assignee_id", path="assignee_id"),
                Filter(arg="status", path="status"),
                Filter(arg="priority", path="priority"),
            ),
            shows=("title", "project_id", "project_id.name", "status", "priority", "opened_on"),
        ),
        Get(
            name="get_ticket",
            about="Show everything about a ticket but its comments.",
            table="tickets",
            arg="ticket_id",
            shows=(
                "title",
                "project_id",
                "kind",
                "priority",
                "status",
                "reporter_id",
                "reporter_id.name",
                "assignee_id",
                "assignee_id.name",
                "release_id",
                "opened_on",
                "logged_hours",
            ),
        ),
        Search(
            name="search_members",
            about="Find team members by name or team.",
            table="members",
            filters=(Filter(arg="name", path="name", compare="has_words"), Filter(arg="team", path="team")),
            shows=("name", "team", "is_away"),
        ),
        Get(
            name="find_member_by_handle",
            about="Find the team member who has a login name.",
            table="members",
            arg="handle",
            by="handle",
            shows=("name", "handle", "team", "is_away"),
        ),
        Search(
            name="list_projects",
            about="List all projects, or find one by its name or key.",
            table="projects",
            filters=(Filter(arg="name", path="name", compare="has_words"), Filter(arg="key", path="key")),
            shows=("name", "key", "lead_id", "lead_id.name", "hours_left"),
        ),
        Search(
            name="list_releases",
            about="List releases by project, version, state or day.",
            table="releases",
            filters=(
                Filter(arg="project_id", path="project_id"),
                Filter(arg="version", path="version"),
                Filter(arg="state", path="state"),
                Filter(arg="due_from", path="due_on", compare="at_least"),
                Filter(arg="due_until", path="due_on", compare="at_most"),
            ),
            shows=("project_id", "project_id.name", "version", "state", "due_on"),
        ),
        Search(
            name="list_comments",
            about="List the comments on a ticket or by a member.",
            table="comments",
            filters=(Filter(arg="ticket_id", path="ticket_id"), Filter(arg="author_id", path="author_id")),
            shows=("ticket_id", "ticket_id.title", "author_id", "author_id.name", "text", "written_on"),
        ),
        Total(
            name="count_tickets",
            about="Count tickets by project, assignee, status and priority.",
            table="tickets",
            filters=(
                Filter(arg="project_id", path="project_id"),
                Filter(arg="assignee_id", path="assignee_id"),
                Filter(arg="status", path="status"),
                Filter(arg="priority", path="priority"),
            ),
            how="count",
        ),
        Total(
            name="total_logged_hours",
            about="Add up the hours that were logged on tickets, by project, assignee or release.",
            table="tickets",
            filters=(
                Filter(arg="project_id", path="project_id"),
                Filter(arg="assignee_id", path="assignee_id"),
                Filter(arg="release_id", path="release_id"),
            ),
            how="sum",
            of="logged_hours",
        ),
        Write(
            name="create_ticket",
            about="Open a new ticket in a project.",
            params=(
                Param(name="project_id", of="projects.id"),
                Param(name="title", of="tickets.title"),
                Param(name="kind", of="tickets.kind"),
                Param(name="priority", of="tickets.priority"),
                Param(name="reporter_id", of="members.id", about="The id of the team member who reports it"),
            ),
            effects=(
                Insert(
                    "tickets",
                    {
                        "title": Arg("title"),
                        "project_id": Arg("project_id"),
                        "kind": Arg("kind"),
                        "priority": Arg("priority"),
                        "status": Const("open"),
                        "reporter_id": Arg("reporter_id"),
                        "opened_on": Today(),
                        "logged_hours": Const(0),
                    },
                ),
            ),
            asks=(
                "open a ticket in {project_id}, reported by {reporter_id}, with {title} as its title, {kind} as its "
                "kind and {priority} as its priority",
                "file a ticket in {project_id}: title {title}, kind {kind}, priority {priority}, by {reporter_id}",
                "create this ticket in {project_id}: its title is {title}, its kind {kind}, its priority {priority} "
                "and its reporter {reporter_id}",
            ),
        ),
        Write(
            name="assign_ticket",
            about="Give a ticket to a member who is not on leave.",
            params=(_TICKET, Param(name="assignee_id", of="members.id", about="The id of who is to work on it")),
            requires=(
                _NOT_CLOSED,
                Require(
                    left=Cell("assignee_id", "is_away"),
                    op="==",
                    right=Const(False),
                    error="{assignee_id} is on leave; choose someone who is not",
                    policy="nobody_away",
                ),
            ),
            effects=(Set("ticket_id", "assignee_id", Arg("assignee_id")),),
            asks=(
                "assign {ticket_id} to {assignee_id}",
                "hand {ticket_id} over to {assignee_id}",
                "let {assignee_id} take over {ticket_id}",
            ),
            is_idempotent=True,
        ),
        Write(
            name="set_priority",
            about="Change how pressing a ticket is.",
            params=(_TICKET, Param(name="priority", of="tickets.priority")),
            requires=(_NOT_CLOSED,),
            effects=(Set("ticket_id", "priority", Arg("priority")),),
            asks=(
                "set the priority of {ticket_id} to {priority}",
                "make {priority} the priority of {ticket_id}",
                "change the priority of {ticket_id} to {priority}",
            ),
            is_idempotent=True,
        ),
        Write(
            name="close_ticket",
            about="Close a ticket that has been reviewed.",
            params=(_TICKET,),
            requires=(
                Require(
                    left=Cell("ticket_id", "status"),
                    op="==",
                    right=Const("reviewed"),
                    error="only a ticket with the status reviewed can be closed, and {ticket_id} has another",
                    policy="review_first",
                ),
            ),
            effects=(Set("ticket_id", "status", Const("closed")),),
            asks=("close {ticket_id}", "mark {ticket_id} as closed", "have {ticket_id} closed"),
            is_idempotent=True,
        ),
        Write(
            name="schedule_ticket",
            about="Plan a ticket for a release of its project.",
            params=(_TICKET, Param(name="release_id", of="releases.id")),
            requires=(
                _NOT_CLOSED,
                Require(
                    left=Cell("ticket_id", "project_id"),
                    op="==",
                    right=Cell("release_id", "project_id"),
                    error="{release_id} belongs to another project than {ticket_id}",
                    policy="own_release",
                ),
                Require(
                    left=Cell("release_id", "state"),
                    op="!=",
                    right=Const("shipped"),
                    error="{release_id} has shipped; choose a later release",
                    policy="own_release",
                ),
            ),
            effects=(Set("ticket_id", "release_id", Arg("release_id")),),
            asks=(
                "schedule {ticket_id} for {release_id}",
                "plan {ticket_id} for {release_id}",
                "move {ticket_id} to {release_id}",
            ),
            is_idempotent=True,
        ),
        Write(
            name="log_work",
            about="Record hours spent on a ticket; they are taken off the budget of its project.",
            params=(
                _TICKET,
                Param(name="hours", of="tickets.logged_hours", about="Time spent (hours)", minimum=2, maximum=24),
            ),
            requires=(
                _NOT_CLOSED,
                Require(
                    left=Arg("hours"),
                    op="<=",
                    right=Const(12),
                    error="at most 12 hours can be logged at once, and {hours} were asked for",
                    policy="log_cap",
                ),
                Require(
                    left=Cell("ticket_id", "project_id.hours_left"),
                    op=">=",
                    right=Arg("hours"),
                    error="the project of {ticket_id} has fewer than {hours} hours left",
                ),
            ),
            effects=(
                Set("ticket_id", "logged_hours", Sum(Cell("ticket_id", "logged_hours"), Arg("hours"))),
                Set(
                    "ticket_id",
                    "project_id.hours_left",
                    Sum(Cell("ticket_id", "project_id.hours_left"), Arg("hours"), -1),
                ),
            ),
            asks=(
                "log {hours} hours of work on {ticket_id}",
                "record {hours} hours spent on {ticket_id}",
                "book {hours} hours of work to {ticket_id}",
            ),
        ),
        Write(
            name="delete_comment",
            about="Remove a comment from a ticket that is not closed.",
            params=(Param(name="comment_id", of="comments.id"),),
            requires=(
                Require(
                    left=Cell("comment_id", "ticket_id.status"),
                    op="!=",
                    right=Const("closed"),
                    error="comments on closed tickets stay, and the ticket of {comment_id} is closed",
                    policy="closed_stays",
                ),
            ),
            effects=(Delete("comment_id"),),
            asks=("delete {comment_id}", "remove {comment_id}", "take down {comment_id}"),
            is_idempotent=True,
        ),
        Write(
            name="move_hours",
            about="Move working time from the budget of one project to that of another.",
            params=(
                Param(name="from_project_id", of="projects.id", about="The id of the project that gives hours"),
                Param(name="to_project_id", of="projects.id", about="The id of the project that gets them"),
                Param(name="hours", of="projects.hours_left", about="How much (hours)", minimum=2, maximum=200),
            ),
            requires=(
                Require(
                    left=Arg("from_project_id"),
                    op="!=",
                    right=Arg("to_project_id"),
                    error="from_project_id and to_project_id are both {to_project_id}; name two projects",
                ),
                Require(
                    left=Cell("from_project_id", "hours_left"),
                    op=">=",
                    right=Arg("hours"),
                    error="{from_project_id} has fewer than {hours} hours left",
                ),
            ),
            effects=(
                Set("from_project_id", "hours_left", Sum(Cell("from_project_id", "hours_left"), Arg("hours"), -1)),
                Set("to_project_id", "hours_left", Sum(Cell("to_project_id", "hours_left"), Arg("hours"))),
            ),
            asks=(
                "move {hours} hours from the budget of {from_project_id} to that of {to_project_id}",
                "transfer {hours} hours of working time from {from_project_id} to {to_project_id}",
                "shift {hours} hours of budget from {from_project_id} to {to_project_id}",
            ),
        ),
    ),
    pools={
        "train": PEOPLE["train"]
        | {
            "mood": words("quiet brave clever swift calm bold keen merry shy witty lucky gentle proud eager"),
            "animal": words("otter badger heron lynx panda raven tiger whale zebra bison gecko koala lemur moose"),
            "codename": words("Atlas Beacon Cobalt Delta Ember Falcon Glacier Horizon Indigo Jupiter"),
            "product": words("Portal Store Planner Gateway Archive"),
            "part": words("Login Search Checkout Profile Invoice Calendar Export Upload Settings Payment Chat Report"),
            "element": words("form page button menu list filter"),
            "trouble": words(
                "crashes freezes flickers times_out loses_input ignores_clicks shows_nothing loads_slowly "
                "repeats_entries misses_labels"
            ),
            "remark": words(
                "Reproduced_twice_yesterday Needs_more_logs Fixed_locally Waiting_for_feedback Works_on_my_machine "
                "Please_add_screenshots Happens_every_morning Only_affects_old_accounts Tests_were_added "
                "Rolled_back_last_night"
            ),
        },
        "heldout": PEOPLE["heldout"]
        | {
            "mood": words("happy breezy wild fancy noble rapid silent tidy vivid warm mellow agile curious humble"),
            "animal": words("beaver camel dingo eagle ferret goose hare ibis jackal mole newt ocelot puffin seal"),
            "codename": words("Kestrel Lantern Meridian Nimbus Orchid Pioneer Quartz Ranger Summit Topaz"),
            "product": words("Console Market Tracker Studio Library"),
            "part": words(
                "Signup Basket Dashboard Outbox Billing Map Import Download Preferences Refund Survey Newsletter"
            ),
            "element": words("dialog panel widget grid toolbar banner"),
            "trouble": words(
                "hangs vanishes jumps_around drops_characters rejects_dates prints_garbage responds_late "
                "doubles_rows cuts_off_text hides_icons"
            ),
            "remark": words(
                "Cannot_confirm_this Patch_almost_ready Seen_again_today Caused_by_caching Asked_a_customer "
                "Blocked_until_Monday Duplicate_perhaps Root_cause_found Deployed_to_staging Closing_soon"
            ),
        },
    },
)
