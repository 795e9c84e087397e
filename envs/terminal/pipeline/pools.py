"""What a task is to be about: a kind of work, how hard it is, and who needs it, drawn from pools by seed.

Held-out ideas have kinds of work and people that training never has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from palestra.envs.base import Json, Split, derive_seed, digest
from palestra.envs.draws import Draws

CATEGORIES: Final[Mapping[Split, Sequence[str]]] = {
    "train": (
        "sorting files into folders by a rule",
        "renaming many files by a pattern",
        "finding and removing duplicate files",
        "setting permissions and owners",
        "mending broken symbolic links",
        "packing archives with chosen members",
        "unpacking nested archives and checking what they hold",
        "verifying checksums and listing what differs",
        "converting character encodings and line ends",
        "splitting a large file and joining parts",
        "comparing two folders and writing a report",
        "counting and ranking lines of an access log",
        "finding errors in a time window of several logs",
        "joining events of two logs by an identifier",
        "rotating and compressing logs",
        "redacting personal data in logs",
        "rebuilding sessions from single requests",
        "extracting fields from logs of several lines an entry",
        "computing rates and percentiles from logs",
        "filtering and aggregating CSV files",
        "joining tables of different formats",
        "turning JSON into CSV, or back",
        "editing settings in INI, TOML or JSON in place",
        "validating records and separating bad ones",
        "normalising dates, numbers and units",
        "pivoting a table",
        "merging translations or dictionaries of keys",
        "computing statistics with awk",
        "mending a failing shell script",
        "writing a script to a given interface",
        "writing a small command in Python",
        "mending a Makefile so that a program builds",
        "building a small C program with several sources",
        "mending a program's wrong output",
        "filling templates from a table of values",
        "scheduling jobs in a crontab's format",
        "undoing or splitting commits in a git repository",
        "resolving a merge in a git repository",
        "finding the commit that introduced something",
        "starting and configuring a small service",
        "finding out which process holds a file or port",
        "creating an sqlite database from files",
        "querying an sqlite database into a report",
        "migrating the schema of an sqlite database",
        "mending inconsistent rows in an sqlite database",
        "moving data between two sqlite databases",
    ),
    "heldout": (
        "tracing references between documents",
        "cleaning up a shared folder by age and size",
        "summarising measurements with gaps",
        "reconciling two ledgers",
        "tracking a setting through layers of configuration",
        "mending a script that fails on odd file names",
        "recovering a deleted file from a git repository",
        "archiving by month with a manifest",
        "auditing permissions against a policy",
        "indexing text and answering look-ups from the index",
        "deriving views and triggers in an sqlite database",
        "merging fixed-width records into a table",
    ),
}
COMPLEXITIES: Final[Sequence[str]] = (
    "one thing, done with one or two commands by somebody who knows them",
    "one thing with two or three conditions that are easily overlooked",
    "two things, the second of which needs the result of the first",
    "two or three things, with irregular input that a quick one-liner gets wrong",
    "a fault that has to be found before it can be mended, and proof that it is",
    "three or four things in a row, where formats and corner cases are told exactly",
)
SCENARIOS: Final[Mapping[Split, Sequence[str]]] = {
    "train": (
        "an archivist at a town museum",
        "a night-shift operator of a water works",
        "a volunteer who runs a library's computers",
        "a bioinformatics student with field samples",
        "a bookkeeper of a bakery chain",
        "a backend developer before a release",
        "a teacher who collects homework files",
        "the maintainer of an open-source map",
        "a clerk at a port authority",
        "a weather-station hobbyist",
        "an auditor of a hospital's access records",
        "a radio station's playlist editor",
        "a site reliability engineer after an incident",
        "a translator of board games",
        "a photographer with ten years of pictures",
        "an election office counting turnout",
        "a theatre's ticket office",
        "a physics lab's data manager",
        "a bicycle courier company's dispatcher",
        "a mushroom farm's quality controller",
        "a railway timetable planner",
        "a security analyst of a small bank",
        "a recipe website's editor",
        "a dentist's practice that changes its software",
        "a university's exam office",
        "a game studio's build engineer",
        "a winery that labels its bottles",
        "a telescope's night assistant",
        "a sailing club's race committee",
        "a choir's sheet-music librarian",
        "a call centre's shift planner",
        "a genealogist with parish registers",
        "a solar-park operator",
        "a film festival's submissions desk",
        "an animal shelter's coordinator",
        "a car-sharing company's data engineer",
    ),
    "heldout": (
        "a lighthouse trust's secretary",
        "a seed bank's curator",
        "a mountain-rescue base",
        "a chess federation's rating officer",
        "a puppet theatre on tour",
        "an avalanche-warning service",
        "a community garden's treasurer",
        "a clockmaker's workshop",
        "a ferry line's purser",
        "a beekeepers' cooperative",
        "a city's tree inspector",
        "a language school's registrar",
    ),
}


@dataclass(frozen=True, slots=True)
class Idea:
    """What a task is to be about."""

    category: str
    complexity: str
    scenario: str

    @property
    def template(self) -> str:
        """The name that tasks of this idea share."""
        return digest(self.to_json())[:16]

    def to_json(self) -> dict[str, Json]:
        """Return the idea as JSON data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Place:
    """What a task is made for: a number among those of its split, from which its idea and all seeds follow."""

    number: int
    split: Split

    @property
    def idea(self) -> Idea:
        """What it is to be about. All of a split's categories come before one comes again, in another order."""
        categories = CATEGORIES[self.split]
        turn, place = divmod(self.number, len(categories))
        order = Draws("terminal", f"pipeline/{self.split}", turn, "categories").shuffled(categories)
        draws = Draws("terminal", f"pipeline/{self.split}", self.number, "idea")
        return Idea(
            category=order[place], complexity=draws.pick(COMPLEXITIES), scenario=draws.pick(SCENARIOS[self.split])
        )

    def draw(self, stage: str) -> int:
        """Return the seed of a stage."""
        return derive_seed("terminal", f"pipeline/{self.split}", self.number, stage)
