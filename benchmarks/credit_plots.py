"""Pictures of the experiments on credit: one file a part, error bars are 95 % intervals over seeds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from seeds import Estimate

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes


def draw(parts: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write one picture a part into a folder; return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, part in parts.items():
        families = list(dict.fromkeys(title.partition(": ")[0] for title in part["curves"])) if "curves" in part else []
        is_split = any(": " in title for title in part.get("curves", ()))
        panels = len(families) if is_split else 1
        figure, grid = pyplot.subplots(1, panels, figsize=(8 + 4 * (panels - 1), 5), squeeze=False)
        axes = grid[0, 0]
        if is_split:
            for family, axes in zip(families, grid[0], strict=True):
                _curves(
                    axes, {t.partition(": ")[2]: c for t, c in part["curves"].items() if t.startswith(f"{family}: ")}
                )
                axes.set_title(family)
        elif "curves" in part:
            _curves(axes, part["curves"])
        elif name == "truncated":
            _factors(axes, part["table"])
        else:
            _bars(axes, part["table"], "success" if name == "hacking" else "deviation of a group, p=0.50")
        figure.suptitle(name)
        figure.tight_layout()
        written.append(folder / f"credit_{name}.png")
        figure.savefig(written[-1], dpi=100)
        pyplot.close(figure)
    return written


def _bars(axes: Axes, rows: Mapping[str, Mapping[str, Estimate]], column: str) -> None:
    found = [row[column] for row in rows.values()]
    around = [[one.mean - one.low for one in found], [one.high - one.mean for one in found]]
    axes.barh(list(rows), [one.mean for one in found], xerr=around, color="tab:blue", ecolor="black")
    axes.invert_yaxis()
    axes.set_xlabel(column)


def _factors(axes: Axes, rows: Mapping[str, Mapping[str, Estimate]]) -> None:
    lines: dict[str, list[tuple[int, Estimate]]] = {}
    for name, row in rows.items():
        process, length = name.split(", T=")
        for what in ("advantages", "gradients"):
            lines.setdefault(f"{process}, {what}", []).append((int(length), row[what]))
    for name, points in lines.items():
        around = [[one.mean - one.low for _, one in points], [one.high - one.mean for _, one in points]]
        axes.errorbar([t for t, _ in points], [one.mean for _, one in points], yerr=around, label=name, capsize=2)
    lengths = [t for t, _ in next(iter(lines.values()))]
    axes.plot(lengths, lengths, "k:", label="T, as claimed")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xlabel("steps T of an episode")
    axes.set_ylabel("variance of whole trajectories / of next steps")
    axes.legend()


def _curves(axes: Axes, curves: Mapping[str, list[tuple[float, Estimate]]]) -> None:
    for name, points in curves.items():
        line = axes.plot([x for x, _ in points], [one.mean for _, one in points], label=name)[0]
        low, high = [one.low for _, one in points], [one.high for _, one in points]
        axes.fill_between([x for x, _ in points], low, high, color=line.get_color(), alpha=0.15)
    axes.set_xlabel("steps of the environment")
    axes.set_ylabel("success")
    axes.set_ylim(0.0, 1.02)
    axes.legend()
