"""Checkpoints that are whole or absent: written aside, flushed to the disk, then renamed."""

import json
import os
import random
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from palestra.sandbox.base import PermanentInfraError

_NAME = re.compile(r"^step-(\d{6})$")


class CheckpointError(PermanentInfraError):
    """A checkpoint cannot be written or read; the message says what to do. Older ones are untouched."""


def save_checkpoint(
    folder: Path, step: int, tensors: Mapping[str, Any], state: Mapping[str, Any], *, keep: int = 2
) -> Path:
    """Write a checkpoint atomically and drop all but the newest `keep`.

    Args:
        tensors: anything that torch saves: weights, the optimiser's state.
        state: plain JSON data.

    Raises:
        CheckpointError: the disk is full or not writable; what was there before is untouched.
    """
    final = folder / f"step-{step:06d}"
    staging = folder / f".writing-{os.getpid()}-{step}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        with (staging / "tensors.pt").open("wb") as file:
            torch.save({**tensors, "random": _random_state()}, file)
            _flush(file)
        with (staging / "state.json").open("w", encoding="utf-8") as text:
            json.dump(dict(state), text)
            _flush(text)
        if final.exists():
            shutil.rmtree(final)
        staging.rename(final)
        _flush_folder(folder)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        shutil.rmtree(staging, ignore_errors=True)
        free = shutil.disk_usage(_existing(folder)).free >> 20
        raise CheckpointError(
            f"no checkpoint could be written to {str(folder)!r} ({free} MiB free): {_first_line(error)}; "
            "free some space or choose another folder with out=..., then resume from the last checkpoint"
        ) from error
    for old in list_checkpoints(folder)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the complete checkpoints in a folder, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _NAME.match(path.name) and (path / "state.json").is_file())


def load_checkpoint(path: Path, *, restore_random: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a checkpoint's tensors and state, and make the random generators what they were.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    try:
        tensors: dict[str, Any] = torch.load(path / "tensors.pt", map_location="cpu", weights_only=True)
        state: dict[str, Any] = json.loads((path / "state.json").read_text(encoding="utf-8"))
    except Exception as error:  # a damaged file leads torch's reader to errors of many kinds
        raise CheckpointError(f"the checkpoint {str(path)!r} cannot be read: {_first_line(error)}") from error
    saved = tensors.pop("random")
    if restore_random:
        torch.set_rng_state(saved["torch"])
        if torch.cuda.is_available() and saved["cuda"]:
            torch.cuda.set_rng_state_all(saved["cuda"])
        python = json.loads(saved["python"])
        random.setstate((python[0], tuple(python[1]), python[2]))
        numpy_state = json.loads(saved["numpy"])
        np.random.set_state(("MT19937", np.array(numpy_state[0], dtype=np.uint32), *numpy_state[1:]))
    return tensors, state


def _random_state() -> dict[str, Any]:
    legacy: Any = np.random.get_state(legacy=True)
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "python": json.dumps(random.getstate()),
        "numpy": json.dumps([[int(x) for x in legacy[1]], int(legacy[2]), int(legacy[3]), float(legacy[4])]),
    }


def _flush(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0]
