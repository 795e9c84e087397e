"""What sandboxes cost: making one, running a program in it, saving and copying it.

    python benchmarks/sandbox.py [--quick] [--json]

Every figure is a median with the fastest run and the slowest of ten (90th percentile). The plain
subprocess that native is compared with runs in turns with it, so both see the same load.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import machine

from palestra.sandbox import create
from palestra.sandbox.base import Python, Sandbox, Spec
from palestra.sandbox.native.backend import NativeBackend

PROGRAM = "assert sorted([3, 1, 2]) == [1, 2, 3]; print('ok')"
Row = dict[str, object]


def timed(action: Callable[[], object]) -> float:
    """Return the milliseconds that an action took."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def row(name: str, milliseconds: list[float]) -> Row:
    """Return a line of the table."""
    ordered = sorted(milliseconds)
    return {
        "what": name,
        "median_ms": statistics.median(ordered),
        "min_ms": ordered[0],
        "p90_ms": ordered[int(len(ordered) * 0.9)],
        "runs": len(ordered),
    }


def creation(rounds: int) -> Iterator[Row]:
    """Time what it takes to get a sandbox."""
    proven = None
    probes, colds, warms = [], [], []
    for _ in range(max(3, rounds // 20)):
        backend = NativeBackend()
        probes.append(timed(backend.probe))
        proven = backend.probe()
        backend.close()
    for _ in range(max(5, rounds // 10)):
        backend = NativeBackend(proven)
        colds.append(timed(lambda backend=backend: backend.create(Spec())))  # type: ignore[misc]
        backend.close()
    with closing(create()):
        pass
    for _ in range(rounds):
        warms.append(timed(lambda: create().close()))
    yield row("prove what is enforced (once a process)", probes)
    yield row("create, cold: start a slot", colds)
    yield row("create and close, warm", warms)


def programs(rounds: int) -> Iterator[Row]:
    """Time one program in several ways, in turns."""
    command = [sys.executable, "-I", "-c", PROGRAM]
    with closing(create()) as native, closing(create(backend="process", unsafe=True)) as process:
        ways: dict[str, Callable[[], object]] = {
            "Python program, native (warm fork)": lambda: expect_ok(native, Python(PROGRAM)),
            "argv python3, native": lambda: expect_ok(native, ["python3", "-I", "-c", PROGRAM]),
            "argv true, native": lambda: native.exec(["true"]),
            "Python program, process backend": lambda: expect_ok(process, Python(PROGRAM)),
            "plain subprocess.run of python": lambda: subprocess.run(command, check=True, capture_output=True),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                times[name].append(timed(way))
    yield from (row(name, measured) for name, measured in times.items())


def files(rounds: int) -> Iterator[Row]:
    """Time files and snapshots of a small workspace and of one with 200 files."""
    with closing(create()) as sandbox:
        sandbox.write("main.py", b"print(1)\n")
        yield row("write 1 kB", [timed(lambda: sandbox.write("file", b"x" * 1000)) for _ in range(rounds)])
        yield row("read 1 kB", [timed(lambda: sandbox.read("file")) for _ in range(rounds)])
        for name in ("2 files", "200 files of 1 kB"):
            if name != "2 files":
                sandbox.exec(Python("for i in range(198): open(f'file{i}', 'w').write('x' * 1000)"))
            saved = sandbox.snapshot()
            yield row(f"snapshot, {name}", [timed(sandbox.snapshot) for _ in range(rounds // 2)])
            yield row(f"restore, {name}", [timed(lambda: sandbox.restore(saved)) for _ in range(rounds // 2)])  # noqa: B023
            yield row(f"fork and close, {name}", [timed(lambda: sandbox.fork().close()) for _ in range(rounds // 4)])


def throughput(slots: int, count: int) -> Row:
    """Return how many programs a second so many sandboxes run, each in a thread of the host."""

    def work(sandbox: Sandbox) -> None:
        for _ in range(count):
            expect_ok(sandbox, Python(PROGRAM))

    sandboxes = [create() for _ in range(slots)]
    with ThreadPoolExecutor(slots) as threads:
        elapsed = timed(lambda: list(threads.map(work, sandboxes)))
    for sandbox in sandboxes:
        sandbox.close()
    return {"what": f"programs per second, {slots} slot{'s' * (slots > 1)}", "per_s": slots * count / elapsed * 1000}


def expect_ok(sandbox: Sandbox, command: Python | list[str]) -> None:
    """Run the program and check its answer."""
    result = sandbox.exec(command)
    if result.stdout != b"ok\n":
        raise SystemExit(f"the program failed: {result}")


def main() -> None:
    """Measure, print a table, and write it as JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer runs: under a minute")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    rounds = 60 if options.quick else 400
    rows = [*creation(rounds), *programs(rounds), *files(rounds), *(throughput(slots, rounds * 2) for slots in (1, 2))]
    load = [round(value, 1) for value in os.getloadavg()]
    report = {"benchmark": "sandbox", "machine": machine.describe(), "load": load, "rows": rows, "ratio": ratio(rows)}
    if options.json:
        json.dump(report, sys.stdout, indent=1)
        print()
    else:
        show(report, rows)


def show(report: dict[str, Any], rows: list[Row]) -> None:
    """Print the figures as a table."""
    print(f"{machine.line(report['machine'])}; load {report['load']}")
    print(f"\n{'':46}{'median':>10}{'min':>10}{'p90':>10}  ms")
    for entry in rows:
        if "per_s" in entry:
            print(f"{entry['what']:46}{entry['per_s']:10.0f}")
        else:
            print(f"{entry['what']:46}{entry['median_ms']:10.2f}{entry['min_ms']:10.2f}{entry['p90_ms']:10.2f}")
    print(f"\nA sandboxed Python program takes {report['ratio']:.2f} times a plain subprocess (medians).")


def ratio(rows: list[Row]) -> float:
    """Return the sandboxed program's median over the plain subprocess's."""
    by_name = {str(entry["what"]): entry for entry in rows}
    native, plain = by_name["Python program, native (warm fork)"], by_name["plain subprocess.run of python"]
    return float(str(native["median_ms"])) / float(str(plain["median_ms"]))


if __name__ == "__main__":
    main()
