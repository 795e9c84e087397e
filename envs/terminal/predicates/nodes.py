"""Predicates on what files and folders are beside their content: permissions, owners, times, links, listings."""

import hashlib
import posixpath
from collections.abc import Iterable

from palestra.envs.base import Json
from palestra.envs.terminal.predicates.content import (
    Predicate,
    UnmetError,
    is_folder,
    kind_of,
    regular,
    shown,
)
from palestra.envs.terminal.tree import File, Folder, Link, Tree


def mode(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless a file or folder has the permissions that are asked."""
    path = asked["path"]
    got = f"{_node(tree, path).mode:04o}"
    if got != asked["equals"]:
        raise UnmetError(f"{path} has the permissions {got}, not {asked['equals']}")


def owner(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless a file or folder belongs to the user that is asked."""
    path = asked["path"]
    got = _node(tree, path).owner
    if got != asked["equals"]:
        raise UnmetError(f"{path} belongs to user {got}, not {asked['equals']}")


def mtime(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless a file was last changed at the second that is asked."""
    path = asked["path"]
    regular(tree, path)
    node = tree[path]
    if isinstance(node, File) and node.mtime != asked["equals"]:
        raise UnmetError(f"{path} was changed at {node.mtime}, in seconds since 1970, not at {asked['equals']}")


def link(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless a symbolic link leads where it is asked."""
    path = asked["path"]
    node = tree.get(path)
    if not isinstance(node, Link):
        raise UnmetError(f"{path} {kind_of(tree, path)}; a symbolic link was wanted")
    if "target" in asked and node.target != asked["target"]:
        raise UnmetError(f"{path} is a link to {shown(node.target)}, not {shown(asked['target'])}")
    if "leads" in asked:
        leads = posixpath.normpath(posixpath.join(posixpath.dirname(path), node.target))
        if leads != asked["leads"]:
            raise UnmetError(f"{path} leads to {shown(leads)}, not {shown(asked['leads'])}")


def folder(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless a folder holds what is asked, by name."""
    path = asked["path"]
    if not is_folder(tree, path):
        raise UnmetError(f"{path} {kind_of(tree, path)}; a folder was wanted")
    start = len(path) + 1
    inside = [at[start:] for at in tree.below(path)]
    folders = {at[start:] for at in tree.folders if at.startswith(f"{path}/")}
    files = [name for name in inside if name not in folders]
    if "files" in asked:
        _check_names(path, "file", files, asked["files"])
    if "folders" in asked:
        _check_names(path, "folder", folders, asked["folders"])
    if "lists" in asked:
        _check_names(path, "entry", {name.split("/")[0] for name in (*inside, *folders)}, asked["lists"])
    if "count" in asked and len(files) != asked["count"]:
        raise UnmetError(f"{path} holds {len(files)} files, not {asked['count']}")


def same(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless a file, or all of a folder, is what it was."""
    path = asked["path"]
    if "tree" in asked:
        _check_tree(path, tree.below(path), asked["tree"])
    elif (got := hashlib.sha256(regular(tree, path)).hexdigest()) != asked["sha256"]:
        raise UnmetError(f"{path} was to stay as it was, and was changed: its sha256 is {got}, not {asked['sha256']}")


def _check_tree(path: str, got: Tree, told: Json) -> None:
    wanted = Tree.from_json(told)
    ours, theirs = (
        {at: node for at, node in one.items() if not isinstance(node, Folder)} for one in (got, wanted.below(path))
    )
    for at, node in theirs.items():
        if at not in ours:
            raise UnmetError(f"{path} was to stay as it was, and {at} is gone")
        if _kept(ours[at]) != _kept(node):
            raise UnmetError(f"{path} was to stay as it was, and {at} was changed")
    if more := [at for at in ours if at not in theirs]:
        raise UnmetError(f"{path} was to stay as it was, and {more[0]} is new")
    for at, one in wanted.below(path).items():
        if isinstance(one, Folder) and got.get(at, Folder()) != one:
            raise UnmetError(f"{path} was to stay as it was, and {at} has other permissions")


def _kept(node: File | Folder | Link) -> object:
    return (node.data, node.mode, node.owner) if isinstance(node, File) else node


def _check_names(path: str, what: str, got: Iterable[str], wanted: Iterable[str]) -> None:
    ours, theirs = set(got), set(wanted)
    if lacking := sorted(theirs - ours):
        raise UnmetError(f"{path} lacks the {what} {shown(lacking[0])}")
    if more := sorted(ours - theirs):
        raise UnmetError(f"{path} holds the {what} {shown(more[0])}, which was not wanted")


def _node(tree: Tree, path: str) -> File | Folder:
    node = tree.get(path)
    if isinstance(node, File | Folder):
        return node
    if node is None and is_folder(tree, path):
        return Folder()
    raise UnmetError(f"{path} {kind_of(tree, path)}; a file or a folder was wanted")
