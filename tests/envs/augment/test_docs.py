"""What the page on augmentations shows does what it says."""

import re
from pathlib import Path

from palestra.envs.augment.operators import OPERATORS

PAGE = Path(__file__).parents[3] / "docs" / "augmentations.md"


def test_the_examples_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    exec("\n".join(blocks), {"__name__": "page"})


def test_every_operator_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in OPERATORS if f"| `{name}` |" not in text] == []
