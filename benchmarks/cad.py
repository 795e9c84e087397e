"""What building, judging, drawing and generating parts costs, how exact the geometry is, and what the kernel outlives.

    python benchmarks/cad.py [--quick] [--json] [--hostile N]

Building and judging: the milliseconds from a program to its comparison with a reference in warm slots, for the parts of
some seeds, where the program is the reference's own, another one of the same part, and one of a near miss; beside a
fresh interpreter that imports the kernel and does the same. Exactness: the pairs of `cad_pairs`, whose overlap has a
closed form. Endurance: hostile and random programs, after which the kernel must build and measure as before, with no
process, descriptor or thread left. Generation: parts with a certificate of the level full. The promises are held
against medians.
"""

import importlib.util
import io
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import machine
from bars import AT_LEAST, AT_MOST, TITLES, Bar, bar_line, judge

from palestra.envs.cad.kernel import SlotKernel
from palestra.envs.cad.kernel.hostile import HOSTILE, random_program
from palestra.envs.cad.parts import Part, draw_part
from palestra.envs.cad.records import Picture, ShapeError, Wanted
from palestra.envs.certify.task import Certifier
from palestra.envs.draws import Draws
from palestra.envs.registry import find, make

BOX = "import cadquery as cq\nresult = cq.Workplane().box(10, 20, 30)\n"
FRESH = """
import sys
from palestra.envs.cad.geometry import answer, wire
from palestra.envs.cad.records import Wanted
import io
space = {}
exec(open(sys.argv[1]).read(), space)
text = io.BytesIO()
space["result"].val().exportBrep(text)
reference = open(sys.argv[2], "rb").read()
assert wire.comparison_of(answer(wire.judge(text.getvalue(), Wanted(brep=reference)))).iou > 0.5
"""
TIMEOUT_S = 0.5
HOSTILE_S = 1.0


def part_of(seed: int) -> Part:
    """Return a typical part."""
    return draw_part(Draws("cad", "benchmark", seed, "part"))


def otherwise(program: str) -> str:
    """Return another program of the same part, whose shape is written down in other bytes."""
    return f"{program}\nresult = result.union(result.translate((0, 0, 0)))\n"


def milliseconds(work: Any, *given: Any) -> tuple[float, Any]:
    """Return how long something took, and what came of it."""
    began = time.perf_counter()
    found = work(*given)
    return 1e3 * (time.perf_counter() - began), found


# -- building and judging ------------------------------------------------------------------------------


def built_and_judged(kernel: SlotKernel, seeds: range) -> dict[str, list[float]]:
    """Return the milliseconds of each step, by what was built."""
    told: dict[str, list[float]] = {}

    def note(name: str, work: Any, *given: Any) -> Any:
        taken, found = milliseconds(work, *given)
        told.setdefault(name, []).append(taken)
        return found

    for seed in seeds:
        part = part_of(seed)
        program = part.program()
        brep = kernel.build(program).brep
        if brep is None:
            raise RuntimeError(f"part {seed} cannot be built")
        wanted = Wanted(brep=brep, tests=tuple(part.tests()))
        near = random.Random(seed).choice(part.mutants())[1].program()
        for name, text in (
            ("the same program", program),
            ("another program", otherwise(program)),
            ("a near miss", near),
        ):
            first, made = milliseconds(kernel.build, text)
            try:
                second, _ = milliseconds(kernel.judge, made.brep, wanted)
            except ShapeError:
                continue
            told.setdefault("build", []).append(first)
            told.setdefault(f"build and judge, {name}", []).append(first + second)
        note("measure", kernel.measure, brep)
        note("draw, isometric of 256 pixels", kernel.draw, brep, Picture(has_dimensions=True))
    return told


def fresh(kernel: SlotKernel, seeds: range) -> list[float]:
    """Return the milliseconds of the same in an interpreter of its own, which imports the kernel first."""
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        program, reference = Path(folder, "program.py"), Path(folder, "reference.brep")
        for seed in seeds:
            text = part_of(seed).program()
            program.write_text(otherwise(text))
            reference.write_bytes(kernel.build(text).brep or b"")
            words = [sys.executable, "-c", FRESH, str(program), str(reference)]
            taken.append(milliseconds(lambda words=words: subprocess.run(words, check=True))[0])
    return taken


