"""The family passes the gate, as it is and with augmentations."""

import pytest

from palestra.envs.base import SPLITS
from palestra.envs.certify.environment import check
from palestra.envs.certify.task import Certifier
from palestra.envs.registry import find, make
from palestra.envs.tooluse.env import ToolUseEnv
from palestra.envs.tooluse.generate import ToolUseSource


@pytest.mark.slow
def test_a_sample_of_tasks_passes_the_gate_at_level_full() -> None:
    report = check("palestra/ToolUse-v0", n=4, level="full", seed=40)
    assert report.ok, [(one.name, one.detail) for one in report.results if one.status != "passed"]


def test_augmented_tasks_pass_the_gate() -> None:
    entry = find(ToolUseEnv.env_id)
    certifier = Certifier(entry, make(entry.id, render_mode="ansi"), "full")
    for split in SPLITS:
        for seed in range(4):
            task = ToolUseSource(split).sample(seed, {"augment": "random", "augmentations": 3})
            found = certifier.certify(task)
            assert found.ok, (task.id, [(one.name, one.detail) for one in found.results if one.status != "passed"])
