"""Tasks judged by tests that they bring: a script that runs when nothing of the agent's does, and writes a reward.

The tests run in a fresh machine of the task, with the agent's files in place of those that were there and with
programs, home and variables of ours; unless the task says that they must have the agent's own machine: then what it
did to programs there is in force, and only what runs, the shell and its variables are gone.
"""

import functools
import json
import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from palestra.envs.base import Json, Task
from palestra.envs.code.judge.case import trouble
from palestra.envs.reading import NOT_JSON, read_json
from palestra.envs.terminal.formats.dockerfile import PATH
from palestra.envs.terminal.formats.offline import HOME, LIBRARY, OURS, STAND_INS, stand_ins, with_pytest
from palestra.envs.terminal.frozen import Frozen
from palestra.envs.terminal.start import started
from palestra.envs.terminal.step import HOME as WORKSPACE
from palestra.envs.terminal.tree import File, Folder, Node, Tree
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import MIB, ExecResult, InfraError, Limits, Python, Sandbox, SandboxFileError
from palestra.sandbox.docker.python import BROUGHT_DIR

TESTS, LOGS = "/tests", "/logs/verifier"
_NAME: Final = "tests"  # of the check
_MOST_REWARD_BYTES: Final = 64 * 1024
_TOLD_CHARS: Final = 2000  # of what tests print
_OUR_PYTHON: Final = sorted({sys.prefix, sys.base_prefix})  # shown in machines, and no part of what an agent left
_OURS_ONLY: Final = f"import sys; sys.path[:] = [place for place in sys.path if place not in ('', {WORKSPACE!r})]\n"
_LISTING: Final = f"{_OURS_ONLY}import json, os, sys; print(json.dumps(sorted(os.listdir(sys.argv[1]))))"
_PREPARING: Final = Limits(wall_s=60.0, cpu_s=60.0, memory_bytes=512 * MIB, file_bytes=128 * MIB, disk_bytes=256 * MIB)


def judge_by_tests(task: Task, sandbox: Sandbox, *, backend: str = "native", unsafe: bool = False) -> Verdict:
    """Return the verdict of a task's own tests on what an episode left.

    The score is the reward that they write; passed is a reward of 1. Where there are several rewards, it is the one
    named "reward", or the least. No reward, or one that is no finite number, is 0.

    Args:
        task: with ``hidden["tests"]`` and ``hidden["package"]``.
        sandbox: the agent's, in which nothing runs any more.
        backend: of that sandbox.
        unsafe: accept a backend that does not isolate programs.

    Raises:
        VerifierError: the task's tests are missing or malformed.
        InfraError: a sandbox failed.
    """
    told, tests = _told(task)
    if told["mode"] == "shared":
        return _examined(sandbox, told, tests, Frozen((), {}))
    frozen = Frozen.collect(sandbox, _places(sandbox, told["carry"]))
    if frozen.troubles:
        return _verdict({}, "; ".join(frozen.troubles.values()))
    with closing(started(task, backend, unsafe=unsafe)) as fresh:
        return _examined(fresh, told, tests, frozen)


def _told(task: Task) -> tuple[Mapping[str, Any], Tree]:
    try:
        told, tests = task.hidden["tests"], Tree.from_json(task.hidden["package"]["tests"])
        if told["mode"] not in ("shared", "separate") or "/test.sh" not in tests:
            raise ValueError(f"mode {told['mode']!r}, {len(tests)} files")
        return told, tests
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise VerifierError(f"{task.id!r} has no tests that could run: {error!r}") from error


def _places(sandbox: Sandbox, paths: Sequence[str]) -> list[str]:
    """Return the paths; in place of one that our own interpreter is below, what else is right in it."""
    found = [path for path in paths if not _holds_ours(path)]
    for path in paths:
        if _holds_ours(path):
            listed = sandbox.exec(Python(_LISTING, (path,)), limits=_PREPARING)
            names = read_json(listed.stdout.decode("utf-8", "replace"))
            below = [f"{path}/{name}" for name in names] if isinstance(names, list) else []
            found += [one for one in below if not _holds_ours(one)]
    return found


def _holds_ours(path: str) -> bool:
    return any(f"{prefix}/".startswith(f"{path}/") for prefix in _OUR_PYTHON)


