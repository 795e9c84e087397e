"""How a run goes, for a person: a live bar on a terminal, one line a step elsewhere."""

import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from palestra.agents.evaluate import Evaluation
from palestra.agents.rollout import Fault, is_success
from palestra.rewards.base import Trajectory

_TITLES = {
    "base": "evaluate base model",
    "cold": "evaluate cold start",
    "final": "evaluate after RL",
    "rl": "play",
    "run": "play",
    "eval": "evaluate",
}


class Progress:
    """Shows episodes, successes and tokens per second on a console; `None` shows nothing."""

    def __init__(self, console: Console | None) -> None:
        self.console = console
        self._bars: Bars | None = None
        self._started = 0.0
        self._episodes = self._wins = self._tokens = self._faults = 0

    def begin(self, phase: str, step: int, steps: int, episodes: int) -> None:
        """Start a batch of episodes."""
        self.finish()
        self._started = time.monotonic()
        self._episodes = self._wins = self._tokens = self._faults = 0
        if self.console is None or not self.console.is_terminal:
            return
        title = _TITLES.get(phase, phase) + (f" {step + 1}/{steps}" if phase == "rl" else "")
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Bars(*columns, TextColumn("{task.fields[note]}"), console=self.console, transient=True)
        self._bars.add_task(title, total=episodes, note="")
        self._bars.start()

    def episode(self, played: Trajectory | Fault) -> None:
        """Count one finished episode."""
        self._episodes += 1
        if isinstance(played, Fault):
            self._faults += 1
        else:
            self._wins += is_success(played)
            self._tokens += sum(len(turn.output_ids) for turn in played.turns)
        if self._bars is not None:
            rate = self._tokens / max(1e-9, time.monotonic() - self._started)
            lost = f", {self._faults} lost" if self._faults else ""
            note = f"{self._wins / self._episodes:.0%} solved, {rate:.0f} tokens/s{lost}"
            self._bars.update(self._bars.task_ids[0], advance=1, note=note)

    def step(self, phase: str, step: int, steps: int, stats: Mapping[str, float]) -> None:
        """Show what one optimiser step or one reinforcement step brought."""
        self.finish()
        if phase == "rl":
            text = (
                f"rl {step + 1}/{steps}  solved {stats['success']:.0%}  reward {stats['reward']:+.3f}  "
                f"entropy {stats.get('entropy', 0.0):.3f}  kl {stats.get('kl_k3', 0.0):.4f}  "
                f"play {stats['sample_seconds']:.1f} s  train {stats['train_seconds']:.1f} s"
            )
        else:
            text = f"{phase} {step + 1}/{steps}  loss {stats['loss']:.4f}  {stats['seconds']:.1f} s"
        self._say(text)

    def evaluated(self, phase: str, evaluation: Evaluation) -> None:
        """Show an evaluation."""
        self.finish()
        low, high = evaluation.interval
        rate = evaluation.tokens / max(1e-9, evaluation.seconds)
        self._say(
            f"{_TITLES[phase]}: {evaluation.success_rate:.1%} [{low:.1%}, {high:.1%}] of {evaluation.n} held-out tasks "
            f"({evaluation.seconds:.0f} s, {rate:.0f} tokens/s)"
        )

    def finish(self) -> None:
        """Take the bar away."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _say(self, text: str) -> None:
        if self.console is not None:
            self.console.print(text, highlight=False)
