"""Augmentations that the oracle provably survives: layers between an agent and an environment."""
