"""A file store: people, folders with a quota, files and their versions, shares and tags."""

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

_DEPARTMENTS = ("research", "marketing", "production", "personnel", "purchasing")
_KINDS = ("pdf", "docx", "xlsx", "pptx", "png")
_LEVELS = ("public", "internal", "confidential")
_ACCESS = ("viewer", "commenter", "editor")

_PEOPLE = Table(
    name="people",
    noun="person",
    prefix="usr",
    rows=50,
    named_by=("name", "department"),
    columns=(
        Column(name="name", about="Full name", draw=Pick("first", "last")),
        Column(name="badge", about="Number of the badge", draw=Code("?-#####"), is_unique=True),
        Column(name="department", about="Department", draw=OneOf(*_DEPARTMENTS), enum=_DEPARTMENTS),
        Column(name="city", about="City of the workplace", draw=Pick("city")),
    ),
)
_FOLDERS = Table(
    name="folders",
    noun="folder",
    prefix="dir",
    rows=26,
    named_by=("name",),
    columns=(
        Column(name="name", about="Name of the folder", draw=Pick("project", "shelf"), is_unique=True),
        Column(name="owner_id", about="Who owns it", draw=Ref("people"), ref="people"),
        Column(name="quota_kb", about="What it may hold", draw=Whole(0, 0), type="integer", unit="kB"),
        Column(name="used_kb", about="What its files take", draw=Whole(0, 0), type="integer", unit="kB"),
    ),
)
_FILES = Table(
    name="files",
    noun="file",
    prefix="fil",
    rows=110,
    named_by=("name", "folder_id.name"),
    columns=(
        Column(name="name", about="Name of the file", draw=Pick("theme", "paper")),
        Column(name="reference", about="Reference number", draw=Code("DOC-#####"), is_unique=True),
        Column(name="folder_id", about="The folder that it is in", draw=Ref("folders"), ref="folders"),
        Column(name="owner_id", about="Who owns it", draw=Ref("people"), ref="people"),
        Column(name="kind", about="Format", draw=OneOf(*_KINDS), enum=_KINDS),
        Column(name="level", about="Who may see it", draw=OneOf(*_LEVELS, weights=(3, 5, 2)), enum=_LEVELS),
        Column(name="size_kb", about="Size", draw=Whole(10, 4000), type="integer", unit="kB"),
        Column(name="modified_on", about="Day of the last change", draw=Day(-120, 0), format="date"),
        Column(name="is_locked", about="Whether it is locked", draw=OneOf(True, False, False, False), type="boolean"),
    ),
)
_VERSIONS = Table(
    name="versions",
    noun="version",
    prefix="ver",
    rows=70,
    named_by=("file_id.name", "saved_on"),
    columns=(
        Column(name="file_id", about="The file", draw=Ref("files"), ref="files"),
        Column(name="author_id", about="Who saved it", draw=Ref("people"), ref="people"),
        Column(name="saved_on", about="Day on which it was saved", draw=Day(-300, -121), format="date"),
        Column(name="size_kb", about="Size", draw=Whole(10, 4000), type="integer", unit="kB"),
    ),
)
_SHARES = Table(
    name="shares",
    noun="share",
    prefix="shr",
    rows=90,
    named_by=("person_id.name", "file_id.name"),
    columns=(
        Column(name="file_id", about="The file", draw=Ref("files"), ref="files"),
        Column(name="person_id", about="With whom it is shared", draw=Ref("people"), ref="people"),
        Column(name="access", about="What the person may do", draw=OneOf(*_ACCESS, weights=(5, 2, 3)), enum=_ACCESS),
        Column(name="expires_on", about="Last day of the share", draw=Day(-20, 90), format="date"),
    ),
)
_TAGS = Table(
    name="tags",
    noun="tag",
    prefix="tag",
    rows=60,
    named_by=("label", "file_id.name"),
    columns=(
        Column(name="file_id", about="The file", draw=Ref("files"), ref="files"),
        Column(name="label", about="Label", draw=Pick("label")),
    ),
)


