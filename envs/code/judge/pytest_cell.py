"""Runs tests of pytest inside the sandbox, against a module that another process holds. Sent as source.

First it forks the process that will hold the candidate's code, which inherits nothing of the tests: those come on
stdin and are read afterwards, here, and never touch a disk. It bars others of its user from its memory and files,
takes folders that the candidate could write to off its path, and reports through a pipe that only it has.
"""

import io
import json
import os
import random
import signal
import sys
import types
from typing import Any, NoReturn

import pytest

_SET_DUMPABLE = 4
_LEFT_OUT = ("cacheprovider", "faulthandler", "doctest", "unraisableexception", "threadexception")
_ARGUMENTS = ["-q", "-c", os.devnull, "--noconftest", "--capture=sys", "--import-mode=importlib"]
_ARGUMENTS += [word for name in _LEFT_OUT for word in ("-p", f"no:{name}")]


class Collector:
    """Has pytest collect tests from text, and notes how every phase of every test went."""

    def __init__(self, source: str, nonce: str) -> None:
        self.outcomes: dict[str, list[str]] = {}
        self.troubles: list[str] = []
        self._source, self._nonce = source, nonce

    def pytest_pycollect_makemodule(self, module_path: Any, parent: Any) -> pytest.Module:
        """Return the tests, whatever file was named."""
        made = types.ModuleType("hidden_tests")
        source = f"{self._source}\ndef test_{self._nonce}():\n    raise AssertionError\n"

        class Tests(pytest.Module):
            def _getobj(self) -> types.ModuleType:
                if "__builtins__" not in made.__dict__:
                    exec(compile(source, "<hidden tests>", "exec", dont_inherit=True), made.__dict__)
                return made

        return Tests.from_parent(parent, path=module_path)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the tests into an order that the candidate cannot know."""
        random.Random(self._nonce).shuffle(items)

    def pytest_collectreport(self, report: Any) -> None:
        """Note what could not be collected."""
        if report.outcome != "passed":
            self.troubles.append(f"{report.outcome}: {str(report.longrepr)[-300:]}")

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note how a phase of a test went; what was expected to fail has not passed."""
        is_expected = hasattr(report, "wasxfail")
        name = report.nodeid.partition("::")[2]
        self.outcomes.setdefault(name, []).append("xfail" if is_expected else report.outcome)


def main(plan: dict[str, Any], load: Any) -> NoReturn:
    """Run the tests that stdin holds and report; ``plan`` holds what the candidate may know."""
    remote = load("remote")
    ours, theirs = os.pipe(), os.pipe()
    libc = __import__("ctypes").CDLL(None)
    if libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        os._exit(3)
    if os.fork() == 0:
        _be_candidate(plan, load, remote, theirs[0], ours[1])
    os.close(theirs[0])
    os.close(ours[1])
    sys.path[:] = [place for place in sys.path if place not in ("", os.getcwd())]
    report_to = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    secret = json.loads(sys.stdin.read())
    collector = Collector(secret["tests"], secret["nonce"])
    code = -1
    ask = remote.ask_over(ours[0], theirs[1])
    try:
        ask.accept()  # how loading the module went
        sys.modules[plan["module"]] = remote.Handle(0, ask)
        for name in [name for name in os.environ if name.startswith("PYTEST") or name.startswith("PYTHON")]:
            del os.environ[name]
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        place = os.path.realpath(json.__file__)  # any file that nobody here can write
        code = int(pytest.main([*_ARGUMENTS, f"--rootdir={os.path.dirname(place)}", place], plugins=[collector]))
    except BaseException as error:  # of the candidate's, as it was loaded
        collector.troubles.append(f"{type(error).__name__}: {error}"[:300])
    told = {"nonce": secret["nonce"], "code": code, "outcomes": collector.outcomes, "troubles": collector.troubles}
    os.write(report_to, json.dumps(told).encode())
    os._exit(0)


def _be_candidate(plan: dict[str, Any], load: Any, remote: Any, read_end: int, write_end: int) -> NoReturn:
    """Hold the candidate's code; stdin, where the tests are, is closed before it runs."""
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nothing, descriptor)
        kept = sorted((os.dup2(read_end, 500), os.dup2(write_end, 501)))
        os.closerange(3, kept[0])
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False))
        sys.modules["__main__"] = types.ModuleType("__main__")
        sys.path[:] = [place for place in sys.path if not place.endswith("-packages")]  # which differ from host to host
        if plan["locks"]:
            load("cell").lock(plan["reads"], [])
        remote.serve(*kept, plan["module"], plan["source"])
    finally:
        os._exit(1)
