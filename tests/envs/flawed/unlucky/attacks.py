"""What a family declares that forgot about luck."""

from tests.envs.flawed.pick.attacks import say

ATTACKS = {"say": say}