def _settle(rows: Rows) -> None:
    """A folder uses what its files take, and its quota leaves some room; what is confidential is not shared."""
    for file in rows["files"].values():
        rows["folders"][file["folder_id"]]["used_kb"] += file["size_kb"]
    for number, folder in enumerate(rows["folders"].values()):
        folder["quota_kb"] = (folder["used_kb"] // 1000 + 1 + 3 * (number % 3)) * 1000
    open_files = [id_ for id_, file in rows["files"].items() if file["level"] != "confidential"]
    for number, share in enumerate(rows["shares"].values()):
        if open_files and rows["files"][share["file_id"]]["level"] == "confidential":
            share["file_id"] = open_files[number % len(open_files)]


_FILE = Param(name="file_id", of="files.id")
_FOLDER = Param(name="folder_id", of="folders.id")
_SHARE = Param(name="share_id", of="shares.id")
_BY_FILE = Filter(arg="file_id", path="file_id")
_BY_FOLDER = Filter(arg="folder_id", path="folder_id")
_BY_OWNER = Filter(arg="owner_id", path="owner_id")
_BY_PERSON = Filter(arg="person_id", path="person_id")
_BY_KIND = Filter(arg="kind", path="kind")
_BY_LEVEL = Filter(arg="level", path="level")
_HAS_NAME = Filter(arg="name", path="name", compare="has_words")


def _unlocked(arg: str, path: str = "is_locked") -> Require:
    told = f"the file of {{{arg}}}" if "." in path else f"{{{arg}}}"
    return Require(left=Cell(arg, path), op="==", right=Const(False), error=f"{told} is locked", policy="locked_files")


_FITS = Require(
    left=Sum(Cell("folder_id", "used_kb"), Cell("file_id", "size_kb")),
    op="<=",
    right=Cell("folder_id", "quota_kb"),
    error="{file_id} does not fit into {folder_id}",
    policy="quota",
)
_GROWS = Set("folder_id", "used_kb", Sum(Cell("folder_id", "used_kb"), Cell("file_id", "size_kb")))

FILES = Domain(
    name="files",
    about="You are the assistant of a company's file store.",
    tables=(_PEOPLE, _FOLDERS, _FILES, _VERSIONS, _SHARES, _TAGS),
    settle=_settle,
    policies=(
        Policy(name="locked_files", text="A locked file is neither moved nor renamed nor set back to an old version."),
        Policy(name="quota", text="A folder takes a file only if its quota holds it together with what it has."),
        Policy(name="confidential", text="A confidential file is not shared."),
        Policy(name="no_past_shares", text="No share is given a last day that is past."),
    ),
    tools=(
        Search(
            name="search_people",
            about="Find people by name, department or city.",
            table="people",
            filters=(_HAS_NAME, Filter(arg="department", path="department"), Filter(arg="city", path="city")),
            shows=("name", "badge", "department", "city"),
        ),
        Get(
            name="find_person_by_badge",
            about="Find the person who has a badge.",
            table="people",
            arg="badge",
            by="badge",
            shows=("name", "department"),
        ),
        Search(
            name="list_folders",
            about="List folders by name and owner.",
            table="folders",
            filters=(_HAS_NAME, _BY_OWNER),
            shows=("name", "owner_id", "quota_kb", "used_kb"),
        ),
        Search(
            name="search_files",
            about="Find files by name, folder, owner, format and size.",
            table="files",
            filters=(
                _HAS_NAME,
                _BY_FOLDER,
                _BY_OWNER,
                _BY_KIND,
                Filter(arg="min_size_kb", path="size_kb", compare="at_least"),
            ),
            shows=("name", "folder_id", "folder_id.name", "owner_id", "kind", "modified_on"),
        ),
        Get(
            name="get_file",
            about="Show all about a file.",
            table="files",
            arg="file_id",
            shows=(
                "name",
                "reference",
                "folder_id",
                "owner_id",
                "owner_id.name",
                "kind",
                "level",
                "size_kb",
                "modified_on",
                "is_locked",
            ),
        ),
        Get(
            name="find_file_by_reference",
            about="Find a file by its reference number.",
            table="files",
            arg="reference",
            by="reference",
            shows=("name", "folder_id.name", "owner_id"),
        ),
        Total(
            name="total_size",
            about="Add up the size of files, by folder, owner and format.",
            table="files",
            filters=(_BY_FOLDER, _BY_OWNER, _BY_KIND),
            how="sum",
            of="size_kb",
        ),
        Total(
            name="average_size",
            about="Tell the mean size of the files of a format.",
            table="files",
            filters=(Filter(arg="kind", path="kind", is_required=True), _BY_LEVEL),
            how="mean",
            of="size_kb",
        ),
        Search(
            name="list_versions",
            about="List the old versions of a file, or those that a person saved.",
            table="versions",
            filters=(_BY_FILE, Filter(arg="author_id", path="author_id")),
            shows=("file_id", "file_id.name", "author_id", "saved_on", "size_kb"),
        ),
        Search(
            name="list_shares",
            about="List the shares of a file or with a person.",
            table="shares",
            filters=(
                _BY_FILE,
                _BY_PERSON,
                Filter(arg="access", path="access"),
                Filter(arg="expires_until", path="expires_on", compare="at_most"),
            ),
            shows=("file_id", "file_id.name", "person_id", "person_id.name", "access", "expires_on"),
        ),
        Total(
            name="count_shares",
            about="Count shares by file, person and access.",
            table="shares",
            filters=(_BY_FILE, _BY_PERSON, Filter(arg="access", path="access")),
            how="count",
        ),
        Search(
            name="list_tags",
            about="List the tags of a file, or the files with a label.",
            table="tags",
            filters=(_BY_FILE, Filter(arg="label", path="label")),
            shows=("file_id", "file_id.name", "label"),
        ),
        Write(
            name="move_file",
            about="Move a file into another folder, whose quota must hold it.",
            params=(_FILE, _FOLDER),
            requires=(
                _unlocked("file_id"),
                Require(
                    left=Cell("file_id", "folder_id"),
                    op="!=",
                    right=Arg("folder_id"),
                    error="{file_id} is in {folder_id} already",
                ),
                _FITS,
            ),
            effects=(
                Set(
                    "file_id",
                    "folder_id.used_kb",
                    Sum(Cell("file_id", "folder_id.used_kb"), Cell("file_id", "size_kb"), -1),
                ),
                _GROWS,
                Set("file_id", "folder_id", Arg("folder_id")),
            ),
            asks=(
                "move {file_id} to {folder_id}",
                "put {file_id} into {folder_id}",
                "have {file_id} moved to {folder_id}",
            ),
            is_idempotent=True,
        ),
        Write(
            name="copy_file",
            about="Copy a file into a folder, whose quota must hold it; the copy has a name of its own.",
            params=(_FILE, _FOLDER, Param(name="name", of="files.name", about="Name of the copy")),
            requires=(_FITS,),
            effects=(
                Insert(
                    "files",
                    {
                        "name": Arg("name"),
                        "folder_id": Arg("folder_id"),
                        "owner_id": Cell("file_id", "owner_id"),
                        "kind": Cell("file_id", "kind"),
                        "level": Cell("file_id", "level"),
                        "size_kb": Cell("file_id", "size_kb"),
                        "modified_on": Today(),
                        "is_locked": Const(False),
                    },
                ),
                _GROWS,
            ),
            asks=(
                "copy {file_id} into {folder_id} under the name {name}",
                "make a copy of {file_id} with the name {name} in {folder_id}",
                "put a copy of {file_id} into {folder_id} and give it the name {name}",
            ),
        ),
        Write(
            name="rename_file",
            about="Give a file another name.",
            params=(_FILE, Param(name="name", of="files.name", about="The new name")),
            requires=(_unlocked("file_id"),),
            effects=(Set("file_id", "name", Arg("name")),),
            asks=(
                "rename {file_id} to {name}",
                "change the name of {file_id} to {name}",
                "give {file_id} the name {name}",
            ),
            is_idempotent=True,
        ),
        Write(
            name="restore_version",
            about="Set a file back to an old version; it has that version's size again.",
            params=(Param(name="version_id", of="versions.id"),),
            requires=(_unlocked("version_id", "file_id.is_locked"),),
            effects=(
                Set(
                    "version_id",
                    "file_id.folder_id.used_kb",
                    Sum(
                        Sum(Cell("version_id", "file_id.folder_id.used_kb"), Cell("version_id", "size_kb")),
                        Cell("version_id", "file_id.size_kb"),
                        -1,
                    ),
                ),
                Set("version_id", "file_id.size_kb", Cell("version_id", "size_kb")),
                Set("version_id", "file_id.modified_on", Today()),
            ),
            asks=("set the file back to {version_id}", "restore {version_id}", "bring {version_id} back"),
            is_idempotent=True,
        ),
        Write(
            name="share_file",
            about="Share a file with a person until a day.",
            params=(
                _FILE,
                Param(name="person_id", of="people.id"),
                Param(name="access", of="shares.access"),
                Param(name="expires_on", of="shares.expires_on"),
            ),
            requires=(
                Require(
                    left=Cell("file_id", "level"),
                    op="!=",
                    right=Const("confidential"),
                    error="{file_id} is confidential",
                    policy="confidential",
                ),
                Require(
                    left=Arg("expires_on"),
                    op=">=",
                    right=Today(),
                    error="{expires_on} is past",
                    policy="no_past_shares",
                ),
            ),
            effects=(
                Insert(
                    "shares",
                    {
                        "file_id": Arg("file_id"),
                        "person_id": Arg("person_id"),
                        "access": Arg("access"),
                        "expires_on": Arg("expires_on"),
                    },
                ),
            ),
            asks=(
                "share {file_id} with {person_id} as {access} until {expires_on}",
                "let {person_id} have {access} access to {file_id} until {expires_on}",
                "give {person_id} access to {file_id} as {access}, up to {expires_on}",
            ),
        ),
        Write(
            name="change_access",
            about="Change what a person may do with a shared file.",
            params=(_SHARE, Param(name="access", of="shares.access")),
            effects=(Set("share_id", "access", Arg("access")),),
            asks=(
                "change the access of {share_id} to {access}",
                "set {share_id} to {access}",
                "have {share_id} give {access} access",
            ),
            is_idempotent=True,
        ),
        Write(
            name="end_share",
            about="Remove a share.",
            params=(_SHARE,),
            effects=(Delete("share_id"),),
            asks=("end {share_id}", "remove {share_id}", "have {share_id} revoked"),
            is_idempotent=True,
        ),
        Write(
            name="add_tag",
            about="Put a label on a file.",
            params=(_FILE, Param(name="label", of="tags.label")),
            effects=(Insert("tags", {"file_id": Arg("file_id"), "label": Arg("label")}),),
            asks=("tag {file_id} as {label}", "put the label {label} on {file_id}", "add the tag {label} to {file_id}"),
        ),
    ),
    pools={
        "train": PEOPLE["train"]
        | {
            "project": words("Atlas Bison Comet Dolphin Egret Fennel Gecko Heron Iguana Jaguar Koala Lynx"),
            "shelf": words("Plans Figures Sources Slides Minutes Exports Samples Scans Sketches Tables Archive"),
            "theme": words("Annual Monthly Weekly Final Rough Joint Local Global Early Spring"),
            "paper": words("report budget invoice memo syllabus contract manual overview checklist timetable"),
            "label": words("urgent draft approved outdated template shared"),
        },
        "heldout": PEOPLE["heldout"]
        | {
            "project": words("Ermine Condor Ferret Gazelle Hyena Impala Kestrel Leopard Marten Newt Osprey Panther"),
            "shelf": words("Folders Charts Inputs Decks Protocols Backups Specimens Photos Layouts Matrices Depot"),
            "theme": words("Yearly Interim Daily Revised Complete Regional National Preliminary Second Short"),
            "paper": words("dossier forecast receipt letter study agreement handbook digest inventory roster"),
            "label": words("pending reviewed obsolete sample private important"),
        },
    },
)
