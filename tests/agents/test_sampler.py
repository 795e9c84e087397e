"""What the sampler returns is what the model would say, however requests are batched or prefixes reused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from palestra.agents.base import ModelError, Sample, Sampling
from palestra.agents.kv import PrefixStore
from palestra.agents.model import load_causal_lm
from palestra.agents.sampler import WORTH_SHARING, Request, Sampler, choose, leaders_and_followers


def request(
    prompt: list[int], *, seed: int = 0, n: int = 12, temperature: float = 1.0, stop: tuple[int, ...] = ()
) -> Request:
    return Request(tuple(prompt), Sampling(max_tokens=n, temperature=temperature, seed=seed, stop_ids=stop))


def teacher_forced(model: Any, request: Request, sample: Sample) -> torch.Tensor:
    """The log-probabilities of a reply from one plain forward pass over prompt and reply."""
    ids = torch.tensor([[*request.prompt_ids, *sample.output_ids]])
    with torch.inference_mode():
        logits = model(ids, use_cache=False).logits[0].float() / request.sampling.temperature
    start = len(request.prompt_ids) - 1
    rows = torch.log_softmax(logits, -1)[start : start + len(sample.output_ids)]
    return rows.gather(1, torch.tensor(sample.output_ids)[:, None])[:, 0]


PROMPTS = [[1, 2, 3], [1, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8], [9] * 40, [7]]


def test_logprobs_are_those_of_a_plain_forward_pass(tiny_model: Any) -> None:
    requests = [request(p, seed=i, temperature=0.5 + 0.25 * i) for i, p in enumerate(PROMPTS)]
    for one, sample in zip(requests, Sampler(tiny_model).sample(requests), strict=True):
        assert torch.allclose(teacher_forced(tiny_model, one, sample), torch.tensor(sample.logprobs), atol=1e-4)


def test_a_reply_depends_on_its_seed_and_on_nothing_else_in_the_batch(tiny_model: Any) -> None:
    requests = [request(p, seed=i) for i, p in enumerate(PROMPTS)]
    together = Sampler(tiny_model).sample(requests)
    alone = [Sampler(tiny_model).sample([one])[0] for one in requests]
    assert [s.output_ids for s in together] == [s.output_ids for s in alone]
    assert together[0].output_ids != together[1].output_ids  # same prompt, other seed


def test_known_prefixes_change_nothing(tiny_model: Any) -> None:
    sampler = Sampler(tiny_model)
    first = request(PROMPTS[2], seed=3)
    said = sampler.sample([first])[0]
    following = request([*first.prompt_ids, *said.output_ids, 11, 12], seed=4)
    branching = request([*first.prompt_ids[:5], 20, 21], seed=5)
    for one in (following, branching):
        assert sampler.sample([one])[0].output_ids == Sampler(tiny_model).sample([one])[0].output_ids


def test_new_weights_are_used_at_once_and_old_prefixes_are_forgotten(tiny_model: Any, tiny_folder: Path) -> None:
    sampler, one = Sampler(tiny_model), request(PROMPTS[2], seed=1)
    sampler.sample([one])
    changed = {name: value * 1.5 for name, value in tiny_model.named_parameters()}
    sampler.load({name: value.detach() for name, value in changed.items()}, version=7)
    sample = sampler.sample([one])[0]
    fresh = load_causal_lm(str(tiny_folder), torch.float32, "cpu")
    fresh.load_state_dict(tiny_model.state_dict())
    assert sample.version == 7
    assert torch.allclose(teacher_forced(fresh, one, sample), torch.tensor(sample.logprobs), atol=1e-4)


def test_greedy_takes_the_likeliest_token_each_time(tiny_model: Any) -> None:
    one = request([5, 6], temperature=0.0, n=6)
    sample = Sampler(tiny_model).sample([one])[0]
    ids = [5, 6]
    for _ in range(6):
        with torch.inference_mode():
            ids.append(int(tiny_model(torch.tensor([ids])).logits[0, -1].argmax()))
    assert list(sample.output_ids) == ids[2:]
    assert sample.logprobs == (0.0,) * 6


def test_a_stop_token_ends_a_reply_and_is_part_of_it(tiny_model: Any) -> None:
    free = Sampler(tiny_model).sample([request([5, 6], seed=2, n=20)])[0]
    stop = free.output_ids[7]
    cut = Sampler(tiny_model).sample([request([5, 6], seed=2, n=20, stop=(stop,))])[0]
    at = free.output_ids.index(stop)
    assert (cut.output_ids, cut.finish) == (free.output_ids[: at + 1], "stop")
    assert free.finish == "length"


@pytest.mark.parametrize(("prompt", "n"), [([], 4), ([1] * 1020, 8)])
def test_a_prompt_that_cannot_be_continued_is_refused(tiny_model: Any, prompt: list[int], n: int) -> None:
    with pytest.raises(ModelError, match="do not fit the model's context of 1024"):
        Sampler(tiny_model).sample([request(prompt, n=n)])


def test_tokens_are_drawn_with_their_probabilities() -> None:
    probabilities = torch.tensor([0.5, 0.0, 0.3, 0.2])
    draws = torch.tensor(np.random.default_rng(0).random(20_000))
    logits = probabilities.log().expand(len(draws), -1)
    tokens, logprobs = choose(logits, draws, torch.ones(len(draws)))
    shares = torch.bincount(tokens, minlength=4) / len(draws)
    assert torch.allclose(shares, probabilities, atol=0.015)
    assert torch.allclose(logprobs, probabilities.log()[tokens])


def test_the_prefix_store_forgets_the_least_recently_used() -> None:
    store = PrefixStore(max_tokens=8)
    for first in (1, 2, 3):
        store.put([first, 0, 0, 0], torch.full((1, 2, 1, 4, 1), float(first)))
    assert store.longest([1, 0, 0, 0, 9]) is None
    found = store.longest([3, 0, 5, 5])
    assert found is not None
    assert found.shape[-2] == 2
    whole = store.longest([2, 0, 0, 0])  # the last token is always computed, for its logits
    assert whole is not None
    assert whole.shape[-2] == 3


def test_prompts_that_begin_alike_wait_for_the_first_of_them() -> None:
    common = tuple(range(WORTH_SHARING))
    prompts = [(*common, 7), (*common, 5, 6), (9, 9), (*common[:-1], 0, 0)]
    leaders, followers = leaders_and_followers(prompts)
    assert leaders == [(*common[:-1], 0, 0), (*common, 5, 6), (9, 9)]
    assert followers == [(*common, 7)]
    assert leaders_and_followers([(1,)]) == [[(1,)]]


def test_a_batch_of_prompts_that_begin_alike_gives_what_each_gives_alone(tiny_model: Any) -> None:
    common = [i % 250 for i in range(2 * WORTH_SHARING)]
    requests = [request([*common, i, i + 1][: 2 * WORTH_SHARING + 1 + i % 2], seed=i) for i in range(6)]
    together = Sampler(tiny_model).sample(requests)
    assert [s.output_ids for s in together] == [Sampler(tiny_model).sample([r])[0].output_ids for r in requests]
