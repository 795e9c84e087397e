"""Control groups: the real ones of this machine where it has any, and version 2's files in a folder of ours."""

import os
from pathlib import Path

import pytest

from palestra.sandbox.native.cgroups import ControlGroup, Hierarchy, find_hierarchy, remove_stale

FIRST = """\
30 24 0:27 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
33 30 0:30 / {folder} rw,nosuid - cgroup cgroup rw,memory
34 30 0:30 / {folder} rw,nosuid - cgroup cgroup rw,pids
"""
SECOND = "30 24 0:27 / {folder} rw,nosuid,nodev - cgroup2 cgroup2 rw,nsdelegate\n"


def test_version_1_is_found_by_its_controllers(tmp_path: Path) -> None:
    found = find_hierarchy(FIRST.format(folder=tmp_path).replace("/sys/fs/cgroup/cpu,cpuacct", str(tmp_path)), True)
    assert found is not None
    assert (found.version, set(found.folders)) == (1, {"memory", "pids", "cpu"})
    without = "\n".join(line for line in FIRST.format(folder=tmp_path).splitlines() if "pids" not in line)
    assert find_hierarchy(without, True) is None
    assert find_hierarchy(FIRST.format(folder=tmp_path), False) is None


def test_version_2_is_found_and_its_controllers_turned_on(tmp_path: Path) -> None:
    control = tmp_path / "cgroup.subtree_control"
    assert find_hierarchy(SECOND.format(folder=tmp_path), True) is None, "nothing can be turned on"
    control.write_text("cpuset cpu io memory hugetlb pids rdma misc\n")
    found = find_hierarchy(SECOND.format(folder=tmp_path), True)
    assert found == Hierarchy(2, dict.fromkeys(("memory", "pids", "cpu"), tmp_path))
    control.write_text("hugetlb\n")
    find_hierarchy(SECOND.format(folder=tmp_path), True)
    assert control.read_text() == "+memory +pids +cpu"


def test_version_2_files_are_written_and_read(tmp_path: Path) -> None:
    """The kernel's files are played by plain ones; the real thing is tested below where a machine has it."""
    group = ControlGroup(Hierarchy(2, dict.fromkeys(("memory", "pids", "cpu"), tmp_path)))
    (folder,) = (Path(name) for name in group.folders)
    group.limit(1 << 20, 7)
    values = {file.name: file.read_text() for file in folder.iterdir()}
    assert values == {"cpu.max": "100000 100000", "memory.max": "1048576", "pids.max": "7"}
    (folder / "memory.events").write_text("low 0\nhigh 0\nmax 7\noom 2\noom_kill 1\noom_group_kill 0\n")
    (folder / "memory.stat").write_text("anon 9000\nfile 5000\nshmem 1000\nkernel 700\n")
    (folder / "memory.current").write_text("15000\n")
    assert (group.kills(), group.held_bytes()) == (1, 11000)
    assert group.procs_files == (f"{folder}/cgroup.procs",)


@pytest.fixture
def real() -> Hierarchy:
    """This machine's control groups."""
    found = find_hierarchy(Path("/proc/self/mountinfo").read_text(), os.geteuid() == 0)
    if found is None:
        pytest.skip("this user can make no control groups here")
    return found


def test_real_limits_are_set_and_changed(real: Hierarchy) -> None:
    group = ControlGroup(real)
    try:
        for size in (64 << 20, 128 << 20, 32 << 20):
            group.limit(size, 5)
            name = "memory.limit_in_bytes" if real.version == 1 else "memory.max"
            assert any(
                int(Path(folder, name).read_text()) == size for folder in group.folders if Path(folder, name).exists()
            )
        assert group.kills() == 0
        assert 0 <= group.held_bytes() < 1 << 20
    finally:
        group.remove()
    group.remove()
    assert not any(os.path.exists(folder) for folder in group.folders)


def test_groups_of_dead_processes_are_swept(real: Hierarchy) -> None:
    root = real.folders["memory"]
    nobody = 4_194_305  # above every process id
    old, new, ours = (
        root / f"palestra-{nobody}-old",
        root / f"palestra-{nobody}-new",
        root / f"palestra-{os.getpid()}-x",
    )
    try:
        for folder in (old, new, ours):
            folder.mkdir()
        os.utime(old, (0, 0))
        os.utime(ours, (0, 0))
        remove_stale(real)
        assert [folder.exists() for folder in (old, new, ours)] == [False, True, True]
    finally:
        for folder in (old, new, ours):
            if folder.exists():
                folder.rmdir()
