"""What the page on augmentations of tool use shows does what it says."""

import re
from pathlib import Path

from palestra.envs.tooluse.operators.compose import OPERATORS, rank
from palestra.envs.tooluse.operators.near import DEGREES

PAGE = Path(__file__).parents[4] / "docs" / "tooluse_augmentations.md"


def test_the_example_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    exec(blocks[0], {"__name__": "page"})


def test_every_operator_that_needs_the_world_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    layers = max(rank(name) for name in OPERATORS)
    assert [name for name in OPERATORS if rank(name) < layers and f"| `{name}` |" not in text] == []
    assert [degree for degree in DEGREES if f"\n| {degree} |" not in text] == []
