"""What became of a program, in words that help its author."""

import re
from collections.abc import Mapping
from typing import Any, Final

MOST: Final = 600  # characters of an error

_TOO_LARGE = "the radius is too large for one of the edges, or its neighbours leave no room; take less, or fewer edges"
_HINTS: Final = (  # the exception with its message, the line of the program, what to do
    (r"NotDone|not done|NullObject|Null TopoDS", r"fillet|chamfer", _TOO_LARGE),
    (r"NotDone|not done|NullObject|Null TopoDS", r"shell|offset", "the wall is too thick for a curved or small face"),
    (r"NotDone|not done|NullObject|Null TopoDS", r"loft|sweep|revolve", "profiles meet, or turn back on themselves"),
    (r"NotDone|not done", r"", "the kernel found no such shape; look for lengths of 0 and lines that meet"),
    (r"NullObject|Null TopoDS", r"", "an operation gave nothing; look at its sizes and at where it is put"),
    (r"requires that (edges|faces) be selected", r"", "the selector found none; count with .size()"),
    (r"empty list|list index out of range|Nth element", r"", "a selector found nothing; its axis may be another"),
    (r"Cannot find a solid", r"", "there is no solid in the chain yet; extrude or revolve before"),
    (r"No pending wires|no pending wires", r"", "there is no closed outline to use; draw one, and close() it"),
    (r"must be planar faces|non-planar", r"", "select one flat face before workplane()"),
    (r"zero norm|zero magnitude", r"", "a direction or an axis has no length"),
    (r"BRepSweep_Translation|gp_Vec|Standard_ConstructionError", r"", "a length is 0, or points are the same"),
    (r"ParseException", r"", "selectors are such as '>Z', '<X', '|Y', '#Z', '%CYLINDER', joined by and, or, not"),
    (r"NameError: name 'cq'", r"", "begin with: import cadquery as cq"),
    (r"ModuleNotFoundError", r"", "there are CadQuery, NumPy and the standard library"),
    (r"MemoryError|bad_alloc", r"", "it needs more memory than it may use; build something smaller"),
    (r"RecursionError", r"", "a function calls itself for ever"),
)  # fmt: skip


def complaint(told: Mapping[str, Any]) -> str:
    """Return why there is no shape, from what was written down beside the program; it may be anything."""
    kind = told.get("kind")
    if kind == "missing":
        names = [name for name in _list(told.get("names")) if re.fullmatch(r"\w{1,40}", name)]
        offered = f"; is it {' or '.join(f'`{name}`' for name in names)}?" if names else ""
        return f"the program ended without the name `result`: assign the finished part to it{offered}"
    if kind == "raised":
        return _raised(told)
    return _short(str(told.get("message") or "there is no shape in `result`"))


def ended(how: str) -> str:
    """Return what to say of a program whose process ended before its shape was taken."""
    return (
        f"the program's process ended ({how}) before its shape could be taken: leave a part in `result` "
        "and let the program come to its end"
    )


def out_of_time(seconds: float) -> str:
    """Return what to say of a program that took too long."""
    return f"the program was stopped after {seconds:g} s: use fewer, simpler operations and no endless loops"


def out_of_memory(mebibytes: int) -> str:
    """Return what to say of a program that took too much."""
    return f"the program used more than {mebibytes} MiB of memory: build something smaller"


def printed(output: bytes, most: int) -> str:
    """Return what a program printed, cut in the middle, where it says least."""
    text = output.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text if len(text) <= most else f"{text[: most // 2]}\n[... cut ...]\n{text[-most // 2 :]}"


def _raised(told: Mapping[str, Any]) -> str:
    error = f"{told.get('type')}: {told.get('message')}".rstrip(": ")
    error = re.sub(r"(?s)Expected \{.*\}, found", "Expected a selector, found", error)
    line, text = told.get("line"), str(told.get("text") or "")
    place = f" (line {line}: `{_short(text, 120)}`)" if isinstance(line, int) else ""
    hint = next((hint for said, at, hint in _HINTS if re.search(said, error) and re.search(at, text)), "")
    near = [name for name in _list(told.get("near")) if re.fullmatch(r"\w{1,40}", name)]
    if near:
        hint = f"there is {' or '.join(f'`{name}`' for name in near)}"
    return f"{_short(error, 300)}{place}{f'. Hint: {hint}' if hint else ''}"


def _list(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _short(text: str, most: int = MOST) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."
