"""A report as Markdown, as GitHub shows it in a job's summary; no text of a solution becomes markup."""

import re
from typing import Final

from palestra.envs.verification.report import Report, Row

_MOST_ROWS: Final = 500  # of the table; a summary is cut off at 1 MiB
_MOST_TOLD: Final = 20  # rows of which the first failing input is shown
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+.!|~&@:-])")
_FENCES = re.compile(r"`{3,}")


def markdown(report: Report) -> str:
    """Return a title, the counts, a table of all rows but those that passed first, and what failed in detail."""
    told = ", ".join(f"{number} {status}" for status, number in report.counts.items() if number)
    wrong = [row for row in report.rows if row.status != "passed"]
    fine = [row for row in report.rows if row.status == "passed"]
    lines = [f"## {_plain(report.env_id)}", "", told or "no tasks", ""]
    lines += ["| status | seconds | task | why |", "| --- | ---: | --- | --- |"]
    lines += [_line(row) for row in [*wrong, *fine][:_MOST_ROWS]]
    if len(report.rows) > _MOST_ROWS:
        lines.append(f"\n{len(report.rows) - _MOST_ROWS} more rows are not shown.")
    for row in [row for row in wrong if row.explanation][:_MOST_TOLD]:
        lines += ["", f"### {_plain(row.task_id)}", "", _plain(row.where), "", _fenced(row.explanation)]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    seconds = f"{row.result.duration_s:.2f}" if row.result else ""
    why = "" if row.status == "passed" else _plain(row.detail)
    return f"| {row.status} | {seconds} | {_plain(row.task_id)} | {why} |"


def _plain(text: str) -> str:
    """Return a text as one line that Markdown shows as it is."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return _MARKUP.sub(r"\\\1", line)


def _fenced(text: str) -> str:
    longest = max([2, *map(len, _FENCES.findall(text))])
    fence = "`" * (longest + 1)
    shown = "".join(char if char in "\n\t" or char.isprintable() else "\ufffd" for char in text)
    return f"{fence}text\n{shown.rstrip()}\n{fence}"
