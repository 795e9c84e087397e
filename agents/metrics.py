"""A run's records: metrics and episodes as JSON lines, and the metrics as TensorBoard scalars too.

Every line of ``metrics.jsonl`` has `schema`, `phase`, `step` and numbers. A resumed run cuts the files
back to where its checkpoint was taken, so no step is recorded twice.
"""

import fcntl
import json
import os
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from palestra.rewards.base import Trajectory, Truncated
from palestra.sandbox.base import PermanentInfraError

SCHEMA = 1


class RunInUseError(PermanentInfraError):
    """Two processes would write into one run's folder."""


class RunLog:
    """Writes a run's records into its folder, which is this process's alone; without a folder, nowhere.

    Raises:
        RunInUseError: another process is at this run.
    """

    def __init__(self, folder: Path | None, *, episodes: bool = True) -> None:
        self._metrics = folder / "metrics.jsonl" if folder is not None else None
        self._episodes = folder / "episodes.jsonl" if folder is not None and episodes else None
        self._board: Any = None
        self._lock: Any = None
        if folder is not None:
            from torch.utils.tensorboard import SummaryWriter

            folder.mkdir(parents=True, exist_ok=True)
            self._lock = weakref.finalize(self, os.close, _lock(folder))
            self._board = SummaryWriter(str(folder / "tensorboard"))

    def metrics(self, phase: str, step: int, values: Mapping[str, Any]) -> None:
        """Append one line of metrics."""
        if self._metrics is None:
            return
        _append(self._metrics, {"schema": SCHEMA, "phase": phase, "step": step, **values})
        for name, value in values.items():
            if isinstance(value, int | float):
                self._board.add_scalar(f"{phase}/{name}", value, step)

    def episodes(self, phase: str, step: int, trajectories: Sequence[Trajectory]) -> None:
        """Append one line an episode, with its messages and, turn by turn, what it was paid."""
        if self._episodes is not None:
            for one in trajectories:
                _append(self._episodes, {"schema": SCHEMA, "phase": phase, "step": step, **episode_record(one)})

    def position(self) -> dict[str, int]:
        """Return the files' sizes in bytes, for `cut_back`."""
        if self._board is not None:
            self._board.flush()
        return {path.name: path.stat().st_size if path.exists() else 0 for path in self._files()}

    def cut_back(self, position: Mapping[str, int]) -> None:
        """Drop what was written after a position."""
        for path in self._files():
            if path.exists():
                with path.open("r+b") as file:
                    file.truncate(min(position.get(path.name, 0), path.stat().st_size))

    def close(self) -> None:
        """Flush and close the files, and let go of the folder."""
        if self._board is not None:
            self._board.close()
            self._lock()
            self._board = None

    def _files(self) -> list[Path]:
        return [path for path in (self._metrics, self._episodes) if path is not None]


def episode_record(trajectory: Trajectory, *, tokens: bool = False) -> dict[str, Any]:
    """Return an episode as plain JSON data; with `tokens`, also every turn's ids and log-probabilities."""
    turns = []
    for turn in trajectory.turns:
        data = asdict(turn)
        if not tokens:
            data = {k: v for k, v in data.items() if k not in ("prompt_ids", "output_ids", "logprobs")}
            data["tokens"] = len(turn.output_ids)
        turns.append(data)
    outcome = trajectory.outcome
    return {
        "env_id": trajectory.env_id,
        "task_id": trajectory.task_id,
        "group": trajectory.group,
        "seed": trajectory.seed,
        "reward": trajectory.reward,
        "is_success": outcome.is_success,
        "truncated": outcome.kind if isinstance(outcome, Truncated) else None,
        "duration_s": round(trajectory.duration_s, 4),
        "messages": list(trajectory.messages),
        "turns": turns,
    }


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Return a run's metrics; a last line cut off by a crash is left out."""
    path = folder / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    records = []
    for line in lines:
        try:
            records.append(json.loads(line))
        except ValueError:
            break
    return records


def _lock(folder: Path) -> int:
    """Return a file descriptor whose lock says that a process is at this run; it ends with the process."""
    handle = os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise RunInUseError(
            f"another process is at the run in {str(folder)!r}; wait for its end or choose another folder with out=..."
        ) from error
    return handle


def _append(path: Path, record: Mapping[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
