"""What depends on the place where it is played is found, and what it depends on is named."""

import locale
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from palestra.envs.certify import matrix
from palestra.envs.certify.certificate import Level
from palestra.envs.certify.findings import Finding, ask
from palestra.envs.certify.matrix import AGAIN, TOGETHER, WAYS, Known, determinism, first_difference, play_elsewhere
from palestra.envs.registry import EnvEntry, make, register
from palestra.envs.scripts import SCRIPTS, play
from palestra.sandbox.base import InfraError

N = 4
NAMED = {
    "hash seed": {"PYTHONHASHSEED=1", "PYTHONHASHSEED=4242"},
    "time zone": {"TZ=Pacific/Kiritimati", "TZ=America/St_Johns"},
    "locale": {"LC_ALL=C.UTF-8"},
    "thread count": {"OMP_NUM_THREADS=1", "OMP_NUM_THREADS=4"},
    "folder": {"another working folder", "a working folder with an odd name"},
    "umask": {"umask 0077", "umask 0002"},
    "development mode": {"-X dev"},
    "asserts": {"-O"},
    "order": {"the tasks in reverse order"},
    "company": {"4 threads at once"},
}
BY_CHANCE = {"order": {"4 threads at once"}}  # threads need not begin in another order, and often do


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("TZ", "UTC")
    before = locale.setlocale(locale.LC_CTYPE)  # which an environment here changes
    yield
    locale.setlocale(locale.LC_CTYPE, before)


def place(tells: str) -> EnvEntry:
    entry = EnvEntry(
        id=f"place/{tells.title().replace(' ', '')}-v0",
        entry_point="placegym.env:PlaceEnv",
        family="place",
        summary="tells where it is",
        kwargs={"tells": tells},
    )
    register(entry)
    return entry


def known(entry: EnvEntry) -> list[Known]:
    with closing(make(entry.id)) as env:
        return [Known.of("train", play(env, SCRIPTS["oracle"], seed)) for seed in range(N)]


def test_what_tells_nothing_is_the_same_everywhere() -> None:
    found = determinism(place("nothing"), known(place("nothing")), "quick")
    assert found.passed, found.detail
    assert f"{N} tasks" in found.detail


@pytest.mark.parametrize("tells", ["hash seed", "folder", "company"])
def test_a_dependence_is_found_by_two_processes(tells: str) -> None:
    found = determinism(place(tells), known(place(tells)), "quick")
    assert not found.passed
    ways = [way for way in TOGETHER if NAMED[tells] & set(way.name.split(", "))]
    assert all(f"with {way.name}, something else is seen at turn 2 of 'place/" in found.detail for way in ways)


@pytest.mark.slow
@pytest.mark.parametrize("tells", sorted(NAMED))
def test_what_it_depends_on_is_named(tells: str) -> None:
    found = determinism(place(tells), known(place(tells)), "full")
    named = {told.removeprefix("with ").split(",")[0] for told in found.evidence["differences"]}
    assert named - BY_CHANCE.get(tells, set()) == NAMED[tells]
    assert "something else is seen at turn" in found.detail


@pytest.mark.slow
def test_what_is_never_the_same_needs_no_other_reason() -> None:
    found = determinism(place("process"), known(place("process")), "full")
    assert found.detail == "with nothing changed, something else is seen at turn 2 of 'place/0' (split train, seed 0)"


def test_another_task_is_told_from_another_episode() -> None:
    entry = place("process in the task")
    found = determinism(entry, known(entry), "quick")
    assert "another task is made of 'place/0' (split train, seed 0)" in found.detail


def test_the_two_processes_differ_in_every_way() -> None:
    assert {name for way in TOGETHER for name in way.name.split(", ")} == {way.name for way in WAYS}
    for way in TOGETHER:
        assert way.env["PYTHONHASHSEED"] != AGAIN.env["PYTHONHASHSEED"]
        assert {"PYTHONHASHSEED", "TZ", "LC_ALL", "OMP_NUM_THREADS"} <= set(way.env)
        assert way.folder
        assert way.umask in (0o077, 0o002)
    assert TOGETHER[0].backwards
    assert TOGETHER[1].threads == 4


def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, does: str) -> EnvEntry:
    """Return an environment that does something in other processes, whose PYTHONHASHSEED is 0, and not in this one."""
    (tmp_path / f"{name}.py").write_text(
        "import os, signal\n"
        "from palestra.rewards.base import VerifierError\n"
        "from palestra.sandbox.base import InfraError\n"
        "from placegym.env import PlaceEnv\n"
        "class FaultyEnv(PlaceEnv):\n"
        "    def _act(self, action):\n"
        "        if os.environ.get('PYTHONHASHSEED') == '0':\n"
        f"            {does}\n"
        "        return super()._act(action)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = EnvEntry(
        id=f"place/{name.title()}-v0", entry_point=f"{name}:FaultyEnv", family="place", summary="fails elsewhere"
    )
    register(entry)
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    return entry


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("InfraError('no machine')", "no machine"),
        ("VerifierError('no verdict')", "no verdict"),
        ("MemoryError('no room')", "no room"),
        ("KeyError('x')", ""),
    ],
)
def test_a_fault_over_there_is_a_fault_here(
    error: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = faulty(tmp_path, monkeypatch, f"faulty_{error[:5].lower()}", f"raise {error}")
    with pytest.raises(InfraError if told else RuntimeError, match=told or "KeyError: 'x'"):
        play_elsewhere(entry, known(entry), AGAIN)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_a_process_that_is_killed_is_a_fault_and_no_verdict(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = faulty(tmp_path, monkeypatch, f"killed_{name.lower()}", f"os.kill(os.getpid(), signal.{name})")
    there = known(entry)
    found = ask("determinism", lambda: Finding(bool(play_elsewhere(entry, there, AGAIN)), ""))
    assert found.status == "fault"
    told = f"InfraError: playing in another process (nothing changed) was ended by signal {name}"
    assert found.detail == told


@pytest.mark.parametrize("level", ["quick", "full"])
def test_one_of_many_processes_that_is_killed_leaves_no_verdict(
    level: Level, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else kills it, such as the kernel for want of memory: the first that gets as far as to act."""
    shot = tmp_path / "shot"
    entry = faulty(
        tmp_path,
        monkeypatch,
        f"shot_{level}",
        f"os.path.exists({str(shot)!r}) or (open({str(shot)!r}, 'w').close(), os.system(f'kill -9 {{os.getpid()}}'))",
    )
    source = (tmp_path / f"shot_{level}.py").read_text().replace("== '0'", "in ('0', '1', '4242')")
    (tmp_path / f"shot_{level}.py").write_text(source)
    there = known(entry)
    monkeypatch.setattr(matrix, "WAYS", WAYS[:2])
    found = ask("determinism", lambda: determinism(entry, there, level))
    assert shot.exists()
    assert (found.status, found.detail[-7:]) == ("fault", "SIGKILL")


def test_the_first_difference_may_be_an_end() -> None:
    assert first_difference("abc", "abd") == 2
    assert first_difference("abc", "ab") == first_difference("ab", "abc") == 2
