"""Parts from a feature grammar: trees, programs, texts and tests of one another, in pure Python."""

from palestra.envs.cad.parts.draw import KNOBS
from palestra.envs.cad.parts.part import Part, draw_part, is_heldout
from palestra.envs.cad.parts.reading import parse
from palestra.envs.cad.parts.tree import PartError, Tree
from palestra.envs.cad.parts.words import REGISTERS, Register

__all__ = ["KNOBS", "REGISTERS", "Part", "PartError", "Register", "Tree", "draw_part", "is_heldout", "parse"]
