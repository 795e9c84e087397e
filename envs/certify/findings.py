"""What comes of a question put to an environment: it passed, it failed, or a fault kept it from an answer."""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from palestra.envs.base import Json, TaskError
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import InfraError

Status = Literal["passed", "failed", "fault", "absent"]
FAULTS = (InfraError, VerifierError, MemoryError)  # of the machine or the verifier: nothing is known of the environment
ZERO = 1e-9  # rewards are sums of floats: what differs by less is equal


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The answer to one question.

    `status` is "passed", "failed" (the environment is wrong), "fault" (the machine or a verifier
    failed, so nothing is known) or "absent" (the family declares nothing to look at).
    """

    name: str
    status: Status
    detail: str
    evidence: Mapping[str, Json] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True unless something is wrong or unknown."""
        return self.status in ("passed", "absent")

    def to_dict(self) -> dict[str, Json]:
        """Return the result as plain JSON data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "CheckResult":
        """Return the result that `to_dict` wrote.

        Raises:
            TaskError: it is none.
        """
        try:
            result = cls(**data)
        except TypeError as error:
            raise TaskError(f"not a check's result: {error}") from error
        if result.status not in get_args(Status):
            raise TaskError(f"a check's status must be one of {', '.join(get_args(Status))}, not {result.status!r}")
        return result


@dataclass(frozen=True, slots=True)
class Finding:
    """What a question found."""

    passed: bool
    detail: str
    evidence: Mapping[str, Json] = field(default_factory=dict)


Question = Callable[[], Finding]


def ask(name: str, question: Question) -> CheckResult:
    """Turn a question's answer, or what it raised, into a result; a machine's fault is not a failure."""
    try:
        found = question()
    except FAULTS as error:
        return CheckResult(name=name, status="fault", detail=f"{type(error).__name__}: {error}")
    except Exception as error:  # a family's code may raise anything: that is a finding, not a crash
        return raised(name, error)
    return CheckResult(
        name=name, status="passed" if found.passed else "failed", detail=found.detail, evidence=found.evidence
    )


def raised(name: str, error: Exception) -> CheckResult:
    """Return the result of a question that a family's own code did not survive."""
    trace = {"traceback": "".join(traceback.format_exception(error))}
    return CheckResult(name=name, status="failed", detail=f"raised {error!r}", evidence=trace)
