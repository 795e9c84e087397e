"""Each design's Verilog, in any style, does what its model in Python does."""

import pytest

from palestra.envs.code.draws import Draws
from palestra.envs.verilog.bench import simulate, synthesise
from palestra.envs.verilog.catalogue import TEMPLATES
from palestra.envs.verilog.design import STYLES, Design, Port, Style, choices
from palestra.envs.verilog.stimulus import Interface, vectors
from palestra.envs.verilog.template import Choice, clock_of
from palestra.envs.verilog.verify import Examiner, port_problem

CYCLES = 250


def drawn(name: str, seed: int, width: int = 8) -> Design:
    template = TEMPLATES[name]
    split = "heldout" if template.is_heldout else "train"
    return template.build(**template.draw(Choice(draws=Draws(name, seed, "test"), split=split, width=width)))  # type: ignore[arg-type]


def differs(examiner: Examiner, design: Design, style: Style, seed: int) -> str:
    """Return where simulation and model differ, or "" after at least 200 vectors."""
    interface = Interface.of("module_under_test", design.interface())
    stimulus = vectors(interface, CYCLES, f"test {seed}")
    source = design.source(interface.name, style)
    shown = simulate(examiner.bench, interface, source, stimulus)
    if shown.problem:
        return f"{shown.problem}: {shown.told}\n{source}"
    known = 0
    for at, (row, model) in enumerate(zip(shown.rows, design.trace(stimulus), strict=True)):
        if model is None:
            continue
        known += 1
        wanted = "".join(f"{model[port.name]:0{port.width}b}" for port in design.outputs)
        if row != wanted:
            return f"at {at}: {row}, not {wanted}\n{source}"
    return "" if known >= 200 else f"only {known} moments were compared"


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_simulation_and_model_agree(examiner: Examiner, name: str) -> None:
    assert differs(examiner, drawn(name, 0), "plain", 0) == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_simulation_and_model_agree_in_every_style_and_many_sizes(examiner: Examiner, name: str) -> None:
    for seed in range(12):
        design = drawn(name, seed, width=(4, 8, 16, 32)[seed % 4])
        assert differs(examiner, design, STYLES[seed % len(STYLES)], seed) == "", seed


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_yosys_reads_the_ports_that_the_description_tells(examiner: Examiner, name: str) -> None:
    design = drawn(name, 1)
    interface = Interface.of("top", design.interface())
    for style in STYLES:
        read = synthesise(examiner.bench, "top", design.source("top", style))
        assert port_problem(interface, read) == ""
        assert "latch" not in read.told


def test_yosys_reads_edge_and_reset_as_they_are_told(examiner: Examiner) -> None:
    """What the words say of the clock is what a synthesiser makes of the source."""
    for told in ([True, False, False], [False, False, True], [True, True, False], [False, True, True]):
        design = TEMPLATES["shift_register"].build(width=4, way="left", start=5, clocking=told)
        source = design.source("top")
        edge = "posedge" if told[0] else "negedge"
        assert f"@({edge} clk" in source
        assert (" or " in source) is told[1]
        assert (design.interface()["clock"], design.interface()["reset_level"]) == (edge, int(not told[2]))
        words = design.statement("top")
        assert ("rising" in words) is told[0]
        assert ("asynchronous" in words) is told[1]
        assert port_problem(Interface.of("top", design.interface()), synthesise(examiner.bench, "top", source)) == ""


def test_a_model_knows_nothing_before_the_first_edge_of_a_synchronous_reset() -> None:
    for is_async, first in ((False, None), (True, {"q": 5, "so": 0})):
        design = TEMPLATES["shift_register"].build(width=4, way="left", start=5, clocking=[True, is_async, False])
        rows = design.trace([{"rst": 1, "en": 0, "si": 0}, {"rst": 0, "en": 1, "si": 1}, {"rst": 1, "en": 1, "si": 0}])
        assert rows[0] == first
        assert rows[1] == rows[2] == {"q": 5, "so": 0}
        assert rows[3] == {"q": 11, "so": 1}
        assert rows[4] == ({"q": 5, "so": 0} if is_async else {"q": 11, "so": 1})
        assert rows[5] == {"q": 5, "so": 0}


def test_chains_of_choices_are_read() -> None:
    assert choices("(a == 1) ? b : (c) ? {d, e[3:0]} : (f ? 1 : 2)") == (
        [("(a == 1)", "b"), ("(c)", "{d, e[3:0]}")],
        "(f ? 1 : 2)",
    )
    assert choices("a + b") == ([], "a + b")


def test_a_clock_says_all_of_itself() -> None:
    clock = clock_of([False, True, True])
    assert clock.sensitivity == "negedge clk or negedge rst_n"
    assert (clock.reset, clock.condition) == ("rst_n", "!rst_n")
    design = Design(
        does="It does nothing.",
        inputs=(Port("a", 1),),
        outputs=(Port("y", 1),),
        drives={"y": "a"},
        show=lambda i, s: {"y": i.a},
    )
    assert "combinational" in design.statement("m")
    assert design.trace([{"a": 1}, {"a": 0}]) == [{"y": 1}, {"y": 0}]
