"""Parts of CadQuery as the text that the verifier is given."""

import io
from collections.abc import Callable
from typing import Any

import cadquery as cq
import pytest


@pytest.fixture(scope="session")
def brep() -> Callable[..., bytes]:
    """Return what writes shapes and workplanes, several of them as one compound."""

    def written(*parts: Any) -> bytes:
        shapes: list[Any] = [
            shape for part in parts for shape in (part.vals() if isinstance(part, cq.Workplane) else [part])
        ]
        text = io.BytesIO()
        (shapes[0] if len(shapes) == 1 else cq.Compound.makeCompound(shapes)).exportBrep(text)
        return text.getvalue()

    return written
