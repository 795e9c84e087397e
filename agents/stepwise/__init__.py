"""Step rewards that need an environment or a model; those that need neither are in `palestra.rewards`."""
