"""The page about step rewards names what there is, and its example runs."""

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "step_rewards.md").read_text(encoding="utf-8")
HOMES = ("rewards.", "agents.", "")
NAMES = re.findall(r"^\| `([\w.]+)` \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_table_names_is_there(name: str) -> None:
    module, attribute = name.rsplit(".", 1)
    found = [home for home in HOMES if importlib.util.find_spec(f"palestra.{home}{module.split('.')[0]}")]
    assert found, name
    thing = getattr(importlib.import_module(f"palestra.{found[0]}{module}"), attribute)
    assert thing.__doc__


def test_the_table_is_long_and_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(NAMES) == 13
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "step_rewards.md", "exec"), {})
    assert capsys.readouterr().out == "0.0\n"
