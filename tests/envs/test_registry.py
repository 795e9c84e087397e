"""The registry: names, near names, other packages, and Gymnasium's own registry."""

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import pytest

import palestra
from palestra.envs.registry import EnvEntry, RegistrationError, UnknownEnvError, register
from palestra.envs.toolmini.env import ToolUseMiniEnv
from palestra.envs.web.miniwob.names import PAGES, env_id


def fresh(code: str, *paths: Path) -> str:
    """Return what a program prints in a process of its own, warnings being errors."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, paths), *sys.path])}
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_list_is_sorted_and_says_what_each_is() -> None:
    entries = [entry for entry in palestra.list_envs() if entry.id.startswith("palestra/")]
    assert [entry.id for entry in entries] == sorted(entry.id for entry in entries)
    assert {"palestra/Code-v0", "palestra/ToolUseMini-v0"} <= {entry.id for entry in entries}
    for entry in entries:
        assert entry.summary
        assert "\n" not in entry.summary


def test_the_namespace_may_be_left_out() -> None:
    assert palestra.find("ToolUseMini-v0") is palestra.find("palestra/ToolUseMini-v0")
    env = palestra.make("ToolUseMini-v0", split="heldout")
    assert isinstance(env, ToolUseMiniEnv)
    assert env.env_id == "palestra/ToolUseMini-v0"
    assert env.spec is not None
    assert env.spec.id == "palestra/ToolUseMini-v0"


@pytest.mark.parametrize(
    "wrong",
    ["toolusemini-v0", "ToolUseMini", "palestra/ToolUseMini-v1", "gym/ToolUzeMini-v0", "palestra/TolUseMini-v0"],
)
def test_a_near_name_is_suggested(wrong: str) -> None:
    with pytest.raises(
        UnknownEnvError, match=f"no environment named '{wrong}'; did you mean 'palestra/ToolUseMini-v0'?"
    ):
        palestra.make(wrong)


def test_a_far_name_gets_the_list() -> None:
    with pytest.raises(UnknownEnvError, match=r"known: .*palestra/Code-v0, .*palestra/ToolUse-v0"):
        palestra.find("Kkkkkkkkkk-v0")
    with pytest.raises(LookupError):
        palestra.find("")


def entry(env_id: str, entry_point: str = "palestra.envs.toolmini.env:ToolUseMiniEnv", **more: Any) -> EnvEntry:
    return EnvEntry(id=env_id, entry_point=entry_point, family="tooluse", summary="a test", **more)


@pytest.mark.parametrize("wrong", ["", "Name", "Name-v0", "a/Name", "a/Na me-v0", "a/b/c-v0", "a/b-v0\n", "/b-v0"])
def test_a_malformed_id_is_refused(wrong: str) -> None:
    with pytest.raises(RegistrationError, match="is not of the form"):
        register(entry(wrong))


def test_registering_twice_is_registering_once_and_another_under_the_name_is_refused() -> None:
    name = "registrytest/Twice-v0"
    register(entry(name))
    register(entry(name))
    with pytest.raises(RegistrationError, match=r"already registered as palestra\.envs\.toolmini\.env:ToolUseMiniEnv"):
        register(entry(name, "elsewhere:Env"))
    assert [one.id for one in palestra.list_envs()].count(name) == 1


def test_what_is_registered_now_is_known_to_gymnasium_at_once() -> None:
    name = "registrytest/Small-v0"
    register(entry(name, kwargs={"difficulty": {"records": 2}}))
    made: Any = gymnasium.make(name, shaping="none").unwrapped
    same = palestra.make(name, shaping="none")
    assert made.difficulty == same.difficulty == {"records": 2}
    assert made.reset(seed=0)[0] == same.reset(seed=0)[0]
    assert gymnasium.spec(name).kwargs == {"difficulty": {"records": 2}}


@pytest.mark.parametrize("error", [UnknownEnvError("x"), RegistrationError("x")])
def test_errors_cross_processes(error: Exception) -> None:
    assert repr(pickle.loads(pickle.dumps(error))) == repr(error)


PLUGIN = """
import palestra
def add():
    palestra.register(palestra.EnvEntry(
        id="other/Shop-v3", entry_point="other_package:ShopEnv", family="tooluse", summary="another package's"))
    assert "other/Shop-v3" in [entry.id for entry in palestra.list_envs()]
