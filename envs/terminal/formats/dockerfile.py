"""Dockerfiles that need no Docker: files, and commands that run as root before the agent is there.

Read strictly: what is not known is an obstacle, named by its line, and never guessed at. Packages are not fetched;
see `palestra.envs.terminal.formats.offline` for what stands in for the programs that would.
"""

import fnmatch
import json
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from palestra.envs.base import TaskError
from palestra.envs.terminal.formats.offline import OURS, STAND_INS
from palestra.envs.terminal.formats.packed import members
from palestra.envs.terminal.tree import File, Folder, Node, Tree

BASES: Final = "debian, ubuntu, python, and the bases of Terminal-Bench"
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BASE: Final = re.compile(
    r"(?:(?:docker\.io/)?(?:library/)?(?:debian|ubuntu|python)|ghcr\.io/laude-institute/t-bench/(?:ubuntu-24-04|python-3-13))"
    r"(?::(?![\w.-]*(?:alpine|windows))[\w.-]+)?(?:@sha256:[0-9a-f]{64})?"
)
_STAGE: Final = f"{OURS}/stage"
_SILENT: Final = frozenset(
    {"LABEL", "MAINTAINER", "EXPOSE", "STOPSIGNAL"}
)  # they change nothing that can be seen inside
_IDLE: Final = re.compile(r"\s*\[?[\"'\s]*(?:/bin/|/usr/bin/)?(?:bash|sh|sleep|tail|python3?)\b[^;&|]*")
_VARIABLE: Final = re.compile(r"\\\$|\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})")
_HEREDOC: Final = re.compile(r"<<-?\s*[\"']?[A-Za-z_]")
_LINKED: Final = re.compile(r"/(bin|sbin|lib|lib64)(?=/|$)")  # folders that lead to those of /usr


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How the machine of a task begins, and why it cannot, if it cannot without Docker."""

    start: Tree
    setup: str
    env: Mapping[str, str]
    workdir: str
    obstacles: tuple[str, ...]  # each with file and line; with Docker, they are none
    refusals: tuple[str, ...] = ()  # what there is not even with Docker, likewise


@dataclass(slots=True)
class _Work:
    where: str
    context: Tree
    start: Tree = field(default_factory=Tree)
    lines: list[str] = field(default_factory=list)  # of the setup
    env: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    shell: list[str] = field(default_factory=lambda: ["/bin/sh", "-c"])
    workdir: str = "/"
    obstacles: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    bases: int = 0
    stages: int = 0


def interpret(context: Tree, where: str) -> Recipe:
    """Return what the Dockerfile of a folder says.

    Args:
        context: the folder, with the Dockerfile in it.
        where: the folder's name for messages.

    Raises:
        TaskError: there is none, or it makes no sense; the message names file and line.
    """
    work = _Work(f"{where}/Dockerfile", context)
    if "/Dockerfile" not in context:
        raise TaskError(f"{work.where}: is missing")
    if "/.dockerignore" in context:
        work.obstacles.append(f"{where}/.dockerignore: is not supported")
    try:
        text = context.text("/Dockerfile")
    except (KeyError, UnicodeDecodeError) as error:
        raise TaskError(f"{work.where}: is no text: {error}") from error
    try:
        for number, word, rest in _instructions(text, work.where):
            _carry_out(work, number, word, rest)
    except TaskError as error:
        if not work.obstacles:
            raise
        work.obstacles.append(str(error))  # after what is not known here, such as a here-document, nothing is sure
    if not work.bases:
        raise TaskError(f"{work.where}: has no FROM")
    return Recipe(
        start=work.start,
        setup=_script(work),
        env=work.env,
        workdir=work.workdir,
        obstacles=tuple(work.obstacles),
        refusals=tuple(work.refusals),
    )


def is_usual_base(image: str) -> bool:
    """Tell whether an image is one in whose place the host's own programs can stand."""
    return bool(_BASE.fullmatch(image))


def _instructions(text: str, where: str) -> Iterator[tuple[int, str, str]]:
    """Yield instructions with the lines at which they begin, continued lines joined and comments left out."""
    begun = 0
    parts: list[str] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line.lstrip().startswith("#") or (not line.strip() and not parts):
            if re.match(r"#\s*escape\s*=\s*[^\\\s]", line) and not begun:
                raise TaskError(f"{where}:{number}: another escape character than \\ is not supported")
            continue
        begun = begun if parts else number
        if line.rstrip().endswith("\\"):
            parts.append(line.rstrip()[:-1])
            continue
        word, _, rest = " ".join([*parts, line]).strip().partition(" ") if not parts else _joined([*parts, line])
        parts = []
        yield begun, word.upper(), rest.strip()
    if parts:
        word, _, rest = _joined(parts)
        yield begun, word.upper(), rest.strip()


