"""``palestra play``: a person acts in the terminal, or a program through a pipe."""

import secrets
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from palestra.cli.app import AsJson, EnvId, Knobs, SplitOption, TaskFile, command
from palestra.cli.output import console, print_json, printable
from palestra.cli.shorthand import ShorthandError, action_text
from palestra.cli.tasks import begin
from palestra.envs.actions import parse_action, signature
from palestra.envs.base import Json, Message, Snapshot
from palestra.envs.env import AgentEnv
from palestra.rewards.base import Truncated

HELP = """\
tool name=value other="two words"   call a tool; name=<<END takes the lines until END
{"name": ..., "arguments": {...}}   the same as JSON
anything else                       is said as text
:undo                               take the last turn back
:tools  :state  :help  :quit        what can be called; where you stand; this; leave"""

_STYLES = {"system": "magenta", "user": "cyan", "assistant": "green", "tool": "yellow"}


@command("play")
def play_command(
    env_id: EnvId,
    split: SplitOption = "train",
    seed: Annotated[int | None, typer.Option(min=0, help="Which task; drawn when not given.")] = None,
    difficulty: Knobs = None,
    task: TaskFile = None,
    as_json: AsJson = False,
) -> None:
    """Act in an environment yourself, one line a turn.

    The line :help tells what can be typed. Lines may come through a pipe, too: the end of the input
    ends the play. With --json the episode is printed as one object at the end.
    """
    seed = secrets.randbelow(10_000) if seed is None else seed
    out = console(stderr=as_json)
    env, _, info = begin(env_id, split=split, seed=seed, knobs=difficulty, task_file=task)
    with closing(env):
        out.print(f"{env.env_id}, split {split}, seed {seed}: {printable(info['task_id'])}", style="bold")
        player = _Player(env, out, info)
        lines = _lines(prompt=not as_json and sys.stdin.isatty() and sys.stdout.isatty())
        for line in lines:
            if not player.take(line, lines):
                break
        else:
            out.print("the input has ended", style="dim")
        if as_json:
            print_json({"env_id": env.env_id, "split": split, "seed": seed, **player.record()})


@dataclass(frozen=True, slots=True)
class _Turn:
    before: Snapshot
    info: dict[str, Any]  # before the turn
    action: str
    reward: float


class _Player:
    """One play: the environment, the turns so far, and where they are shown."""

    def __init__(self, env: AgentEnv, out: Console, info: dict[str, Any]) -> None:
        self.env, self.out, self.info = env, out, info
        self.turns: list[_Turn] = []
        self._show_messages(0)
        self._show_tools()
        self.out.print(":help tells what can be typed here", style="dim")

    def take(self, line: str, more: Iterator[str]) -> bool:
        """Do what one line asks for; False when it asks to leave."""
        word = line.strip()
        commands = {":undo": self._undo, ":state": self._show_state, ":tools": self._show_tools, ":help": self._help}
        if word in (":quit", ":q"):
            return False
        if word in commands:
            commands[word]()
        elif word.startswith(":"):
            self._complain(f"unknown command {word!r}; there are {', '.join(commands)} and :quit")
        elif word:
            self._act(line, more)
        return True

    def record(self) -> dict[str, Json]:
        """Return the episode as plain JSON data."""
        outcome = self.info["outcome"]
        return {
            "task_id": self.info["task_id"],
            "actions": [turn.action for turn in self.turns],
            "rewards": [turn.reward for turn in self.turns],
            "reward": self._total(),
            "is_success": self.info["is_success"],
            "ended": None if outcome is None else outcome.kind if isinstance(outcome, Truncated) else "scored",
            "messages": self.info["messages"],
        }

    def _act(self, line: str, more: Iterator[str]) -> None:
        if self.info["outcome"] is not None:
            self._complain("the episode is over; :undo takes the last turn back, :quit leaves")
            return
        try:
            action = action_text(line, self.info["tools"], more)
        except ShorthandError as error:
            self._complain(str(error))
            return
        if problem := parse_action(action, self.info["tools"]).error:
            self._complain(f"{problem} (nothing was sent)")
            return
        before, info = self.env.snapshot(), self.info
        _, reward, _, _, self.info = self.env.step(action)
        self.turns.append(_Turn(before, info, action, float(reward)))
        self._show_messages(len(info["messages"]))
        self._show_state()

    def _undo(self) -> None:
        if not self.turns:
            self._complain("there is no turn to take back")
            return
        turn = self.turns.pop()
        self.env.restore(turn.before)
        self.info = turn.info
        self._show_messages(len(self.info["messages"]) - 1)
        self._show_state()

    def _total(self) -> float:
        return sum(turn.reward for turn in self.turns)

    def _show_messages(self, seen: int) -> None:
        for message in self.info["messages"][seen:]:
            self.out.print(Text(f"{message['role']}:", _STYLES.get(message["role"], "")), printable(_said(message)))

    def _show_tools(self) -> None:
        self.out.print("tools:", style="blue")
        for tool in self.info["tools"]:
            self.out.print(f"  {printable(signature(tool))}", style="bold")
            self.out.print(f"      {printable(tool['function'].get('description', ''))}", style="dim")

    def _show_state(self) -> None:
        limit = self.env.task.budget.turns
        last = f", the last turn {self.turns[-1].reward:+.3f}" if self.turns else ""
        where = f"turn {len(self.turns)} of {limit}, reward {self._total():.3f}{last}, state {self.info['state_key']}"
        self.out.print(where, style="dim")
        if (outcome := self.info["outcome"]) is not None:
            how = "solved" if self.info["is_success"] else "not solved"
            ended = f"out of {outcome.kind}" if isinstance(outcome, Truncated) else "judged"
            self.out.print(f"the episode is over: {ended}, {how}, reward {outcome.reward:.3f}", style="bold")

    def _help(self) -> None:
        self.out.print(HELP)

    def _complain(self, what: str) -> None:
        self.out.print(printable(what), style="red")


def _said(message: Message) -> str:
    calls = [f"{c['function']['name']} {c['function']['arguments']}" for c in message.get("tool_calls", ())]
    return "\n".join(filter(None, [str(message["content"]), *calls]))


def _lines(*, prompt: bool) -> Iterator[str]:
    """Yield what is typed, line by line, until the input ends."""
    if prompt:
        import readline  # noqa: F401 - its import alone gives `input` editing and a history; not on every platform
    while True:
        if prompt:
            try:
                yield input("> ")
            except EOFError:
                print()
                return
        elif line := sys.stdin.readline():
            yield line.rstrip("\r\n")
        else:
            return
