"""Collected demonstrations are rows for supervised training."""

from contextlib import closing
from pathlib import Path
from typing import Any

from palestra.agents.batches import micro_batches
from palestra.agents.chat import TemplateChat
from palestra.agents.demos import demonstration
from palestra.envs.web.collect.demonstration import read
from palestra.envs.web.collect.run import Order, collect
from palestra.envs.web.env import WebEnv


def test_one_batch_is_made_of_a_file_of_demonstrations(tmp_path: Path, tiny_tokenizer: Any) -> None:
    out = tmp_path / "demos.jsonl"
    collect(Order(policy="scripted", steps=16, knobs={"size": 6, "site": "inbox"}), out, n=3)
    chat, collected = TemplateChat(tiny_tokenizer), list(read(out))

    def encode(text: str) -> list[int]:
        return list(tiny_tokenizer.encode(text, add_special_tokens=False))

    with closing(WebEnv(shaping="none")) as env:
        rows = [demonstration(env, one.task, chat, encode, one.actions) for one in collected]
    for one, row in zip(collected, rows, strict=True):
        assert sum(row.row.mask) == sum(len(encode(action)) + 1 for action in one.actions)
        assert sum(row.advantages) == sum(row.row.mask)
    (batch,) = micro_batches(rows, token_budget=sum(len(row.row.ids) for row in rows), share=False)
    assert sorted(map(id, batch.rows)) == sorted(map(id, rows))
