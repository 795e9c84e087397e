"""Files as values: what a machine holds at absolute paths, which no program runs in.

Tasks begin as a tree, references compute on trees, and verifiers judge a tree that was copied out of a
machine. A tree never changes; every change is another tree.
"""

import base64
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from palestra.envs.base import Json

EPOCH: Final = 1_735_689_600  # 2025-01-01 UTC: when files were changed of which nothing else is said


@dataclass(frozen=True, slots=True)
class File:
    """A regular file."""

    data: bytes
    mode: int = 0o644
    owner: int = 0  # user and group
    mtime: int = EPOCH  # seconds; no part of what a file is compared by


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder; those on the way to other nodes need no node of their own."""

    mode: int = 0o755
    owner: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    target: str


Node = File | Folder | Link


class Tree(Mapping[str, Node]):
    """Nodes by absolute path, in the order of the paths."""

    def __init__(self, nodes: Mapping[str, Node] | None = None) -> None:
        """Take over nodes.

        Raises:
            ValueError: a path is not absolute, or not in its shortest form.
        """
        self._nodes = dict(sorted((nodes or {}).items()))
        for path in self._nodes:
            if not path.startswith("/") or path == "/" or any(part in ("", ".", "..") for part in path[1:].split("/")):
                raise ValueError(f"{path!r} is no absolute path in its shortest form")

    def __getitem__(self, path: str) -> Node:
        return self._nodes[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self._nodes == other._nodes

    __hash__ = None  # type: ignore[assignment]

    def put(self, path: str, node: Node | bytes | str) -> "Tree":
        """Return the tree with a node at a path, in place of what was there; a text or bytes make a file."""
        if isinstance(node, str | bytes):
            node = File(node.encode() if isinstance(node, str) else node)
        kept = {
            at: held for at, held in self._nodes.items() if not at.startswith(f"{path}/") or isinstance(node, Folder)
        }
        return Tree({**kept, path: node})

    def drop(self, path: str) -> "Tree":
        """Return the tree without a path and all below it."""
        return Tree({at: node for at, node in self._nodes.items() if at != path and not at.startswith(f"{path}/")})

    def below(self, path: str) -> "Tree":
        """Return what is below a path, not itself."""
        return Tree({at: node for at, node in self._nodes.items() if at.startswith(f"{path}/")})

    def joined(self, other: "Tree") -> "Tree":
        """Return both together; where both have a node, the other's."""
        return Tree({**self._nodes, **other._nodes})

    def data(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            KeyError: there is no file at the path.
        """
        node = self._nodes[path]
        if not isinstance(node, File):
            raise KeyError(f"{path!r} is no file")
        return node.data

    def text(self, path: str) -> str:
        """Return a file's text; raises KeyError as `data`, and UnicodeDecodeError."""
        return self.data(path).decode()

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """Every folder there is, those on the way included, outer ones first."""
        found: dict[str, None] = {}
        for path, node in self._nodes.items():
            parts = path[1:].split("/")
            for count in range(1, len(parts)):
                found["/" + "/".join(parts[:count])] = None
            if isinstance(node, Folder):
                found[path] = None
        return tuple(sorted(found))

    def to_json(self) -> Json:
        """Return the tree as JSON data: of each node what is not as usual."""
        return {path: _to_json(node) for path, node in self._nodes.items()}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Return the tree that `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is none.
        """
        return cls({path: _from_json(node) for path, node in value.items()})

    def to_tar(self) -> bytes:
        """Return a tar archive, names without the slash before them: outer folders first, each once."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path in sorted({*self.folders, *self._nodes}):
                _pack(archive, path[1:], self._nodes.get(path, Folder()))
        return packed.getvalue()

    @classmethod
    def from_tar(cls, packed: bytes) -> Self:
        """Return the tree of an archive; devices, pipes and sockets are left out, hard links are files of their own.

        Raises:
            ValueError: it is no such archive.
        """
        return cls(_unpacked(packed)[0])

    @classmethod
    def unpack(cls, packed: bytes) -> tuple[Self, tuple[str, ...]]:
        """Return the tree of an archive as `from_tar`, and the paths of what is left out; raises as that."""
        nodes, others = _unpacked(packed)
        return cls(nodes), tuple(others)


def _unpacked(packed: bytes) -> tuple[dict[str, Node], list[str]]:
    """Return an archive's nodes, and the paths of what is none."""
    nodes: dict[str, Node] = {}
    others: list[str] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as archive:
            for member in archive:
                path = "/" + member.name.strip("/")
                mode, mtime = member.mode & 0o7777, int(member.mtime)
                if member.isfile():
                    held = archive.extractfile(member)
                    nodes[path] = File(held.read() if held else b"", mode, member.uid, mtime)
                elif member.isdir():
                    nodes[path] = Folder(mode, member.uid)
                elif member.issym():
                    nodes[path] = Link(member.linkname)
                elif not member.islnk():
                    others.append(path)
                elif isinstance(first := nodes.get("/" + member.linkname.strip("/")), File):
                    nodes[path] = first
    except tarfile.TarError as error:
        raise ValueError(f"no archive of a tree: {error}") from error
    return nodes, others


def _pack(archive: tarfile.TarFile, name: str, node: Node) -> None:
    member = tarfile.TarInfo(name)
    member.mtime = EPOCH
    if isinstance(node, Link):
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, node.target, 0o777
        archive.addfile(member)
        return
    member.mode, member.uid, member.gid = node.mode, node.owner, node.owner
    if isinstance(node, Folder):
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
        return
    member.mtime, member.size = node.mtime, len(node.data)
    archive.addfile(member, io.BytesIO(node.data))


def _to_json(node: Node) -> Json:
    if isinstance(node, Link):
        return {"link": node.target}
    told: dict[str, Json] = {} if not node.owner else {"owner": node.owner}
    if isinstance(node, Folder):
        return {"folder": node.mode, **told}
    try:
        text = node.data.decode()
        told |= {"text": text} if "\0" not in text else {"base64": base64.b64encode(node.data).decode()}
    except UnicodeDecodeError:
        told["base64"] = base64.b64encode(node.data).decode()
    return (
        told
        | ({} if node.mode == 0o644 else {"mode": node.mode})
        | ({} if node.mtime == EPOCH else {"mtime": node.mtime})
    )


def _from_json(value: Json) -> Node:
    if "link" in value:
        return Link(value["link"])
    if "folder" in value:
        return Folder(value["folder"], value.get("owner", 0))
    data = value["text"].encode() if "text" in value else base64.b64decode(value["base64"], validate=True)
    return File(data, value.get("mode", 0o644), value.get("owner", 0), value.get("mtime", EPOCH))
