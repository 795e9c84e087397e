"""``palestra web``: data sets about web sites, and judges that are held against them."""

from pathlib import Path
from typing import Annotated

import typer

from palestra.cli.app import AsJson, Knobs, SplitOption, app, command
from palestra.cli.collecting import collect_command
from palestra.cli.judging import judge_command
from palestra.cli.output import console, print_json
from palestra.cli.tasks import parse_knobs
from palestra.envs.base import TaskError
from palestra.envs.web.generate import WebTasks
from palestra.envs.web.labels import preferences, written

_group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Data sets about web sites.")
app.add_typer(_group, name="web")


@_group.callback()
def web_options() -> None:
    """Data sets about web sites, and judges that are held against them."""


command("judge", _group)(judge_command)
command("collect", _group)(collect_command)


@command("label", _group)
def label_command(
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write: NAME.jsonl.")],
    n: Annotated[int, typer.Option("-n", "--n", min=1, help="How many tasks are walked through.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Of the first task; the others follow by one.")] = 0,
    difficulty: Knobs = None,
    split: SplitOption = "train",
    as_json: AsJson = False,
) -> None:
    """Write preferences between actions: one that comes a step nearer to the goal, and four that do not.

    Labels are exact: they come from the distances of all states, and nobody judges.
    """
    if out.suffix != ".jsonl":
        raise TaskError(f"the file's name must end in .jsonl, unlike {str(out)!r}")
    tasks, knobs, states = WebTasks(split), parse_knobs(difficulty), 0
    try:
        with out.open("w", encoding="utf-8") as file:
            for number in range(seed, seed + n):
                for found in preferences(tasks.sample(number, knobs), number):
                    file.write(f"{written(found)}\n")
                    states += 1
    except OSError as error:
        raise TaskError(f"cannot write {str(out)!r}: {error.strerror or error}") from error
    if as_json:
        print_json({"file": str(out), "tasks": n, "states": states})
    else:
        console().print(f"{out}: {states} states of {n} tasks")
