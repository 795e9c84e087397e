"""A hardware module told once: its ports, what it does in words, its Verilog, and a model in Python beside it.

The Verilog is kept in parts, so that the same module can be written in several styles. The model is no translation
of them: it says with integers what the words say, and tests hold the two against each other.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final, Literal

from palestra.envs.base import Json

CLOCK: Final = "clk"
TICK: Final = "@"  # in a vector of inputs: 0 if the clock has no edge in this cycle
Style = Literal["plain", "two_process", "procedural", "branches", "non_ansi", "wrapped"]
STYLES: Final[tuple[Style, ...]] = ("plain", "two_process", "procedural", "branches", "non_ansi", "wrapped")
Row = Mapping[str, int] | None  # the outputs at one moment; None while nobody has reset the module
_CASE: Final = re.compile(r"\((\w+) == (\d+'d\d+)\)")


class Values(SimpleNamespace):
    """Integers by the names of wires or registers; a memory is a tuple of them."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a module."""

    name: str
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How the registers of a module are clocked and reset."""

    is_rising: bool = True
    is_async: bool = False
    is_low: bool = False  # the reset is active when it is 0

    @property
    def reset(self) -> str:
        """The name of the reset."""
        return "rst_n" if self.is_low else "rst"

    @property
    def sensitivity(self) -> str:
        """What a clocked block waits for."""
        edge = f"{'posedge' if self.is_rising else 'negedge'} {CLOCK}"
        return f"{edge} or {'negedge' if self.is_low else 'posedge'} {self.reset}" if self.is_async else edge

    @property
    def condition(self) -> str:
        """What is true while the module is reset."""
        return f"!{self.reset}" if self.is_low else self.reset

    def words(self) -> str:
        """Return the sentences about clock and reset."""
        level, edge = "01"[not self.is_low], "rising" if self.is_rising else "falling"
        when = (
            f"asynchronous: while it is {level} the registers hold their reset values, whatever the clock does"
            if self.is_async
            else f"synchronous: where it is {level} at that edge the registers take their reset values, before all else"
        )
        return f"Registers change at the {edge} edge of `{CLOCK}`. `{self.reset}` is {when}."


Show = Callable[[Values, Values], Mapping[str, int]]
Step = Callable[[Values, Values], Mapping[str, Any]]


def _nothing(_inputs: Values, _state: Values) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """One module without its name. Clock and reset are not among the inputs."""

    does: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    drives: Mapping[str, str]  # for each output an expression
    show: Show  # the outputs of inputs and registers, cut to their widths by whoever asks
    wires: Mapping[str, tuple[int, str]] = field(default_factory=dict)  # width and expression
    signed: frozenset[str] = frozenset()  # wires that are signed
    clock: Clock | None = None
    registers: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # width and reset value
    memory: tuple[str, int, int] | None = None  # name, width and depth; reset to zeros
    begins: str = ""  # Verilog at an edge without reset
    step: Step = _nothing  # the registers that change then

    @property
    def all_inputs(self) -> tuple[Port, ...]:
        """The inputs with the reset first, as a stimulus holds them; the clock is not among them."""
        return (Port(self.clock.reset, 1), *self.inputs) if self.clock else self.inputs

    def interface(self) -> dict[str, Json]:
        """Return the ports and the clock as JSON, for `Interface.of`."""
        clock = self.clock
        return {
            "inputs": [[port.name, port.width] for port in self.all_inputs],
            "outputs": [[port.name, port.width] for port in self.outputs],
            "clock": "" if clock is None else "posedge" if clock.is_rising else "negedge",
            "reset": "" if clock is None else clock.reset,
            "reset_level": 0 if clock is None or clock.is_low else 1,
        }

    def statement(self, name: str) -> str:
        """Return the specification in words."""
        clock = [(CLOCK, "input", 1)] if self.clock else []
        inputs = [(port.name, "input", port.width) for port in self.all_inputs]
        rows = clock + inputs + [(port.name, "output", port.width) for port in self.outputs]
        table = "\n".join(f"| {port} | {direction} | {width} |" for port, direction, width in rows)
        timing = self.clock.words() if self.clock else "The module is combinational: it has no clock and no state."
        head = f"Write the Verilog-2005 module `{name}`.\n\n| port | direction | bits |\n| --- | --- | --- |\n{table}"
        return f"{head}\n\n{self.does}\n\n{timing}"

    def trace(self, vectors: Sequence[Mapping[str, int]]) -> list[Row]:
        """Return the outputs that the model gives to a stimulus: before and after each edge, or once if unclocked."""
        rows: list[Row] = []
        start = Values(**{name: value for name, (_, value) in self.registers.items()})
        if self.memory:
            setattr(start, self.memory[0], (0,) * self.memory[2])
        state: Values | None = None if self.clock else start
        for vector in vectors:
            given = Values(**{name: value for name, value in vector.items() if name != TICK})
            is_reset = bool(self.clock) and bool(vector[self.all_inputs[0].name]) is not self._is_low
            if self.clock and self.clock.is_async and is_reset:
                state = start
            rows.append(self._row(given, state))
            if self.clock:
                if vector.get(TICK, 1):
                    state = start if is_reset else None if state is None else self._next(given, state)
                rows.append(self._row(given, state))
        return rows

    @property
    def _is_low(self) -> bool:
        return self.clock is not None and self.clock.is_low

    def _row(self, given: Values, state: Values | None) -> Row:
        if state is None:
            return None
        shown = self.show(given, state)
        return {port.name: int(shown[port.name]) & ((1 << port.width) - 1) for port in self.outputs}

    def _next(self, given: Values, state: Values) -> Values:
        changed = dict(self.step(given, state))
        for name, (width, _) in self.registers.items():
            if name in changed:
                changed[name] = int(changed[name]) & ((1 << width) - 1)
        return Values(**{**vars(state), **changed})

    def source(self, name: str, style: Style = "plain") -> str:
        """Return the module in Verilog."""
        if style == "wrapped":
            return self._wrapped(name)
        body = [*self._declarations(style), *self._clocked(style)]
        body += [line for port in self.outputs for line in _driven(port.name, self.drives[port.name], style)]
        return f"{self._header(name, style)}\n" + "\n".join(f"  {line}" for line in body) + "\nendmodule\n"

    def _ports(self) -> Iterator[tuple[str, Port]]:
        if self.clock:
            yield "input", Port(CLOCK, 1)
        yield from (("input", port) for port in self.all_inputs)
        yield from (("output", port) for port in self.outputs)

    def _header(self, name: str, style: Style) -> str:
        reg = " reg" if style in ("procedural", "branches") else ""
        told = [(way + reg * (way == "output"), port) for way, port in self._ports()]
        if style == "non_ansi":
            names = ", ".join(port.name for _, port in told)
            return f"module {name} ({names});\n" + "\n".join(f"  {way} {ranged(port)};" for way, port in told)
        return f"module {name} (\n" + ",\n".join(f"  {way} {ranged(port)}" for way, port in told) + "\n);"

    def _declarations(self, style: Style) -> Iterator[str]:
        for name, (width, _) in self.registers.items():
            yield f"reg {ranged(Port(name, width))};"
        if self.memory:
            name, width, depth = self.memory
            yield f"reg [{width - 1}:0] {name} [0:{depth - 1}];"
            yield "integer place;"
        kind = "reg" if style in ("procedural", "branches") else "wire"
        for name, (width, expression) in self.wires.items():
            yield f"{kind} {'signed ' * (name in self.signed)}{ranged(Port(name, width))};"
            yield from _driven(name, expression, style)

    def _clocked(self, style: Style) -> Iterator[str]:
        if not self.clock:
            return
        begins, resets = self.begins.strip().splitlines(), [f"{n} <= {w}'d{v};" for n, (w, v) in self.registers.items()]
        if style == "two_process" and not self.memory:
            written = re.compile(rf"\b({'|'.join(self.registers)})\b(\[[^\]]*\])? <=")
            yield from (f"reg {ranged(Port(f'{name}_next', width))};" for name, (width, _) in self.registers.items())
            yield "always @* begin"
            yield from (f"  {name}_next = {name};" for name in self.registers)
            yield from (f"  {line}" for line in (written.sub(r"\1_next\2 =", line) for line in begins))
            yield "end"
            begins = [f"{name} <= {name}_next;" for name in self.registers]
        if self.memory:
            resets.append(f"for (place = 0; place < {self.memory[2]}; place = place + 1) {self.memory[0]}[place] <= 0;")
        yield f"always @({self.clock.sensitivity})"
        yield f"  if ({self.clock.condition}) begin"
        yield from (f"    {line}" for line in resets)
        yield "  end else begin"
        yield from (f"    {line}" for line in begins)
        yield "  end"

    def _wrapped(self, name: str) -> str:
        """Return the module around an inner one, its outputs passed on bit by bit in generate loops."""
        inner = self.source(f"{name}_inner", "non_ansi")
        links = [f".{port.name}({port.name}{'_inner' * (way == 'output')})" for way, port in self._ports()]
        lines = [f"wire {ranged(Port(port.name + '_inner', port.width))};" for port in self.outputs]
        lines += [f"{name}_inner inner ({', '.join(links)});", "genvar bit_number;", "generate"]
        for port in self.outputs:
            loop = f"for (bit_number = 0; bit_number < {port.width}; bit_number = bit_number + 1)"
            at = "[bit_number]" if port.width > 1 else ""
            lines.append(f"  {loop} begin : each_{port.name} assign {port.name}{at} = {port.name}_inner{at}; end")
        lines.append("endgenerate")
        return f"{self._header(name, 'plain')}\n" + "\n".join(f"  {line}" for line in lines) + f"\nendmodule\n\n{inner}"


def ranged(port: Port) -> str:
    """Return a port's name with its range before it, if it has more than one bit."""
    return f"[{port.width - 1}:0] {port.name}" if port.width > 1 else port.name


