"""A summary that shows any text as it is: nothing a solution says becomes markup."""

import re

from palestra.envs.verification.judged import Result
from palestra.envs.verification.markdown import markdown
from palestra.envs.verification.report import Report, Row

HOSTILE = "| x |\n# you <b>passed</b> <!-- ` ``` ![a](http://b) \x1b[31m @someone \u202e $x$"


def report(*rows: Row) -> Report:
    return Report(env_id="a/B-v0", rows=rows)


def row(text: str, explanation: str = "") -> Row:
    result = Result(task_id=text, env_id="a/B-v0", status="failed", detail=text, explanation=explanation)
    return Row(task_id=text, where=text, result=result)


def test_no_text_becomes_markup() -> None:
    lines = markdown(report(row(HOSTILE))).splitlines()
    (told,) = [line for line in lines if line.startswith("| failed")]
    assert re.findall(r"(?<!\\)[|<>`\[!@]", told) == ["|"] * 5
    assert not re.search(r"[\x00-\x1f\u202e]", told)


def test_a_fence_is_longer_than_any_in_the_text() -> None:
    text = markdown(report(row("a", "```\n`````\nout of the fence?\n\x1b[31m")))
    assert text.count("``````") == 2
    assert "\x1b" not in text


def test_what_passed_comes_last_and_what_is_too_much_is_counted() -> None:
    fine = Result(task_id="fine", env_id="a/B-v0", status="passed", detail="passed")
    rows = [Row(task_id="fine", where="", result=fine)] * 600 + [row("wrong")]
    lines = markdown(report(*rows)).splitlines()
    assert lines[2] == "600 passed, 1 failed"
    assert lines[6].startswith("| failed")
    assert "101 more rows are not shown." in lines
