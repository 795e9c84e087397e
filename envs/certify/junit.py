"""A check's report as JUnit XML, which CI systems show: a test case for each question."""

import json
import unicodedata
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from palestra.envs.base import TaskError
from palestra.envs.certify.environment import CheckReport
from palestra.envs.certify.findings import CheckResult

_MOST_CHARS = 100_000  # of one case's evidence
_TAGS = {"failed": "failure", "fault": "error", "absent": "skipped"}


def junit_xml(report: CheckReport) -> bytes:
    """Return the report as one test suite; what failed is a failure, a fault an error, what is absent is skipped."""
    count = {status: str(sum(result.status == status for result in report.results)) for status in _TAGS}
    counts = {"tests": str(len(report.results)), "failures": count["failed"], "errors": count["fault"]}
    suites = Element("testsuites", counts)
    suite = SubElement(suites, "testsuite", {"name": _legal(report.env_id), **counts, "skipped": count["absent"]})
    properties = SubElement(suite, "properties")
    told = {"level": report.level, "n": report.n, "splits": ",".join(report.splits), "seed": report.seed}
    for name, value in told.items():
        SubElement(properties, "property", {"name": name, "value": str(value)})
    for result in report.results:
        _add(suite, report, result)
    ElementTree.indent(suites)
    text: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def write_junit(report: CheckReport, path: Path) -> None:
    """Write the report as JUnit XML.

    Raises:
        TaskError: the file cannot be written.
    """
    try:
        path.write_bytes(junit_xml(report))
    except OSError as error:
        raise TaskError(f"cannot write the report to {str(path)!r}: {error.strerror or error}") from error


def _add(suite: Element, report: CheckReport, result: CheckResult) -> None:
    family = report.env_id.replace("/", ".")
    case = SubElement(suite, "testcase", {"classname": _legal(family), "name": _legal(result.name)})
    if result.status in _TAGS:
        SubElement(case, _TAGS[result.status], {"message": _legal(result.detail)})
    texts = [f"{name}:\n{result.evidence[name]}" for name in ("transcript", "traceback") if name in result.evidence]
    rest = {name: value for name, value in result.evidence.items() if name not in ("transcript", "traceback")}
    evidence = json.dumps(rest, indent=1, default=str) if rest else ""
    said = "\n\n".join([result.detail, *texts, evidence]).rstrip()
    SubElement(case, "system-out").text = _legal(said[:_MOST_CHARS])


def _legal(text: str) -> str:
    """Return the text with what XML cannot hold spelled out."""
    return "".join(char if _is_legal(char) else ascii(char)[1:-1] for char in text)


def _is_legal(char: str) -> bool:
    return char in "\n\t" or (unicodedata.category(char) not in ("Cc", "Cs") and char not in "\ufffe\uffff")