def _joined(parts: list[str]) -> tuple[str, str, str]:
    return "".join(parts).strip().partition(" ")


def _carry_out(work: _Work, number: int, word: str, rest: str) -> None:
    place = f"{work.where}:{number}"
    if word == "FROM":
        _from(work, place, rest)
    elif word == "ARG" and re.fullmatch(r"\w+(=\S*)?", rest):
        name, _, value = rest.partition("=")
        work.arguments[name] = _expanded(work, value.strip("\"'"))
    elif not work.bases:
        raise TaskError(f"{place}: {word!a} stands before FROM")
    elif word == "RUN":
        _run(work, place, rest)
    elif word in ("COPY", "ADD"):
        _copy(work, place, word, rest)
    elif word == "ENV":
        _env(work, place, rest)
    elif word == "WORKDIR":
        work.workdir = _place(work, _expanded(work, rest.strip("\"'")))
        if work.workdir != "/" and work.workdir not in work.start:
            work.start = work.start.put(work.workdir, Folder())
    elif word == "SHELL" and (words := _listed(rest)):
        work.shell = words
    elif word == "ENTRYPOINT" and not _IDLE.fullmatch(rest):
        work.refusals.append(f"{place}: {f'{word} {rest}':.100} is not started here")
    elif not _changes_nothing(word, rest):
        work.obstacles.append(f"{place}: {f'{word} {rest}':.100} is not supported")


def _changes_nothing(word: str, rest: str) -> bool:
    """Tell whether an instruction leaves the machine as it is: its own program only waits, and we are root anyway."""
    if word == "USER":
        return rest.split(":")[0] in ("root", "0")
    return word in _SILENT or (word in ("CMD", "ENTRYPOINT") and bool(_IDLE.fullmatch(rest)))


def _from(work: _Work, place: str, rest: str) -> None:
    words = [_expanded(work, one) for one in rest.split() if not one.startswith("--platform=")]
    work.bases += 1
    if work.bases > 1:
        work.obstacles.append(f"{place}: a second FROM is not supported")
    elif not words or (len(words) != 1 and [words[1].upper(), len(words)] != ["AS", 3]):
        raise TaskError(f"{place}: FROM takes an image, not {rest!a:.100}")
    elif not is_usual_base(words[0]):
        work.obstacles.append(f"{place}: FROM {words[0]:.100} is none of {BASES}")


def _run(work: _Work, place: str, rest: str) -> None:
    if _HEREDOC.search(rest) or rest.startswith("--"):
        work.obstacles.append(f"{place}: RUN with a here-document or an option is not supported")
        return
    words = _listed(rest) or [*work.shell, rest]
    told = shlex.quote(f"{place.rpartition('/')[2]} fails")  # the same wherever the folder lies
    work.lines.append(f"(cd {shlex.quote(work.workdir)} && {shlex.join(words)}) || {{ echo {told} >&2; exit 1; }}")


def _env(work: _Work, place: str, rest: str) -> None:
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise TaskError(f"{place}: ENV {rest:.60}: {error}") from error
    if words and "=" not in words[0]:
        words = [f"{words[0]}={rest.split(maxsplit=1)[1] if len(words) > 1 else ''}"]
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise TaskError(f"{place}: ENV takes NAME=VALUE, not {word!a:.60}")
        work.env[name] = _expanded(work, value)
        work.lines.append(f"export {name}={shlex.quote(work.env[name])}")
        if name == "PATH":
            work.lines.append(f"PATH={STAND_INS}:$PATH")


def _copy(work: _Work, place: str, word: str, rest: str) -> None:
    options = re.findall(r"--\S+(?=\s)", rest.split("[")[0])
    rest = rest[len(" ".join(options)) :].strip() if options else rest
    words = [_expanded(work, one) for one in _listed(rest) or rest.split()]
    mode: int | None = None
    for option in options:
        if found := re.fullmatch(r"--chmod=0?([0-7]{3,4})", option):
            mode = int(found[1], 8)
        elif not re.fullmatch(r"--chown=(root|0)(:(root|0))?", option):
            work.obstacles.append(f"{place}: {word} {option} is not supported")
            return
    if len(words) < 2:
        raise TaskError(f"{place}: {word} takes sources and a destination, not {rest!a:.100}")
    if _HEREDOC.search(rest) or any("://" in one or one.startswith("git@") for one in words):
        work.obstacles.append(f"{place}: {word} of what is not in the folder is not supported")
        return
    *sources, goal = words
    nodes = _copied(work, place, word, sources, goal)
    if mode is not None:
        nodes = {at: File(one.data, mode) if isinstance(one, File) else one for at, one in nodes.items()}
    _put(work, nodes)


