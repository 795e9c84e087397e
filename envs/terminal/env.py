"""`palestra/Terminal-v0`: do what is asked in a shell of one's own."""

import contextlib
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final, Unpack

from palestra.envs.actions import Action, ToolCall, call_text
from palestra.envs.base import (
    Blob,
    EpisodeOver,
    Held,
    Json,
    SnapshotError,
    Split,
    Task,
    TaskError,
    TaskSource,
    canonical_json,
)
from palestra.envs.env import AgentEnv, EnvOptions, StepResult
from palestra.envs.submission import ENDED, MOST_CALLS, TOO_MANY
from palestra.envs.terminal.generate import TerminalTasks
from palestra.envs.terminal.keys import HANGUP, typed
from palestra.envs.terminal.looking import only_looks
from palestra.envs.terminal.machine import Heard, Machine
from palestra.envs.terminal.shown import SHOWN_CHARS, as_text, shortened
from palestra.envs.terminal.start import backend_of, new_sandbox, started
from palestra.envs.terminal.text_action import command_of
from palestra.envs.terminal.tools import USUAL_S, Allowance
from palestra.envs.terminal.verify import progress, verify
from palestra.rewards.base import Verdict
from palestra.sandbox.base import ProcessesRunningError, SandboxFileError

NO_CALL: Final = (
    'error: nothing was run: call bash with a command, or write it in one ```bash block or after "$ "; '
    "call done when the task is done"
)
BUSY: Final = (
    "error: a command is still running; wait for it with an empty command, type into it with send_keys, "
    "or end it with the key C-c, or Hangup if that does not help"
)
IDLE: Final = "error: nothing is running; use bash to run a command"
_STEP_S: Final = 5  # seconds of a command that ended are counted in steps of so many
_MACHINE, _SINCE = "machine", "since"  # the blobs


