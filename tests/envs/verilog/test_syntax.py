"""Words are told from comments and texts as Verilog does it, and what a candidate may not say is refused by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.verilog.syntax import MOST_CHARS, SyntaxRefused, bare, refusal, tokens


def body(text: str) -> str:
    return f"module m (input a, output b);\n{text}\nendmodule\n"


@pytest.mark.parametrize(
    "text",
    [
        "assign b = a;",
        '// $finish; `include "x" a.b #5\nassign b = a;',
        "/* palestra_bench.got \n $stop */ assign b = a;",
        "always @(*) b = a;",
        "always @ ( * ) b = a;",
        "always @(*/* why */) b = a;",
        "assign b = a * (a);",
        "other #(.W(3), .V(2)) u1 (.x(a), .y(b));",
        "other #(3) u1 (a, b);",
        "assign b = $signed(a) >>> $clog2(8);",
        "wire [3:0] c; assign c = 4'b1x_z? ; assign b = c[0 +: 1];",
        "assign b = 4 'd3 == 4'sh f ? a : ~^a;",
        "`timescale 1ns / 1ps\n`default_nettype none\nassign b = a;",
        "initial b = 0;",
        "function [1:0] f; input x; f = {x, x}; endfunction assign b = f(a);",
    ],
)
def test_what_a_module_may_say(text: str) -> None:
    assert refusal(body(text), "m") == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("initial $finish;", "line 2: $finish is refused"),
        ("\n\ninitial $display(a);", "line 4: $display is refused"),
        ("assign b = palestra_bench.given;", "the name 'palestra_bench' is taken"),
        ("assign b = device.a;", "names with a dot"),
        ("assign b = device . a;", "names with a dot"),
        ("assign b = device/* */./* */a;", "names with a dot"),
        ("other u1 (.x.y(a));", "names with a dot"),
        ('`include "x"', "`include is refused"),
        ("`define X 1", "`define is refused"),
        ("`timescale 1ns/1ps assign b = a;", "`timescale is refused"),
        ("`default_nettype tri", "`default_nettype is refused"),
        ("`", "` is refused"),
        ("assign #3 b = a;", "delays"),
        ("assign #(3) b = a;", "delays"),
        ("always #(3) b = a;", "delays"),
        ("and #(3) g (b, a, a);", "delays"),
        ("initial b = #(3) a;", "delays"),
        ("initial begin #(3); end", "delays"),
        ("force b = a;", "the word 'force'"),
        ("defparam u.W = 3;", "the word 'defparam'"),
        ("wire \\a.b ;", "escaped names"),
        ("(* keep *) wire c;", "attributes"),
        ("( * keep * ) wire c;", "attributes"),
        ('initial b = "a";', "texts in quotation marks"),
        ('assign b = "a\nb";', "is not Verilog"),
        ("/* and so on", "a comment without an end"),
        ("assign b = \u00e4;", "is not Verilog"),
        ("endmodule module palestra_bench_2;", "is taken"),
        ("endmodule assign b = a;", "stands outside of any module"),
        ("module n; endmodule", "a module within a module"),
        ("endmodule", "'endmodule' without 'module'"),
        ("endmodule module m; ", "the module 'm' is there twice"),
        ("initial -> b;", "events"),
    ],
)
def test_what_is_refused_and_why(text: str, told: str) -> None:
    assert told in refusal(body(text), "m")


def test_the_module_must_be_there() -> None:
    assert refusal("", "m") == "there is no module 'm'"
    assert refusal(body(""), "other") == "there is no module 'other'; found: m"
    assert refusal("module m;", "m") == "the last module has no 'endmodule'"
    assert f"at most {MOST_CHARS}" in refusal(body("/*" + "x" * MOST_CHARS + "*/"), "m")


def test_nested_lists_of_parameters_do_not_take_long() -> None:
    told = refusal(body("m #(" * 9_000 + ") u (" * 200), "m")
    assert told


def test_comments_are_taken_out_and_lines_stay() -> None:
    source = 'a // b\n/* c\n d */ e "// no comment"\n'
    assert bare(source) == 'a  \n \n e "// no comment"\n'
    assert [(word.text, word.line) for word in tokens(source)] == [("a", 1), ("e", 3), ('"// no comment"', 3)]


@given(st.text(alphabet="ab.#$`\\\"'*/()\n @m1;", max_size=60))
def test_any_text_is_read_or_refusal(text: str) -> None:
    told = refusal(text, "m")
    assert isinstance(told, str)
    try:
        words = list(tokens(text))
    except SyntaxRefused:
        assert told
    else:
        left = bare(text)
        assert [word.text for word in words] == [word.text for word in tokens(left)]
        assert all(text[word.start :].startswith(word.text) for word in words)
