"""A git repository read as what it is, files: git itself never runs, so neither its configuration nor its hooks do.

Objects are checked against their names, which are hashes; replacements, grafts and alternates are not followed.

Source: gitformat-pack(5), gitformat-index(5), gitrepository-layout(5).
"""

import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from palestra.envs.terminal.predicates.content import MOST_BYTES, UnmetError, is_folder, shown
from palestra.envs.terminal.predicates.gitfiles import (
    MOST_OBJECTS,
    index_entries,
    pack_places,
    patched,
    tree_entries,
)
from palestra.envs.terminal.tree import File, Tree

_DEEPEST: Final = 64  # deltas on deltas, references to references, folders in folders
_NAME: Final = re.compile(r"[0-9a-f]{40}")
_KINDS: Final = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFFSET_DELTA, _NAMED_DELTA = 6, 7
FOLDER_MODE: Final = "40000"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit's own words."""

    name: str
    tree: str
    parents: tuple[str, ...]
    author: str  # "name <address>"
    message: str

    @property
    def subject(self) -> str:
        """The first paragraph, on one line, as git shows it."""
        return " ".join(self.message.lstrip("\n").split("\n\n", 1)[0].split("\n")).strip()


@dataclass
class Repository:
    """What is in a repository; everything raises UnmetError where it is broken or not there."""

    tree: Tree
    path: str
    _read: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _left_bytes: int = MOST_BYTES

    @cached_property
    def folder(self) -> str:
        """Where its objects and references are."""
        for folder in (f"{self.path}/.git", self.path):
            if is_folder(self.tree, f"{folder}/objects") and isinstance(self.tree.get(f"{folder}/HEAD"), File):
                return folder
        raise UnmetError(f"{self.path} is no git repository: it has no .git with HEAD and objects in it")

    @cached_property
    def references(self) -> dict[str, str]:
        """What every branch, tag and other reference names, by its whole name: "refs/heads/main"."""
        found: dict[str, str] = {}
        for line in self._text("packed-refs", "").splitlines():
            name, _, reference = line.partition(" ")
            if _NAME.fullmatch(name):
                found[reference] = name
        for path in self.tree.below(f"{self.folder}/refs"):
            if isinstance(self.tree[path], File):
                reference = path.removeprefix(f"{self.folder}/")
                found[reference] = self._text(reference).strip()
        return {reference: self._followed(name, found) for reference, name in found.items()}

    @property
    def head(self) -> str:
        """The branch that is checked out, by its whole name, or the name of a commit."""
        return self._text("HEAD").strip().removeprefix("ref:").strip()

    def names(self, below: str) -> list[str]:
        """Return the names of all references below a folder, such as "refs/heads/"."""
        return sorted(name.removeprefix(below) for name in self.references if name.startswith(below))

    def resolve(self, revision: str) -> str:
        """Return the name of the commit that a revision means: HEAD, a branch, a tag or a commit, with ~N and ^N."""
        base, steps = re.match(r"([^~^]*)(.*)", revision, re.DOTALL).groups()  # type: ignore[union-attr]  # all match
        if base in ("HEAD", "@"):
            base = self.head
        places = (base, f"refs/heads/{base}", f"refs/tags/{base}", f"refs/remotes/{base}")
        name = next((self.references[place] for place in places if place in self.references), base)
        if not _NAME.fullmatch(name):
            raise UnmetError(f"{self.path} has no revision {shown(revision)}")
        name = self._peeled(name)
        for sign, number in re.findall(r"([~^])(\d*)", steps):
            count = int(number or 1)
            for _ in range(count if sign == "~" else 1):
                parents = self.commit(name).parents
                place = count - 1 if sign == "^" else 0
                if place >= len(parents):
                    raise UnmetError(f"{self.path} has no revision {shown(revision)}")
                name = parents[place]
        return name

    def commit(self, name: str) -> Commit:
        """Return a commit."""
        data = self.object(name, "commit")
        head, _, message = data.decode("utf-8", "replace").partition("\n\n")
        fields = [line.split(" ", 1) for line in head.split("\n") if line[:1] != " "]
        found = {one[0]: one[-1] for one in fields}
        parents = tuple(one[-1] for one in fields if one[0] == "parent")
        author = re.sub(r" \d+ [+-]\d{4}$", "", found.get("author", ""))
        return Commit(name, found.get("tree", ""), parents, author, message)

    def first_parents(self, name: str) -> Iterator[Commit]:
        """Yield a commit and its first parents, newest first."""
        for _ in range(MOST_OBJECTS):
            commit = self.commit(name)
            yield commit
            if not commit.parents:
                return
            name = commit.parents[0]
        raise UnmetError(f"{self.path} has a history of more than {MOST_OBJECTS} commits")

    def ancestry(self, name: str) -> Iterator[Commit]:
        """Yield a commit and all that came before it, each once."""
        seen, waiting = {name}, [name]
        while waiting:
            commit = self.commit(waiting.pop())
            yield commit
            new = [parent for parent in commit.parents if parent not in seen]
            seen.update(new)
            waiting += new

    def entries(self, name: str) -> dict[str, tuple[str, str]]:
        """Return all files of a tree by path, each with its mode, in octal, and the name of its content."""
        return dict(self._entries(name, "", 0))

    def everything(self) -> Iterator[bytes]:
        """Yield every commit, tag, tree and content that some reference leads to."""
        waiting, seen = list(self.references.values()), set[str]()
        if _NAME.fullmatch(self.head):
            waiting.append(self.head)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            kind, data = self._object(name)
            yield data
            if kind == "commit":
                commit = self.commit(name)
                waiting += [commit.tree, *commit.parents]
            elif kind == "tree":
                waiting += [inner for mode, _, inner in tree_entries(data) if mode != "160000"]
            elif kind == "tag":
                waiting.append(data[7:47].decode("ascii", "replace"))

    def object(self, name: str, kind: str) -> bytes:
        """Return an object's data; it must be of the kind."""
        found, data = self._object(name)
        if found != kind:
            raise UnmetError(f"{self.path}: the git object {shown(name)} is a {found}, no {kind}")
        return data

    def index(self) -> dict[str, tuple[str, str]]:
        """Return what is tracked, as `entries` does.

        Raises:
            UnmetError: it is broken, or holds conflicts.
        """
        data = self._file("index", b"")
        if not data:
            return {}
        try:
            return dict(index_entries(data))
        except (struct.error, ValueError, IndexError) as error:
            raise UnmetError(f"{self.folder}/index cannot be read: {error!s:.160}") from error

    def _entries(self, name: str, prefix: str, depth: int) -> Iterator[tuple[str, tuple[str, str]]]:
        if depth > _DEEPEST:
            raise UnmetError(f"{self.path} has a tree with more than {_DEEPEST} folders inside each other")
        for mode, entry, inner in tree_entries(self.object(name, "tree")):
            if mode == FOLDER_MODE:
                yield from self._entries(inner, f"{prefix}{entry}/", depth + 1)
            else:
                yield prefix + entry, (mode, inner)

    def _peeled(self, name: str) -> str:
        for _ in range(_DEEPEST):
            kind, data = self._object(name)
            if kind != "tag":
                return name
            name = data[7:47].decode("ascii", "replace")  # "object " and a name
        raise UnmetError(f"{self.path} has tags of tags without end")

    def _followed(self, name: str, references: dict[str, str]) -> str:
        for _ in range(_DEEPEST):
            if not name.startswith("ref:"):
                return name
            name = references.get(name[4:].strip(), "")
        return ""

    def _object(self, name: str) -> tuple[str, bytes]:
        if name not in self._read:
            if len(self._read) >= MOST_OBJECTS:
                raise UnmetError(f"{self.path} has more than {MOST_OBJECTS} git objects")
            try:
                kind, data = self._loose(name) or self._packed(name)
            except (zlib.error, struct.error, ValueError, IndexError, KeyError) as error:
                raise UnmetError(f"{self.path}: the git object {shown(name)} is broken: {error!s:.120}") from error
            if hashlib.sha1(f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest() != name:
                raise UnmetError(f"{self.path}: the git object {shown(name)} is not what its name says")
            self._read[name] = (kind, data)
        return self._read[name]

    def _loose(self, name: str) -> tuple[str, bytes] | None:
        packed = self._file(f"objects/{name[:2]}/{name[2:]}", b"")
        if not packed:
            return None
        head, _, data = self._inflated(packed, MOST_BYTES).partition(b"\0")
        return head.split(b" ")[0].decode("ascii", "replace"), data

    def _packed(self, name: str) -> tuple[str, bytes]:
        if name not in self._places:
            raise UnmetError(f"{self.path} has no git object {shown(name)}")
        return self._at(*self._places[name], depth=0)

    @cached_property
    def _places(self) -> dict[str, tuple[str, int]]:
        """In which pack an object is, and where in it."""
        found: dict[str, tuple[str, int]] = {}
        for path in self.tree.below(f"{self.folder}/objects/pack"):
            if path.endswith(".idx") and isinstance(self.tree[path], File):
                pack = path.removesuffix(".idx") + ".pack"
                found |= {name: (pack, place) for name, place in pack_places(self.tree.data(path))}
        return found

    def _at(self, pack: str, place: int, depth: int) -> tuple[str, bytes]:
        if depth > _DEEPEST:
            raise ValueError("its deltas have no end")
        data, start = self.tree.data(pack), place
        byte = data[place]
        kind, size, shift = byte >> 4 & 7, byte & 15, 4
        while byte & 128:
            place += 1
            byte = data[place]
            size |= (byte & 127) << shift
            shift += 7
        place += 1
        if kind in _KINDS:
            return _KINDS[kind], self._inflated(data[place:], size)
        if kind == _OFFSET_DELTA:
            byte = data[place]
            back = byte & 127
            while byte & 128:
                place += 1
                byte = data[place]
                back = (back + 1 << 7) | byte & 127
            base, base_data = self._at(pack, start - back, depth + 1)
            place += 1
        elif kind == _NAMED_DELTA:
            base, base_data = self._at(*self._places[data[place : place + 20].hex()], depth=depth + 1)
            place += 20
        else:
            raise ValueError(f"its kind is {kind}")
        return base, patched(base_data, self._inflated(data[place:], size), self._left_bytes)

    def _inflated(self, data: bytes, size: int) -> bytes:
        plain = zlib.decompressobj().decompress(data, min(size, self._left_bytes) + 1)
        self._left_bytes -= len(plain)
        if len(plain) > size or self._left_bytes < 0:
            raise ValueError("it is larger than it says, or than can be read")
        return plain

    def _file(self, name: str, otherwise: bytes | None = None) -> bytes:
        node = self.tree.get(f"{self.folder}/{name}")
        if isinstance(node, File):
            return node.data
        if otherwise is None:
            raise UnmetError(f"{self.folder}/{name} is missing")
        return otherwise

    def _text(self, name: str, otherwise: str | None = None) -> str:
        return self._file(name, None if otherwise is None else otherwise.encode()).decode("utf-8", "replace")
