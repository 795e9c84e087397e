"""``palestra info``: what an environment is, and what an agent sees of it."""

from typing import Annotated

import typer

from palestra.cli.app import AsJson, EnvId, Knobs, SplitOption, TaskFile, command
from palestra.cli.catalog import entry_data
from palestra.cli.output import console, print_json, printable
from palestra.cli.tasks import begin
from palestra.envs.actions import signature
from palestra.envs.base import SPLITS
from palestra.envs.registry import find


@command("info")
def info_command(
    env_id: EnvId,
    split: SplitOption = "train",
    seed: Annotated[int, typer.Option(min=0, help="Which task is shown as the example.")] = 0,
    difficulty: Knobs = None,
    task: TaskFile = None,
    as_json: AsJson = False,
) -> None:
    """Show an environment: knobs, tools, needs, an example.

    The example is what an agent sees first of the chosen task.
    """
    env, observation, info = begin(env_id, split=split, seed=seed, knobs=difficulty, task_file=task)
    entry, shown, knobs = find(env_id), env.task, dict(env.tasks.knobs)
    env.close()
    if as_json:
        example = {
            "task_id": shown.id,
            "difficulty": dict(shown.difficulty),
            "budget": {"turns": shown.budget.turns, "seconds": shown.budget.seconds},
            "tools": info["tools"],
            "messages": info["messages"],
            "observation": observation,
        }
        print_json({**entry_data(entry), "splits": list(SPLITS), "knobs": knobs, "example": example})
        return
    out = console()
    out.print(entry.id, style="bold", end="")
    out.print(f": {printable(entry.summary)}\n")
    out.print(f"family   {entry.family}\nsplits   {', '.join(SPLITS)}")
    out.print(f"budget   {shown.budget.turns} turns, {shown.budget.seconds:g} s")
    out.print(f"needs    {', '.join(sorted(entry.needs)) or 'no sandbox'}\n")
    out.print("Difficulty knobs and their defaults (-d KNOB=VALUE)", style="bold")
    for name, value in sorted(knobs.items()):
        out.print(f"  {name} = {value!r}")
    out.print("\nTools", style="bold")
    for tool in info["tools"]:
        out.print(f"  {printable(signature(tool))}\n      {printable(tool['function'].get('description', ''))}")
    out.print(f"\nExample: task {printable(shown.id)}", style="bold")
    out.print("\n".join(f"  {line}" for line in printable(observation).splitlines()))
    out.print(f"\nTry it: palestra play {entry.id} --seed {seed} --split {split}")
