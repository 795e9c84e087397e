"""Which tasks come next: samplers over difficulty settings, each with a state that a checkpoint can hold."""

from palestra.agents.curricula.adaptive import AdaptiveAttempts
from palestra.agents.curricula.base import Arm, Sampler, Staged, Uniform, arms_of
from palestra.agents.curricula.budget import token_budget
from palestra.agents.curricula.course import Course, CurriculumName
from palestra.agents.curricula.dump import Dump
from palestra.agents.curricula.eva import Eva
from palestra.agents.curricula.pcl import Pcl
from palestra.agents.curricula.variance import VarianceAware

__all__ = [
    "AdaptiveAttempts",
    "Arm",
    "Course",
    "CurriculumName",
    "Dump",
    "Eva",
    "Pcl",
    "Sampler",
    "Staged",
    "Uniform",
    "VarianceAware",
    "arms_of",
    "token_budget",
]