# -- exactness -----------------------------------------------------------------------------------------


def exactness(most: int | None) -> dict[str, Any]:
    """Return how far B-reps and meshes are off the closed forms, at most."""
    import cad_pairs

    from palestra.envs.cad.geometry.loading import loaded
    from palestra.envs.cad.geometry.overlap import extrapolated, iou_brep, iou_mesh
    from palestra.envs.cad.records import ShapeLimits

    def part(shape: Any) -> Any:
        text = io.BytesIO()
        shape.exportBrep(text)
        return loaded(text.getvalue(), ShapeLimits())

    exact, meshed = [0.0], [0.0]
    for pair in cad_pairs.PAIRS[:most]:
        one, two = map(part, cad_pairs.shapes(pair))
        found, coarse, fine = iou_brep(one, two), iou_mesh(one, two, 0), iou_mesh(one, two, 1)
        exact.append(abs((-1.0 if found is None else found) - pair.iou))
        meshed.append(1.0 if coarse is None or fine is None else abs(extrapolated(coarse, fine) - pair.iou))
    return {"pairs": len(exact) - 1, "B-reps": max(exact), "meshes": max(meshed)}


# -- endurance -----------------------------------------------------------------------------------------


def lateness(kernel: SlotKernel, times: int) -> list[float]:
    """Return by how many milliseconds programs without end missed their time."""
    programs = ("while True: pass", "import time\ntime.sleep(60)", HOSTILE["deaf to signals"], HOSTILE["huge boolean"])
    kernel.build(BOX)
    taken = []
    for number in range(times):
        built = kernel.build(programs[number % len(programs)], timeout_s=TIMEOUT_S)
        taken.append(1e3 * abs(built.seconds - TIMEOUT_S))
    return taken


def held() -> tuple[int, int]:
    """Return the descriptors and threads of this process."""
    return len(os.listdir("/proc/self/fd")), threading.active_count()


