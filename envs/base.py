"""The envs folder's nouns: tasks, where they come from, and a frozen moment of an episode.

Imports nothing heavy: neither gymnasium nor numpy.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, runtime_checkable

from palestra.rewards.base import Check, Verdict
from palestra.sandbox.base import SandboxSnapshot, SavedSnapshot

Json = Any  # None, bool, int, float, str, list or dict with str keys, all the way down
Message = dict[str, Any]  # an OpenAI-style chat message: role, content, tool_calls, tool_call_id
Split = Literal["train", "heldout"]
SPLITS: tuple[Split, ...] = ("train", "heldout")


class TaskError(ValueError):
    """A task, a task file, a split or a difficulty knob is malformed; the message says which."""


class EpisodeOver(RuntimeError):
    """`step` was called after the end, or before the first `reset`."""


class SnapshotError(ValueError):
    """A snapshot belongs to another environment or its content does not match its hash."""


def canonical_json(value: Json) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, no NaN.

    Raises:
        TaskError: the value is not JSON.
    """
    return _encoded(_CANONICAL, value)


def json_text(value: Json) -> str:
    """Return a value's JSON text, its keys in their own order: no spaces, no NaN.

    Raises:
        TaskError: the value is not JSON.
    """
    return _encoded(_IN_ORDER, value)


