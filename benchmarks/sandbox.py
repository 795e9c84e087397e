"""What sandboxes cost, and whether they hold to what is promised of them.

    python benchmarks/sandbox.py [--quick] [--json] [--plot FILE]

Ratios are of one run on one machine: the ways that are compared take turns, so that all see the same load,
and each ratio is the median over the rounds, with the least and the greatest. docker is measured where a
daemon answers (DOCKER_HOST), with this machine's own interpreter in the container.
"""

import os
from dataclasses import asdict
from typing import Any

import machine
import sandbox_programs
import sandbox_terminal
from bars import AT_LEAST, AT_MOST, TITLES, Bar, bar_line, judge

from palestra.sandbox import probe
from palestra.sandbox.base import MIB


def ratio_bars(rates: dict[str, list[float]]) -> list[Bar]:
    """Return the promises about programs a second."""
    bars = []
    for ours, theirs, bound in (
        ("native", "python -c", 2.0),
        ("native", "docker exec", 10.0),
        ("native", "docker run", 50.0),
        ("native, numpy preloaded", "python -c, importing numpy", 15.0),
    ):
        pairs = zip(rates[ours], rates.get(theirs, []), strict=False)
        remark = "" if theirs in rates else "no docker daemon answers; set DOCKER_HOST"
        bars.append(judge(f"{ours} / {theirs}", AT_LEAST, bound, "x", [one / other for one, other in pairs], remark))
    return bars


def terminal_bars(times: dict[str, list[float]], held: list[float], count: int) -> list[Bar]:
    """Return the promises about terminals."""
    missing = "" if times else "this machine's native backend has no terminal"
    bars = [
        judge(name, AT_MOST, bound, "ms", times.get(name), missing)
        for name, bound in (
            ("terminal: snapshot of files", 1.0),
            ("terminal: restore of files", 1.0),
            ("terminal: snapshot of files, on disk", 10.0),
            ("terminal: restore of files, on disk", 10.0),
            ("terminal: fork with a live shell, to its prompt", 80.0),
            ("terminal: start to first prompt", 60.0),
            ("terminal: built-in round trip", 1.0),
        )
    ]
    scaled = [200 / count * size / MIB for size in held]
    remark = missing or ("" if count == 200 else f"from {count}")
    return [*bars, judge("200 idle terminals", AT_MOST, 4096.0, "MiB", scaled, remark)]


def measure(quick: bool) -> dict[str, Any]:
    """Measure everything."""
    with sandbox_programs.docker_if_there() as docker:
        rates = sandbox_programs.compare(5 if quick else 15, docker)
    times = sandbox_terminal.steps(30 if quick else 200)
    slots = [sandbox_terminal.idle_slot_bytes() / MIB for _ in range(3)]
    terminal_times: dict[str, list[float]] = {}
    held: list[float] = []
    count = 40 if quick else 200
    if probe().terminal:
        terminal_times = sandbox_terminal.terminals(7 if quick else 30)
        held = [sandbox_terminal.idle_terminals_bytes(count)]
    curve = list(sandbox_programs.scaling(64 if quick else 256, 120 if quick else 512))
    by_count = dict(curve)
    bars = [
        *ratio_bars(rates),
        *terminal_bars(terminal_times, held, count),
        judge("private memory of an idle slot", AT_MOST, 15.0, "MiB", slots),
        judge(f"programs/s, {curve[-1][0]} sandboxes / 2", AT_LEAST, 0.7, "x", [curve[-1][1] / by_count[2]]),
    ]
    return {
        "benchmark": "sandbox",
        "machine": machine.describe(),
        "load": [round(value, 1) for value in os.getloadavg()],
        "bars": [asdict(bar) for bar in bars],
        "per_second": {name: machine.spread(values) for name, values in rates.items()},
        "milliseconds": {name: machine.spread(values) for name, values in (times | terminal_times).items()},
        "scaling": [{"sandboxes": number, "per_second": value} for number, value in curve],
    }


def show(report: dict[str, Any]) -> None:
    """Print the figures as tables."""
    print(f"{machine.line(report['machine'])}; load {report['load']}")
    for title, unit in (("per_second", "programs/s, two workers"), ("milliseconds", "ms")):
        print(f"\n{unit:50}{'median':>10}{'min':>10}{'max':>10}")
        for name, figure in report[title].items():
            print(f"{name:50}{figure['median']:10.2f}{figure['min']:10.2f}{figure['max']:10.2f}")
    print("\nsandboxes at once, programs/s: ", end="")
    print(", ".join(f"{point['sandboxes']}: {point['per_second']:.0f}" for point in report["scaling"]))
    print(f"\n{TITLES}")
    for bar in report["bars"]:
        print(bar_line(Bar(**bar)))


def plot(report: dict[str, Any], file: str) -> None:
    """Draw programs a second over the number of sandboxes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4))
    points = report["scaling"]
    axes.plot([point["sandboxes"] for point in points], [point["per_second"] for point in points], marker="o")
    axes.set_xscale("log", base=2)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(f"sandboxes at once, {report['machine']['cores']} cores")
    axes.set_ylabel("programs a second")
    axes.grid(alpha=0.3)
    figure.savefig(file, dpi=150, bbox_inches="tight")


def main() -> None:
    """Measure, print a table or JSON, and draw."""
    parser = machine.arguments(__doc__, quick="fewer rounds: under 50 seconds")
    parser.add_argument("--plot", metavar="FILE", help="draw programs/s over sandboxes at once (needs matplotlib)")
    options = parser.parse_args()
    report = measure(options.quick)
    machine.tell(report, show, as_json=options.json)
    if options.plot:
        plot(report, options.plot)


if __name__ == "__main__":
    main()
