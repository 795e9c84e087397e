"""Results as JUnit XML, which CI systems show: a suite of test cases, whatever their texts hold.

Names and places are those of the schema that Jenkins checks such files by (xunit-plugin, junit-10.xsd).
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from palestra.envs.base import TaskError

_MOST_CHARS = 100_000  # of one case's text
_TAGS = {"failed": "failure", "fault": "error", "absent": "skipped"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test case: what failed is a failure, a fault an error, what is absent is skipped."""

    classname: str
    name: str
    status: Literal["passed", "failed", "fault", "absent"]
    message: str = ""  # one line
    text: str = ""  # all there is to say, shown as the case's output
    duration_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Test cases that belong together."""

    name: str
    cases: Sequence[Case]
    properties: Mapping[str, str] = field(default_factory=dict)


def junit_xml(suite: Suite) -> bytes:
    """Return a suite as an XML document; what XML cannot hold is spelled out."""
    count = {status: str(sum(case.status == status for case in suite.cases)) for status in _TAGS}
    counts = {"tests": str(len(suite.cases)), "failures": count["failed"], "errors": count["fault"]}
    root = Element("testsuites", counts)
    told = SubElement(root, "testsuite", {"name": _legal(suite.name), **counts, "skipped": count["absent"]})
    if suite.properties:
        properties = SubElement(told, "properties")
        for name, value in suite.properties.items():
            SubElement(properties, "property", {"name": _legal(name), "value": _legal(value)})
    for case in suite.cases:
        _add(told, case)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def write_junit(suite: Suite, path: Path) -> None:
    """Write a suite as JUnit XML.

    Raises:
        TaskError: the file cannot be written.
    """
    try:
        path.write_bytes(junit_xml(suite))
    except OSError as error:
        raise TaskError(f"cannot write the report to {str(path)!r}: {error.strerror or error}") from error


def _add(suite: Element, case: Case) -> None:
    names = {"classname": _legal(case.classname), "name": _legal(case.name)}
    times = {} if case.duration_s is None else {"time": f"{case.duration_s:.3f}"}
    told = SubElement(suite, "testcase", {**names, **times})
    if case.status in _TAGS:
        SubElement(told, _TAGS[case.status], {"message": _legal(case.message)})
    SubElement(told, "system-out").text = _legal(case.text[:_MOST_CHARS])


def _legal(text: str) -> str:
    return "".join(char if _is_legal(char) else ascii(char)[1:-1] for char in text)


def _is_legal(char: str) -> bool:
    return char in "\n\t" or (unicodedata.category(char) not in ("Cc", "Cs") and char not in "\ufffe\uffff")