def fail():
    raise OSError("disk on fire")
def __getattr__(name):
    if name != "ShopEnv":
        raise AttributeError(name)
    from palestra.envs.toolmini.env import ToolUseMiniEnv
    return type("ShopEnv", (ToolUseMiniEnv,), {"env_id": "other/Shop-v3"})
"""


def install(folder: Path, points: str) -> Path:
    """Lay a package out as an installer would: a module, and a dist-info folder that names its entry points."""
    (folder / "other_package.py").write_text(PLUGIN)
    info = folder / "other_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[palestra.envs]\n{points}\n")
    return folder


def test_another_packages_environments_are_found_by_its_entry_point(tmp_path: Path) -> None:
    code = """
import palestra, sys
assert "other_package" not in sys.modules
print(*[entry.id for entry in palestra.list_envs()])
env = palestra.make("other/Shop-v3")
env.reset(seed=0)
print(env.env_id, env.spec.id, env.fork()[0].env_id)
import gymnasium
print(gymnasium.make("other/Shop-v3").unwrapped.env_id)
"""
    listed, made, by_gymnasium = fresh(code, install(tmp_path, "shop = other_package:add")).splitlines()
    assert listed.split() == ["other/Shop-v3", *OURS]
    assert made.split() == ["other/Shop-v3"] * 3
    assert by_gymnasium == "other/Shop-v3"


def test_a_name_is_looked_up_in_other_packages_before_it_is_called_unknown(tmp_path: Path) -> None:
    code = "import palestra; print(palestra.find('other/Shop-v3').summary)"
    assert fresh(code, install(tmp_path, "shop = other_package:add")) == "another package's"


@pytest.mark.parametrize(
    ("point", "told"), [("bad = other_package:fail", "disk on fire"), ("bad = no_such_module:add", "no_such_module")]
)
def test_a_package_that_fails_is_named_each_time_and_ours_still_work(tmp_path: Path, point: str, told: str) -> None:
    code = """
import palestra
print(type(palestra.make("palestra/ToolUseMini-v0")).__name__)
for _ in range(2):
    try:
        palestra.list_envs()
    except Exception as error:
        print(type(error).__name__, error)
"""
    ours, *errors = fresh(code, install(tmp_path, point)).splitlines()
    assert ours == "ToolUseMiniEnv"
    assert len(errors) == 2
    for error in errors:
        assert error.startswith("RegistrationError the entry point 'bad' of other-package failed:")
        assert told in error


OURS = [
    "palestra/BFCLMultiTurn-v0",
    "palestra/BFCLSingleTurn-v0",
    "palestra/Cad-v0",
    "palestra/CadDims-v0",
    "palestra/CadEdit-v0",
    "palestra/CadImage-v0",
    "palestra/CadRepair-v0",
    "palestra/Code-v0",
    "palestra/CodeRepair-v0",
    "palestra/Fuzz-v0",
    "palestra/Sql-v0",
    "palestra/Terminal-v0",
    "palestra/ToolUse-v0",
    "palestra/ToolUseMini-v0",
    "palestra/Verilog-v0",
    "palestra/Web-v0",
]
OURS = sorted([*OURS, *map(env_id, PAGES)])
LOOK = "print(sorted(name for name in gymnasium.registry if name.startswith('palestra/')))"


@pytest.mark.parametrize(
    "imports",
    [
        "import palestra, gymnasium",
        "import gymnasium, palestra",
        "import palestra, gymnasium.spaces",
        "import gymnasium.spaces, palestra",
        "import palestra, importlib.util; importlib.util.find_spec('gymnasium'); import gymnasium",
        "import palestra.envs.env, gymnasium",
        "import palestra._hook as hook; hook.when_imported('gymnasium', lambda: print(end='')); import gymnasium",
    ],
)
def test_gymnasium_knows_ours_however_it_is_imported(imports: str) -> None:
    assert fresh(f"{imports}; {LOOK}") == str(OURS)


def test_looking_for_gymnasium_shows_its_own_loader() -> None:
    code = "import palestra, importlib.util as u; print(u.find_spec('gymnasium').loader.get_filename('gymnasium'))"
    assert fresh(code) == str(Path(str(gymnasium.__file__)))
