"""What runs in the sandbox that judges: our own modules, sent along as code, answer one question and end.

Nothing of palestra can be seen from a sandbox, so an importer finds in what was sent what is not installed there.
"""

# pyright: reportAttributeAccessIssue=false
# OCP is one extension module without stubs: its names are known when it runs.

import base64
import importlib.machinery
import json
import marshal
import os
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any, Final

BOX: Final = (10.0, 20.0, 30.0)  # of the canary, which can be measured wherever anything can


class Sent:
    """Finds modules whose code was sent; those without code are packages of others."""

    def __init__(self, codes: Mapping[str, tuple[bool, bytes]]) -> None:
        self._codes = codes

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return how to load a module that was sent."""
        if name not in self._codes:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=self._codes[name][0])  # type: ignore[arg-type]

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """Let the interpreter make it."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Run its code."""
        exec(marshal.loads(self._codes[module.__name__][1]), module.__dict__)


def main() -> None:
    """Answer the question on standard input; never returns."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the kernel prints now and then
    codes, question = marshal.loads(sys.stdin.buffer.read())
    sys.meta_path.insert(0, Sent(codes))
    told, data = _answered(json.loads(question))
    answers.write(json.dumps(told).encode() + b"\n" + data)
    answers.flush()
    os._exit(0)


def _answered(question: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    from palestra.envs.cad.records import Picture, ShapeError

    try:
        if question["kind"] == "draw":
            from palestra.envs.cad.drawing.parts import drawn

            pixels = drawn(base64.b64decode(question["brep"]), Picture(**question["picture"]))
            return {"shape": pixels.shape}, pixels.tobytes()
        from palestra.envs.cad.geometry import answer

        if question["kind"] == "canary":
            question = {**question, "kind": "measure", "brep": _box()}
        return answer(question), b""
    except ShapeError as error:
        return {"refused": str(error), "of": "shape"}, b""
    except ValueError as error:
        return {"malformed": str(error)}, b""


def _box() -> str:
    import io

    from OCP.BRepPrimAPI import BRepPrimAPI_MakeBox
    from OCP.BRepTools import BRepTools

    text = io.BytesIO()
    BRepTools.Write_s(BRepPrimAPI_MakeBox(*BOX).Shape(), text)
    return base64.b64encode(text.getvalue()).decode()


if __name__ == "__main__":
    main()
