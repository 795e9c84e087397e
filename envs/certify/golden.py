"""Golden hashes: what each version of an environment made and showed, for good.

They stand in ``golden.json`` beside the module of the environment's class, by id. Who changes what a seed
makes, or what the oracle is shown and paid, gives the environment's id a new version and writes its hashes:

    python -m palestra.envs.certify.golden palestra/ToolUseMini-v1
"""

import argparse
import importlib.util
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from palestra.envs.base import SPLITS, Json, Split, TaskError, digest
from palestra.envs.certify.findings import Finding
from palestra.envs.registry import EnvEntry, find, make
from palestra.envs.scripts import SCRIPTS, play

FILE = "golden.json"
SEEDS = 24  # of each split, from 0 on, at the default difficulty
_LENGTH = 12  # of a hash, in hex

Golden = Mapping[Split, list[list[str]]]  # for each seed the hash of the task and that of the oracle's episode


class GoldenError(ValueError):
    """Golden hashes cannot be read, or would be overwritten."""


def golden_file(entry: EnvEntry) -> Path:
    """Return where an environment's golden hashes stand, or would.

    Raises:
        TaskError: the entry point names no module that is a file.
    """
    try:
        spec = importlib.util.find_spec(entry.entry_point.split(":")[0])
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None:
        raise TaskError(f"the entry point {entry.entry_point!r} names no module that is a file")
    return Path(spec.origin).parent / FILE


def has_golden(entry: EnvEntry) -> bool:
    """Tell whether an environment's family keeps golden hashes; those of this version may be missing."""
    try:
        return golden_file(entry).exists()
    except TaskError:
        return False


def known(entry: EnvEntry) -> Golden | None:
    """Return the golden hashes of an environment's version; None if there are none.

    Raises:
        GoldenError: the file is malformed.
    """
    path = golden_file(entry)
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text("utf-8")).get(entry.id)
        return (
            None
            if found is None
            else {split: [[str(task), str(seen)] for task, seen in found[split]] for split in SPLITS}
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise GoldenError(f"{path} does not hold golden hashes: {error!r}") from error


def measured(entry: EnvEntry, seeds: int = SEEDS) -> Golden:
    """Make the tasks and play the oracle, and return the hashes of this code."""
    made: dict[Split, list[list[str]]] = {}
    for split in SPLITS:
        with closing(make(entry.id, split=split)) as env:
            episodes = [play(env, SCRIPTS["oracle"], seed) for seed in range(seeds)]
        made[split] = [[one.task_digest[:_LENGTH], digest(list(one.stream))[:_LENGTH]] for one in episodes]
    return made


def unchanged(entry: EnvEntry) -> Finding:
    """Compare this code's tasks and episodes with the golden ones of the same version.

    Raises:
        GoldenError: the file is malformed.
    """
    golden = known(entry)
    if golden is None:
        return Finding(False, f"{golden_file(entry)} has no golden hashes of {entry.id}; see {__name__}")
    now = measured(entry, len(golden["train"]))
    for split in SPLITS:
        for seed, (here, then) in enumerate(zip(now[split], golden[split], strict=True)):
            if here != then:
                what = "the task" if here[0] != then[0] else "what the oracle sees in the task"
                told = f"{what} of split {split}, seed {seed} has changed, and the version of {entry.id} has not"
                return Finding(
                    False, f"{told}; see {__name__}", {"split": split, "seed": seed, "now": here, "was": then}
                )
    return Finding(True, f"{len(golden['train'])} tasks of each split are what they were when {entry.id} was made")


def write(entry: EnvEntry, *, seeds: int = SEEDS, overwrite: bool = False) -> Path:
    """Write the golden hashes of an environment's version, and return the file.

    Raises:
        GoldenError: this version has some already, and `overwrite` was not asked for.
    """
    path = golden_file(entry)
    if known(entry) is not None and not overwrite:
        raise GoldenError(
            f"{path} has the golden hashes of {entry.id}: give the environment a new version, or if nobody "
            "has used this one, add --overwrite"
        )
    written: dict[str, Json] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    written[entry.id] = measured(entry, seeds)
    path.write_text(_text(written), "utf-8")
    return path


def _text(written: Mapping[str, Mapping[Split, list[list[str]]]]) -> str:
    """Return the hashes as JSON, a line each, so that a change of one is a change of one line."""
    parts = []
    for env_id, golden in sorted(written.items()):
        splits = (
            f'    "{split}": [\n' + ",\n".join(f"      {json.dumps(pair)}" for pair in golden[split]) + "\n    ]"
            for split in SPLITS
        )
        parts.append(f"  {json.dumps(env_id)}: {{\n" + ",\n".join(splits) + "\n  }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> None:
    """Write the golden hashes of the environments that are named."""
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=main.__doc__)
    parser.add_argument("env_ids", nargs="+", metavar="ENV_ID")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="tasks of each split")
    parser.add_argument("--overwrite", action="store_true", help="even if the version has hashes")
    chosen = parser.parse_args()
    for env_id in chosen.env_ids:
        try:
            print(write(find(env_id), seeds=chosen.seeds, overwrite=chosen.overwrite))
        except (GoldenError, LookupError) as error:
            parser.error(str(error))


if __name__ == "__main__":
    main()