def endured(kernel: SlotKernel, count: int) -> dict[str, Any]:
    """Return what became of hostile and random programs, and whether the kernel is as before."""
    rng, names = random.Random(8), sorted(HOSTILE)
    programs = [HOSTILE[names[n // 2 % len(names)]] if n % 2 == 0 else random_program(rng) for n in range(count)]

    def run(program: str) -> str:
        built = kernel.build(program, timeout_s=HOSTILE_S)
        if built.brep is None:
            return "out of time" if built.timed_out else "no shape"
        try:
            kernel.measure(built.brep)
        except ShapeError:
            return "no part"
        return "a part"

    is_sound(kernel)
    before, began = held(), time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        ends = Counter(threads.map(run, programs))
    seconds = time.perf_counter() - began
    sound = sum(is_sound(kernel) for _ in range(5))
    left = max(0, held()[1] - before[1])
    return {
        "programs": count, "ends": dict(ends), "programs a second": count / seconds, "sound after": sound / 5,
        "threads left": left, "descriptors": [before[0], held()[0]],
    }  # fmt: skip


def is_sound(kernel: SlotKernel) -> bool:
    """Return whether a box can be built and measured."""
    brep = kernel.build(BOX).brep
    return brep is not None and abs(kernel.measure(brep).volume - 6000) < 1e-6


# -- generation ----------------------------------------------------------------------------------------


def certified(seed: int) -> tuple[float, list[str]]:
    """Return the seconds of a task with its full certificate, in a process of a pool, and what failed."""
    env = _envs.setdefault("env", make("palestra/Cad-v0", render_mode="ansi"))
    began = time.perf_counter()
    certificate = Certifier(find("palestra/Cad-v0"), env, "full").certify(env.tasks.sample(seed))
    return time.perf_counter() - began, list(certificate.failures)


_envs: dict[str, Any] = {}


def generated(count: int) -> dict[str, Any]:
    """Return parts a second on all cores, each process's first left out, and what failed."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as processes:
        list(processes.map(certified, range(cores)))
        began = time.perf_counter()
        found = list(processes.map(certified, range(cores, cores + count)))
        seconds = time.perf_counter() - began
    failures = [f"seed {cores + seed}: {why}" for seed, (_, said) in enumerate(found) for why in said]
    return {"parts": count, "parts a second": count / seconds, "failures": failures}


# -- all of it -----------------------------------------------------------------------------------------


def measure(quick: bool, hostile: int) -> dict[str, Any]:
    """Return every figure and every promise."""
    kernel = SlotKernel()
    is_sound(kernel)
    seeds = range(4 if quick else 40)
    times = built_and_judged(kernel, seeds)
    alone = fresh(kernel, range(2 if quick else 10))
    late = lateness(kernel, 4 if quick else 20)
    exact = exactness(30 if quick else None)
    endurance = endured(kernel, hostile)
    generation = generated(2 if quick else 40)
    whole = {name: taken for name, taken in times.items() if name.startswith("build and judge")}
    warm = statistics.median(whole["build and judge, another program"])
    promises = [
        *(judge(name, AT_MOST, 150, "ms", taken) for name, taken in whole.items()),
        judge("the same in a fresh interpreter, of that", AT_LEAST, 10, "x", [one / warm for one in alone]),
        judge("draw, isometric of 256 pixels", AT_MOST, 200, "ms", times["draw, isometric of 256 pixels"]),
        judge("pairs with a closed form", AT_LEAST, 30, "", [exact["pairs"]]),
        judge("IoU of B-reps, off by (in 1e-6)", AT_MOST, 1, "", [1e6 * exact["B-reps"]]),
        judge("IoU of meshes, off by (in 1e-3)", AT_MOST, 1, "", [1e3 * exact["meshes"]]),
        judge("time-outs, off by", AT_MOST, 100, "ms", late),
        judge(f"sound after {hostile} hostile programs", AT_LEAST, 1, "", [endurance["sound after"]]),
        judge("parts with a full certificate", AT_LEAST, 2, "/s", [generation["parts a second"]]),
    ]
    return {
        "machine": machine.describe(),
        "times": {name: machine.spread(taken) for name, taken in times.items()},
        "fresh interpreter": machine.spread(alone),
        "exactness": exact,
        "lateness": machine.spread(late),
        "endurance": endurance,
        "generation": generation,
        "promises": [asdict(one) for one in promises],
    }


def show(report: dict[str, Any]) -> None:
    """Print the figures for people."""
    print(machine.line(report["machine"]))
    for name, told in {**report["times"], "fresh interpreter": report["fresh interpreter"]}.items():
        print(f"{name}: {told['median']:.0f} ms ({told['min']:.0f} to {told['max']:.0f})")
    endurance, generation = report["endurance"], report["generation"]
    ends = ", ".join(f"{count} {name}" for name, count in endurance["ends"].items())
    print(f"hostile programs: {endurance['programs']}, {endurance['programs a second']:.1f}/s: {ends}")
    print(f"generation: {generation['parts']} parts, {len(generation['failures'])} failures")
    for failure in generation["failures"]:
        print(f"  {failure}")
    print(TITLES)
    for one in report["promises"]:
        print(bar_line(Bar(**one)))


def main() -> None:
    """Measure, and print."""
    parser = machine.arguments(__doc__, quick="a tenth of everything, in less than 50 seconds")
    parser.add_argument("--hostile", type=int, metavar="N", help="programs; 60 with --quick, 2000 without")
    options = parser.parse_args()
    if importlib.util.find_spec("cadquery") is None:
        raise SystemExit("CadQuery is not installed: pip install 'palestra[cad]'")
    hostile = options.hostile if options.hostile is not None else 60 if options.quick else 2000
    machine.tell(measure(options.quick, hostile), show, as_json=options.json)


if __name__ == "__main__":
    main()
