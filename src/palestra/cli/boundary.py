"""Where errors become one line for a person and an exit code for a program.

0: all is well. 1: a check failed, or the machine did. 2: the command was asked for something that
does not exist or cannot be read. Anything not listed here is a bug and keeps its traceback.
"""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from palestra.agents.base import ConfigError, MissingExtraError, ModelError
from palestra.cli.output import printable
from palestra.envs.base import EpisodeOver, SnapshotError, TaskError
from palestra.envs.registry import RegistrationError, UnknownEnvError
from palestra.rewards.base import RecordError, VerifierError
from palestra.sandbox.base import InfraError, SandboxFileError
from palestra.sandbox.images.recipe import RecipeError, UnknownImageError

FAILED, USAGE, INTERRUPTED, CLOSED_PIPE = 1, 2, 130, 141

_ASKED_WRONGLY = (UnknownEnvError, TaskError, ModelError, ConfigError, RecipeError, UnknownImageError)
_WENT_WRONG = (
    EpisodeOver,
    InfraError,
    MissingExtraError,
    RecordError,
    RegistrationError,
    SandboxFileError,
    SnapshotError,
    VerifierError,
)
_EXTRAS = {
    "cadquery": "cad",
    "docker": "docker",
    "gguf": "train",
    "matplotlib": "train",
    "mpmath": "bfcl",
    "peft": "train",
    "playwright": "web",
    "pyarrow": "parquet",
    "ray": "scale",
    "starlette": "serve",
    "tensorboard": "train",
    "torch": "train",
    "transformers": "train",
    "uvicorn": "serve",
}


@contextmanager
def boundary(went_wrong: int = FAILED) -> Iterator[None]:
    """Run the body; turn a known error into a line on standard error and ``SystemExit``.

    Args:
        went_wrong: the exit code where the machine or the installation is to blame.
    """
    try:
        yield
        sys.stdout.flush()
    except _ASKED_WRONGLY as error:
        _leave(USAGE, f"error: {_text(error)}")
    except _WENT_WRONG as error:
        _leave(went_wrong, f"error: {type(error).__name__}: {_text(error)}")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        extra = _EXTRAS.get(package)
        if extra is None:
            raise
        _leave(went_wrong, f"error: this needs {package}; install it with: pip install 'palestra[{extra}]'")
    except BrokenPipeError:
        # Who read us has gone. What is still buffered goes nowhere, or Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _leave(CLOSED_PIPE)
    except KeyboardInterrupt:
        _leave(INTERRUPTED, "interrupted")


def _leave(code: int, line: str = "") -> None:
    if os.environ.get("PALESTRA_DEBUG"):
        traceback.print_exc()
    if line:
        print(line, file=sys.stderr)
    raise SystemExit(code)


def _text(error: BaseException) -> str:
    """Return an error's message on one line; a LookupError's own text may span several."""
    return " ".join(printable(str(error)).split())
