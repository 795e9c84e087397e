"""The page about credit names what there is, and its examples run."""

import re
import typing
from pathlib import Path

import pytest

from palestra.agents.config import TrainConfig, load_config
from palestra.agents.curricula import CurriculumName
from palestra.agents.distill.texts import DistillKind
from palestra.rewards.credit import CREDITS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "credit.md").read_text(encoding="utf-8")


def table(head: str) -> list[str]:
    _, _, rest = PAGE.partition(f"| `{head}` |")
    return re.findall(r"^\| `([^`]+)` \|", rest.split("\n\n")[0], re.MULTILINE)


def test_every_name_that_a_config_may_have_is_in_its_table() -> None:
    assert table("credit") == list(CREDITS)
    assert table("curriculum") == list(typing.get_args(CurriculumName))[1:]
    assert table("distill") == list(typing.get_args(DistillKind))[1:]


@pytest.mark.parametrize("line", re.findall(r"^palestra train ([^#\n]+)", PAGE, re.MULTILINE))
def test_the_examples_are_configs(line: str) -> None:
    assert load_config(None, line.split()) != TrainConfig()


def test_the_code_on_the_page_prints_advantages(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "credit.md", "exec"), {})
    first, second = capsys.readouterr().out.splitlines()
    assert first == "[[0.75, 1.0], [0.0], [-0.75, -1.0, 0.0]]"
    assert second == "[[1.25, 0.75], [-0.25], [-1.0, -0.75, -0.75]]"
