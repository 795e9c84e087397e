"""``import palestra`` is light, and Gymnasium knows our environments in whichever order the two come."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "gymnasium", "numpy", "jsonschema", "playwright", "docker", "cadquery", "ray")
LIMIT_MS = 100.0  # what the project promises


def fresh(code: str) -> str:
    """Return what a program prints in a process of its own that can import palestra."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_heavy_is_imported() -> None:
    modules = fresh("import palestra, sys; print(*sys.modules)").split()
    assert {name.partition(".")[0] for name in modules} & set(HEAVY) == set()


def test_it_takes_at_most_a_tenth_of_a_second() -> None:
    """The least processor time of seven: what the import itself costs, whatever else the machine does."""
    code = "import time; t = time.process_time(); import palestra; print((time.process_time() - t) * 1000)"
    assert min(float(fresh(code)) for _ in range(7)) <= LIMIT_MS


@pytest.mark.parametrize("imports", ["import palestra, gymnasium", "import gymnasium, palestra"])
def test_gymnasium_makes_our_environments_in_either_order(imports: str) -> None:
    code = f"{imports}; env = gymnasium.make('palestra/ToolUseMini-v0'); print(env.reset(seed=0)[1]['task_id'])"
    assert fresh(code).startswith("tooluse/")


def test_gymnasium_makes_our_environments_by_module_name() -> None:
    code = "import gymnasium; print(gymnasium.make('palestra:palestra/ToolUseMini-v0').unwrapped.env_id)"
    assert fresh(code) == "palestra/ToolUseMini-v0\n"


def test_the_import_hook_leaves_no_trace_and_a_missing_module_stays_missing() -> None:
    code = """
import importlib.util, json, sys
from palestra._hook import when_imported
called = []
when_imported("wave", lambda: called.append("wave"))
when_imported("a_module_that_is_not_there", lambda: called.append("ghost"))
try:
    import a_module_that_is_not_there
except ModuleNotFoundError as error:
    called.append(error.name)
import wave, importlib
importlib.reload(wave)
ours = [finder for finder in sys.meta_path if type(finder).__module__ == "palestra._hook"]
spec_is_plain = type(wave.__spec__.loader).__module__ != "palestra._hook"
print(json.dumps([called, spec_is_plain, [finder.name for finder in ours if finder.name != "gymnasium"]]))
"""
    assert json.loads(fresh(code)) == [["a_module_that_is_not_there", "wave"], True, []]
