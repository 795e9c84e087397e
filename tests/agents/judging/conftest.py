"""The server that stands for a model's, here as well."""

from tests.envs.conftest import scripted as scripted
