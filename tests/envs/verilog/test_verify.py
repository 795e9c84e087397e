"""Only a module that shows what the golden one shows, with its ports, passes; faults of ours are no verdicts."""

from dataclasses import replace
from typing import Any

import pytest

from palestra.envs.base import SPLITS, Task
from palestra.envs.code.judge.bench import Bench
from palestra.envs.code.judge.case import Attempt
from palestra.envs.verilog.bench import Simulation
from palestra.envs.verilog.generate import VerilogTasks
from palestra.envs.verilog.mutants import mutants, near_misses
from palestra.envs.verilog.verify import Examiner, is_row
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import ExecResult, PermanentInfraError, Python

HEAD = "module register (input clk, input rst, input en, input [3:0] d, output {kind}[3:0] q);\n"
GOLDEN = HEAD.format(kind="reg ") + (
    "always @(posedge clk)\n  if (rst) q <= 4'd9;\n  else if (en) q <= d;\nendmodule\n"
)
REGISTER = Task(
    id="verilog/register",
    family="verilog",
    seed=0,
    instruction="A register.",
    public={
        "module": "register",
        "interface": {
            "inputs": [["rst", 1], ["en", 1], ["d", 4]],
            "outputs": [["q", 4]],
            "clock": "posedge",
            "reset": "rst",
            "reset_level": 1,
        },
        "cycles": 40,
    },
    hidden={"golden": GOLDEN, "cycles": 300},
)


@pytest.mark.parametrize(
    "source",
    [
        GOLDEN,
        "// \ud800 synopsys translate_off\n" + GOLDEN.replace(";\n", "; // synopsys translate_off\n"),
        GOLDEN.replace("4'd9", "9").replace("always", "initial q = 3;\nalways"),
        GOLDEN.replace("if (rst) q <= 4'd9;\n  else if (en) q <= d;", "q <= rst ? 4'd9 : en ? d : q;"),
        HEAD.format(kind="")
        + "reg [3:0] r; assign q = r; always @(posedge clk) if (rst | en) r <= rst ? 9 : d; endmodule",
        "module register (clk, rst, en, d, q); parameter W = 4; input clk, rst, en; input [W-1:0] d;\n"
        "output [W-1:0] q; reg [W-1:0] q; always @(posedge clk) case ({rst, en})\n2'b10, 2'b11: q <= 9;\n"
        "2'b01: q <= d;\nendcase endmodule",
        "module bit1 #(parameter V = 0) (input clk, rst, en, d, output reg q);\n"
        "always @(posedge clk) if (rst) q <= V;\n"
        "else if (en) q <= d; endmodule\n" + HEAD.format(kind="") + "genvar i; generate for (i = 0; i < 4; i = i + 1)\n"
        "begin : bits bit1 #(i == 0 || i == 3) b (.clk(clk), .rst(rst), .en(en), .d(d[i]), .q(q[i])); end\n"
        "endgenerate endmodule",
    ],
)
def test_a_right_module_passes_however_it_is_written(examiner: Examiner, source: str) -> None:
    verdict = examiner.judge(REGISTER, source)
    assert verdict.passed, verdict.checks
    assert examiner.try_out(REGISTER, source)[1] == 1.0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("4'd9", "4'd8"), "hidden moment"),
        (("posedge clk", "negedge clk"), "hidden moment"),
        (("posedge clk", "posedge clk or posedge rst"), "hidden moment"),
        (("posedge clk", "posedge clk or negedge clk"), "hidden moment"),
        (("always @(posedge clk)", "always @*"), "hidden moment"),
        (("always @(posedge clk)", "always @* if (clk)"), "hidden moment"),  # a latch
        (("if (rst)", "if (!rst)"), "hidden moment"),
        (("else if (en)", "else"), "hidden moment"),
        (("else if (en) q <= d;", "else if (en) q <= d; else q <= 4'bx;"), "hidden moment"),
        (("q <= d", "q <= {1'bz, d[2:0]}"), "hidden moment"),
        (("output reg [3:0] q", "output reg [4:0] q"), "ports"),
        (("input [3:0] d", "input [4:0] d"), "ports"),
        (("input en,", "input en, input more,"), "ports"),
        (("output reg [3:0] q", "output reg [3:0] p"), "simulation"),
        (("input rst, input en", "input en, input rst"), ""),
        (
            (
                "always @(posedge clk)",
                "reg [1:0] i; always @* begin i = 0; while (i < 3) i = i + 1; end always @(posedge clk)",
            ),
            "ports",
        ),
        (("if (rst)", "if (rst"), "simulation"),
        (("endmodule", "initial $finish; endmodule"), "words"),
    ],
)
def test_what_is_wrong_is_named(examiner: Examiner, change: tuple[str, str], problem: str) -> None:
    assert change[0] in GOLDEN
    source = GOLDEN.replace(*change)
    verdict = examiner.judge(REGISTER, source)
    assert verdict.passed is (problem == ""), verdict.checks
    failed = [check.name for check in verdict.checks if not check.passed]
    assert all(name.startswith(problem) for name in failed)
    told, _ = examiner.try_out(REGISTER, source)
    assert told.startswith("right at all") is (problem == "")