_CANONICAL, _IN_ORDER = (
    json.JSONEncoder(sort_keys=sort_keys, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for sort_keys in (True, False)
)


def _encoded(encoder: json.JSONEncoder, value: Json) -> str:
    try:
        return encoder.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise TaskError(f"not a JSON value: {error}") from error


def copy_json(value: Json) -> Json:
    """Return a value that shares no dict and no list with this one; tuples become lists."""
    if isinstance(value, (dict, Mapping)):  # dict first: Mapping alone is asked slowly
        return {name: inner if inner.__class__ in _PLAIN else copy_json(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [inner if inner.__class__ in _PLAIN else copy_json(inner) for inner in value]
    return value


_PLAIN = frozenset({str, int, float, bool, type(None)})  # what nobody can change


def digest(value: Json) -> str:
    """Return the sha256, in hex, of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def derive_seed(family: str, template: str, seed: int, stage: str) -> int:
    """Return a 63-bit seed for one stage of a generator.

    Stages draw independently, so a new knob does not shift what the old ones drew.
    """
    text = f"{family}|{template}|{seed}|{stage}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one episode may use. Turns end it as truncated; seconds of environment time lose it as a fault."""

    turns: int = 8
    seconds: float = 120.0

    def __post_init__(self) -> None:
        if type(self.turns) is not int or self.turns < 1:
            raise TaskError(f"a budget needs at least 1 turn, as an integer, not {self.turns!r}")
        if type(self.seconds) not in (int, float) or not 0 < self.seconds < float("inf"):
            raise TaskError(f"a budget's seconds must be a positive number, not {self.seconds!r}")


@dataclass(frozen=True, kw_only=True)
class Task:
    """One problem, fixed before its episode starts; equal content means equal `digest`.

    Only `instruction`, `tools`, `budget` and `public` ever reach an agent. `hidden` (the oracle,
    the expected state, the checks) stays with the verifier.
    """

    id: str  # "tooluse/shop/cancel_order/train/17"
    family: str
    seed: int
    instruction: str
    difficulty: Mapping[str, Json] = field(default_factory=dict)
    tools: tuple[Mapping[str, Json], ...] = ()  # OpenAI-style function tools with JSON Schema parameters
    budget: Budget = field(default_factory=Budget)
    public: Mapping[str, Json] = field(default_factory=dict)
    hidden: Mapping[str, Json] = field(default_factory=dict)
    provenance: Mapping[str, Json] = field(default_factory=dict)  # template, split, generator version

    def to_dict(self) -> dict[str, Json]:
        """Return the task as plain JSON data, hidden parts included: never show it to an agent."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: copy_json(value) for name, value in fields.items()} | {"budget": asdict(self.budget)}

    @cached_property
    def digest(self) -> str:
        """The sha256, in hex, of the task's canonical JSON."""
        return digest(self.to_dict())

    @classmethod
    def from_dict(cls, data: Mapping[str, Json]) -> Self:
        """Return the task that `to_dict` wrote.

        Raises:
            TaskError: a field is missing, unknown or of the wrong type.
        """
        if not isinstance(data, Mapping):
            raise TaskError(f"a task must be a JSON object, not {type(data).__name__}")
        known = set(cls.__dataclass_fields__)
        if unknown := sorted(set(data) - known):
            raise TaskError(f"unknown task field {unknown[0]!r}; known: {', '.join(sorted(known))}")
        if lacking := sorted({"id", "family", "seed", "instruction"} - set(data)):
            raise TaskError(f"task field {lacking[0]!r} is missing")
        for name, wanted in _FIELD_TYPES.items():
            if name in data and (not isinstance(data[name], wanted) or isinstance(data[name], bool)):
                raise TaskError(f"task field {name!r} must be {_words(wanted)}, not {data[name]!r}")
        for tool in data.get("tools", ()):
            function = tool.get("function") if isinstance(tool, Mapping) else None
            if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
                raise TaskError(f"task field 'tools' must hold function tools with names, not {tool!r:.200}")
            if not isinstance(function.get("parameters"), Mapping):
                raise TaskError(f"the tool {function['name']!r} must have 'parameters', a JSON Schema object")
        try:
            budget = Budget(**data.get("budget", {}))
        except TypeError as error:
            raise TaskError(f"task field 'budget' is malformed: {error}") from error
        canonical_json(dict(data))
        return cls(**{**data, "tools": tuple(data.get("tools", ())), "budget": budget})


_FIELD_TYPES: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "family": str,
    "seed": int,
    "instruction": str,
    "difficulty": Mapping,
    "tools": (list, tuple),
    "budget": Mapping,
    "public": Mapping,
    "hidden": Mapping,
    "provenance": Mapping,
}


def _words(wanted: type | tuple[type, ...]) -> str:
    kinds = wanted if isinstance(wanted, tuple) else (wanted,)
    return " or ".join(
        {"Mapping": "object", "str": "text", "int": "an integer"}.get(k.__name__, k.__name__) for k in kinds
    )


class TaskSource(Protocol):
    """Where tasks come from. Splits differ by template and by value pool, not by seed alone."""

    split: Split
    knobs: Mapping[str, Json]  # every difficulty knob with its default

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed: the same bytes for the same arguments, in any process.

        Raises:
            TaskError: a knob is unknown or out of range.
        """
        ...

    def __iter__(self) -> Iterator[Task]:
        """Yield the tasks of seeds 0, 1, 2 ... without end."""
        ...


def merge_knobs(defaults: Mapping[str, Json], chosen: Mapping[str, Json] | None) -> dict[str, Json]:
    """Return the defaults overridden by what was chosen.

    Raises:
        TaskError: a chosen knob is unknown or of another type than its default.
    """
    merged = dict(defaults)
    for name, value in (chosen or {}).items():
        if name not in defaults:
            raise TaskError(f"unknown difficulty knob {name!r}; known: {', '.join(sorted(defaults))}")
        if type(value) is not type(defaults[name]):
            raise TaskError(f"knob {name!r} takes {type(defaults[name]).__name__}, not {value!r}")
        merged[name] = value
    return merged


@runtime_checkable
class Judging(Protocol):
    """An environment whose tasks are solved by one text that is handed in: a program, a query, a module.

    What judges such a text outside an episode, in CI or for another trainer, needs no more than this.
    """

    def artefact(self, task: Task) -> str:
        """Return the usual name of a file that holds a solution of the task, such as "main.py"."""
        ...

    def judge(self, task: Task, text: str) -> Verdict:
        """Return the verdict that handing in the text would get in an episode of the task.

        Raises:
            VerifierError: the task's own tests are broken.
            InfraError: the sandbox failed.
        """
        ...

    def explain(self, task: Task, check: Check) -> str:
        """Return what a task's owner is told of a failed check, hidden inputs included; "" if there is no more.

        Never to be shown to an agent.
        """
        ...


class Frozen(Protocol):
    """A moment of an episode as its environment holds it: never changed, and JSON when asked for."""

    def to_json(self) -> Json:
        """Return the moment as plain JSON data."""
        ...


class Held:
    """A blob that is a sandbox's snapshot: equal where the content is, and bytes only when it leaves the process."""

    def __init__(self, snapshot: SandboxSnapshot) -> None:
        self.snapshot = snapshot

    @property
    def digest(self) -> str:
        """The hash of the content: times, and how a shell stands, are no part of it."""
        return self.snapshot.digest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and (self.snapshot is other.snapshot or self.digest == other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[type["Held"], tuple[SavedSnapshot]]:
        return Held, (SavedSnapshot(self.snapshot.data, self.digest),)

    def to_json(self) -> Json:
        """Return it as JSON data, with a hash of the bytes beside that of the content."""
        data = self.snapshot.data
        told = {"digest": self.digest, "sha256": hashlib.sha256(data).hexdigest()}
        return {**told, "data": base64.b64encode(data).decode("ascii")}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Self:
        """Return what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: it is none, or was damaged.
        """
        data = base64.b64decode(value["data"], validate=True)
        if hashlib.sha256(data).hexdigest() != value["sha256"] or not isinstance(value["digest"], str):
            raise ValueError("a sandbox's snapshot was damaged")
        return cls(SavedSnapshot(data, value["digest"]))


Blob = bytes | Held


@dataclass(frozen=True)
class Snapshot:
    """One moment of an episode: everything that decides what happens next, with a content hash.

    `state` is JSON text (task, family state, random numbers, messages, counters, rewards), so a snapshot
    read from a file runs no code; keys keep their order, because it shows in the tools that an agent
    reads. `blobs` holds what is not text, such as a workspace. The hash finds damage, not forgery.

    Text and hash are made when somebody asks for them: most snapshots only live to be restored where they
    were taken.
    """

    env_id: str
    state: str
    blobs: Mapping[str, Blob]
    digest: str

    @classmethod
    def take(cls, env_id: str, state: Json, blobs: Mapping[str, Blob]) -> Self:
        """Return a snapshot of the state, its hash computed."""
        text = json_text(state)
        return cls(env_id, text, dict(blobs), cls._hash(env_id, text, blobs))

    @classmethod
    def of(cls, env_id: str, moment: Frozen, blobs: Mapping[str, Blob]) -> Self:
        """Return a snapshot of a moment that is never changed, its text and hash still to be made."""
        snapshot = object.__new__(cls)
        snapshot.__dict__.update(env_id=env_id, blobs=dict(blobs), _moment=moment)
        return snapshot

    def moment(self, env_id: str) -> Frozen | None:
        """Return the moment if the snapshot was taken in this process; None if there is only its text.

        Raises:
            SnapshotError: the snapshot is of another environment.
        """
        if self.env_id != env_id:
            raise SnapshotError(f"the snapshot is of {self.env_id!r} and cannot be restored into {env_id!r}")
        moment: Frozen | None = self.__dict__.get("_moment")
        return moment

    if not TYPE_CHECKING:  # the fields are declared above

        def __getattr__(self, name: str) -> str:
            """Make the text or the hash, the first time that somebody asks for it."""
            moment = self.__dict__.get("_moment")
            if moment is None or name not in ("state", "digest"):
                raise AttributeError(f"a snapshot has no attribute {name!r}")
            made = json_text(moment.to_json()) if name == "state" else self._hash(self.env_id, self.state, self.blobs)
            self.__dict__[name] = made
            return made

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def to_dict(self) -> dict[str, Json]:
        """Return the snapshot as plain JSON data. It holds the task's hidden part: never show it to an agent."""
        blobs = {
            name: blob.to_json() if isinstance(blob, Held) else base64.b64encode(blob).decode("ascii")
            for name, blob in self.blobs.items()
        }
        return {"env_id": self.env_id, "state": self.state, "blobs": blobs, "digest": self.digest}

    @classmethod
    def from_dict(cls, data: Mapping[str, Json]) -> Self:
        """Return the snapshot that `to_dict` wrote; its hash is checked when it is restored.

        Raises:
            SnapshotError: a field is missing, unknown or of the wrong type.
        """
        fields = set(cls.__dataclass_fields__)
        if not isinstance(data, Mapping) or set(data) != fields or not isinstance(data["blobs"], Mapping):
            raise SnapshotError(f"a snapshot must be a JSON object with the fields {', '.join(sorted(fields))}")
        texts = {name: data[name] for name in sorted(fields - {"blobs"})}
        if wrong := [name for name, text in texts.items() if not isinstance(text, str)]:
            raise SnapshotError(f"snapshot field {wrong[0]!r} must be text, not {data[wrong[0]]!r:.80}")
        try:
            blobs: dict[str, Blob] = {
                name: Held.from_json(blob) if isinstance(blob, Mapping) else base64.b64decode(blob, validate=True)
                for name, blob in data["blobs"].items()
            }
        except (KeyError, TypeError, ValueError) as error:
            raise SnapshotError(f"snapshot field 'blobs' must hold base64 texts: {error}") from error
        return cls(**texts, blobs=blobs)

    def verify(self, env_id: str) -> Json:
        """Return the state, checked.

        Raises:
            SnapshotError: the hash or the environment does not match.
        """
        self.moment(env_id)
        if self._hash(self.env_id, self.state, self.blobs) != self.digest:
            raise SnapshotError(f"the snapshot's content does not match its hash {self.digest[:12]}")
        try:
            return json.loads(self.state)
        except (ValueError, RecursionError) as error:
            raise SnapshotError(f"the snapshot's state is not JSON: {error}") from error

    @staticmethod
    def _hash(env_id: str, text: str, blobs: Mapping[str, Blob]) -> str:
        blob_hashes = {
            name: blob.digest if isinstance(blob, Held) else hashlib.sha256(blob).hexdigest()
            for name, blob in blobs.items()
        }
        return digest({"env_id": env_id, "state": text, "blobs": blob_hashes})
