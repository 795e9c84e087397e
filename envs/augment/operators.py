"""The operators, by name."""

from collections.abc import Mapping

from palestra.envs.augment.distract import Distract
from palestra.envs.augment.faults import Faults
from palestra.envs.augment.formats import Formats
from palestra.envs.augment.instruction import Conventions, Instruction
from palestra.envs.augment.layer import Layer
from palestra.envs.augment.noise import Noise
from palestra.envs.augment.observation import Observation
from palestra.envs.augment.pages import Pages
from palestra.envs.augment.rename import Rename
from palestra.envs.augment.schema import SchemaWording

OPERATORS: Mapping[str, type[Layer]] = {
    layer.name: layer
    for layer in (
        Rename,
        SchemaWording,
        Distract,
        Formats,
        Noise,
        Pages,
        Faults,
        Observation,
        Instruction,
        Conventions,
    )
}
