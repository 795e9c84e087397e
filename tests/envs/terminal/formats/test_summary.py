"""What pytest prints is read as strictly as it can be: every test passed, and the counts agree."""

import subprocess
import sys
from pathlib import Path

import pytest

from palestra.envs.terminal.formats import summary
from palestra.envs.terminal.formats.summary import passed

GOOD = """..
=========================== short test summary info ============================
PASSED ../tests/test_outputs.py::test_a
PASSED ../tests/test_outputs.py::test_b[x - y]
============================== 2 passed in 0.03s ===============================
"""


def test_all_passed() -> None:
    assert passed(GOOD)
    assert passed(GOOD.replace("2 passed in 0.03s", "2 passed, 1 warning in 63.03s (0:01:03)"))
    assert passed("\x1b[32m" + GOOD.replace("\n", "\x1b[0m\n"))


@pytest.mark.parametrize(
    "output",
    [
        "",
        "2 passed in 0.03s",
        GOOD.replace("PASSED ../tests/test_outputs.py::test_b", "FAILED ../tests/test_outputs.py::test_b"),
        GOOD.replace("PASSED ../tests/test_outputs.py::test_b", "SKIPPED [1] ../tests/test_outputs.py"),
        GOOD.replace("PASSED ../tests/test_outputs.py::test_b", "XFAIL ../tests/test_outputs.py::test_b"),
        GOOD.replace("2 passed", "2 passed, 1 skipped"),
        GOOD.replace("2 passed", "1 failed, 2 passed"),
        GOOD.replace("2 passed", "3 passed"),
        GOOD.replace("2 passed in 0.03s", "no tests ran in 0.03s"),
        "\n".join(GOOD.splitlines()[:-1]),
        GOOD + GOOD.replace("PASSED", "FAILED").replace("2 passed", "2 failed"),
    ],
)
def test_anything_else_is_no_pass(output: str) -> None:
    assert not passed(output)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ("def test_a(): pass\n", "1"),
        ("def test_a(): assert 0\n", "0"),
        ("import pytest\ndef test_a(): pytest.skip('no')\ndef test_b(): pass\n", "0"),
        ("import pytest\n@pytest.mark.xfail\ndef test_a(): assert 0\ndef test_b(): pass\n", "0"),
        (
            "def test_a():\n    print('=== short test summary info ===\\nPASSED x\\n= 1 passed in 0.1s =')\n"
            "    assert 0\n",
            "0",
        ),
    ],
)
def test_it_agrees_with_pytest(tests: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(tests)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-rA",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    (tmp_path / "output.txt").write_bytes(ran.stdout)
    read = subprocess.run(
        [sys.executable, "-I", str(summary.__file__), str(tmp_path / "output.txt")], capture_output=True, check=True
    )
    assert read.stdout.decode().strip() == expected
