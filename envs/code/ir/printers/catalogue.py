"""The languages that programs are printed in."""

from typing import Final

from palestra.envs.code.ir.nodes import Program
from palestra.envs.code.ir.printers.c import CPrinter
from palestra.envs.code.ir.printers.cpp import CppPrinter
from palestra.envs.code.ir.printers.javascript import JavaScriptPrinter
from palestra.envs.code.ir.printers.lua import LuaPrinter
from palestra.envs.code.ir.printers.ocaml import OCamlPrinter
from palestra.envs.code.ir.printers.page import NotInThisLanguage, Printed
from palestra.envs.code.ir.printers.perl import PerlPrinter
from palestra.envs.code.ir.printers.printer import Printer
from palestra.envs.code.ir.printers.python import PythonPrinter
from palestra.envs.code.ir.printers.r import RPrinter
from palestra.envs.code.ir.printers.ruby import RubyPrinter

_ALL: Final[tuple[type[Printer], ...]] = (
    PythonPrinter,
    JavaScriptPrinter,
    CppPrinter,
    CPrinter,
    LuaPrinter,
    PerlPrinter,
    RubyPrinter,
    OCamlPrinter,
    RPrinter,
)
PRINTERS: Final[dict[str, type[Printer]]] = {printer.language: printer for printer in _ALL}

__all__ = ["PRINTERS", "NotInThisLanguage", "Printed", "render"]


def render(program: Program, language: str) -> Printed:
    """Return a checked program's text in a language, and the line on which each statement begins.

    Args:
        program: as `parse` or `check` returned it.
        language: a name in `PRINTERS`.

    Raises:
        NotInThisLanguage: the language has no printer, or its printer has no way to write something.
    """
    if language not in PRINTERS:
        raise NotInThisLanguage(f"there is no printer for {language!r}; known: {', '.join(PRINTERS)}")
    return PRINTERS[language](program).render()
