"""All templates by name."""

from typing import Final

from palestra.envs.verilog.arithmetic import ARITHMETIC
from palestra.envs.verilog.codes import CODES
from palestra.envs.verilog.machines import MACHINES
from palestra.envs.verilog.sequential import SEQUENTIAL
from palestra.envs.verilog.template import Template

TEMPLATES: Final[dict[str, Template]] = {one.name: one for one in (*ARITHMETIC, *CODES, *SEQUENTIAL, *MACHINES)}
