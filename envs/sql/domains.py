"""The worlds that questions are about, and the values in them.

Training and held-out tasks have different worlds and different pools of names, places and words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from palestra.envs.base import Split
from palestra.envs.code.draws import Draws
from palestra.envs.sql.schema import Column, Schema, Table, Value

_NAMES: Final[Mapping[Split, str]] = {
    "train": "Ada Ben Cleo Dan Eva Finn Gina Hugo Iris Jon Kim Leo Mia Noah Ola Pia Quinn Rosa Sam Tess",
    "heldout": "Arne Bela Cyrus Dora Egon Freya Goran Heidi Ivo Jana Kaya Lars Mona Nils Odin Petra Rafa Siri",
}
_PLACES: Final[Mapping[Split, str]] = {
    "train": "Oslo Lima Paris Turin Porto Kyoto Delhi Accra Cairo Quito",
    "heldout": "Bergen Cusco Lyon Genoa Braga Osaka Pune Kumasi Giza Cuenca",
}
_COUNTRIES: Final[Mapping[Split, str]] = {
    "train": "Norway Peru France Italy Portugal Japan India Ghana",
    "heldout": "Sweden Chile Belgium Greece Spain Korea Nepal Togo",
}
_TITLES: Final[Mapping[Split, tuple[str, str]]] = {
    "train": ("Red Silent Last Golden Lost First Cold Hidden", "River Garden Winter Harbor Letter Mirror Island"),
    "heldout": (
        "Blue Quiet Broken Silver Distant Final Warm Secret",
        "Mountain Forest Summer Bridge Diary Window Valley",
    ),
}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _days(first: str, count: int, step: int) -> tuple[str, ...]:
    start = date.fromisoformat(first)
    return tuple((start + timedelta(days=number * step)).isoformat() for number in range(count))


@dataclass(frozen=True, slots=True)
class _Pool:
    """Values that depend on the split."""

    name: str

    def values(self, split: Split) -> tuple[Value, ...]:
        if self.name == "title":
            firsts, seconds = _TITLES[split]
            return tuple(f"{first} {second}" for first in firsts.split() for second in seconds.split())
        return _words({"person": _NAMES, "place": _PLACES, "country": _COUNTRIES}[self.name][split])


@dataclass(frozen=True, slots=True)
class _Draft:
    """A column before a split is chosen; `may_lack` says that a task may do without it."""

    column: Column
    pool: _Pool | None = None
    may_lack: bool = False


def _text(name: str, words: str, values: str, *, gaps: bool = False, spare: bool = True) -> _Draft:
    """Return a text column: values are a pool's name after an @, or words."""
    pool = _Pool(values[1:]) if values.startswith("@") else None
    column = Column(name=name, words=words, kind="text", values=() if pool else _words(values), is_optional=gaps)
    return _Draft(column, pool, spare)


def _whole(name: str, words: str, low: int, high: int, *, gaps: bool = False, spare: bool = False) -> _Draft:
    return _Draft(
        Column(name=name, words=words, kind="int", values=tuple(range(low, high + 1)), is_optional=gaps),
        may_lack=spare,
    )


def _real(name: str, words: str, low: int, high: int, *, gaps: bool = False, spare: bool = False) -> _Draft:
    """Return a column of quarters, whose sums are exact in whichever order they are added."""
    values = tuple(number / 4 for number in range(low * 4, high * 4 + 1))
    return _Draft(Column(name=name, words=words, kind="real", values=values, is_optional=gaps), may_lack=spare)


def _date(name: str, words: str, first: str = "2021-01-04", *, gaps: bool = False, spare: bool = False) -> _Draft:
    return _Draft(
        Column(name=name, words=words, kind="date", values=_days(first, 160, 7), is_optional=gaps), may_lack=spare
    )


def _link(to: str, role: str = "", *, gaps: bool = False) -> _Draft:
    role = role or to
    return _Draft(
        Column(name=f"{role}_id", words=f"id of the {role}", kind="int", links=to, role=role, is_optional=gaps)
    )


