"""What a domain is made of: its tools, a maker of tables, and templates of tasks about one record.

A template speaks of its subject, one record, by paths: ``item`` is a field of it, ``user.name`` follows
a reference, ``id`` is its id, and ``new`` is the value that a write puts in.
"""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from palestra.envs.base import Json, Split
from palestra.envs.toolmini.pools import Pools
from palestra.envs.toolmini.tables import Record, Schema, Tables

_SLOT = re.compile(r"\{([a-z_.]+)\}")
DONE = "done"  # the answer to a task that asks for a change


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A kind of task: its wordings, the calls that solve it, and what the answer is."""

    name: str
    split: Split
    table: str  # the subject's
    texts: tuple[str, ...]
    calls: tuple[tuple[str, ...], ...]  # a tool's name, then the paths of its arguments
    answer: str  # a path, "count" (of the subject's group) or "done"
    kind: str = ""  # templates of one kind take turns; without one, a template is a kind of its own
    group: str = ""  # the field whose value the subject shares with its group
    top: str = ""  # the field in which the subject is the greatest of its group
    new: str = ""  # the field that gets a new value
    where: Mapping[str, Json] = field(default_factory=dict)  # what the subject must hold

    @property
    def hops(self) -> int:
        """How many calls come before the answer."""
        return len(self.calls)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that the template speaks of."""
        spoken = (slot for text in self.texts for slot in _SLOT.findall(text))
        return (*(path for _, *paths in self.calls for path in paths), *spoken, self.answer, self.group, self.top)


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """One world: its schema, its templates, and how its tables are filled."""

    name: str
    schema: Schema
    templates: tuple[Template, ...]
    fill: Callable[[random.Random, Pools, int, int], Tables]  # (rng, pools, records, namesakes), with every fact

    def subject(self, tables: Tables, template: Template, id_: str, new: Json = None) -> Record:
        """Return a record as a template's paths see it."""
        return {**tables[template.table][id_], "id": id_, "new": new}

    def value(self, tables: Tables, template: Template, subject: Mapping[str, Json], path: str) -> Json:
        """Return what a path stands for."""
        if path == "count":
            return len(group(tables, template, subject))
        if path == DONE:
            return DONE
        if path.startswith("new."):
            target = self.schema.refs[template.new]
            return tables[target][subject["new"]][path.removeprefix("new.")]
        return self.schema.resolve(tables, subject, path)

    def fits(self, tables: Tables, template: Template, subject: Mapping[str, Json]) -> bool:
        """Tell whether a record can be a template's subject."""
        if any(subject[name] != value for name, value in template.where.items()):
            return False
        if not template.top:
            return True
        others = [record[template.top] for record in group(tables, template, subject)]
        return len(others) > 1 and max(others) == subject[template.top]

    def wording(self, tables: Tables, template: Template, subject: Mapping[str, Json], text: str) -> str:
        """Return one of a template's texts with its slots filled."""
        return _SLOT.sub(lambda slot: str(self.value(tables, template, subject, slot[1])), text)


def group(tables: Tables, template: Template, subject: Mapping[str, Json]) -> list[Record]:
    """Return the records that share the template's group field with the subject, itself included."""
    name = template.group
    return [record for record in tables[template.table].values() if record[name] == subject[name]]
