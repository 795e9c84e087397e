"""JUnit XML as CI systems read it: the schema's names and places, whatever the texts hold."""

from typing import Any
from xml.etree import ElementTree

import pytest

from palestra.envs.junit import Case, Suite, junit_xml

ODD = '\x00\x1b[2J \ud83d <&>" ]]> \ufffe\n\u2028\U0001f600'
# Of Jenkins' junit-10.xsd: an element's attributes that must be, those that may be, and its children.
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "disabled", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests"},
        {"failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id", "package"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": (
        {"name"},
        {"assertions", "time", "timestamp", "classname", "status", "class", "file", "line", "log", "group", "url"},
        {"skipped", "error", "failure", "system-out", "system-err", "properties"},
    ),
    "skipped": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "failure": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


def problems(element: ElementTree.Element) -> list[str]:
    """Return where an element and what is in it break the schema."""
    required, optional, children = SCHEMA[element.tag]
    names = set(element.attrib)
    found = [f"{element.tag} lacks {name}" for name in sorted(required - names)]
    found += [f"{element.tag} has {name}" for name in sorted(names - required - optional)]
    for child in element:
        found += problems(child) if child.tag in children else [f"{child.tag} in {element.tag}"]
    return found


def suite(**case: Any) -> Suite:
    cases = [
        Case(classname=f"a.{ODD}", name=f"{status} {ODD}", status=status, message=ODD, text=ODD, **case)
        for status in ("passed", "failed", "fault", "absent")
    ]
    return Suite(name=ODD, cases=cases, properties={ODD: ODD})


@pytest.mark.parametrize("case", [{}, {"duration_s": 0.0}, {"duration_s": 12345.6789}])
def test_a_suite_keeps_to_the_schema(case: dict[str, float]) -> None:
    root = ElementTree.fromstring(junit_xml(suite(**case)))
    assert problems(root) == []
    assert problems(ElementTree.fromstring("<testsuites><testsuite nam='x'/></testsuites>")) != []
    assert [float(one.attrib["time"]) >= 0 for one in root.iter("testcase") if "time" in one.attrib] == [True] * (
        4 * bool(case)
    )


def test_counts_are_those_of_the_cases() -> None:
    root = ElementTree.fromstring(junit_xml(suite()))
    for element in (root, root[0]):
        assert [element.attrib[name] for name in ("tests", "failures", "errors")] == ["4", "1", "1"]
    assert root[0].attrib["skipped"] == "1"
    assert [len(list(root.iter(tag))) for tag in ("failure", "error", "skipped")] == [1, 1, 1]


def test_a_suite_without_cases_is_one() -> None:
    root = ElementTree.fromstring(junit_xml(Suite(name="none", cases=[])))
    assert problems(root) == []
    assert root[0].attrib["tests"] == "0"
