"""task.toml: what is written is what is read, and a wrong field is named."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.base import TaskError
from palestra.envs.terminal.formats.settings import read_settings, write_settings

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_anything_that_json_can_hold_comes_back(metadata: dict[str, Any]) -> None:
    settings = {"schema_version": "1.4", "metadata": metadata}
    text = write_settings(settings)
    assert tomllib.loads(text) == settings
    assert read_settings(text, "task.toml") == settings


def test_unknown_fields_are_kept_and_dates_become_texts() -> None:
    told = read_settings("version = '1.0'\nfuture = 1\n[metadata]\nwhen = 2024-01-02\n[environment]\nnew = true\n", "f")
    assert told == {
        "version": "1.0", "future": 1, "metadata": {"when": "2024-01-02"}, "environment": {"new": True},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = ", "t/task.toml: is no TOML"),
        ("schema_version = '9.9'", "t/task.toml: schema_version: '9.9' is not one of"),
        ("[verifier]\ntimeout_sec = 'long'", "t/task.toml: verifier.timeout_sec: 'long' is not of type 'number'"),
        ("[verifier]\ntimeout_sec = -1", "verifier.timeout_sec"),
        ("[agent]\ntimeout_sec = 1e300", "agent.timeout_sec"),
        ("[environment]\nenv = { A = 1 }", "environment.env.A: 1 is not of type 'string'"),
        ("environment = 3", "t/task.toml: environment: 3 is not of type 'object'"),
        ("[task]\nname = '../../x'", "task.name"),
        ("[[steps]]\nmin_reward = 1", "steps.0: 'name' is a required property"),
        ("[verifier]\nenvironment_mode = 'mine'", "verifier.environment_mode"),
        ("[metadata]\nx = nan", "metadata.x: nan is no finite number"),
        ("[metadata]\nx = " + "[" * 40 + "]" * 40, "nested more than"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(text: str, told: str) -> None:
    with pytest.raises(TaskError) as refused:
        read_settings(text, "t/task.toml")
    assert told in str(refused.value)
