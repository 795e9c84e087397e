"""The machine and the versions behind a figure, how figures are summed up, and how a benchmark is asked for them."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGES = ("palestra", "torch", "transformers", "peft", "gymnasium", "numpy")


def describe() -> dict[str, Any]:
    """Return processor, cores, memory, GPU, Python and package versions, and the date."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "gpu": _gpu(),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def line(machine: dict[str, Any]) -> str:
    """Return the description in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["packages"].items() if version)
    gpu = f", {machine['gpu']}" if machine["gpu"] else ""
    return (
        f"{machine['date']}: {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB{gpu}; "
        f"Python {machine['python']}, {versions}"
    )


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the least, the median and the greatest of some figures."""
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def arguments(about: str | None, quick: str) -> argparse.ArgumentParser:
    """Return the parser of what every benchmark takes: ``--quick``, of which `quick` tells, and ``--json``."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def tell(report: dict[str, Any], show: Callable[[dict[str, Any]], None], *, as_json: bool) -> None:
    """Print a report: as JSON, or as `show` does."""
    if as_json:
        json.dump(report, sys.stdout, indent=1)
        print()
    else:
        show(report)


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    text = path.read_text() if path.exists() else ""
    names = [row.split(":", 1)[1].strip() for row in text.splitlines() if row.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _gpu() -> str | None:
    try:
        asked = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() or None
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
