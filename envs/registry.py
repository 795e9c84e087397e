"""Environments by name: ours, other packages', and what to say when a name is wrong.

An entry is a name and a path to a class; nothing of a family is imported before it is made. Other
packages register theirs from a function named in the entry-point group ``palestra.envs``.
"""

import copy
import difflib
import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from palestra.envs.web.miniwob.names import PAGES, class_name, env_id

if TYPE_CHECKING:
    from palestra.envs.env import AgentEnv

ENTRY_POINT_GROUP = "palestra.envs"
_ID = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+-v\d+")


class UnknownEnvError(LookupError):
    """No environment has this name; the message names the nearest."""


class RegistrationError(ValueError):
    """An entry cannot be registered, or a package's entry point failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvEntry:
    """What the registry knows of an environment without importing it."""

    id: str  # "palestra/ToolUseMini-v0"
    entry_point: str  # "package.module:Class"
    family: str
    summary: str  # one line
    needs: frozenset[str] = frozenset()  # capabilities its sandbox must prove
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    certificate: str = ""  # "package/Name-v0.certificate.json", as `palestra check ID --level full --out` writes it
    collection: str = ""  # "palestra/MiniWob-*-v0": what stands in lists for many entries of one kind


_registry: dict[str, EnvEntry] = {}
_plugins_loaded = False
_certificates_are_due = True


def register(entry: EnvEntry, *, certified: bool = False) -> None:
    """Add an environment, here and in Gymnasium's own registry.

    Args:
        entry: what is known of it.
        certified: refuse it unless its certificate is there, passed, and is of the code as it is now.

    Raises:
        RegistrationError: the id is malformed or taken by another class, or there is no such certificate.
    """
    if not _ID.fullmatch(entry.id):
        raise RegistrationError(f"environment id {entry.id!r} is not of the form 'namespace/Name-v0'")
    taken = _registry.get(entry.id)
    if taken is not None and taken != entry:
        raise RegistrationError(
            f"{entry.id!r} is already registered as {taken.entry_point}; use another name or version"
        )
    if certified and _certificates_are_due:
        problem = importlib.import_module("palestra.envs.certify.stamp").problem(entry)
        if problem:
            raise RegistrationError(problem)
    _registry[entry.id] = entry
    if "gymnasium.envs.registration" in sys.modules:
        register_in_gymnasium()


@contextmanager
def certificates_not_due() -> Iterator[None]:
    """Let environments be registered that have yet to be certified; the check itself works within this."""
    global _certificates_are_due
    _certificates_are_due = False
    try:
        yield
    finally:
        _certificates_are_due = True


def register_in_gymnasium() -> None:
    """Put every known entry into Gymnasium's registry, once."""
    registration = importlib.import_module("gymnasium.envs.registration")
    for entry in _registry.values():
        if entry.id not in registration.registry:
            # Budgets and order are the environment's own affair, so that it can be forked bare.
            registration.register(
                entry.id, entry_point=entry.entry_point, order_enforce=False, kwargs=dict(entry.kwargs)
            )


def list_envs() -> list[EnvEntry]:
    """Return every known environment, other packages' included, by name."""
    _load_plugins()
    return [_registry[name] for name in sorted(_registry)]


def find(env_id: str) -> EnvEntry:
    """Return the entry of a name; the namespace ``palestra/`` may be left out.

    Raises:
        UnknownEnvError: there is none.
    """
    for name in (env_id, f"palestra/{env_id}"):
        if name in _registry:
            return _registry[name]
    _load_plugins()
    if env_id in _registry:
        return _registry[env_id]
    bare = {name.split("/", 1)[1].lower(): name for name in _registry}
    near = difflib.get_close_matches(env_id.split("/")[-1].lower(), bare, n=1, cutoff=0.5)
    known = sorted({entry.collection or entry.id for entry in _registry.values()})
    hint = f"did you mean {bare[near[0]]!r}?" if near else f"known: {', '.join(known)}"
    raise UnknownEnvError(f"no environment named {env_id!r}; {hint}")


def make(env_id: str, **kwargs: Any) -> "AgentEnv":
    """Return an environment by name, bare: no wrapper stands before `snapshot` and `fork`.

    Args:
        env_id: such as ``palestra/ToolUseMini-v0``.
        kwargs: passed to the environment's class, such as ``split``, ``difficulty``, ``render_mode``.

    Raises:
        UnknownEnvError: the name is unknown.
    """
    entry = find(env_id)
    module, name = entry.entry_point.split(":")
    env: AgentEnv = getattr(importlib.import_module(module), name)(**{**entry.kwargs, **kwargs})
    register_in_gymnasium()
    registration = importlib.import_module("gymnasium.envs.registration")
    spec = copy.deepcopy(registration.spec(entry.id))
    spec.kwargs.update(kwargs)
    env.spec = spec
    return env


def _load_plugins() -> None:
    global _plugins_loaded
    if _plugins_loaded:
        return
    _plugins_loaded = True  # a function that we call may ask for the list itself
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            point.load()()
        except Exception as error:  # another package's code: whatever it raises, name its owner
            _plugins_loaded = False  # so that the next one who asks is told as well
            owner = point.dist.name if point.dist else point.value
            raise RegistrationError(f"the entry point {point.name!r} of {owner} failed: {error!r}") from error


