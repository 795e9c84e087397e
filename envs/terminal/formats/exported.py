"""Generated tasks as folders of Harbor: the same start, the same predicates, the oracle as the solution."""

import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from palestra.envs.base import Json, Task, TaskError
from palestra.envs.terminal.formats.package import Package
from palestra.envs.terminal.formats.tasks import package_of
from palestra.envs.terminal.frozen import MODULES
from palestra.envs.terminal.step import HOME
from palestra.envs.terminal.tools import Allowance
from palestra.envs.terminal.tree import File, Tree
from palestra.envs.terminal.verify import declared, predicates_of
from palestra.rewards.base import VerifierError

_BASE: Final = "python:3.12-slim-bookworm"  # has what the checker needs
_PROGRAMS: Final = {  # what a step may call, and the package that has it in the base
    "git": "git", "sqlite3": "sqlite3", "make": "make", "gcc": "gcc", "jq": "jq", "xz": "xz-utils", "zip": "zip",
    "unzip": "unzip", "file": "file", "ss": "iproute2", "ps": "procps", "pgrep": "procps", "curl": "curl",
    "bc": "bc", "rsync": "rsync", "xxd": "xxd",
}  # fmt: skip
_BESIDE: Final = (
    *("palestra.sandbox.base", "palestra.rewards.base"),
    *("palestra.envs.code.judge.case", "palestra.envs.code.judge.checkers"),
)
_TEST: Final = """#!/bin/bash
# Judges what is in this machine by the predicates in spec.json. It tells why what does not hold does not.
for python in /usr/local/bin/python3 /usr/bin/python3; do [ -x "$python" ] && break; done
exec "$python" -I /tests/check.py
"""
_TESTS_S: Final = 120.0


def exported(task: Task) -> Package:
    """Return the folder of Harbor for a task: the one that it came from, or one that means the same.

    Raises:
        TaskError: it needs what Harbor has not.
    """
    return package_of(task) if "package" in task.hidden else _generated(task)


def folder_name(task: Task) -> str:
    """Return what a task's folder is to be called: letters, digits and hyphens, of its id."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", task.id.removeprefix("terminal/")).strip("-.")


def _generated(task: Task) -> Package:
    try:
        start, checks = Tree.from_json(task.hidden["start"]), predicates_of(task)
        setup, steps = str(task.hidden.get("setup", "")), [str(one["solve"]) for one in task.hidden["steps"]]
        seconds = float(Allowance.of(task).seconds)
    except (KeyError, TypeError, ValueError, AttributeError, VerifierError) as error:
        raise TaskError(f"{task.id!r} is no task of a terminal: {error!r}") from error
    if task.hidden.get("services"):
        raise TaskError(f"{task.id!r} has services beside the agent, which a folder of Harbor cannot tell of")
    if re.search(r"^rm -f [^\n]*python3\*", setup, re.MULTILINE):
        raise TaskError(f"{task.id!r} takes python3 away, with which its checks would run in Harbor")
    name, paths = folder_name(task), declared(task)
    spec = {"collect": paths, "checks": [dict(one) for one in checks]}
    return Package(
        name=name,
        instruction=task.instruction,
        settings=_settings(task, name, seconds, paths),
        environment=_environment(start, setup, "\n".join([setup, *steps, json.dumps(spec)])),
        tests=Tree(
            {
                "/test.sh": File(_TEST.encode(), 0o755),
                "/check.py": File(checker().encode()),
                "/spec.json": File((json.dumps(spec, indent=1, ensure_ascii=False) + "\n").encode()),
            }
        ),
        solution=Tree({"/solve.sh": File("\n".join(["#!/bin/bash", *steps]).encode() + b"\n", 0o755)}),
    )


def checker() -> str:
    """Return the program that judges by predicates, in one file."""
    text = _source("palestra.envs.terminal.formats.spec_checker")
    modules = [[name, _source(name)] for name in (*_BESIDE, *MODULES)]
    rows = ",\n".join(f"    ({name!r}, {source!r})" for name, source in modules)
    head, found, tail = text.partition("MODULES: list[tuple[str, str]] = []")
    if not found:
        raise RuntimeError("the checker has no place for its modules")
    return f"{head}MODULES: list[tuple[str, str]] = [\n{rows},\n]{tail}"


def _source(name: str) -> str:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise RuntimeError(f"there is no source of {name}")
    return Path(found.origin).read_text(encoding="utf-8")


def _settings(task: Task, name: str, seconds: float, paths: list[str]) -> Mapping[str, Json]:
    told: dict[str, Any] = {
        "schema_version": "1.4",
        "artifacts": paths,
        "task": {
            "name": f"palestra/{name}",
            "description": "A generated task of a terminal.",
            "keywords": ["terminal"],
        },
        "metadata": {
            "palestra_id": task.id,
            "palestra_digest": task.digest,
            "seed": task.seed,
            "split": str(task.provenance.get("split", "")),
            "operators": [str(one.get("operator", "")) for one in task.hidden["steps"]],
        },
        "agent": {"timeout_sec": seconds},
        "verifier": {"timeout_sec": _TESTS_S, "environment_mode": "separate"},
        "environment": {"network_mode": "no-network", "cpus": 1, "memory_mb": 1024},
    }
    return told


def _environment(start: Tree, setup: str, texts: str) -> Tree:
    packages = sorted({package for name, package in _PROGRAMS.items() if re.search(rf"\b{name}\b", texts)})
    lines = [f"FROM {_BASE}", "ENV LANG=C.UTF-8 LC_ALL=C.UTF-8 TZ=UTC PAGER=cat"]
    if packages:
        fetched = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
        lines.append(f"RUN apt-get update && {fetched} && rm -rf /var/lib/apt/lists/*")
    lines += [f"WORKDIR {HOME}"]
    files = Tree()
    if start:
        files = files.put("/start.tar", start.to_tar())
        lines.append("ADD start.tar /")
    if setup:
        files = files.put("/setup.sh", setup)
        lines += ["COPY setup.sh /tmp/setup.sh", "RUN bash /tmp/setup.sh && rm /tmp/setup.sh"]
    return files.put("/Dockerfile", "\n".join(lines) + "\n")
