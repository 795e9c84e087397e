"""A check's report as a JUnit suite: a test case for each question."""

import json

from palestra.envs.certify.environment import CheckReport
from palestra.envs.certify.findings import CheckResult
from palestra.envs.junit import Case, Suite


def junit_suite(report: CheckReport) -> Suite:
    """Return the report as one test suite."""
    told = {"level": report.level, "n": report.n, "splits": ",".join(report.splits), "seed": report.seed}
    return Suite(
        name=report.env_id,
        cases=[_case(report, result) for result in report.results],
        properties={name: str(value) for name, value in told.items()},
    )


def _case(report: CheckReport, result: CheckResult) -> Case:
    texts = [f"{name}:\n{result.evidence[name]}" for name in ("transcript", "traceback") if name in result.evidence]
    rest = {name: value for name, value in result.evidence.items() if name not in ("transcript", "traceback")}
    evidence = json.dumps(rest, indent=1, default=str) if rest else ""
    return Case(
        classname=report.env_id.replace("/", "."),
        name=result.name,
        status=result.status,
        message=result.detail,
        text="\n\n".join([result.detail, *texts, evidence]).rstrip(),
    )
