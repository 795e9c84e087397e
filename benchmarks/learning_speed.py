"""How fast the embedded model samples and learns here, and what sharing beginnings saves.

    python benchmarks/learning_speed.py [--quick] [--json]

Everything is measured on real tool-use episodes. Savings are ratios of two ways in the same run.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import machine
import torch

from palestra.agents.base import Sampling
from palestra.agents.chat import TemplateChat
from palestra.agents.demos import demonstration
from palestra.agents.embedded import DEFAULT_MODEL
from palestra.agents.losses import IMITATION
from palestra.agents.model import Learner, LoraSpec, load_causal_lm, load_tokenizer, pick_device
from palestra.agents.sampler import Request, Sampler
from palestra.agents.trees import TrainRow
from palestra.agents.update import UpdateSettings, update
from palestra.envs.registry import make


def timed(work: Callable[[], Any], rounds: int) -> list[float]:
    """Return the seconds of each round, after one that is not counted."""
    work()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds


def siblings(chat: TemplateChat, encode: Callable[[str], list[int]], tasks: int, attempts: int) -> list[TrainRow]:
    """Return rows as a group's episodes give them: the same prompt, answers that differ a little."""
    env = make("palestra/ToolUseMini-v0")
    return [demonstration(env, env.tasks.sample(seed), chat, encode) for seed in range(tasks) for _ in range(attempts)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()
    rounds, batch, device = (1, 16, pick_device()) if chosen.quick else (5, 64, pick_device())
    tokenizer = load_tokenizer(DEFAULT_MODEL)
    chat = TemplateChat(tokenizer)
    rows = siblings(chat, lambda text: tokenizer.encode(text, add_special_tokens=False), max(1, batch // 8), 8)
    result = {"benchmark": "learning_speed", "quick": chosen.quick, "machine": machine.describe()}
    result["sampling"] = sampling(chat, rows, device, rounds)
    result["training"] = training(rows[: batch // 2], device, rounds)
    if chosen.json:
        json.dump(result, sys.stdout, indent=1)
        print()
    else:
        show(result)


def sampling(chat: TemplateChat, rows: list[TrainRow], device: str, rounds: int) -> dict[str, Any]:
    """Measure replies of 32 tokens after the second prompt of each episode, with and without a known prefix."""
    sampler = Sampler(load_causal_lm(DEFAULT_MODEL, torch.bfloat16, device))
    first = [row.row.ids[: row.row.mask.index(True)] for row in rows]
    then = [row.row.ids[: _last_turn(row)] for row in rows]

    def requests(prompts: list[tuple[int, ...]]) -> list[Request]:
        return [Request(p, Sampling(max_tokens=32, seed=i)) for i, p in enumerate(prompts)]

    def fresh() -> None:
        sampler.load({}, 0)
        sampler.sample(requests(then))

    def known() -> None:
        sampler.sample(requests(then))

    sampler.sample(requests(first))
    cold, warm = timed(fresh, rounds), timed(known, rounds)
    tokens = 32 * len(rows)
    return {
        "replies at once": len(rows),
        "tokens/s, prefix unknown": machine.spread([tokens / s for s in cold]),
        "tokens/s, prefix known": machine.spread([tokens / s for s in warm]),
        "speed-up by known prefixes": machine.spread([a / b for a, b in zip(cold, warm, strict=True)]),
    }


def training(rows: list[TrainRow], device: str, rounds: int) -> dict[str, Any]:
    """Measure one update on siblings, their common beginnings computed once or for each."""
    learner = Learner(load_causal_lm(DEFAULT_MODEL, torch.float32, device), lora=LoraSpec(), autocast=True)
    optimizer = torch.optim.AdamW(list(learner.trainable().values()), lr=0.0)
    settings = UpdateSettings(lr=0.0, token_budget=4096)
    tokens = sum(len(row.row.ids) for row in rows)
    seconds = {}
    for shares in (True, False):
        learner.shares = shares
        seconds[shares] = timed(lambda: update(learner, optimizer, rows, IMITATION, settings), rounds)
    return {
        "episodes": len(rows),
        "tokens/s, shared": machine.spread([tokens / s for s in seconds[True]]),
        "tokens/s, not shared": machine.spread([tokens / s for s in seconds[False]]),
        "speed-up by sharing": machine.spread([a / b for a, b in zip(seconds[False], seconds[True], strict=True)]),
    }


def show(result: dict[str, Any]) -> None:
    """Print each figure with its spread."""
    print(machine.line(result["machine"]))
    for part in ("sampling", "training"):
        for name, value in result[part].items():
            text = (
                f"{value['median']:.2f} ({value['min']:.2f} to {value['max']:.2f})"
                if isinstance(value, dict)
                else value
            )
            print(f"{part}: {name}: {text}")


def _last_turn(row: TrainRow) -> int:
    """Return where the last reply begins."""
    last = max(row.row.turns)
    return row.row.turns.index(last)


if __name__ == "__main__":
    main()
