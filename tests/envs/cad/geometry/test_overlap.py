"""Overlap of solids whose intersection over union has a closed form."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from palestra.envs.cad.geometry.loading import loaded
from palestra.envs.cad.geometry.overlap import extrapolated, iou_brep, iou_mesh, overlap
from palestra.envs.cad.records import ShapeLimits

Written = Callable[..., bytes]


def _table() -> ModuleType:
    path = Path(__file__).resolve().parents[4] / "benchmarks" / "cad_pairs.py"
    spec = importlib.util.spec_from_file_location("cad_pairs", path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules["cad_pairs"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLE = _table()


@pytest.mark.parametrize("is_turned", [False, True], ids=["in place", "turned"])
@pytest.mark.parametrize("number", range(len(TABLE.PAIRS)), ids=[pair.name for pair in TABLE.PAIRS])
def test_overlap_has_its_closed_form(brep: Written, number: int, is_turned: bool) -> None:
    pair = TABLE.PAIRS[number]
    one, two = (loaded(brep(shape), ShapeLimits()) for shape in TABLE.shapes(pair, is_turned=is_turned))
    assert iou_brep(one, two) == pytest.approx(pair.iou, abs=1e-6)
    meshes = [iou_mesh(one, two, level) for level in (0, 1)]
    assert meshes[0] is not None
    assert meshes[1] is not None
    assert extrapolated(meshes[0], meshes[1]) == pytest.approx(pair.iou, abs=1e-3)
    found = overlap(one, two)
    assert found.iou == pytest.approx(pair.iou, abs=1e-6)
    assert found.is_exact
    assert found.spread < 0.05
