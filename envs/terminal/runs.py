"""Scripts and services that an agent wrote, run in a fresh machine on inputs that the agent has never seen.

The machine holds the declared files and nothing else of the agent's: no shell of its, no home, no variables, no
programs but those among the files. What is printed, answered and written is compared on this side.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Final

from palestra import sandbox as sandboxes
from palestra.envs.base import Json
from palestra.envs.code.judge.case import trouble
from palestra.envs.code.judge.checkers import KINDS
from palestra.envs.terminal.frozen import Frozen, our_program
from palestra.envs.terminal.predicates.content import Predicate, UnmetError, difference, one_line, shown
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import MIB, InfraError, Limits, Sandbox, SandboxFileError, SandboxSnapshot, Spec

_SECONDS: Final = 5.0
_LAY_OUT: Final = (
    "tar",
    "--extract",
    "--file=-",
    "--ignore-zeros",
    "--directory=/",
    "--no-same-owner",
    "--same-permissions",
)
_TAR_FAILED: Final = 2
_OURS: Final = Limits(wall_s=30.0, cpu_s=10.0, memory_bytes=512 * MIB, output_bytes=4 * MIB, file_bytes=64 * MIB)
_DISK_BYTES: Final = 128 * MIB
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT: Final = {"PATH": _PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class Stage:
    """The machine in which programs of an agent are tried. Not thread-safe; give it back with `close`."""

    def __init__(self, *, image: str = "", backend: str = "native", unsafe: bool = False) -> None:
        """Start a machine.

        Raises:
            InfraError: none could be started.
        """
        spec = Spec(terminal=True, image=image, limits=Limits(disk_bytes=_DISK_BYTES), env=_ENVIRONMENT)
        self._sandbox = sandboxes.create(spec, backend=backend, unsafe=unsafe)
        self._empty: SandboxSnapshot | None = None  # None: nothing was laid out yet

    def close(self) -> None:
        """Give the machine back."""
        self._sandbox.close()

    def reason(self, frozen: Frozen, asked: Predicate) -> str:
        """Return why a predicate of kind ``runs`` or ``listens`` does not hold, or "".

        Raises:
            VerifierError: the predicate makes no sense.
            InfraError: the machine failed.
        """
        try:
            laid = self._lay_out(frozen, asked["files"])
            if asked["kind"] == "listens":
                self._listen(asked)
            else:
                same = _comparison(asked.get("compare", "lines"))
                for number, case in enumerate(asked["cases"], 1):
                    if number > 1:
                        self._sandbox.restore(laid)
                    _run(self._sandbox, asked, case, f"hidden run {number}", same)
        except UnmetError as unmet:
            return one_line(str(unmet))
        return ""

    def _lay_out(self, frozen: Frozen, paths: Sequence[str]) -> SandboxSnapshot:
        if self._empty is None:
            self._empty = self._sandbox.snapshot()
        else:
            self._sandbox.restore(self._empty)
        for place, told in frozen.troubles.items():
            if any(f"{path}/".startswith(f"{place}/") for path in paths):
                raise UnmetError(told)
        names = [path[1:] for path in paths]
        # In a machine where nothing of the agent's has run, so its own tar is ours.
        result = self._sandbox.exec([*_LAY_OUT, *names], stdin=b"".join(frozen.archives), limits=_OURS)
        said = result.stderr.decode("utf-8", "replace")
        if result.timed_out or result.exit_code not in (0, _TAR_FAILED):
            raise InfraError(f"files could not be laid out to be run: {said[-300:]!r}")
        if lacking := re.search(r"tar: (.*): Not found in archive", said):
            raise UnmetError(f"/{lacking[1]} is missing; it was to be run")
        if result.exit_code:
            raise UnmetError(f"{', '.join(paths)} cannot be laid out to be run: {shown(said)}")
        return self._sandbox.snapshot()

    def _listen(self, asked: Predicate) -> None:
        seconds, cases = asked.get("seconds", _SECONDS), asked["cases"]
        told = {
            "command": asked["command"],
            "port": asked["port"],
            "seconds": seconds,
            "send": [base64.b64encode(case["send"].encode()).decode() for case in cases],
        }
        limits = Limits(wall_s=seconds + 3.0 * len(cases) + 5.0, cpu_s=seconds + 10.0, output_bytes=8 * MIB)
        result = self._sandbox.exec(our_program("ask"), stdin=json.dumps(told).encode(), limits=limits)
        command = shown(" ".join(asked["command"]))
        try:
            answer = json.loads(result.stdout)
            replies = [base64.b64decode(reply) for reply in answer.get("replies", ())]
        except (ValueError, AttributeError, TypeError, RecursionError):
            raise UnmetError(f"the service {command}: {trouble(result, limits) or 'no answer'}") from None
        if "error" in answer or len(replies) != len(cases):
            raise UnmetError(f"the service {command}: {answer.get('error', 'no answer')!s:.200}")
        for case, reply in zip(cases, replies, strict=True):
            _check_reply(command, case, reply)


def judge_running(
    frozen: Frozen,
    predicates: Sequence[Predicate],
    *,
    image: str = "",
    backend: str = "native",
    unsafe: bool = False,
) -> list[str]:
    """Return for each predicate of kind ``runs`` or ``listens`` why it does not hold, or "".

    Raises:
        VerifierError: a predicate makes no sense.
        InfraError: no machine could be started, or it failed.
    """
    if not predicates:
        return []
    with closing(Stage(image=image, backend=backend, unsafe=unsafe)) as stage:
        return [stage.reason(frozen, predicate) for predicate in predicates]


def _run(
    sandbox: Sandbox, asked: Predicate, case: Mapping[str, Json], name: str, same: Callable[[bytes, bytes], bool]
) -> None:
    """Run the command on one case; raises UnmetError."""
    seconds = asked.get("seconds", _SECONDS)
    limits = Limits(wall_s=seconds, cpu_s=seconds, output_bytes=MIB, disk_bytes=_DISK_BYTES)
    for path, text in case.get("files", {}).items():
        _write(sandbox, path, text)
    command = [*asked["command"], *case.get("args", ())]
    result = sandbox.exec(command, stdin=case.get("stdin", "").encode(), limits=limits)
    what, wanted = f"{name} of {shown(' '.join(command))}", case.get("exit", 0)
    if (problem := trouble(result, limits)) and (result.exit_code is None or problem != f"exit code {wanted}"):
        said = result.stderr.strip().splitlines()[-1:]
        raise UnmetError(f"{what}: {problem}{': ' + shown(said[0]) if said else ''}")
    if not problem and wanted:
        raise UnmetError(f"{what}: exit code 0, not {wanted}")
    if not same(result.stdout, expected := case["stdout"].encode()):
        raise UnmetError(f"{what}: its output: {difference(expected, result.stdout)}")
    for path, text in case.get("makes", {}).items():
        try:
            made = sandbox.read(path, limit_bytes=MIB)
        except SandboxFileError as error:
            raise UnmetError(f"{what}: {path} was to be written: {error.strerror}") from error
        if not same(made, text.encode()):
            raise UnmetError(f"{what}: {path}: {difference(text.encode(), made)}")


def _write(sandbox: Sandbox, path: str, text: str) -> None:
    try:
        sandbox.write(path, text.encode())
    except SandboxFileError as error:
        raise UnmetError(f"{path}, an input of a hidden run, cannot be written: {error.strerror}") from error


def _check_reply(command: str, case: Mapping[str, Json], reply: bytes) -> None:
    what, text = f"the service {command}, asked {shown(case['send'])}", reply.decode("utf-8", "replace")
    if "equals" in case and text != case["equals"]:
        raise UnmetError(f"{what} answers {shown(text)}, not {shown(case['equals'])}")
    if "contains" in case and case["contains"] not in text:
        raise UnmetError(f"{what} answers {shown(text)}, without {shown(case['contains'])}")
    if "matches" in case and not re.fullmatch(case["matches"], text):
        raise UnmetError(f"{what} answers {shown(text)}, which is not of the form {case['matches']}")


def _comparison(name: str) -> Callable[[bytes, bytes], bool]:
    if name not in KINDS:
        raise VerifierError(f"outputs are compared as one of {', '.join(KINDS)}, not {name!r:.80}")
    return KINDS[name]()
