"""A certificate holds for the code that decides episodes: the family's, what it imports, and the core."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import palestra
from palestra.envs.certify.certificate import code_digest
from palestra.envs.certify.environment import CheckReport
from palestra.envs.certify.findings import CheckResult
from palestra.envs.certify.sources import sources
from palestra.envs.certify.stamp import Stamp, problem
from palestra.envs.registry import EnvEntry

CORE = {
    "palestra.envs",
    "palestra.envs.actions",
    "palestra.envs.base",
    "palestra.envs.env",
    "palestra.envs.moment",
    "palestra.envs.spaces",
    "palestra.rewards",
    "palestra.rewards.base",
    "palestra.rewards.shaping",
}
FILES = {
    "__init__.py": "",
    "alone.py": "",
    "cheats.py": "",
    "told.py": "",
    "tables/__init__.py": "from .shop import PRICES\n",
    "tables/shop.py": "PRICES = {}\n",
    "tables/unused.py": "",
    "deep/__init__.py": "",
    "deep/words.py": "from ..deeper import LETTERS\n",
    "deeper.py": "LETTERS = 'ab'\n",
    "late.py": "",
    "chess/__init__.py": "",
    "chess/env.py": (
        "from typing import TYPE_CHECKING\n"
        "from palestra.envs.env import AgentEnv\n"
        "from {0}.deep import words\n"
        "from {0} import tables\n"
        "if TYPE_CHECKING:\n"
        "    from {0}.told import Told\n"
        "class ChessEnv(AgentEnv):\n"
        "    def oracle(self):\n"
        "        import {0}.late\n"
    ),
    "chess/attacks.py": "from {0}.cheats import CHEATS\nfrom palestra.envs.scripts import Script\n",
    "chess/openings.json": "[]\n",
    "chess/broken.py": "not Python (\n",
}
DECIDES = ("tables/shop.py", "tables/__init__.py", "deep/words.py", "deep/__init__.py", "deeper.py", "late.py")
FAMILY = ("chess/env.py", "chess/attacks.py", "chess/openings.json", "chess/broken.py")
DOES_NOT = ("alone.py", "cheats.py", "told.py", "tables/unused.py")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution with one family, which imports some of what stands beside it."""
    folder = tmp_path / f"imports{tmp_path.name}".replace("-", "_")
    for name, code in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(code.replace("{0}", folder.name))
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


@pytest.fixture
def entry(folder: Path) -> EnvEntry:
    return EnvEntry(
        id=f"imports/{folder.name}-v0",
        entry_point=f"{folder.name}.chess.env:ChessEnv",
        family="chess",
        summary="a test",
        certificate=f"{folder.name}.chess/it.certificate.json",
    )


@pytest.fixture
def certified(entry: EnvEntry, folder: Path) -> EnvEntry:
    results = (CheckResult(name="oracle", status="passed", detail=""),)
    report = CheckReport(env_id=entry.id, level="full", n=5, splits=("train",), seed=0, results=results)
    code_digest.cache_clear()
    Stamp.of(entry, report).write(folder / "chess" / "it.certificate.json")
    assert problem(entry) == ""
    return entry


@pytest.mark.parametrize("name", [*DECIDES, *FAMILY])
def test_a_change_of_what_decides_episodes_ends_the_certificate(certified: EnvEntry, folder: Path, name: str) -> None:
    (folder / name).write_text((folder / name).read_text() + "\n")
    code_digest.cache_clear()
    assert "its code has changed since" in problem(certified)


@pytest.mark.parametrize("name", DOES_NOT)
def test_a_change_of_what_does_not_leaves_it(certified: EnvEntry, folder: Path, name: str) -> None:
    (folder / name).write_text((folder / name).read_text() + "\n")
    code_digest.cache_clear()
    assert problem(certified) == ""


def test_a_new_import_counts_at_once(certified: EnvEntry, folder: Path) -> None:
    before = sources(certified.entry_point)
    (folder / "deeper.py").write_text(f"from {folder.name} import alone\n")
    after = sources(certified.entry_point)
    assert set(after) - set(before) == {f"{folder.name}.alone"}


def test_no_module_is_imported_to_be_read(entry: EnvEntry, folder: Path) -> None:
    found = sources(entry.entry_point)
    loaded = {name for name in sys.modules if name.startswith(folder.name)}
    assert loaded == {folder.name, f"{folder.name}.chess"}  # the packages that the family stands in
    assert set(found) > CORE
    assert not any(name.startswith(("palestra.envs.certify", "palestra.envs.scripts")) for name in found)


@pytest.mark.parametrize(
    "env_id",
    [one.id for one in palestra.list_envs() if one.id.startswith("palestra/") and not one.collection],
)
def test_the_core_counts_for_every_environment_of_ours(env_id: str) -> None:
    found = sources(palestra.find(env_id).entry_point)
    assert set(found) >= {*CORE, "env.py"}
    assert all(path.is_file() for path in found.values())


def test_what_two_families_share_counts_for_both() -> None:
    for env_id in ("palestra/BFCLMultiTurn-v0", "palestra/BFCLSingleTurn-v0"):
        assert "palestra.envs.bfcl.package" in sources(palestra.find(env_id).entry_point)


@pytest.mark.parametrize(
    ("path", "changes"),
    [("rewards/shaping.py", True), ("envs/actions.py", True), ("envs/moment.py", True), ("envs/pool.py", False)],
)
def test_a_change_of_the_core_changes_the_hash(path: str, changes: bool, tmp_path: Path) -> None:
    copy = tmp_path / "palestra"
    shutil.copytree(Path(palestra.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__", "agents"))
    code = (
        "import json, palestra\n"
        "from pathlib import Path\n"
        "from palestra.envs.certify.certificate import code_digest\n"
        "told = [palestra.__file__, code_digest('palestra.envs.toolmini.env:ToolUseMiniEnv')]\n"
        f"path = Path({str(copy / path)!r})\n"
        "path.write_text(path.read_text() + '\\n')\n"
        "code_digest.cache_clear()\n"
        "print(json.dumps([*told, code_digest('palestra.envs.toolmini.env:ToolUseMiniEnv')]))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    where, before, after = json.loads(done.stdout)
    assert Path(where).parent == copy
    assert (before != after) == changes
