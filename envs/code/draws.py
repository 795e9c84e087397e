"""The random choices of programming tasks."""

from palestra.envs import draws


class Draws(draws.Draws):
    """The choices of one stage of the family's generators, named by template, seed and stage."""

    def __init__(self, template: str, seed: int, stage: str) -> None:
        super().__init__("code", template, seed, stage)