def choices(expression: str) -> tuple[list[tuple[str, str]], str]:
    """Return the conditions and values of a chain of ``(condition) ? value : ...``, and the value at its end."""
    found: list[tuple[str, str]] = []
    while (question := _outside(expression, "?")) >= 0:
        colon = question + 1 + _outside(expression[question + 1 :], ":")
        found.append((expression[:question].strip(), expression[question + 1 : colon].strip()))
        expression = expression[colon + 1 :].strip()
    return found, expression


def _outside(text: str, wanted: str) -> int:
    """Return the place of the first such character outside of brackets, after as many colons as question marks."""
    depth = questions = 0
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and character == wanted and not questions:
            return place
        if depth == 0 and wanted == ":":
            questions += (character == "?") - (character == ":")
    return -1


def _driven(name: str, expression: str, style: Style) -> list[str]:
    if style not in ("procedural", "branches"):
        return [f"assign {name} = {expression};"]
    chain, last = choices(expression)
    if style == "procedural" or not chain:
        if not re.search(r"[A-Za-z_]\w*(?<!\d'd)", re.sub(r"\d*'[a-z]\w+", "", expression)):
            return [f"initial {name} = {expression};"]  # a constant: `always @*` would never run
        return [f"always @* {name} = {expression};"]
    cases = [_CASE.fullmatch(condition) for condition, _ in chain]
    if all(cases) and len({case[1] for case in cases if case}) == 1 and len({c[2] for c in cases if c}) == len(chain):
        labels = [f"    {case[2]}: {name} = {value};" for case, (_, value) in zip(cases, chain, strict=True) if case]
        subject = next(case[1] for case in cases if case)
        return ["always @*", f"  case ({subject})", *labels, f"    default: {name} = {last};", "  endcase"]
    lines = [f"  {'else ' * (number > 0)}if {c} {name} = {value};" for number, (c, value) in enumerate(chain)]
    return ["always @* begin", *lines, f"  else {name} = {last};", "end"]
