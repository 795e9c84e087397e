"""What lies at a path, and how it differs from what was wanted, told so that its owner can act on it."""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from palestra.envs.base import Json
from palestra.envs.terminal.tree import File, Folder, Link, Tree

MOST_BYTES: Final = 64 * 1024 * 1024  # of anything that is unpacked
_SHOWN: Final = 120  # characters of one value
_LONGEST: Final = 600  # of a reason

Predicate = Mapping[str, Json]


class UnmetError(Exception):
    """A predicate does not hold; the text says why, with the path."""


def shown(value: Any) -> str:
    """Return a value as a line of bounded length that anybody can print."""
    if isinstance(value, bytes):
        cut = value[: 4 * _SHOWN]
        try:
            value = cut.decode()
        except UnicodeDecodeError:
            return ascii(value[:_SHOWN]) + "..." * (len(value) > _SHOWN)
    elif isinstance(value, str):
        value = value[: 4 * _SHOWN]
    try:
        text = json.dumps(value, ensure_ascii=True, default=str)
    except (RecursionError, ValueError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def one_line(text: str) -> str:
    """Return a reason as a line of bounded length: what agents have put into names and files stays text in it."""
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in cut)


def regular(tree: Tree, path: str) -> bytes:
    """Return a regular file's bytes.

    Raises:
        UnmetError: there is none at the path.
    """
    node = tree.get(path)
    if not isinstance(node, File):
        raise UnmetError(f"{path} {kind_of(tree, path)}; a file was wanted")
    return node.data


def text_of(tree: Tree, path: str, encoding: str = "utf-8") -> str:
    """Return a regular file's text; raises UnmetError, also where it is none in the encoding."""
    return decoded(regular(tree, path), path, encoding)


def decoded(data: bytes, what: str, encoding: str = "utf-8") -> str:
    """Return the text of some bytes; raises UnmetError if they are none."""
    try:
        return data.decode(encoding)
    except UnicodeError as error:
        raise UnmetError(f"{what} is no {encoding} text: {error!s:.160}") from error


def kind_of(tree: Tree, path: str) -> str:
    """Return what is at a path, to follow its name: "is missing", "is a folder"."""
    node = tree.get(path)
    if isinstance(node, Link):
        return f"is a symbolic link to {shown(node.target)}"
    if isinstance(node, File):
        return "is a file"
    if isinstance(node, Folder) or is_folder(tree, path):
        return "is a folder"
    parts = path.split("/")
    for count in range(2, len(parts)):
        above = tree.get("/".join(parts[:count]))
        if isinstance(above, Link | File):
            return f"is missing: {'/'.join(parts[:count])} {kind_of(tree, '/'.join(parts[:count]))}"
    return "is missing"


def is_folder(tree: Tree, path: str) -> bool:
    """Return whether a folder is at a path, be it only on the way to others."""
    return (path not in tree and path in tree.folders) or isinstance(tree.get(path), Folder)


def wanted_bytes(wanted: Json) -> bytes | None:
    """Return the bytes that a content is to be; None where only their hash is told."""
    if isinstance(wanted, str):
        return wanted.encode("utf-8", "surrogatepass")
    if "base64" in wanted:
        return base64.b64decode(wanted["base64"], validate=True)
    return None


def check_content(what: str, data: bytes, wanted: Json) -> None:
    """Raise UnmetError unless bytes are the wanted ones."""
    expected = wanted_bytes(wanted)
    if expected is None:
        if (got := hashlib.sha256(data).hexdigest()) != wanted["sha256"]:
            raise UnmetError(f"{what} has the sha256 {got}, not {wanted['sha256']}")
    elif data != expected:
        raise UnmetError(f"{what}: {difference(expected, data)}")


def difference(wanted: bytes, got: bytes) -> str:
    """Return where bytes first differ from the wanted ones: a line, its end, or the end of all."""
    if got.replace(b"\r\n", b"\n") == wanted:
        return "its lines end with a carriage return"
    if got.rstrip(b"\n") == wanted.rstrip(b"\n"):
        return f"it ends with {_newlines(got)}, not {_newlines(wanted)}"
    ours, theirs = got.split(b"\n"), wanted.split(b"\n")
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False), 1):
        if one != other:
            return f"line {number} is {shown(one)}, not {shown(other)}"
    return f"it has {len(ours)} lines, not {len(theirs)}"


def _newlines(data: bytes) -> str:
    count = len(data) - len(data.rstrip(b"\n"))
    return {0: "no newline", 1: "a newline"}.get(count, f"{count} newlines")


def canonical(value: Any) -> Any:
    """Return a hashable value that is equal for equal values: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, bool) or value is None:
        return ("constant", str(value))
    if isinstance(value, int | float):
        return ("number", value)
    if isinstance(value, Mapping):
        return ("object", frozenset((name, canonical(inner)) for name, inner in value.items()))
    if isinstance(value, list | tuple):
        return ("list", tuple(map(canonical, value)))
    return (type(value).__name__, value)


def check_value(what: str, got: Any, wanted: Json, tolerance: float = 0.0) -> None:
    """Raise UnmetError unless a value equals the wanted one, numbers within a tolerance; says where it differs."""
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        if lacking := [name for name in wanted if name not in got]:
            raise UnmetError(f"{what} lacks the key {shown(lacking[0])}")
        if more := [name for name in got if name not in wanted]:
            raise UnmetError(f"{what} has the key {shown(more[0])}, which was not wanted")
        for name, inner in wanted.items():
            check_value(f"{what}.{name}", got[name], inner, tolerance)
    elif isinstance(wanted, list | tuple) and isinstance(got, list | tuple):
        for place, (one, other) in enumerate(zip(got, wanted, strict=False)):
            check_value(f"{what}[{place}]", one, other, tolerance)
        if len(got) != len(wanted):
            raise UnmetError(f"{what} has {len(got)} items, not {len(wanted)}")
    elif _is_number(wanted) and _is_number(got):
        if not (got == wanted or abs(got - wanted) <= tolerance):
            raise UnmetError(f"{what} is {shown(got)}, not {shown(wanted)}")
    elif canonical(got) != canonical(wanted):
        raise UnmetError(f"{what} is {shown(got)}, not {shown(wanted)}")


def check_items(what: str, got: Sequence[Any], wanted: Sequence[Json], tolerance: float = 0.0) -> None:
    """Raise UnmetError unless two lists hold the same values, each as often, in any order."""
    if not tolerance:
        ours, theirs = (Counter(map(canonical, items)) for items in (got, wanted))
        for item in wanted:
            if ours[canonical(item)] < theirs[canonical(item)]:
                raise UnmetError(f"{what} lacks {shown(item)}, or has it too seldom")
        for item in got:
            if ours[canonical(item)] > theirs[canonical(item)]:
                raise UnmetError(f"{what} has {shown(item)}, which was not wanted or not as often")
        return
    if len(got) != len(wanted):
        raise UnmetError(f"{what} has {len(got)} items, not {len(wanted)}")
    left = list(got)
    for item in wanted:
        place = next((at for at, one in enumerate(left) if _is_close(one, item, tolerance)), None)
        if place is None:
            raise UnmetError(f"{what} lacks {shown(item)}, or has it too seldom")
        left.pop(place)


def _is_close(got: Any, wanted: Json, tolerance: float) -> bool:
    try:
        check_value("", got, wanted, tolerance)
    except UnmetError:
        return False
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
