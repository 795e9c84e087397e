"""The same modules written by hand in many styles: none may be refused, and none may fail.

`verilog.py` judges them. Each part is a module's header, its golden body and other bodies by style.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """One module: what a task tells of it, its golden source, and others that do the same, by style."""

    name: str
    interface: Mapping[str, Any]
    golden: str
    others: Mapping[str, str]


def _interface(inputs: str, outputs: str, clock: str = "", reset: str = "", level: int = 1) -> dict[str, Any]:
    ports = [[[word.split(":")[0], int(word.split(":")[1])] for word in told.split()] for told in (inputs, outputs)]
    return {"inputs": ports[0], "outputs": ports[1], "clock": clock, "reset": reset, "reset_level": level}


_MUX = "module pick (input [1:0] s, input [7:0] a, b, c, d, output {reg}[7:0] y);\n{body}\nendmodule\n"
_COUNT = "module count (input clk, rst_n, en, up, output {reg}[3:0] q, output {zero}zero);\n{body}\nendmodule\n"
_FIRST = "module first (input [7:0] r, output {reg}[2:0] n, output {reg}any);\n{body}\nendmodule\n"


def _written(frame: str, body: str, reg: bool = False, zero: bool = False) -> str:
    return frame.format(reg="reg " * reg, zero="reg " * zero, body=body)


PICK = Rewritten(
    name="pick",
    interface=_interface("s:2 a:8 b:8 c:8 d:8", "y:8"),
    golden=_written(_MUX, "assign y = s == 0 ? a : s == 1 ? b : s == 2 ? c : d;"),
    others={
        "case": _written(_MUX, "always @* case (s) 0: y = a; 1: y = b; 2: y = c; default: y = d; endcase", True),
        "full case": _written(
            _MUX,
            "always @(s, a, b, c, d)\ncase (s)\n2'b00: y = a;\n2'b01: y = b;\n2'b10: y = c;\n2'b11: y = d;\nendcase",
            True,
        ),
        "casez": _written(
            _MUX, "always @* casez (s) 2'b1?: y = s[0] ? d : c; 2'b?1: y = b; default: y = a; endcase", True
        ),
        "if": _written(
            _MUX, "always @(*) begin if (s[1]) if (s[0]) y = d; else y = c; else if (s[0]) y = b; else y = a; end", True
        ),
        "default first": _written(
            _MUX, "always @* begin y = a; if (s == 1) y = b; if (s == 2) y = c; if (&s) y = d; end", True
        ),
        "gates": _written(
            _MUX, "assign y = {8{~|s}} & a | {8{~s[1] & s[0]}} & b | {8{s[1] & ~s[0]}} & c | {8{&s}} & d;"
        ),
        "named wires": _written(
            _MUX,
            "wire [7:0] low, high;\nassign low = s[0] ? b : a;\nassign "
            "high = s[0] ? d : c;\nassign y = s[1] ? high : low;",
        ),
        "part select": _written(_MUX, "wire [31:0] all = {d, c, b, a};\nassign y = all[8 * s +: 8];"),
        "shift": _written(_MUX, "wire [31:0] all;\nassign all = {d, c, b, a} >> {s, 3'b000};\nassign y = all[7:0];"),
        "generate": _written(
            _MUX,
            "genvar i; generate for (i = 0; i < 8; i = i + 1) begin : each\n"
            "wire [3:0] w; assign w = {d[i], c[i], b[i], a[i]}; assign y[i] = w[s]; end endgenerate",
        ),
        "function": _written(
            _MUX,
            "function [7:0] one; input [1:0] k; input [7:0] e, f, g, h;\n"
            "case (k) 0: one = e; 1: one = f; 2: one = g; 3: one = h; endcase endfunction\nassign y = one(s, a, b, "
            "c, d);",
        ),
        "submodules": _written(
            _MUX,
            "wire [7:0] x, z; two u0 (s[0], a, b, x); two u1 (s[0], "
            "c, d, z); two #(.W(8)) u2 (.k(s[1]), .p(x), .q(z), .y(y));",
        )
        + "module two #(parameter W = 8) (input k, input [W-1:0] p, q, output [W-1:0] y); assign y = k ? q : p; "
        "endmodule\n",
        "old header": "module pick (s, a, b, c, d, y);\ninput [1:0] s; "
        "input [7:0] a, b, c, d; output [7:0] y; reg [7:0] y;\n"
        "always @* begin : choose\nreg [7:0] t [0:3]; t[0] = a; t[1] = b; t[2] = c; t[3] = d; y = "
        "t[s];\nend\nendmodule\n",
    },
)
COUNT = Rewritten(
    name="count",
    interface=_interface("rst_n:1 en:1 up:1", "q:4 zero:1", "posedge", "rst_n", 0),
    golden=_written(
        _COUNT,
        "always @(posedge clk or negedge rst_n)\nif (!rst_n) q <= 4'd5; else if (en) q <= up ? q + 1 : q - 1;\n"
        "assign zero = q == 0;",
        True,
    ),
    others={
        "nested if": _written(
            _COUNT,
            "always @(posedge clk, negedge rst_n) begin\nif (~rst_n) q <= 5;\nelse begin if (en) begin if (up) q <= "
            "q + 4'd1;\n"
            "else q <= q - 4'd1; end end end\nassign zero = ~|q;",
            True,
        ),
        "ternary": _written(
            _COUNT,
            "reg [3:0] r; assign q = r; assign zero = !r;\nalways @(posedge clk or negedge rst_n)\n"
            "if (!rst_n) r <= 4'd5; else r <= !en ? r : up ? r + 1'b1 : r - 1'b1;",
        ),
        "case": _written(
            _COUNT,
            "always @(posedge clk or negedge rst_n) if (rst_n == 1'b0) q <= 4'b0101; else\n"
            "case ({en, up}) 2'b11: q <= q + 1; 2'b10: q <= q + 4'hf; default: q <= q; endcase\nassign zero = (q == "
            "4'h0);",
            True,
        ),
        "two processes": _written(
            _COUNT,
            "reg [3:0] n; always @* begin n = q; if (en) n = up ? q + 1 : q - 1; end\n"
            "always @(posedge clk or negedge rst_n) if (!rst_n) q <= 5; else q <= n;\nassign zero = q == 0;",
            True,
        ),
        "one wire for the step": _written(
            _COUNT,
            "wire [3:0] step; assign step = en ? {{3{~up}}, 1'b1} : 4'd0;\n"
            "always @(posedge clk or negedge rst_n) if (!rst_n) q <= 5; else q <= q + step;\nassign zero = q == 0;",
            True,
        ),
        "registered zero": _written(
            _COUNT,
            "wire [3:0] n; assign n = en ? (up ? q + 4'd1 : q - 4'd1) : q;\nalways @(posedge clk or negedge rst_n)\n"
            "if (!rst_n) begin q <= 5; zero <= 0; end else begin q <= n; zero <= n == 0; end",
            True,
            True,
        ),
        "bits in a loop": _written(
            _COUNT,
            "wire [4:0] t; assign t[0] = en; genvar i; generate for (i = 0; i < 4; i = i + 1) begin : b\n"
            "assign t[i+1] = t[i] & (up ? q[i] : ~q[i]);\nalways @(posedge clk or negedge rst_n)\n"
            "if (!rst_n) q[i] <= (i == 0) | (i == 2); else q[i] <= q[i] ^ t[i]; end endgenerate\nassign zero = q == 0;",
            True,
        ),
        "blocking in one process": _written(
            _COUNT,
            "always @(posedge clk or negedge rst_n) if (!rst_n) q = 5; else if (en) if (up) q = q + 1; else q = q - "
            "1;\n"
            "assign zero = q == 0;",
            True,
        ),
        "first an initial value": _written(
            _COUNT,
            "initial q = 0; always @(posedge clk or negedge rst_n) if (!rst_n) q <= 5; else if (en) q <= q + (up ? 1 "
            ": -1);\n"
            "always @(q) zero = q == 0;",
            True,
            True,
        ),
        "inverted reset": _written(
            _COUNT,
            "wire rst; assign rst = ~rst_n; always @(posedge clk or posedge rst) if (rst) q <= 5;\n"
            "else if (en) q <= up ? q + 1 : q - 1; assign zero = q == 0;",
            True,
        ),
    },
)
FIRST = Rewritten(
    name="first",
    interface=_interface("r:8", "n:3 any:1"),
    golden=_written(
        _FIRST,
        "assign n = r[0] ? 0 : r[1] ? 1 : r[2] ? 2 : r[3] ? 3 : r[4] ? 4 : r[5] ? 5 : r[6] ? 6 : r[7] ? 7 : "
        "0;\nassign any = |r;",
    ),
    others={
        "casez": _written(
            _FIRST,
            "always @* begin any = 1; casez (r)\n8'b???????1: n = 0; 8'b??????10: n = 1; 8'b?????100: n = 2; "
            "8'b????1000: n = 3;\n"
            "8'b???10000: n = 4; 8'b??100000: n = 5; 8'b?1000000: n = 6; 8'b10000000: n = 7;\n"
            "default: begin n = 0; any = 0; end endcase end",
            True,
        ),
        "loop down": _written(
            _FIRST,
            "integer i; always @* begin n = 0; for (i = 7; i >= 0; i = i - 1) if (r[i]) n = i; any = r != 0; end",
            True,
        ),
        "loop up with a flag": _written(
            _FIRST,
            "integer i; always @* begin n = 0; any = 0; for (i = 0; i < 8; i = i + 1)\n"
            "if (r[i] && !any) begin n = i[2:0]; any = 1; end end",
            True,
        ),
        "if": _written(
            _FIRST,
            "always @(r) begin any = 1'b1; if (r[0]) n = 0; else if (r[1]) n = 1; else if (r[2]) n = 2; else if "
            "(r[3]) n = 3;\n"
            "else if (r[4]) n = 4; else if (r[5]) n = 5; else if (r[6]) n = 6; else if (r[7]) n = 7;\n"
            "else begin n = 0; any = 1'b0; end end",
            True,
        ),
        "lowest bit alone": _written(
            _FIRST,
            "wire [7:0] l; assign l = r & (~r + 1);\nassign n = {|l[7:4], |{l[7:6], l[3:2]}, l[7] | l[5] | l[3] | "
            "l[1]};\n"
            "assign any = r > 0;",
        ),
        "halves": _written(
            _FIRST,
            "wire [3:0] h; wire [1:0] q; assign h = |r[3:0] ? r[3:0] : r[7:4]; assign q = |h[1:0] ? h[1:0] : h[3:2];\n"
            "assign any = |r; assign n = any ? {~|r[3:0], ~|h[1:0], ~q[0]} : 3'd0;",
        ),
        "generate": _written(
            _FIRST,
            "wire [8:0] none; wire [7:0] one; assign none[0] = 1'b1; genvar i; generate for (i = 0; i < 8; i = i + 1)\n"
            "begin : b assign one[i] = none[i] & r[i]; assign none[i+1] = none[i] & ~r[i]; end endgenerate\n"
            "assign any = ~none[8]; assign n = {|one[7:4], one[7]|one[6]|one[3]|one[2], one[7]|one[5]|one[3]|one[1]};",
        ),
        "gate primitives": _written(
            _FIRST,
            "or o (any, r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7]);\n"
            "assign n = (r & 8'h0f) != 0 ? ((r & 3) != 0 ? {2'b00, ~r[0]} : {2'b01, ~r[2]})\n"
            "  : (r & 8'h30) != 0 ? {2'b10, ~r[4]} : {2'b11, ~r[6]} & {3{any}};",
        ),
    },
)
REWRITTEN = (PICK, COUNT, FIRST)
