"""What a question raises is a failure of the environment, or a fault of ours that leaves the question open."""

import pytest

from palestra.envs.certify.environment import check
from palestra.envs.certify.factory import Order, Press
from palestra.envs.certify.findings import Finding, Status, ask
from palestra.envs.registry import find
from palestra.envs.toolmini.generate import ToolUseMiniSource
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import InfraError

ENV = "palestra/ToolUseMini-v0"


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


def test_memory_that_runs_out_while_a_task_is_made_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def starving(*given: object) -> None:
        raise MemoryError

    press = Press(find(ENV), Order(env_id=ENV, level="quick"))
    monkeypatch.setattr(ToolUseMiniSource, "sample", starving)
    with pytest.raises(InfraError, match="seed 3: memory ran out"):
        press.attempt(3)
    statuses = {result.name: result.status for result in check(ENV, n=1, split="train").results}
    assert statuses["tasks"] == statuses["leaks"] == "fault"
