"""The pytest plug-in: ``pytest --palestra-tasks DIR`` makes tests of tasks; without the option it does nothing.

pytest loads this module wherever palestra is installed, so it imports nothing but pytest.
"""

import importlib

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("palestra", "tasks of palestra as tests")
    group.addoption(
        "--palestra-tasks",
        action="append",
        default=[],
        metavar="DIR|FILE",
        help="also collect task files: a test for each task that its oracle passes, and one that each cheat does not",
    )
    group.addoption("--palestra-env", metavar="ID", help="the environment of tasks whose files do not name it")


def pytest_configure(config: pytest.Config) -> None:
    """Collect task files if there are any to collect."""
    places = config.getoption("palestra_tasks")
    if places:
        tasks = importlib.import_module("palestra.pytest_tasks")
        config.pluginmanager.register(tasks.TaskFiles(config, places), "palestra-tasks")
