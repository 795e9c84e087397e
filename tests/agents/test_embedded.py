"""The embedded default model is real, and names of models that are not are told in one line."""

from pathlib import Path

import pytest
import torch

from palestra.agents.base import ModelError, Sampling
from palestra.agents.chat import TemplateChat
from palestra.agents.embedded import DEFAULT_MODEL, embedded_model, resolve_model
from palestra.agents.model import load_causal_lm, load_tokenizer, pick_device
from palestra.agents.sampler import Request, Sampler


@pytest.mark.parametrize(
    ("name", "said"),
    [("nothing", "no model named 'nothing'"), ("./nothing", "no model named"), ("a/b/c", "no model named")],
)
def test_an_unknown_model_is_named_with_what_there_is(name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said) as error:
        resolve_model(name)
    assert DEFAULT_MODEL in str(error.value)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        resolve_model(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_causal_lm(str(tmp_path), torch.float32, "cpu")


def test_a_hub_id_is_left_to_transformers_and_its_failure_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_model("owner/name") == "owner/name"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="the model 'owner/name' cannot be loaded") as error:
        load_tokenizer("owner/name")
    assert "\n" not in str(error.value)


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match="is no device"):
        pick_device("warp")
    if not torch.cuda.is_available():
        with pytest.raises(ModelError, match="sees no GPU"):
            pick_device("cuda")
    assert pick_device("cpu") == "cpu"


@pytest.mark.slow
def test_the_embedded_model_speaks_english() -> None:
    folder = embedded_model()
    chat = TemplateChat(load_tokenizer(DEFAULT_MODEL))
    model = load_causal_lm(DEFAULT_MODEL, torch.float32, "cpu")
    assert sum(p.numel() for p in model.parameters()) == 134_515_008
    prompt = chat.render([{"role": "user", "content": "What is the capital of France?"}], ())
    (sample,) = Sampler(model).sample(
        [Request(tuple(prompt), Sampling(max_tokens=24, temperature=0.0, stop_ids=chat.stop_ids))]
    )
    assert "Paris" in str(chat.parse(sample.output_ids))
    assert embedded_model() == folder  # converted once


@pytest.mark.slow
def test_bfloat16_and_float32_agree_on_the_embedded_model() -> None:
    """The mean gap of log-probabilities; single unlikely tokens differ by more."""
    chat = TemplateChat(load_tokenizer(DEFAULT_MODEL))
    prompt = tuple(chat.render([{"role": "user", "content": "Name three colours of the rainbow."}], ()))
    requests = [Request(prompt, Sampling(max_tokens=16, seed=seed, stop_ids=chat.stop_ids)) for seed in range(4)]
    samples = Sampler(load_causal_lm(DEFAULT_MODEL, torch.bfloat16, "cpu")).sample(requests)
    model = load_causal_lm(DEFAULT_MODEL, torch.float32, "cpu")
    gaps = []
    for sample in samples:
        with torch.inference_mode():
            logits = model(torch.tensor([[*prompt, *sample.output_ids]]), use_cache=False).logits[0]
        rows = torch.log_softmax(logits, -1)[len(prompt) - 1 :]
        gaps += [
            abs(float(rows[i, t]) - lp)
            for i, (t, lp) in enumerate(zip(sample.output_ids, sample.logprobs, strict=True))
        ]
    assert sum(gaps) / len(gaps) < 0.1