def _copied(work: _Work, place: str, word: str, sources: list[str], goal: str) -> dict[str, Node]:
    """Return what a COPY puts, by the places where it puts it."""
    found = [one for source in sources for one in _matching(work, place, source)]
    target = _place(work, goal)
    known = {*work.start.folders, work.workdir, "/tmp", "/root", "/usr/local/bin", "/etc", "/opt", "/home", "/"}
    is_folder = goal.endswith(("/", "/.")) or goal == "." or len(found) > 1 or target in known
    nodes: dict[str, Node] = {}
    for path in found:
        node = work.context.get(path)
        inside = target if target != "/" else ""
        if node is None or isinstance(node, Folder):  # a folder: what is in it, not itself
            nodes |= {f"{inside}/{at[len(path) :].lstrip('/')}": one for at, one in _below(work.context, path).items()}
            if target != "/" and not nodes:
                nodes[target] = Folder()
        elif (
            word == "ADD" and isinstance(node, File) and (packed := members(node.data, f"{place}: {path}")) is not None
        ):
            nodes |= {f"{inside}{_unlinked(at)}": one for at, one in packed.items()}
        else:
            nodes[f"{inside}/{posixpath.basename(path)}" if is_folder else target] = node
    return nodes


def _matching(work: _Work, place: str, source: str) -> list[str]:
    path = posixpath.normpath("/" + source)
    if path == "/" or path in work.context or path in work.context.folders:
        return [path]
    every = {*work.context, *work.context.folders}
    depth = path.count("/")
    found = sorted(one for one in every if one.count("/") == depth and fnmatch.fnmatchcase(one, path))
    if not found:
        raise TaskError(f"{place}: {source!a} is not in the folder of the Dockerfile")
    return found


def _below(context: Tree, path: str) -> Tree:
    found = context if path == "/" else context.below(path)
    return found.drop("/Dockerfile") if path == "/" else found


def _put(work: _Work, nodes: Mapping[str, Node]) -> None:
    """Put files at their places: at once if nothing has run, else when the setup has come so far."""
    at_once = not any(line.startswith("(") for line in work.lines)
    root = "" if at_once else f"{_STAGE}/{work.stages}"
    for path, node in nodes.items():
        place = root + path
        held = work.start.get(place)
        if isinstance(node, Folder) and (isinstance(held, Folder) or place in work.start.folders):
            continue
        work.start = work.start.put(place, node)
    if not at_once and nodes:
        work.lines.append(f"tar -C {root} -cf - . | tar --no-overwrite-dir -xpf - -C /")
        work.stages += 1


def _place(work: _Work, path: str) -> str:
    place = posixpath.normpath(posixpath.join(work.workdir, path))
    return _unlinked("/" + place.lstrip("/"))


def _unlinked(path: str) -> str:
    return _LINKED.sub(r"/usr/\1", path, count=1) if _LINKED.match(path) else path


def _expanded(work: _Work, text: str) -> str:
    known = {"PATH": PATH, "HOME": "/root", **work.arguments, **work.env}

    def value(found: re.Match[str]) -> str:
        if found[0] == r"\$":
            return "$"
        return known.get(found[1] or found[2], "") or found[3] or ""

    return _VARIABLE.sub(value, text)


def _listed(text: str) -> list[str] | None:
    """Return the words of a JSON list of texts; None if it is none."""
    if not text.startswith("["):
        return None
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return words if isinstance(words, list) and words and all(isinstance(one, str) for one in words) else None


def _script(work: _Work) -> str:
    """Return the setup, which leaves nothing behind but what the instructions made."""
    if not any(line.startswith(("(", "tar")) for line in work.lines):
        return ""
    arguments = [f"export {name}={shlex.quote(value)}" for name, value in work.arguments.items()]
    head = ["set -e", f"export PATH={STAND_INS}:$PATH DEBIAN_FRONTEND=noninteractive", *arguments]
    return "\n".join([*head, *work.lines, f"rm -rf {OURS}"]) + "\n"
