"""Simulates a module on a stimulus: compiled by Icarus Verilog, run by itself in the sandbox, looked at from outside.

The bench reads the stimulus from its standard input and prints the outputs. Of a clocked module inputs change while
the clock is after its active edge; outputs are looked at before the next and after it, so that what waits for another
edge, or for none, shows. Nothing of another simulation is in the sandbox.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from palestra.envs.code.judge.bench import NOT_FOUND, Bench, Program, is_text
from palestra.envs.code.judge.case import Attempt, trouble
from palestra.envs.code.languages.shelf import find_language
from palestra.envs.verilog.stimulus import Interface, Vector, packed
from palestra.envs.verilog.syntax import BENCH, bare
from palestra.sandbox.base import MIB, InfraError, Limits, PermanentInfraError

LIMITS: Final = Limits(
    wall_s=10.0,
    cpu_s=1.0,
    memory_bytes=128 * MIB,
    output_bytes=4 * MIB,
    processes=8,
    file_bytes=4 * MIB,
    disk_bytes=16 * MIB,
)
_SYNTHESIS: Final = Limits(
    wall_s=30.0,
    cpu_s=8.0,
    memory_bytes=512 * MIB,
    output_bytes=8 * MIB,
    processes=8,
    file_bytes=8 * MIB,
    disk_bytes=16 * MIB,
)


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a module showed: a text of 0, 1, x and z for each moment, or what went wrong."""

    rows: tuple[str, ...] = ()
    problem: str = ""
    told: str = ""  # by the compiler, or by the simulator


@dataclass(frozen=True, slots=True)
class Synthesis:
    """What Yosys made of a module: its ports by name, or what went wrong; and its warnings."""

    ports: Mapping[str, tuple[str, int]]
    problem: str = ""
    told: str = ""


def testbench(interface: Interface) -> str:
    """Return the module that feeds and watches another."""
    width, links, at = sum(bits for _, bits in interface.inputs), list[str](), 0
    for name, bits in reversed(interface.inputs):
        links.append(f".{name}(given[{at + bits - 1}:{at}])")
        at += bits
    size = at = sum(bits for _, bits in interface.outputs)
    for name, bits in interface.outputs:
        links.append(f".{name}(shown[{at - 1}:{at - bits}])")
        at -= bits
    before, after = ("0", "1") if interface.clock == "posedge" else ("1", "0")
    look = '#1 $display("%b", shown);'
    edge = f"#1 if (given[{width}]) clock = {after};"
    turn = f"#1 clock = {before}; {look} {edge} {look}" if interface.clock else look
    clock = [".clk(clock)"] if interface.clock else []
    read = '$fscanf(32\'h8000_0000, "%h", given)'
    return (
        f"\n`resetall\n`timescale 1ns/1ns\nmodule {BENCH};\n"
        f"  reg [{width}:0] given; wire [{size - 1}:0] shown; reg clock; integer got;\n"
        f"  {interface.name} device ({', '.join([*clock, *links])});\n"
        f"  initial begin\n    clock = {after};\n    got = {read};\n"
        f"    while (got == 1) begin {turn} got = {read}; end\n    $finish(0);\n  end\nendmodule\n"
    )


def simulate(bench: Bench, interface: Interface, source: str, stimulus: Sequence[Vector]) -> Simulation:
    """Return what a module, its words looked through by `syntax.refusal`, shows on a stimulus.

    Raises:
        PermanentInfraError: Icarus Verilog is missing or does not work here.
        InfraError: the sandbox failed.
    """
    program = bench.prepare(find_language("verilog"), f"{bare(source)}\n{testbench(interface)}")
    if isinstance(program, Attempt):
        return Simulation(problem=program.problem, told=program.stderr.decode(errors="replace"))
    return _run(bench, program, interface, stimulus)


def _run(bench: Bench, program: Program, interface: Interface, stimulus: Sequence[Vector]) -> Simulation:
    allowed = program.limits(LIMITS)
    result = bench.run(program, packed(interface, stimulus), allowed)
    if problem := trouble(result, allowed):
        return Simulation(problem=problem, told=result.stderr.decode(errors="replace"))
    rows = tuple(result.stdout.decode("ascii", errors="replace").split())
    wanted = len(stimulus) * (2 if interface.clock else 1)
    return Simulation(rows, "" if len(rows) == wanted else "the simulation ended early")


def synthesise(bench: Bench, name: str, source: str) -> Synthesis:
    """Return what Yosys reads in a source: the ports of its module `name`, and what it warns of.

    Raises:
        PermanentInfraError: Yosys is missing here.
        InfraError: the sandbox failed.
    """
    source = bare(source)
    if not is_text(source):
        return Synthesis({}, "the source is not valid Unicode text")
    script = f"read_verilog main.v; hierarchy -check -top {name}; proc; check; write_json /dev/stdout"
    program = Program(command=("yosys", "-q", "-p", script), digest=b"")
    result = bench.run(program, b"", _SYNTHESIS, {"main.v": source.encode()})
    if result.exit_code == NOT_FOUND:
        raise PermanentInfraError("yosys is not installed where the sandbox sees it; apt-get install yosys")
    told = result.stderr.decode(errors="replace")
    if problem := trouble(result, _SYNTHESIS):
        return Synthesis({}, f"yosys: {problem}", told)
    try:
        modules: dict[str, Any] = json.loads(result.stdout[result.stdout.index(b"{") :])["modules"]
        ports = {port: (one["direction"], len(one["bits"])) for port, one in modules[name]["ports"].items()}
        cells = [cell for module in modules.values() for cell in module["cells"].values()]
        latches = sorted({cell["attributes"].get("src", "") for cell in cells if "latch" in cell["type"]})
        return Synthesis(ports, told="".join(f"Latch inferred: {place}\n" for place in latches) + told)
    except (ValueError, KeyError, TypeError) as error:
        raise InfraError(f"yosys does not say what it read: {result.stdout[:200]!r} {told[:200]!r}") from error
