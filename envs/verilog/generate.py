"""Hardware tasks from seeds: a template, its widths, constants and clocking, told in words with a table of ports.

Training tasks and held-out tasks have no template in common, and no width or constant where there was a choice.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from palestra.envs.actions import function_tool
from palestra.envs.base import SPLITS, Budget, Json, Split, Task, TaskError, merge_knobs
from palestra.envs.code.draws import Draws
from palestra.envs.verilog.catalogue import TEMPLATES
from palestra.envs.verilog.design import Design
from palestra.envs.verilog.stimulus import Interface, vectors
from palestra.envs.verilog.template import Choice, Template

GENERATOR_VERSION: Final = 1
KNOBS: Final[dict[str, Json]] = {
    "kind": "any",
    "template": "any",
    "width": 8,
    "edge": "any",
    "reset": "any",
    "polarity": "any",
}
_ALLOWED: Final = {
    "kind": ("any", "combinational", "sequential"),
    "template": ("any", *TEMPLATES),
    "edge": ("any", "rising", "falling"),
    "reset": ("any", "sync", "async"),
    "polarity": ("any", "high", "low"),
}
WIDTHS: Final = range(4, 33)
CYCLES: Final = 2_000  # of the hidden stimulus
PUBLIC_CYCLES: Final = 64
_ATTEMPTS: Final = 200
_CODE: Final = {
    "code": {"type": "string", "description": "the whole Verilog source, with the module that is asked for"}
}
TOOLS: Final = (
    function_tool("simulate", "Simulate a module on a short stimulus and see where it is first wrong.", _CODE),
    function_tool("submit", "Hand in a module. It is judged on a hidden stimulus; this ends the episode.", _CODE),
)
RULES: Final = (
    "Bit 0 is the least significant, and unless it is said otherwise numbers are unsigned. Ports have exactly these "
    "names and widths. Of system functions only $signed, $unsigned and $clog2 may be used; delays, names with dots, "
    "texts, attributes and preprocessor macros are refused. More modules than the one may be written, and Yosys must "
    "be able to synthesise them."
)


class VerilogTasks:
    """The family's `TaskSource`.

    Knobs: ``kind`` (combinational, sequential or any), ``template`` (a name in `TEMPLATES` of the split, or any),
    ``width`` (the most bits of a bus, 4 to 32), ``edge`` (rising, falling or any), ``reset`` (sync, async or any) and
    ``polarity`` of the reset (high, low or any).

    Raises:
        TaskError: the split is unknown.
    """

    def __init__(self, split: Split = "train") -> None:
        if split not in SPLITS:
            raise TaskError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
        self.split: Split = split
        self.knobs: Mapping[str, Json] = dict(KNOBS)

    def __iter__(self) -> Iterator[Task]:
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed, the same bytes in any process.

        Raises:
            TaskError: a knob is unknown or out of range.
        """
        knobs = merge_knobs(self.knobs, difficulty)
        fitting = self._fitting(knobs)
        draws = Draws(f"verilog/{self.split}", seed, "design")
        for _ in range(_ATTEMPTS):
            template = draws.pick(fitting)
            asked = {name: str(knobs[name]) for name in ("reset", "polarity", "edge")}
            choice = Choice(draws=draws, split=self.split, width=knobs["width"], **asked)
            params = template.draw(choice)
            design, name = template.build(**params), f"{template.name}_{draws.between(10, 99)}"
            if shows_something(design, name):
                return self._task(template, params, design, name, seed, knobs)
        raise TaskError(f"no fair Verilog task of the knobs {knobs} for seed {seed} in {_ATTEMPTS} draws")

    def _fitting(self, knobs: Mapping[str, Json]) -> list[Template]:
        for name, allowed in _ALLOWED.items():
            if knobs[name] not in allowed:
                raise TaskError(f"knob {name!r} must be one of {', '.join(allowed)}, not {knobs[name]!r}")
        if knobs["width"] not in WIDTHS:
            raise TaskError(f"knob 'width' must be {WIDTHS[0]} to {WIDTHS[-1]}, not {knobs['width']}")
        fitting = [
            one
            for one in TEMPLATES.values()
            if one.is_heldout == (self.split == "heldout")
            and knobs["template"] in ("any", one.name)
            and knobs["kind"] in ("any", "sequential" if one.is_clocked else "combinational")
        ]
        if not fitting:
            raise TaskError(f"the split {self.split} has no template {knobs['template']!r} of kind {knobs['kind']!r}")
        return fitting

    def _task(
        self,
        template: Template,
        params: Mapping[str, Json],
        design: Design,
        name: str,
        seed: int,
        knobs: Mapping[str, Json],
    ) -> Task:
        return Task(
            id=f"verilog/{self.split}/{template.name}/{'-'.join(str(value) for value in knobs.values())}/{seed}",
            family="verilog",
            seed=seed,
            instruction=f"{design.statement(name)}\n\n{RULES}",
            difficulty=dict(knobs),
            tools=TOOLS,
            budget=Budget(turns=6, seconds=120.0),
            public={"module": name, "interface": design.interface(), "cycles": PUBLIC_CYCLES},
            hidden={
                "template": template.name,
                "params": dict(params),
                "golden": design.source(name),
                "cycles": CYCLES,
            },
            provenance={"template": template.name, "split": self.split, "generator": GENERATOR_VERSION},
        )


def shows_something(design: Design, name: str) -> bool:
    """Return whether every output takes more than one value on a stimulus, as the model says."""
    interface = Interface.of(name, design.interface())
    rows = [row for row in design.trace(vectors(interface, CYCLES // 8, "trial")) if row is not None]
    return all(len({row[port.name] for row in rows}) > 1 for port in design.outputs)
