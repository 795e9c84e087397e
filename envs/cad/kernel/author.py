"""What runs in the sandbox around an author's program: run it, take the shape it left, write that down, end.

The program shares this process, so it can do whatever this module does: what is written is what the author wants it to
be. It is one shape or one complaint, read by the host when every process of the sandbox is dead, and judged elsewhere.
"""

# pyright: reportAttributeAccessIssue=false
# OCP is one extension module without stubs: its names are known when it runs.

import contextlib
import difflib
import io
import json
import linecache
import os
import resource
import signal
import sys
import time
import types
from collections.abc import Mapping
from typing import Any, Final

NAME: Final = "program.py"  # what tracebacks call the author's program
ANSWER: Final = "answer"  # the file in the workspace
MOST_SAID: Final = 2000  # characters of a complaint


def main() -> None:
    """Do all of it; never returns."""
    given: Mapping[str, Any] = json.loads(sys.stdin.buffer.read())
    sys.stdin = io.TextIOWrapper(io.BytesIO())
    write = _writer()
    _limit(given)
    told, shape = _told(given["source"], given["limit_bytes"])
    write(json.dumps(told).encode() + b"\n" + shape)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()
    os._exit(0)


def _limit(given: Mapping[str, Any]) -> None:
    """Let the system end this process in time, and refuse it memory, before the sandbox has to end it by force."""
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") + given["memory_bytes"]
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, min(max(given["deadline"] - time.monotonic(), 0.001), given["timeout_s"]))


def _writer() -> Any:
    """Return what writes the answer, with its functions kept from before the program could exchange them."""
    folder, flags = os.getcwd(), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    unlink, opened, written, path = os.unlink, os.open, os.write, f"{folder}/{ANSWER}"

    def write(data: bytes) -> None:
        with contextlib.suppress(FileNotFoundError):
            unlink(path)
        file, left = opened(path, flags, 0o644), memoryview(data)
        while left:
            left = left[written(file, left) :]

    return write


def _told(source: str, limit_bytes: int) -> tuple[dict[str, Any], bytes]:
    """Return what is to be told of the program, and its shape as text, empty if there is none."""
    try:
        names = _run(source)
    except BaseException as error:  # whatever an author raises
        return _complaint(error, source), b""
    if "result" not in names:
        assigned = sorted(name for name, value in names.items() if type(value).__name__ in ("Workplane", "Solid"))
        return {"kind": "missing", "names": assigned[:5]}, b""
    try:
        return {"kind": "shape"}, _taken(names["result"], limit_bytes)
    except BaseException as error:  # objects of an author's own can raise anything
        return {"kind": "refused", "message": _cut(error)}, b""


def _run(source: str) -> dict[str, Any]:
    main = types.ModuleType("__main__")
    main.__dict__["show_object"] = main.__dict__["debug"] = lambda *args, **options: None  # an editor has these
    sys.modules["__main__"] = main
    linecache.cache[NAME] = (len(source), None, source.splitlines(keepends=True), NAME)
    with contextlib.suppress(SystemExit):
        exec(compile(source, NAME, "exec", dont_inherit=True), main.__dict__)
    return main.__dict__


def _complaint(error: BaseException, source: str) -> dict[str, Any]:
    """Return the exception, and the line of the program that it came from."""
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == NAME else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == NAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    lines = source.splitlines()
    text = lines[line - 1].strip() if line and line <= len(lines) else ""
    message = error.msg if isinstance(error, SyntaxError) else _cut(error)
    told: dict[str, Any] = {"kind": "raised", "type": type(error).__name__, "message": message}
    told |= {"line": line, "text": text[:MOST_SAID]}
    if isinstance(error, AttributeError) and isinstance(error.name, str):
        told["near"] = difflib.get_close_matches(error.name, dir(type(error.obj)), n=2)
    return told


def _cut(error: BaseException) -> str:
    try:
        return str(error)[:MOST_SAID]
    except BaseException:
        return ""


def _taken(result: Any, limit_bytes: int) -> bytes:
    """Return the shape in `result` as BREP text, without triangles; raises what is wrong with it."""
    from OCP.BRepTools import BRepTools
    from OCP.TopTools import TopTools_FormatVersion

    shape = _shape_of(result)
    text = io.BytesIO()
    BRepTools.Write_s(shape, text, False, False, TopTools_FormatVersion.TopTools_FormatVersion_VERSION_1)
    if text.tell() > limit_bytes:
        raise ValueError(f"the shape takes {text.tell():,} bytes; at most {limit_bytes:,} are taken: make it simpler")
    return text.getvalue()


def _shape_of(result: Any) -> Any:
    import cadquery

    if isinstance(result, cadquery.Assembly):
        result = result.toCompound()
    if isinstance(result, cadquery.Workplane):
        found = [one for one in result.objects if isinstance(one, cadquery.Shape)]
        solids = [one for one in found if one.Solids()]
        if not solids:
            raise ValueError(_flat(result, found))
        result = solids[0] if len(found) == 1 else cadquery.Compound.makeCompound(found)
    if not isinstance(result, cadquery.Shape):
        raise TypeError(
            f"`result` is of the type {type(result).__name__}; leave a Workplane, a Shape or an Assembly in it"
        )
    if not result.Solids():
        raise ValueError(f"`result` is a {result.ShapeType()} without a solid; extrude, revolve, loft or sweep it")
    return result.wrapped


def _flat(workplane: Any, found: list[Any]) -> str:
    """Say why there is no solid in a Workplane."""
    if any(one.Faces() or one.Edges() for one in found):
        kinds = ", ".join(sorted({one.ShapeType() for one in found}))
        return (
            f"`result` holds {len(found)} selected ({kinds}) and no solid; "
            "end the chain at a solid: with .end(), or by a name for the solid before the selection"
        )
    if getattr(workplane.ctx, "pendingWires", None) or getattr(workplane.ctx, "pendingEdges", None):
        return "`result` is a sketch that nothing was made of yet; close() it if need be, and extrude it"
    return "`result` is empty: nothing was built, or all of it was cut away"


if __name__ == "__main__":
    main()