@dataclass(frozen=True, slots=True)
class _Sheet:
    noun: str
    plural: str
    drafts: tuple[_Draft, ...]

    @property
    def links(self) -> frozenset[str]:
        return frozenset(draft.column.links for draft in self.drafts if draft.column.links)


def _sheet(noun: str, plural: str, *drafts: _Draft) -> _Sheet:
    return _Sheet(noun, plural, drafts)


# Parents stand before children; the first three tables of a world hang together.
_WORLDS: Final[Mapping[str, tuple[_Sheet, ...]]] = {
    "library": (
        _sheet(
            "author",
            "authors",
            _text("name", "name", "@person", spare=False),
            _text("country", "country", "@country", gaps=True),
            _whole("awards", "number of awards", 0, 6, gaps=True),
            _date("born", "date of birth", "1950-02-01", spare=True),
        ),
        _sheet(
            "book",
            "books",
            _text("title", "title", "@title", spare=False),
            _link("author", gaps=True),
            _whole("pages", "number of pages", 60, 480),
            _real("price", "price", 4, 40, gaps=True),
            _text("genre", "genre", "novel poetry crime travel history", gaps=True),
            _date("published", "date of publication", spare=True),
        ),
        _sheet(
            "loan",
            "loans",
            _link("book"),
            _link("member", gaps=True),
            _date("taken", "day it was taken"),
            _date("returned", "day it was returned", "2021-02-08", gaps=True),
            _real("fine", "fine", 0, 12, gaps=True),
        ),
        _sheet(
            "member",
            "members",
            _text("name", "name", "@person", spare=False),
            _text("city", "city", "@place", gaps=True),
            _date("joined", "day of joining"),
            _whole("points", "number of points", 0, 90, gaps=True),
        ),
        _sheet(
            "review",
            "reviews",
            _link("book"),
            _link("member", gaps=True),
            _whole("stars", "number of stars", 1, 5),
            _date("written", "day it was written", gaps=True),
            _text("language", "language", "english french polish hindi"),
        ),
    ),
    "shop": (
        _sheet(
            "customer",
            "customers",
            _text("name", "name", "@person", spare=False),
            _text("city", "city", "@place", gaps=True),
            _whole("age", "age", 18, 80, gaps=True),
            _date("registered", "day of registration", spare=True),
        ),
        _sheet(
            "purchase",
            "purchases",
            _link("customer", gaps=True),
            _link("clerk", gaps=True),
            _date("ordered", "day of the order"),
            _date("shipped", "day of shipping", "2021-01-18", gaps=True),
            _real("amount", "amount", 5, 90),
            _text("status", "status", "open paid sent refunded", gaps=True),
        ),
        _sheet(
            "complaint",
            "complaints",
            _link("purchase"),
            _whole("severity", "severity", 1, 5, gaps=True),
            _date("filed", "day of filing"),
            _text("topic", "topic", "delay damage price wrong", gaps=True),
        ),
        _sheet(
            "clerk",
            "clerks",
            _text("name", "name", "@person", spare=False),
            _link("clerk", "mentor", gaps=True),
            _real("wage", "hourly wage", 11, 30),
            _date("hired", "day of hiring", "2018-01-01", spare=True),
            _text("branch", "branch", "@place", gaps=True),
        ),
        _sheet(
            "payment",
            "payments",
            _link("purchase"),
            _real("paid", "sum paid", 1, 60),
            _text("method", "method", "card cash transfer voucher", gaps=True),
            _date("received", "day of receipt", gaps=True),
        ),
    ),
    "school": (
        _sheet(
            "teacher",
            "teachers",
            _text("name", "name", "@person", spare=False),
            _text("subject", "subject", "math art music biology latin", gaps=True),
            _whole("years", "years of service", 0, 35, gaps=True),
        ),
        _sheet(
            "course",
            "courses",
            _text("title", "title", "@title", spare=False),
            _link("teacher", gaps=True),
            _whole("credits", "number of credits", 1, 12),
            _real("fee", "fee", 0, 60, gaps=True),
            _date("starts", "first day"),
        ),
        _sheet(
            "enrolment",
            "enrolments",
            _link("course"),
            _link("pupil"),
            _whole("grade", "grade", 1, 20, gaps=True),
            _date("enrolled", "day of enrolment"),
            _text("state", "state", "active passed failed left", gaps=True),
        ),
        _sheet(
            "pupil",
            "pupils",
            _text("name", "name", "@person", spare=False),
            _text("town", "town", "@place", gaps=True),
            _date("born", "date of birth", "2004-01-05", gaps=True),
            _link("teacher", "tutor", gaps=True),
        ),
        _sheet(
            "exam",
            "exams",
            _link("course"),
            _date("held", "day it was held", gaps=True),
            _whole("minutes", "length in minutes", 20, 180),
            _real("weight", "weight", 1, 10, gaps=True),
        ),
    ),
    "farm": (
        _sheet(
            "field",
            "fields",
            _text("name", "name", "@place", spare=False),
            _real("area", "area in hectares", 1, 30),
            _text("soil", "soil", "clay sand loam peat", gaps=True),
            _whole("altitude", "altitude in metres", 0, 300, gaps=True),
        ),
        _sheet(
            "crop",
            "crops",
            _link("field"),
            _text("plant", "plant", "wheat barley maize beet clover", spare=False),
            _date("sown", "day of sowing"),
            _real("cost", "cost", 5, 80, gaps=True),
        ),
        _sheet(
            "harvest",
            "harvests",
            _link("crop"),
            _link("worker", gaps=True),
            _date("done", "day it was done", "2021-04-05", gaps=True),
            _real("tons", "weight in tons", 0, 40, gaps=True),
            _whole("hours", "number of hours", 1, 40),
        ),
        _sheet(
            "worker",
            "workers",
            _text("name", "name", "@person", spare=False),
            _link("worker", "foreman", gaps=True),
            _real("wage", "hourly wage", 10, 25),
            _date("hired", "day of hiring", "2017-03-06"),
            _text("home", "home town", "@place", gaps=True),
        ),
        _sheet(
            "inspection",
            "inspections",
            _link("field"),
            _link("worker", gaps=True),
            _date("made", "day it was made"),
            _whole("score", "score", 0, 10, gaps=True),
        ),
    ),
    "clinic": (
        _sheet(
            "doctor",
            "doctors",
            _text("name", "name", "@person", spare=False),
            _text("specialty", "specialty", "heart skin bones eyes general", gaps=True),
            _real("rate", "hourly rate", 40, 120, gaps=True),
            _date("licensed", "day of the licence", "2001-05-07", spare=True),
        ),
        _sheet(
            "appointment",
            "appointments",
            _link("patient"),
            _link("doctor", gaps=True),
            _date("booked", "day of booking"),
            _date("held", "day it was held", "2021-01-25", gaps=True),
            _whole("minutes", "length in minutes", 5, 90),
            _text("outcome", "outcome", "cured referred again missed", gaps=True),
        ),
        _sheet(
            "bill",
            "bills",
            _link("appointment"),
            _real("total", "total", 10, 200),
            _date("settled", "day it was settled", gaps=True),
            _whole("reminders", "number of reminders", 0, 4, gaps=True),
        ),
        _sheet(
            "patient",
            "patients",
            _text("name", "name", "@person", spare=False),
            _text("city", "city", "@place", gaps=True),
            _date("born", "date of birth", "1948-01-05"),
            _whole("weight", "weight in kilograms", 45, 110, gaps=True),
        ),
    ),
    "airline": (
        _sheet(
            "pilot",
            "pilots",
            _text("name", "name", "@person", spare=False),
            _link("pilot", "captain", gaps=True),
            _whole("flown", "number of hours flown", 100, 900, gaps=True),
            _text("base", "base", "@place", gaps=True),
        ),
        _sheet(
            "flight",
            "flights",
            _text("target", "destination", "@place", spare=False),
            _link("pilot", gaps=True),
            _date("departs", "day of departure"),
            _whole("seats", "number of seats", 20, 200),
            _real("delay", "delay in hours", 0, 9, gaps=True),
        ),
        _sheet(
            "ticket",
            "tickets",
            _link("flight"),
            _link("guest", gaps=True),
            _real("fare", "fare", 20, 150),
            _date("sold", "day of sale", "2020-11-02", gaps=True),
            _text("cabin", "cabin", "economy comfort business", gaps=True),
        ),
        _sheet(
            "guest",
            "guests",
            _text("name", "name", "@person", spare=False),
            _text("country", "country", "@country", gaps=True),
            _whole("miles", "number of miles", 0, 500, gaps=True),
            _date("enrolled", "day of enrolment"),
        ),
        _sheet(
            "bag",
            "bags",
            _link("ticket"),
            _real("weight", "weight in kilograms", 2, 32),
            _date("lost", "day it was lost", gaps=True),
            _text("size", "size", "small medium large", gaps=True),
        ),
    ),
    "museum": (
        _sheet(
            "artist",
            "artists",
            _text("name", "name", "@person", spare=False),
            _text("country", "country", "@country", gaps=True),
            _date("born", "date of birth", "1900-01-01", gaps=True),
            _whole("prizes", "number of prizes", 0, 8),
        ),
        _sheet(
            "work",
            "works",
            _text("title", "title", "@title", spare=False),
            _link("artist", gaps=True),
            _real("worth", "worth in thousands", 1, 90, gaps=True),
            _whole("height", "height in centimetres", 10, 300),
            _text("medium", "medium", "oil ink bronze paper", gaps=True),
            _date("bought", "day of purchase"),
        ),
        _sheet(
            "display",
            "displays",
            _link("work"),
            _link("room", gaps=True),
            _date("opened", "first day"),
            _date("closed", "last day", "2021-03-01", gaps=True),
            _whole("visitors", "number of visitors", 0, 400, gaps=True),
        ),
        _sheet(
            "room",
            "rooms",
            _text("name", "name", "@place", spare=False),
            _real("area", "area in square metres", 10, 90),
            _whole("storey", "storey", 0, 4, gaps=True),
        ),
    ),
}
HELDOUT: Final = ("airline", "museum")
DOMAINS: Final[Mapping[Split, tuple[str, ...]]] = {
    "train": tuple(name for name in _WORLDS if name not in HELDOUT),
    "heldout": HELDOUT,
}


