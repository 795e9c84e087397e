"""A task of a terminal as a folder holds it: what is asked, where, how it is judged, and a solution."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from palestra.envs.base import Json
from palestra.envs.terminal.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One task. The trees' paths begin at the folders that hold them; equal packages mean the same task."""

    name: str  # of its folder
    instruction: str
    settings: Mapping[str, Json]  # what task.toml says
    environment: Tree  # the Dockerfile and what it copies
    tests: Tree
    solution: Tree = field(default_factory=Tree)
    beside: Tree = field(default_factory=Tree)  # other files of the folder, which mean nothing here

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON data."""
        trees = {name: getattr(self, name).to_json() for name in _TREES}
        return {"name": self.name, "instruction": self.instruction, "settings": dict(self.settings), **trees}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Self:
        """Return the package that `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is none.
        """
        trees = {name: Tree.from_json(value[name]) for name in _TREES}
        return cls(name=value["name"], instruction=value["instruction"], settings=value["settings"], **trees)


_TREES = ("environment", "tests", "solution", "beside")
