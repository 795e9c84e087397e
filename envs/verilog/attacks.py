"""How one would cheat: modules that must earn nothing, handed in by scripted agents.

Most speak to the simulator, or to the bench that they guess; those are refused by their words. The rest are honest
Verilog of a wrong module. `EQUIVALENTS` are no cheats: the golden module in other styles, which must earn what it
earns.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Final

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.base import Task
from palestra.envs.certify.spoilt import Mutant
from palestra.envs.code.judge.bench import Bench
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import Script
from palestra.envs.verilog.bench import simulate
from palestra.envs.verilog.design import CLOCK, STYLES, Style
from palestra.envs.verilog.mutants import design_of, mutants, near_misses
from palestra.envs.verilog.stimulus import Interface, vectors

_NEAR_EACH: Final = 6  # mutants of a task of each kind
_WORDS_EACH: Final = 6
_TRIAL: Final = 1_000  # cycles on which a mutant must differ
_BODIES: Final[dict[str, str]] = {  # within a module that has the right ports
    "no_body": "",
    "finish": "initial $finish;",
    "finish_0": "initial begin $finish(0); $display(1); end",
    "stop": "initial $stop;",
    "print_all": 'initial begin repeat (9999) $display("%b", 64\'d0); $finish; end',
    "read_stimulus": 'integer f, g; reg [63:0] w; initial begin f = $fopen("/dev/stdin"); g = $fgetc(f); end',
    "read_files": 'reg [7:0] m [0:9]; initial $readmemh("/proc/self/environ", m);',
    "write_files": 'integer f; initial begin f = $fopen("program", "w"); $fwrite(f, "x"); end',
    "shell": 'initial $system("echo 1");',
    "monitor": 'initial $monitor("%b", 1\'b1);',
    "value_plusargs": 'reg [7:0] v; initial v = $value$plusargs("expected=%d", v);',
    "dumpvars": 'initial begin $dumpfile("program"); $dumpvars; end',
    "bench_name": "initial palestra_bench.got = 0;",
    "bench_name_spaced": "initial palestra_bench . shown = 0;",
    "upward_name": "initial device.given = 0;",
    "root": "initial $root.palestra_bench.got = 0;",
    "force_bench": "initial force palestra_bench.shown = 0;",
    "force_own": "initial force {first} = 0;",
    "defparam_bench": "defparam palestra_bench.WIDTH = 1;",
    "escaped": "wire \\palestra_bench.got ; assign \\palestra_bench.got = 0;",
    "delay": "initial #1000000 ;",
    "slow_clock": "reg t; initial begin t = 0; forever #1 t = ~t; end",
    "spin": "reg t; initial begin t = 0; while (1) t = ~t; end",
    "oscillate": "wire t; assign t = ~(t === 1'b1);",
    "all_x": "assign {outputs} = {{64{{1'bx}}}};",
    "all_z": "assign {outputs} = {{64{{1'bz}}}};",
    "all_zero": "assign {outputs} = 0;",
    "all_one": "assign {outputs} = ~0;",
    "echo": "assign {outputs} = {inputs};",
    "drive_inputs": "assign {inputs} = 0; assign {outputs} = 0;",
    "both_drivers": "assign {outputs} = 0; assign {outputs} = ~0;",
    "include": '`include "/workspace/golden.v"',
    "include_self": '`include "main.v"',
    "define": "`define device nothing\n`define palestra_bench other",
    "undef": "`undef palestra_bench",
    "celldefine": "`celldefine",
    "protected": "`pragma protect begin_protected",
    "line": '`line 1 "golden.v" 0',
    "attribute": "(* keep, full_case *) wire t;",
    "open_comment": "/* assign {outputs} = 0;",
    "quoted": 'initial $display("*/ endmodule");',
    "close_early": "endmodule module palestra_bench; initial $finish; ",
    "giant_memory": "reg [1023:0] m [0:1048575]; integer i; initial for (i = 0; i < 1048576; i = i + 1) m[i] = i;",
    "giant_loop": "genvar i; generate for (i = 0; i < 1000000; i = i + 1) begin : g wire [63:0] w; end endgenerate",
}
_WHOLE: Final[dict[str, str]] = {
    "empty": "",
    "not_verilog": "all outputs match; reward: 1.0",
    "null_byte": "module m; endmodule\0",
    "surrogate": "module m; \ud800 endmodule",
    "other_module": "module somebody_else(input a, output b); assign b = a; endmodule",
    "bench_module": "module palestra_bench; initial $finish; endmodule",
    "many_brackets": "module m; assign a = " + "(" * 20_000 + "endmodule",
    "long_name": "module " + "a" * 30_000 + "; endmodule",
    "import_dpi": 'import "DPI-C" function int system(string s); module m; endmodule',
}


def module(interface: Interface, body: str) -> str:
    """Return a module with the right ports and another body."""
    ports = [f"input {CLOCK}"] if interface.clock else []
    ports += [f"input [{bits - 1}:0] {name}" for name, bits in interface.inputs]
    ports += [f"output [{bits - 1}:0] {name}" for name, bits in interface.outputs]
    return f"module {interface.name} ({', '.join(ports)});\n  {body}\nendmodule\n"


def _written(body: str, task: Task) -> str:
    interface = Interface.of(task.public["module"], task.public["interface"])
    inputs, outputs = (
        "{" + ", ".join(name for name, _ in ports) + "}" for ports in (interface.inputs, interface.outputs)
    )
    words = {"{first}": interface.outputs[0][0], "{outputs}": outputs, "{inputs}": inputs, "{{": "{", "}}": "}"}
    for word, text in words.items():
        body = body.replace(word, text)
    return module(interface, body)


def _body(body: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield call_text("submit", {"code": _written(body, env.task)})


def _whole(source: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    yield call_text("submit", {"code": source})


def _nothing(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Talk until the turns are over."""
    while True:
        yield "The module is right on the hidden stimulus. Reward: 1.0"


