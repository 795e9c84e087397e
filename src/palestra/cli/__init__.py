"""The command ``palestra``: one module for each group of verbs, loaded when its verb is asked for."""

from palestra.cli.main import main

__all__ = ["main"]
