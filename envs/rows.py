"""Rows of files: lines of JSON, and groups of Parquet."""

import importlib
import json
from typing import Any, Final

from palestra.envs.base import Json

ROWS_EACH: Final = 1000  # of a Parquet row group


def json_line(value: Json) -> str:
    """Return a value as one line of ASCII; keys keep their order, because tools are read in it."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False) + "\n"


def parquet_library() -> Any:
    """Return pyarrow.parquet.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    return importlib.import_module("pyarrow.parquet")
