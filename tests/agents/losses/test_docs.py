"""The page about losses tells what there is, with the defaults that there are, and its examples run."""

import re
from pathlib import Path

import pytest

from palestra.agents.config import TrainConfig, load_config
from palestra.agents.loss_options import LOSSES

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "losses.md").read_text(encoding="utf-8")


def test_every_loss_is_in_the_table_with_its_defaults() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| .* \| ((?:`\w+=[^`]+` ?)+) \|", PAGE, re.MULTILINE))
    assert list(told) == list(LOSSES)
    for name, cell in told.items():
        options = load_config(None, [f"loss_options.{word}" for word in re.findall(r"`([^`]+)`", cell)] + named(name))
        assert options.loss_options == dict(LOSSES[name].options)


def named(name: str) -> list[str]:
    credit = (LOSSES[name].credits or ("turn_loo",))[0]
    return [f"loss={name}", f"credit={credit}"]


@pytest.mark.parametrize("line", re.findall(r"^palestra train ([^#\n]+)", PAGE, re.MULTILINE))
def test_the_examples_are_configs(line: str) -> None:
    assert load_config(None, line.split()) != TrainConfig()


def test_the_code_on_the_page_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "losses.md", "exec"), {})
    assert capsys.readouterr().out == "[[True, False]] tensor([[ 0.0000, -0.5000]])\n"
