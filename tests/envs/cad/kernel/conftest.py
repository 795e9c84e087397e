"""A kernel, and a part that most tests use."""

import pytest

from palestra.envs.cad.kernel import SlotKernel

PLATE = """
import cadquery as cq

result = cq.Workplane().box(60, 40, 20).faces(">Z").workplane().rarray(20, 20, 2, 2).hole(5)
"""


@pytest.fixture(scope="session")
def kernel() -> SlotKernel:
    return SlotKernel()


@pytest.fixture(scope="session")
def plate(kernel: SlotKernel) -> bytes:
    """The shape of PLATE."""
    built = kernel.build(PLATE)
    assert built.brep, built.error
    return built.brep
