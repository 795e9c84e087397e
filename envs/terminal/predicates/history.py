"""The predicate on git repositories."""

from collections.abc import Mapping

from palestra.envs.base import Json
from palestra.envs.terminal.predicates.content import Predicate, UnmetError, check_content, check_value, kind_of, shown
from palestra.envs.terminal.predicates.gitfiles import blob_name
from palestra.envs.terminal.predicates.repository import Commit, Repository
from palestra.envs.terminal.tree import File, Link, Tree

_EXECUTABLE = "100755"


def git(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless a repository, and a revision in it, are as asked."""
    repository = Repository(tree, asked["path"])
    _check_names(repository, asked)
    if asked.get("clean"):
        _check_clean(repository)
    if "lacks" in asked:
        needle = asked["lacks"].encode()
        if any(needle in data for data in repository.everything()):
            raise UnmetError(f"{repository.path}: {shown(asked['lacks'])} is still in the history of a branch or tag")
    if {"subjects", "files", "has", "without", "parents", "author", "message", "ancestor", "commits"} & set(asked):
        _check_revision(repository, asked.get("at", "HEAD"), asked)


def _check_names(repository: Repository, asked: Predicate) -> None:
    path = repository.path
    if "branch" in asked and repository.head != f"refs/heads/{asked['branch']}":
        raise UnmetError(f"{path} has {shown(repository.head)} checked out, not the branch {shown(asked['branch'])}")
    for key, place in (("branches", "refs/heads/"), ("tags", "refs/tags/")):
        if key in asked:
            check_value(f"{path}: {key}", repository.names(place), sorted(asked[key]))


def _check_revision(repository: Repository, revision: str, asked: Predicate) -> None:
    name, what = repository.resolve(revision), f"{repository.path} at {revision}"
    commit = repository.commit(name)
    if "subjects" in asked:
        subjects = [one.subject for one in repository.first_parents(name)]
        check_value(f"{what}: subjects", subjects, asked["subjects"])
    if "commits" in asked:
        check_value(f"{what}: how many commits", sum(1 for _ in repository.ancestry(name)), asked["commits"])
    if "parents" in asked:
        check_value(f"{what}: how many parents", len(commit.parents), asked["parents"])
    if "author" in asked:
        check_value(f"{what}: author", commit.author, asked["author"])
    if "message" in asked:
        check_value(f"{what}: message", commit.message.strip("\n"), asked["message"].strip("\n"))
    if "ancestor" in asked:
        wanted = repository.resolve(asked["ancestor"])
        if all(one.name != wanted for one in repository.ancestry(name)):
            raise UnmetError(f"{what} does not come after {shown(asked['ancestor'])}")
    _check_files(repository, commit, what, asked)


def _check_files(repository: Repository, commit: Commit, what: str, asked: Predicate) -> None:
    if not {"files", "has", "without"} & set(asked):
        return
    entries = repository.entries(commit.tree)
    wanted: Mapping[str, Json] = {**asked.get("has", {}), **asked.get("files", {})}
    for path, content in wanted.items():
        if path not in entries:
            raise UnmetError(f"{what} lacks the file {shown(path)}")
        check_content(f"{what}, file {shown(path)}", repository.object(entries[path][1], "blob"), content)
    if "files" in asked and (more := sorted(set(entries) - set(asked["files"]))):
        raise UnmetError(f"{what} holds the file {shown(more[0])}, which was not wanted")
    for path in asked.get("without", ()):
        if path in entries or any(one.startswith(f"{path}/") for one in entries):
            raise UnmetError(f"{what} holds {shown(path)}, which was not to be there")


def _check_clean(repository: Repository) -> None:
    path, tracked = repository.path, repository.index()
    committed = repository.entries(repository.commit(repository.resolve("HEAD")).tree)
    if staged := sorted(name for name in {*tracked, *committed} if tracked.get(name) != committed.get(name)):
        raise UnmetError(f"{path} is not clean: {shown(staged[0])} is staged otherwise than it was committed")
    for name, (mode, content) in tracked.items():
        node = repository.tree.get(f"{path}/{name}")
        if isinstance(node, File):
            is_same = blob_name(node.data) == content and bool(node.mode & 0o100) == (mode == _EXECUTABLE)
        elif isinstance(node, Link):
            is_same = blob_name(node.target.encode("utf-8", "surrogateescape")) == content
        else:
            raise UnmetError(f"{path} is not clean: {name} {kind_of(repository.tree, f'{path}/{name}')}")
        if not is_same:
            raise UnmetError(f"{path} is not clean: {shown(name)} was changed since it was added")
