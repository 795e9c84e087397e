"""A run's curriculum: which settings of the generator's knobs its next tasks have."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Literal

from palestra.agents.base import ConfigError
from palestra.agents.curricula.base import Arm, Sampler, Staged, Uniform, arms_of
from palestra.agents.curricula.dump import Dump
from palestra.agents.curricula.eva import Eva
from palestra.agents.curricula.pcl import Pcl
from palestra.agents.curricula.variance import VarianceAware
from palestra.envs.base import derive_seed

CurriculumName = Literal["none", "uniform", "staged", "dump", "pcl", "variance", "eva"]


class Course:
    """Draws the arms of each step's tasks with a sampler and tells it what became of them.

    What a step draws depends on the run's seed, the step and what was told until then, and not on how often it is
    asked for. A course without a curriculum draws the empty arm and learns nothing.

    Args:
        name: of the sampler, or "none".
        grid: knobs and the values of each; the arms are their combinations.
        seed: of the run.

    Raises:
        ConfigError: a knob of the grid has no list of values.
    """

    def __init__(self, name: CurriculumName, grid: Mapping[str, Any], *, seed: int) -> None:
        self.seed = seed
        self.sampler = _sampler(name, arms_of(checked_grid(grid)))

    def draw(self, step: int, count: int) -> list[int]:
        """Return the arms of a step's tasks, one each."""
        return self.sampler.draw(count, Random(derive_seed("trainer", "curriculum", self.seed, str(step))))

    def settings(self, step: int, count: int) -> list[Arm]:
        """Return the same as knobs."""
        return [self.sampler.arms[arm] for arm in self.draw(step, count)]

    def tell(self, step: int, returns: Sequence[Sequence[float]]) -> None:
        """Take what the attempts at each task of a step were worth, 0 to 1; nothing for a task that was lost."""
        for arm, values in zip(self.draw(step, len(returns)), returns, strict=True):
            if values:
                self.sampler.tell(arm, values)

    def state(self) -> dict[str, Any]:
        """Return what was learnt, as plain JSON data."""
        return self.sampler.state()

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.sampler.load(state)


def checked_grid(grid: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the grid; ConfigError if a knob has no list of values."""
    for knob, values in grid.items():
        if not isinstance(values, list) or not values:
            raise ConfigError(f"curriculum_grid.{knob} must be a list of values, such as [1, 2, 3], not {values!r}")
    return dict(grid)


def _sampler(name: CurriculumName, arms: Sequence[Arm]) -> Sampler:
    samplers: dict[str, Sampler] = {
        "none": Uniform(arms),
        "uniform": Uniform(arms),
        "staged": Staged(arms),
        "dump": Dump(arms),
        "pcl": Pcl(arms),
        "variance": VarianceAware(arms),
        "eva": Eva(arms),
    }
    return samplers[name]