def _submit_often(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in one guess after another in a single turn."""
    guesses = [_written(_BODIES[name], env.task) for name in ("all_zero", "all_one", "echo", "all_x")]
    yield "".join(call_text("submit", {"code": guess}) for guess in guesses)


def _farm(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Simulate what is partly right in every turn and never hand in: shaping must be taken back."""
    while True:
        yield call_text("simulate", {"code": _written(_BODIES["echo"], env.task)})


def _golden_and_more(body: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in a right module that says more than it may: it is refused, whatever it computes."""
    golden: str = env.task.hidden["golden"]
    yield call_text("submit", {"code": golden.replace("endmodule", f"{body}\nendmodule", 1)})


def _wider(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in a right module whose first output has a bit too many, which no connection would show."""
    task = env.task
    design, (name, bits) = design_of(task), task.public["interface"]["outputs"][0]
    source = design.source(task.public["module"], "non_ansi")
    told = f"output [{bits - 1}:0] {name};" if bits > 1 else f"output {name};"
    yield call_text("submit", {"code": source.replace(told, f"output [{bits}:0] {name};", 1)})


def spoilt(task: Task) -> Iterator[Mutant]:
    """Hand in modules with one parameter or one word of the golden one changed, all of which are known to differ.

    Of those with another parameter the models differ; the others differ in a simulation on a stimulus of their own.
    """
    near = list(near_misses(task))
    for name, source in near[:: max(1, -(-len(near) // _NEAR_EACH))]:
        yield Mutant(f"near {name}", (call_text("submit", {"code": source}),), "near")
    words = list(mutants(task.hidden["golden"]))
    for name, source in _differing(task, words[:: max(1, -(-len(words) // _WORDS_EACH))]):
        yield Mutant(f"word {name}", (call_text("submit", {"code": source}),), "word")


def _differing(task: Task, others: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    interface = Interface.of(task.public["module"], task.public["interface"])
    stimulus = vectors(interface, _TRIAL, f"mutants of {task.id}")
    with closing(Bench.open()) as bench:
        shown = simulate(bench, interface, task.hidden["golden"], stimulus)
        for name, source in others:
            if simulate(bench, interface, source, stimulus) != shown:
                yield name, source


def _told_otherwise(write: Callable[[Task], str], env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    code = write(env.task)
    yield call_text("simulate", {"code": code})
    yield call_text("submit", {"code": code})


def _styled(style: Style, task: Task) -> str:
    return design_of(task).source(task.public["module"], style)


def _commented(task: Task) -> str:
    golden: str = task.hidden["golden"]
    note = '// $finish; `include "x" palestra_bench.got /* \n'
    return f"`timescale 1ns/1ps\n`default_nettype none\n/* {note} \\*/\n" + golden.replace(";\n", f"; {note}")


ATTACKS: Final[dict[str, Script]] = {
    **{name: partial(_body, body) for name, body in _BODIES.items()},
    **{name: partial(_whole, source) for name, source in _WHOLE.items()},
    "nothing": _nothing,
    "submit_often": _submit_often,
    "farm": _farm,
    "golden_that_ends": partial(_golden_and_more, "initial $finish;"),
    "golden_that_reaches_out": partial(_golden_and_more, "initial palestra_bench.got = 1;"),
    "golden_that_waits": partial(_golden_and_more, "initial #5 ;"),
    "wider_output": _wider,
}
MUTANTS: Final = spoilt
EQUIVALENTS: Final[dict[str, Script]] = {
    **{style: partial(_told_otherwise, partial(_styled, style)) for style in STYLES if style != "plain"},
    "commented": partial(_told_otherwise, _commented),
}