def test_an_agent_is_told_inputs_and_outputs_of_the_first_mismatch(examiner: Examiner) -> None:
    told, good = examiner.try_out(REGISTER, GOLDEN.replace("4'd9", "4'd8"))
    assert "cycle 0, after the rising edge:\n  inputs: rst=1" in told
    assert "  expected: q=9\n  got: q=8" in told
    assert 0 < good < 1
    told, good = examiner.try_out(REGISTER, GOLDEN.replace("q <= d;", "q <= dd;"))
    assert good == 0
    assert "dd" in told
    assert told.startswith("does not compile")
    told, good = examiner.try_out(REGISTER, GOLDEN.replace("always", "always @*"))
    assert good == 0
    latch = HEAD.format(kind="reg ") + "always @* if (en) q = d;\nendmodule"
    assert "Latch inferred: main.v:2" in examiner.try_out(REGISTER, latch)[0]


def test_verdicts_tell_nothing_hidden_and_owners_may_ask(examiner: Examiner) -> None:
    verdict = examiner.judge(REGISTER, GOLDEN.replace("else if (en)", "else"))
    (check,) = verdict.checks
    assert check.evidence.startswith("wrong at ")
    assert "=" not in check.evidence
    told = examiner.explain(REGISTER, int(check.name.split()[-1]))
    assert "  inputs: rst=0 en=0" in told
    assert "  expected: q=" in told


def test_a_constant_gains_nothing_by_simulation(examiner: Examiner) -> None:
    for split in SPLITS:
        for seed in range(4):
            task = VerilogTasks(split).sample(seed)
            ports = task.public["interface"]
            clock = ["clk"] if ports["clock"] else []
            inputs = [f"input [{bits - 1}:0] {name}" for name, bits in ports["inputs"]]
            outputs = [f"output [{bits - 1}:0] {name}" for name, bits in ports["outputs"]]
            for value in ("0", "~0"):
                drives = "".join(f"assign {name} = {value};" for name, _ in ports["outputs"])
                header = ", ".join([*(f"input {name}" for name in clock), *inputs, *outputs])
                source = f"module {task.public['module']} ({header}); {drives} endmodule"
                assert examiner.try_out(task, source)[1] == 0.0
                assert not examiner.judge(task, source).passed


def test_defined_bits_must_be_right_and_others_may_be_anything() -> None:
    assert is_row("01x", "010")
    assert is_row("zx1", "0x1")
    assert not is_row("01", "0x")
    assert not is_row("01", "0z")
    assert not is_row("01", "00")
    assert not is_row("01", "010")


@pytest.mark.parametrize(
    "hidden",
    [
        {},
        {"golden": 3, "cycles": 5},
        {"golden": GOLDEN},
        {"golden": GOLDEN, "cycles": 0},
        {"golden": GOLDEN, "cycles": True},
        {"golden": "module register; endmodule", "cycles": 5},
        {"golden": GOLDEN.replace("q <=", "p <="), "cycles": 5},
        {"golden": GOLDEN.replace("input [3:0] d", "input [2:0] d"), "cycles": 5},
        {
            "golden": GOLDEN.replace("posedge rst", "rst").replace("q <= 4'd9", "q <= 4'bx").replace("d;", "4'bz;"),
            "cycles": 5,
        },
    ],
)
def test_a_broken_task_is_no_verdict(examiner: Examiner, hidden: dict[str, Any]) -> None:
    with pytest.raises(VerifierError):
        examiner.judge(replace(REGISTER, hidden=hidden), GOLDEN)


def test_a_missing_tool_is_a_fault_and_says_what_to_install(
    examiner: Examiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Bench.run

    def without_yosys(self: Bench, program: Any, *rest: Any) -> ExecResult:
        if not isinstance(program.command, Python) and program.command[0] == "yosys":
            program = replace(program, command=("no_such_yosys",))
        return real(self, program, *rest)

    monkeypatch.setattr(Bench, "run", without_yosys)
    with pytest.raises(PermanentInfraError, match="apt-get install yosys"):
        examiner.judge(REGISTER, GOLDEN)


def test_a_golden_module_is_simulated_once(examiner: Examiner, monkeypatch: pytest.MonkeyPatch) -> None:
    examiner.judge(REGISTER, GOLDEN)
    seen: list[str] = []

    def prepare(self: Bench, language: Any, source: str) -> Attempt:
        seen.append(source)
        return Attempt("does not compile: on purpose")

    monkeypatch.setattr(Bench, "prepare", prepare)
    assert not examiner.judge(REGISTER, GOLDEN.replace("9", "7")).passed
    assert len(seen) == 1
    assert "4'd9" not in seen[0]
    assert Simulation().rows == ()


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
def test_mutants_are_killed(examiner: Examiner, split: Any) -> None:
    """At least 0.9 of all; near misses are known to differ, of word mutants some do the same."""
    counted = {"near": [0, 0], "word": [0, 0]}
    for seed in range(16):
        task = VerilogTasks(split).sample(seed)
        found = {"near": list(near_misses(task))[:5], "word": list(mutants(task.hidden["golden"]))[::5][:5]}
        for kind, sources in found.items():
            killed = [not examiner.judge(task, source).passed for _, source in sources]
            counted[kind] = [counted[kind][0] + sum(killed), counted[kind][1] + len(killed)]
    assert all(count > 30 for _, count in counted.values())
    assert all(killed >= 0.9 * count for killed, count in counted.values()), counted
