"""Predicates on files as text: their bytes, their lines, and lists of checksums."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.predicates.content import (
    Predicate,
    UnmetError,
    check_content,
    check_items,
    check_value,
    decoded,
    kind_of,
    regular,
    shown,
    text_of,
)
from palestra.envs.terminal.tree import Tree

_CHECKSUM: Final = re.compile(r"([0-9a-fA-F]{8,128}) [ *](.+)")


def file(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless a regular file, or its absence, is as asked."""
    path, encoding = asked["path"], asked.get("encoding", "utf-8")
    if asked.get("absent"):
        told = kind_of(tree, path)
        # What a link on its way leads to is not known.
        if not told.startswith("is missing") or "a symbolic link" in told:
            raise UnmetError(f"{path} {told}; nothing was to be there")
        return
    data = regular(tree, path)
    if "equals" in asked:
        _check_whole(path, data, asked["equals"], encoding)
    if not {"lines", "lines_any_order", "contains", "lacks", "matches"} & set(asked):
        return
    text = decoded(data, path, encoding)
    if "lines" in asked:
        _check_lines(path, lines_of(text), asked["lines"])
    if "lines_any_order" in asked:
        check_items(path, lines_of(text), asked["lines_any_order"])
    for part in _listed(asked.get("contains", ())):
        if part not in text:
            raise UnmetError(f"{path} does not contain {shown(part)}; it begins {shown(text)}")
    for part in _listed(asked.get("lacks", ())):
        if part in text:
            raise UnmetError(f"{path} contains {shown(part)}, which was not to be in it")
    if "matches" in asked and not re.fullmatch(asked["matches"], text):
        raise UnmetError(f"{path} is not of the form {asked['matches']}; it begins {shown(text)}")


def checksums(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless a file has the lines that sha256sum and the like write for some files."""
    path, wanted = asked["path"], asked["of"]
    found: dict[str, str] = {}
    for number, line in enumerate(lines_of(text_of(tree, path)), 1):
        if not (read := _CHECKSUM.fullmatch(line)):
            raise UnmetError(f"{path}: line {number} is {shown(line)}, no checksum, two spaces and a name")
        name = read[2].removeprefix("./")
        if name in found:
            raise UnmetError(f"{path} names {shown(name)} twice")
        found[name] = read[1].lower()
    check_value(path, found, {name.removeprefix("./"): value.lower() for name, value in wanted.items()})
    if asked.get("ordered") and list(found) != [name.removeprefix("./") for name in wanted]:
        raise UnmetError(f"{path} names the files in the order {shown(list(found))}, not {shown(list(wanted))}")


def lines_of(text: str) -> list[str]:
    """Return a text's lines; a newline after the last is optional."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _check_whole(path: str, data: bytes, wanted: Json, encoding: str) -> None:
    if isinstance(wanted, str) and encoding != "utf-8":
        data = decoded(data, path, encoding).encode("utf-8", "surrogatepass")
    check_content(path, data, wanted)


def _check_lines(path: str, got: Sequence[str], wanted: Sequence[str]) -> None:
    if list(got) == list(wanted):
        return
    if Counter(got) == Counter(wanted):
        raise UnmetError(f"{path} has the right lines in another order; its first are {shown(got[:3])}")
    for number, (one, other) in enumerate(zip(got, wanted, strict=False), 1):
        if one != other:
            raise UnmetError(f"{path}: line {number} is {shown(one)}, not {shown(other)}")
    raise UnmetError(f"{path} has {len(got)} lines, not {len(wanted)}")


def _listed(told: Json) -> Sequence[str]:
    return [told] if isinstance(told, str) else told