def _examined(machine: Sandbox, told: Mapping[str, Any], tests: Tree, frozen: Frozen) -> Verdict:
    """Put all in its place, run the tests and read the reward."""
    try:
        _prepare(machine, told, tests, frozen)
        result = _run(machine, told)
    except SandboxFileError as error:
        return _verdict({}, f"the tests cannot run: {error}")
    problem = trouble(result, _limits(told)) if result.exit_code is None or result.timed_out else ""
    written = problem or _rewards(machine)
    output = (result.stdout + result.stderr)[-_TOLD_CHARS:].decode("utf-8", "replace")
    return _verdict({} if isinstance(written, str) else written, f"{written}\n{output}".strip())


def _prepare(machine: Sandbox, told: Mapping[str, Any], tests: Tree, frozen: Frozen) -> None:
    ours = {f"{TESTS}{path}": node for path, node in tests.items()}
    tools = (
        with_pytest()
        if any(b"pytest" in node.data for node in tests.values() if isinstance(node, File))
        else stand_ins()
    )
    nodes: dict[str, Node] = {**ours, LOGS: Folder(), HOME: Folder(), **tools}
    archives = [*frozen.archives, Tree(nodes).to_tar()]
    head = json.dumps(
        {
            "remove": [*told["carry"], TESTS, LOGS, OURS],
            "unlink": ["/logs"],
            "keep": _OUR_PYTHON,
            "sizes": [len(archive) for archive in archives],
            "folders": [told["workdir"], "/tmp"],
        }
    ).encode()
    given = b"".join((len(head).to_bytes(8, "big"), head, *archives))
    result = machine.exec(_program(), stdin=given, limits=_PREPARING)
    if not result.ok:
        said = result.stderr[-300:].decode("utf-8", "replace")
        if told["mode"] == "shared":
            raise SandboxFileError(0, f"the agent's machine does not take them: {said}")
        raise InfraError(f"tests could not be laid out: {said}; create another sandbox and try again")


def _run(machine: Sandbox, told: Mapping[str, Any]) -> ExecResult:
    env = {
        **told["env"],
        "PATH": f"{STAND_INS}:{told['env'].get('PATH', PATH)}:{BROUGHT_DIR}",
        "HOME": HOME,
        "PYTHONPATH": LIBRARY,
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TEST_DIR": TESTS,
        "DEBIAN_FRONTEND": "noninteractive",
        "LANG": "C.UTF-8",
    }
    words = ["/bin/bash", "--noprofile", "--norc", "-c", f'cd "$0" && exec bash {TESTS}/test.sh', told["workdir"]]
    return machine.exec(words, env=env, limits=_limits(told))


def _limits(told: Mapping[str, Any]) -> Limits:
    seconds = float(told["seconds"])
    return Limits(
        wall_s=seconds, cpu_s=seconds, memory_bytes=512 * MIB, processes=128, file_bytes=128 * MIB,
        disk_bytes=256 * MIB, output_bytes=MIB,
    )  # fmt: skip


def _rewards(machine: Sandbox) -> dict[str, float] | str:
    """Return what the tests wrote, or what is wrong with it; JSON goes before text."""
    try:
        text = machine.read(f"{LOGS}/reward.json", limit_bytes=_MOST_REWARD_BYTES).decode("utf-8", "replace")
    except SandboxFileError:
        text = ""
    if text.strip():
        return _json_rewards(text)
    try:
        text = machine.read(f"{LOGS}/reward.txt", limit_bytes=_MOST_REWARD_BYTES).decode("utf-8", "replace")
    except SandboxFileError as error:
        return f"the tests wrote no reward ({error.strerror or error})"
    try:
        reward = float(text)
    except ValueError:
        return f"reward.txt holds no number: {text!r:.80}"
    return {"reward": reward} if math.isfinite(reward) else f"reward.txt holds no finite number: {text!r:.80}"


def _json_rewards(text: str) -> dict[str, float] | str:
    told: Json = read_json(text)
    if told is NOT_JSON or not isinstance(told, dict) or not told:
        return f"reward.json is no object of numbers: {text!r:.80}"
    for name, value in told.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e300:
            return f"reward.json holds no finite number for {name!r:.40}: {value!r:.40}"
    return {name: float(value) for name, value in told.items()}


def _verdict(rewards: Mapping[str, float], evidence: str) -> Verdict:
    reward = rewards.get("reward", min(rewards.values(), default=0.0))
    passed = reward >= 1.0
    return Verdict(
        score=min(max(reward, 0.0), 1.0), passed=passed, checks=(Check(name=_NAME, passed=passed, evidence=evidence),)
    )


@functools.cache
def _program() -> Python:
    return Python(_OURS_ONLY + Path(__file__).with_name("prepare.py").read_text(encoding="utf-8"))