class TerminalEnv(AgentEnv):
    """Tasks that are done in a shell: files, logs, data, scripts, databases.

    ``bash(command)`` runs a command in a shell that keeps its state, ``write_file(path, content)`` writes a file,
    ``send_keys(keys)`` types into what runs, and ``done()`` ends the episode, as does a spent budget of seconds or of
    characters shown. Then everything of the agent's is ended, what it has left is judged in other sandboxes, and the
    outcome is 1.0 if every check passes, else 0.0. Who never calls ``done`` runs out of turns, and is paid nothing.
    The potential is the share of the task's steps whose checks pass.

    A snapshot holds files and shell, and no processes. Where something runs, it is the last still moment and what was
    done since, which whoever begins from it does again.

    Args:
        sandbox: the backend of the machine, "native" or "docker"; None: what the task asks for, as a rule "native".
        unsafe: accept a backend that does not isolate programs from this machine.
        ansi: show escape sequences, and lines as they were sent.
    """

    env_id: ClassVar[str] = "palestra/Terminal-v0"
    system_prompt: ClassVar[str] = (
        "You have a shell on a Linux machine of your own, without a network, as root. Do the task with bash, "
        "write_file and send_keys, then call done."
    )

    def __init__(
        self,
        *,
        sandbox: str | None = None,
        unsafe: bool = False,
        ansi: bool = False,
        **options: Unpack[EnvOptions],
    ) -> None:
        super().__init__(**options)
        self._backend, self._unsafe, self._ansi = sandbox, unsafe, ansi
        self._machine: Machine | None = None
        self._allowance = Allowance()
        self._clear()

    def close(self) -> None:
        machine, self._machine = self._machine, None
        if machine is not None:
            machine.close()

    def oracle(self) -> Iterator[str]:
        """Yield a call of bash for each step, and ``done``."""
        allowed_s = Allowance.of(self.task).command_s
        for step in self.task.hidden["steps"]:
            yield call_text("bash", {"command": step["solve"], "timeout_s": allowed_s})
        yield call_text("done", {})

    def verdict(self) -> Verdict | None:
        """Return what the verifier found at the end, check by check; see `palestra.envs.terminal.verify.partial`.

        Of an episode that ran out of turns, which pays nothing, it is found when it is asked for. None: the episode
        goes on, or it was restored after its end.

        Raises:
            InfraError: a sandbox failed.
            VerifierError: the task's checks are broken.
        """
        if self._verdict is None and self._outcome is not None and self._machine is not None:
            self._judge()
        return self._verdict

    def _source(self, split: Split) -> TaskSource:
        return TerminalTasks(split)

    # -- the episode -------------------------------------------------------------------------

    def _clear(self) -> None:
        """Forget all that an episode has left here."""
        self._seconds, self._chars = 0, 0  # used
        self._reached = 0.0  # the share of steps that was last seen to be done
        self._trail = ""  # a hash of everything that was done
        self._verdict: Verdict | None = None
        self._files = ""  # a hash of what was judged; "" before the end
        self._base: Held | None = None  # the last still moment; None: the start
        self._base_cwd = ""  # where the shell stood then
        self._since: list[tuple[str, dict[str, Json]]] = []  # what was carried out after it

    def _begin(self, task: Task) -> None:
        self.close()
        self._clear()
        self._allowance = Allowance.of(task)
        asked = task.hidden.get("checks") or task.hidden.get("tests")
        if not asked or not isinstance(task.hidden.get("steps"), (list, tuple)):
            raise TaskError(f"{task.id!r} is no task of a terminal: its hidden part needs steps, and checks or tests")
        self._machine = self._started(task)

    def _act(self, action: Action) -> StepResult:
        calls = action.calls
        if not calls:
            command = command_of(action.content)
            if command is None:
                return StepResult(replies=(NO_CALL,))
            calls = (ToolCall("bash", {"command": command}),)
        replies: list[str] = []
        has_changed = False
        for call in calls[:MOST_CALLS]:
            if call.name == "done":
                return self._judged(replies, len(calls))
            replies.append(self._carry_out(call))
            has_changed |= not _only_looks(call)
            if self._is_spent():
                return self._judged(replies, len(calls), spent=True)
        replies += [TOO_MANY] * (len(calls) - len(replies))
        if has_changed and self.shaping != "none":
            self._reached = progress(self.task, self._open().sandbox)
        return StepResult(replies=tuple(replies))

    def _judged(self, replies: list[str], count: int, *, spent: bool = False) -> StepResult:
        """Return the end of an episode, after some of the calls of its last turn."""
        passed = self._judge()
        told = "all of the task is done" if passed else "not all of the task is done"
        if spent:
            replies[-1] += f"\n[the budget is spent, which ends the episode: {told}]"
        else:
            replies.append(told)
        replies += [ENDED] * (count - len(replies))
        return StepResult(replies=tuple(replies), parts={"outcome": float(passed)}, done=True, is_success=passed)

    def _judge(self) -> bool:
        machine = self._open()
        backend = backend_of(self.task, self._backend)
        self._verdict = found = verify(self.task, machine.sandbox, backend=backend, unsafe=self._unsafe)
        self._files = found.files
        self.close()
        self._base, self._since = None, []  # the end is held without a machine
        return self._verdict.passed

    def _potential(self) -> float:
        return self._reached

    # -- calls -------------------------------------------------------------------------------

    def _carry_out(self, call: ToolCall) -> str:
        """Do what a call asks for, and return what is told of it."""
        machine = self._open()
        self._since.append((call.name, call.arguments))
        done = self._do(machine, call.name, call.arguments)
        if isinstance(done, str):
            return done
        if not _only_looks(call):
            self._trail = hashlib.sha256(
                canonical_json([self._trail, call.name, call.arguments]).encode("utf-8", "surrogatepass")
            ).hexdigest()
        self._seconds += _charged(done)
        return self._told(machine, done)

    def _do(self, machine: Machine, name: str, arguments: Mapping[str, Json]) -> Heard | str:
        """Return what came of a call, or why there was none."""
        try:
            if name == "write_file":
                place = machine.write(arguments["path"], arguments["content"].encode())
                return Heard(output=f"{place} is written\n".encode("utf-8", "replace"), exit_code=0, seconds=0)
            if name == "send_keys":
                keys = typed(arguments["keys"])
                if arguments["keys"] == [HANGUP]:
                    return machine.hang_up()
                return machine.type(keys, self._left_s()) if machine.is_busy else IDLE
            wait_s = min(int(arguments.get("timeout_s", USUAL_S)), self._allowance.command_s, self._left_s())
            command = arguments["command"]
            if not command.strip():
                return machine.wait(wait_s)
            return BUSY if machine.is_busy else machine.run(command, wait_s)
        except (SandboxFileError, ValueError) as error:
            return f"error: {error}"

    def _told(self, machine: Machine, heard: Heard) -> str:
        """Return what an agent is told of a command: its output, and how things stand."""
        text = as_text(heard.output, ansi=self._ansi)
        left = self._allowance.output_chars - self._chars
        text = shortened(text, min(SHOWN_CHARS, left), heard.lost_bytes)
        self._chars += min(len(text), left)
        if heard.exit_code is not None:
            state = f"exit code {heard.exit_code}"
        else:
            state = "no shell" if not machine.is_busy else "still running: wait with an empty command, or send_keys"
        told = [state, *([heard.note] if heard.note else []), f"in {machine.cwd}"]
        turns = self.task.budget.turns - self._turns
        used = f"left: {turns} turns, {self._left_s()} s, {self._allowance.output_chars - self._chars:,} characters"
        separator = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{separator}[{'; '.join([*told, used])}]"

    def _left_s(self) -> int:
        return max(0, self._allowance.seconds - self._seconds)

    def _is_spent(self) -> bool:
        return self._left_s() == 0 or self._chars >= self._allowance.output_chars

    def _open(self) -> Machine:
        if self._machine is None:
            raise EpisodeOver("the environment was closed in the middle of an episode; call reset() to begin another")
        return self._machine

    # -- snapshots ---------------------------------------------------------------------------

    def _state_text(self) -> str:
        """Return what names the state: what was done that changed anything, and where the shell stands."""
        return canonical_json({"cwd": self._machine.cwd if self._machine else "", "trail": self._trail})

    def _dump(self) -> Json:
        return {
            "seconds": self._seconds,
            "chars": self._chars,
            "reached": self._reached,
            "trail": self._trail,
            "files": self._files,
        }

    def _load(self, state: Json) -> None:
        self.close()
        self._clear()
        self._allowance = Allowance.of(self.task)
        self._seconds, self._chars = int(state["seconds"]), int(state["chars"])
        self._reached, self._trail, self._files = float(state["reached"]), str(state["trail"]), str(state["files"])

    def _blobs(self) -> dict[str, Blob]:
        if self._outcome is not None:
            return {}
        machine = self._open()
        with contextlib.suppress(ProcessesRunningError, SandboxFileError):
            self._base, self._base_cwd, self._since = Held(machine.snapshot()), machine.cwd, []
        blobs: dict[str, Blob] = {} if self._base is None else {_MACHINE: self._base}
        return blobs | {_SINCE: json.dumps({"cwd": self._base_cwd, "calls": self._since}).encode()}

    def _load_blobs(self, blobs: Mapping[str, Blob]) -> None:
        if self._outcome is not None:
            return
        base, since = blobs.get(_MACHINE), blobs.get(_SINCE)
        if isinstance(base, bytes) or not isinstance(since, bytes):
            raise SnapshotError("it has no machine")
        told = json.loads(since)
        cwd, calls = str(told["cwd"]), [(str(name), dict(arguments)) for name, arguments in told["calls"]]
        self._machine = self._started(self.task) if base is None else self._restored(base, cwd)
        self._base, self._base_cwd, self._since = base, cwd, calls
        for name, arguments in calls:
            self._do(self._machine, name, arguments)

    def _started(self, task: Task) -> Machine:
        return Machine(started(task, backend_of(task, self._backend), unsafe=self._unsafe))

    def _restored(self, held: Held, cwd: str) -> Machine:
        """Return a machine that stands as another did."""
        sandbox = new_sandbox(self.task, backend_of(self.task, self._backend), unsafe=self._unsafe)
        try:
            sandbox.restore(held.snapshot)
        except BaseException as error:
            sandbox.close()
            if isinstance(error, SandboxFileError):
                raise SnapshotError(f"its machine cannot be restored: {error}") from error
            raise
        return Machine(sandbox, cwd)


def _charged(done: Heard) -> int:
    """Return the seconds that a call costs: what it was waited for in vain, and of what ended whole steps alone.

    What an agent is told must not depend on how busy the machine is.
    """
    step = 1 if done.exit_code is None else _STEP_S
    return step * math.floor(done.seconds / step)


def _only_looks(call: ToolCall) -> bool:
    return call.name == "bash" and only_looks(call.arguments["command"])
