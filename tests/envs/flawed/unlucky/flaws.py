"""One of four wins, and nobody said so."""

from tests.envs.flawed.corpus import caught_by
from tests.envs.flawed.pick.env import Pick


@caught_by("random", "spam", "front_load", "act_after_done")
class LuckNotDeclared(Pick):
    """A choice of four whose floor of chance is not declared."""
