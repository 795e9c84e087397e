"""Tests of pytest as an exam for a Python module, whose code never runs where the tests do.

The tests run in one process of the sandbox; the candidate's module in another, which is asked over a pipe. So
nothing that the candidate patches, prints, raises or exits from is the tests' own. What its functions return is
copied as plain data. `palestra.envs.code.judge.remote` says what can cross, and the list below what cannot.

What is not enforced: an object of a class of the candidate's is compared with another such object by the candidate's
own ``==``, and its length, text, truth and what is ``in`` it are what it says they are: tests of such objects should
ask for plain data in the end, and for what must not hold as well. What cannot be tested: operators between such an
object and a number, and functions that take functions or objects of the tests' own. Both processes share a sandbox,
so the candidate can end the tests or use up their time and memory: they fail then.
"""

import functools
import importlib.util
import json
import pkgutil
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from palestra import sandbox as sandboxes
from palestra.envs.code.judge.bench import NEEDS, NOT_TEXT, is_text, sees_landlock, survey
from palestra.envs.code.judge.case import trouble
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import MIB, InfraError, Limits, Python, Sandbox, Spec

TEST_LIMITS: Final = Limits(wall_s=30.0, cpu_s=10.0, memory_bytes=256 * MIB, processes=16, output_bytes=256 * 1024)
"""What a run of all tests may use."""

_FAILED: Final = 1  # pytest's exit code: our own test, which must fail, did
_PASSED: Final = ["passed", "passed", "passed"]  # its phases: setup, call, teardown
_MUST_FAIL: Final = ["passed", "failed", "passed"]


class PytestBench:
    """Runs tests against modules, in a sandbox whose warm interpreter has pytest. Not thread-safe; `close` it."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Take over a sandbox that preloads pytest; it is closed if it turns out not to work."""
        self._sandbox = sandbox
        try:
            self._empty = sandbox.snapshot()
            self._locks, self._reads = sees_landlock(sandbox), survey(sandbox)["reads"]
        except InfraError:
            sandbox.close()
            raise

    @classmethod
    def open(cls, *, backend: str = "native", unsafe: bool = False) -> Self:
        """Return a bench with a sandbox of its own.

        Args:
            backend: a name in `palestra.sandbox.BACKENDS`.
            unsafe: accept a backend that does not isolate programs.

        Raises:
            CapabilityError: the backend does not isolate programs here.
            InfraError: no sandbox could be started, or this Python has no pytest.
        """
        needs: frozenset[str] = frozenset() if unsafe else NEEDS
        return cls(sandboxes.create(Spec(needs=needs, preload=_parts_of_pytest()), backend=backend, unsafe=unsafe))

    def close(self) -> None:
        """Give the sandbox back."""
        self._sandbox.close()

    def examine(self, source: str, tests: str, *, module: str = "solution", limits: Limits = TEST_LIMITS) -> Verdict:
        """Return the verdict on a module: passed only if every test passed in every phase.

        A test that is skipped, or that is expected to fail, has not passed. Tests run in a random order. With them
        runs one that must fail: if it does not, none of the others is believed.

        Args:
            source: the candidate's module.
            tests: a file of tests as pytest collects them, which imports the module by its name.
            module: that name.
            limits: of the whole run.

        Raises:
            VerifierError: there are no tests, or the tests are no Python.
            InfraError: the sandbox failed.
        """
        _check(tests, module)
        if not is_text(source):
            return Verdict.of([Check(name="program", passed=False, evidence=NOT_TEXT)])
        nonce = secrets.token_hex(16)
        plan = {"module": module, "source": source, "locks": self._locks, "reads": self._reads}
        command = Python(_BEGIN_PYTEST, (json.dumps(_sources()), json.dumps(plan)))
        secret = json.dumps({"tests": tests, "nonce": nonce}).encode()
        result = self._sandbox.exec(command, stdin=secret, limits=limits)
        self._sandbox.restore(self._empty)
        if problem := trouble(result, limits):
            return Verdict.of([Check(name="run", passed=False, evidence=problem)])
        return _verdict(result.stdout, nonce)


def _parts_of_pytest() -> tuple[str, ...]:
    """Return all that pytest may import while it runs: where it is installed need not be seen in the sandbox."""
    found = importlib.util.find_spec("_pytest")
    places = [] if found is None else found.submodule_search_locations or []
    names = (one.name for one in pkgutil.walk_packages(places, "_pytest."))
    return ("pytest", *sorted(name for name in names if not name.startswith("_pytest._py.")))


def _check(tests: str, module: str) -> None:
    if not module.isidentifier():
        raise VerifierError(f"a module's name is an identifier, not {module!r}")
    try:
        compile(tests, "tests", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise VerifierError(f"the tests are no Python: {error}") from error


def _verdict(report: bytes, nonce: str) -> Verdict:
    """Return the verdict that a report is worth; one that is not ours is worth nothing."""
    try:
        told: Mapping[str, Any] = json.loads(report)
        outcomes, troubles, code = dict(told["outcomes"]), list(told["troubles"]), told["code"]
        is_ours = told["nonce"] == nonce
    except (ValueError, TypeError, KeyError):
        is_ours, outcomes, troubles, code = False, {}, [], None
    if not is_ours:
        return Verdict.of([Check(name="run", passed=False, evidence="the tests did not report")])
    canary = outcomes.pop(f"test_{nonce}", None)
    if troubles or canary is None:
        said = " ".join(str(one).replace(nonce, "") for one in troubles) or "no test was run"
        return Verdict.of([Check(name="run", passed=False, evidence=said[:500])])
    if not outcomes:
        raise VerifierError("there are no tests: without any, every program would pass")
    is_sound = canary == _MUST_FAIL and code == _FAILED
    checks = [Check(name="a test that must fail", passed=is_sound, evidence="" if is_sound else str(canary))]
    for name, phases in sorted(outcomes.items()):
        passed = phases == _PASSED
        checks.append(Check(name=name, passed=passed, evidence="" if passed else ", ".join(map(str, phases))))
    return Verdict.of(checks)


_BEGIN_PYTEST: Final = """
import json, sys, types
def load(name):
    made = types.ModuleType(name)
    exec(compile(sources[name], f"<{name}>", "exec", dont_inherit=True), made.__dict__)
    return made
sources, plan = map(json.loads, sys.argv[1:])
del sys.argv[1:]
load("pytest_cell").main(plan, load)
"""


@functools.cache
def _sources() -> Mapping[str, str]:
    folder = Path(__file__).parent
    return {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in ("cell", "remote", "pytest_cell")}
