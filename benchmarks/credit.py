"""Rewards and credit, held against what papers claim of them: small policies, several seeds, intervals.

    python benchmarks/credit.py [--quick] [--json] [--only PART] [--out FOLDER]

What is compared, and what came of it, is told in docs/credit_experiments.md. `--out` gets a plot of each part.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import credit_baselines
import credit_curricula
import credit_forks
import credit_hacking
import credit_truncated
import machine
from seeds import plain, table

Part = Callable[[bool], dict[str, Any]]

PARTS: Final[Mapping[str, Part]] = {
    "baselines": lambda quick: credit_baselines.run(seeds=5, groups=4_000 if quick else 80_000),
    "truncated": lambda quick: credit_truncated.run(seeds=5, repeats=10 if quick else 200),
    "hacking": lambda quick: credit_hacking.run(seeds=2 if quick else 5, batches=30 if quick else 150),
    "curricula": lambda quick: credit_curricula.run(
        seeds=2 if quick else 10, budget=800 if quick else 10_000, each=1 if quick else 3
    ),
    "forks": lambda quick: credit_forks.run(
        seeds=2 if quick else 5, settings=credit_forks.QUICK if quick else credit_forks.SETTINGS
    ),
}


def main() -> None:
    parser = machine.arguments(__doc__, "few episodes: shows that it runs, not what is true")
    parser.add_argument("--only", choices=list(PARTS), action="append", help="this part; may be given again")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="draw each part (needs matplotlib)")
    chosen = parser.parse_args()
    report: dict[str, Any] = {"benchmark": "credit", "quick": chosen.quick, "machine": machine.describe()}
    report["parts"] = {name: PARTS[name](chosen.quick) for name in chosen.only or PARTS}
    if chosen.out is not None:
        from credit_plots import draw

        draw(report["parts"], chosen.out)
    machine.tell(plain(report) if chosen.json else report, show, as_json=chosen.json)


def show(report: Mapping[str, Any]) -> None:
    """Print every table, and what else was found."""
    print(machine.line(report["machine"]))
    for name, part in report["parts"].items():
        print(f"\n## {name}\n")
        for title, value in part.items():
            is_table = isinstance(value, Mapping) and value and all(isinstance(row, Mapping) for row in value.values())
            if title == "curves":
                continue
            if is_table:
                print(f"{table(value, title)}\n")
            else:
                print(f"{title}: {value}")


if __name__ == "__main__":
    main()
