"""Geometry of parts on OpenCASCADE, made to run in a process that can be lost.

`answer` is all that a caller needs, beside `palestra.envs.cad.geometry.wire`, which writes its requests and reads its
answers without the kernel. Only what `answer` imports needs the extra `cad`.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["answer"]


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `wire.measure` or `wire.judge` asked for, JSON-able; see `geometry.answering`."""
    from palestra.envs.cad.geometry.answering import answered

    return answered(request)
