"""Every benchmark runs, quickly when asked to, and prints one JSON object with the machine it ran on."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path.name for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text())


def test_the_benchmarks_that_the_docs_name_are_there() -> None:
    texts = [path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))]
    named = {name for text in texts for name in re.findall(r"benchmarks/(\w+\.py)", text)}
    assert {"main_job.py", "sandbox.py"} <= named <= set(SCRIPTS)


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_quick_and_json(script: str, tmp_path: Path) -> None:
    more = ["--out", str(tmp_path)] if script == "main_job.py" else []
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / script), "--quick", "--json", *more],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout)
    assert result["machine"]["cores"] >= 1
    if script == "main_job.py":
        assert {"base", "cold", "final", "gain of RL"} == set(result["spread"])