# What the sandbox of a program that nobody trusts must prove.
_SHUT_IN = frozenset({"network_off", "read_only_root", "process_count", "pid_hidden", "socket_families"})
for _entry in (
    EnvEntry(
        id="palestra/ToolUse-v0",
        entry_point="palestra.envs.tooluse.env:ToolUseEnv",
        family="tooluse",
        summary="do what a user asks by typed tools of a shop, a bank, a travel agency ..., and end as it deserves",
        certificate="palestra.envs.tooluse/ToolUse-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/ToolUseMini-v0",
        entry_point="palestra.envs.toolmini.env:ToolUseMiniEnv",
        family="tooluse",
        summary="answer and act by tool calls against a seeded database (shop, library, clinic)",
        certificate="palestra.envs.toolmini/ToolUseMini-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/Code-v0",
        entry_point="palestra.envs.code.env:CodeEnv",
        family="code",
        summary="write a Python program for a stdin/stdout task, try it, revise it, submit it",
        needs=_SHUT_IN,
        certificate="palestra.envs.code/Code-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/Terminal-v0",
        entry_point="palestra.envs.terminal.env:TerminalEnv",
        family="terminal",
        summary="do what is asked in a shell: files, logs, data, scripts, databases, in one to four steps",
        needs=frozenset({"terminal", "network_off", "process_count", "pid_hidden", "socket_families"}),
        certificate="palestra.envs.terminal/Terminal-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/Fuzz-v0",
        entry_point="palestra.envs.fuzz.env:FuzzEnv",
        family="fuzz",
        summary="read a program in C or Python, and find an input that takes it to one of its branches",
        needs=_SHUT_IN,
        certificate="palestra.envs.fuzz/Fuzz-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/CodeRepair-v0",
        entry_point="palestra.envs.repair.env:CodeRepairEnv",
        family="repair",
        summary="find the faults in a program in any of the languages, mend them by edits, hand it in",
        needs=_SHUT_IN,
        certificate="palestra.envs.repair/CodeRepair-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/Sql-v0",
        entry_point="palestra.envs.sql.env:SqlEnv",
        family="sql",
        summary="answer a question in words by one SQL query, tried on a database and judged on others",
        needs=_SHUT_IN,
        certificate="palestra.envs.sql/Sql-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/Verilog-v0",
        entry_point="palestra.envs.verilog.env:VerilogEnv",
        family="verilog",
        summary="write a Verilog module for a specification, simulate it, submit it (needs iverilog and yosys)",
        needs=_SHUT_IN,
        certificate="palestra.envs.verilog/Verilog-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/Web-v0",
        entry_point="palestra.envs.web.env:WebEnv",
        family="web",
        summary="do on a web site what a user asks, in a simulated or a real browser: change, look up, or report",
        certificate="palestra.envs.web/Web-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/Cad-v0",
        entry_point="palestra.envs.cad.env:CadEnv",
        family="cad",
        summary="build a part that is described in words, as a CadQuery program (needs the extra cad)",
        needs=_SHUT_IN,
        certificate="palestra.envs.cad/Cad-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/CadDims-v0",
        entry_point="palestra.envs.cad.env:CadDimsEnv",
        family="cad",
        summary="build a part that is given as a table of dimensions (needs the extra cad)",
        needs=_SHUT_IN,
        certificate="palestra.envs.cad/CadDims-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/CadEdit-v0",
        entry_point="palestra.envs.cad.env:CadEditEnv",
        family="cad",
        summary="change a given part as it is asked for (needs the extra cad)",
        needs=_SHUT_IN,
        certificate="palestra.envs.cad/CadEdit-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/CadRepair-v0",
        entry_point="palestra.envs.cad.env:CadRepairEnv",
        family="cad",
        summary="mend a CadQuery program that fails or builds the wrong part (needs the extra cad)",
        needs=_SHUT_IN,
        certificate="palestra.envs.cad/CadRepair-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/CadImage-v0",
        entry_point="palestra.envs.cad.env:CadImageEnv",
        family="cad",
        summary="build the part that views with dimensions show (needs the extra cad)",
        needs=_SHUT_IN,
        certificate="palestra.envs.cad/CadImage-v0.certificate.json",
    ),
    EnvEntry(
        id="palestra/BFCLSingleTurn-v0",
        entry_point="palestra.envs.bfcl.singleturn.env:SingleTurnEnv",
        family="bfcl",
        summary="one request, the function calls it needs or none (BFCL's data; needs the package bfcl-eval)",
    ),
    EnvEntry(
        id="palestra/BFCLMultiTurn-v0",
        entry_point="palestra.envs.bfcl.multiturn.env:MultiTurnEnv",
        family="bfcl",
        summary="a user's requests in turn, to services with state (BFCL's data; needs the package bfcl-eval)",
    ),
):
    register(_entry)

for _page in PAGES:
    register(
        EnvEntry(
            id=env_id(_page),
            entry_point=f"palestra.envs.web.miniwob.env:{class_name(_page)}",
            family="miniwob",
            summary="a page of MiniWoB++ in a real browser (needs the package miniwob)",
            collection=env_id("*"),
        )
    )
