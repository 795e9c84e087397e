"""What a question raises is a failure of the environment, or a fault of ours that leaves the question open."""

import pytest

from palestra.envs.certify.findings import Finding, Status, ask
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import InfraError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InfraError("no machine"), "fault"),
        (VerifierError("no verdict"), "fault"),
        (MemoryError("no room"), "fault"),
        (KeyError("x"), "failed"),
        (RecursionError("too deep"), "failed"),
    ],
)
def test_an_error_is_a_fault_or_a_failure(error: Exception, status: Status) -> None:
    def question() -> Finding:
        raise error

    found = ask("it", question)
    assert found.status == status
    assert not found.ok
    assert str(error) in found.detail