def make_schema(split: Split, domain: str, count: int, draws: Draws) -> Schema:
    """Return a schema of a world: so many of its tables, some of their columns, in an order and with names of its own.

    Links to tables that are left out are left out, too.
    """
    sheets = list(_WORLDS[domain])
    known = {sheet.noun for sheet in sheets[:3]}
    while len(known) < min(count, len(sheets)):
        spare = [sheet for sheet in sheets if sheet.noun not in known]
        near = [
            one
            for one in spare
            if one.links & known or any(one.noun in sheet.links for sheet in sheets if sheet.noun in known)
        ]
        known.add(draws.pick(near).noun)
    is_plural = draws.chance(0.5)
    tables = [_table(sheet, split, known, is_plural, draws) for sheet in sheets if sheet.noun in known]
    return Schema(domain, tuple(_parents_first(tables)))


def _table(sheet: _Sheet, split: Split, known: set[str], is_plural: bool, draws: Draws) -> Table:
    kept = []
    for draft in sheet.drafts:
        column = draft.column
        if (column.links and column.links not in known) or (draft.may_lack and draws.chance(0.2)):
            continue
        kept.append(replace(column, values=draft.pool.values(split)) if draft.pool else column)
    key = Column(name="id", words="id", kind="int")
    name = sheet.plural if is_plural else sheet.noun
    return Table(key=sheet.noun, name=name, noun=sheet.noun, plural=sheet.plural, columns=(key, *draws.shuffled(kept)))


def _parents_first(tables: list[Table]) -> list[Table]:
    ordered: list[Table] = []
    left = list(tables)
    while left:
        done = {table.key for table in ordered}
        free = [table for table in left if all(link.links in done | {table.key} for link in table.links)]
        ordered += free
        left = [table for table in left if table not in free]
    return ordered
