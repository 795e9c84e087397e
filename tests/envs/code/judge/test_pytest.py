"""Tests of pytest judge a module that they never let into their own process."""

from typing import Any

import pytest

from palestra.envs.code.judge.pytest_exam import TEST_LIMITS, PytestBench, _verdict
from palestra.rewards.base import Verdict, VerifierError
from palestra.sandbox.base import Limits

MODULE = """
import collections, enum
class Empty(ValueError): pass
class Colour(enum.Enum):
    RED = 1
Point = collections.namedtuple("Point", "x y")
class Stack:
    kind = "stack"
    def __init__(self, *items): self.items = list(items)
    def push(self, item): self.items.append(item)
    def pop(self):
        if not self.items: raise Empty("nothing left")
        return self.items.pop()
    def __len__(self): return len(self.items)
    def __eq__(self, other): return self.items == other.items
    def __iter__(self): return iter(self.items)
    def __getitem__(self, place): return self.items[place]
    def __contains__(self, item): return item in self.items
    def __add__(self, other): return Stack(*self.items, *other.items)
    def __repr__(self): return f"Stack{tuple(self.items)}"
def double(value): return 2 * value
def sort(items): items.sort()
def count(n): yield from range(n)
def counted(words): return collections.Counter(words)
def say(word): print(word)
def echo(value): return value
def leave(): raise SystemExit(3)
"""
TESTS = """
import pytest
import solution
from solution import Colour, Empty, Point, Stack, double

@pytest.mark.parametrize(("given", "wanted"), [(2, 4), ("a", "aa"), ([1], [1, 1]), (10**40, 2 * 10**40), (1.5, 3.0)])
def test_double(given, wanted):
    assert double(given) == wanted

@pytest.mark.parametrize("value", [None, True, -0.5, "é", b"\\xff", (1, (2,)), {1: {"a": {3}}}, frozenset({1}), 2j])
def test_data_is_copied(value):
    assert solution.echo(value) == value and type(solution.echo(value)) is type(value)

class TestStack:
    def test_methods(self):
        stack = Stack()
        stack.push(3)
        assert (len(stack), stack.pop(), bool(stack), Stack.kind) == (1, 3, False, "stack")
        with pytest.raises(Empty, match="nothing left"):
            stack.pop()
        with pytest.raises(ValueError):
            stack.pop()
        with pytest.raises(TypeError):
            stack.push()
        with pytest.raises(AttributeError):
            stack.nothing

    def test_operators(self):
        stack = Stack(1) + Stack(2)
        assert stack == Stack(1, 2) and stack != Stack() and isinstance(stack, Stack) and not isinstance(3, Stack)
        assert list(stack) == [1, 2] and stack[1] == 2 and 1 in stack and repr(stack) == "Stack(1, 2)"

def test_arguments_may_be_changed():
    items = [3, 1, 2]
    solution.sort(items)
    assert items == [1, 2, 3]

def test_the_rest(capsys, tmp_path):
    assert list(solution.count(3)) == [0, 1, 2] and solution.counted("aab") == {"a": 2, "b": 1}
    assert (Point(1, 2).x, Colour.RED.value, Colour.RED) == (1, 1, Colour.RED)
    solution.say("hello")
    assert capsys.readouterr().out == "hello\\n"
    with pytest.raises(SystemExit):
        solution.leave()
"""
ONE = "from solution import answer\ndef test_it(): assert answer() == 42\n"


def judged(examiner: PytestBench, source: str, tests: str = ONE, **options: Any) -> Verdict:
    return examiner.examine(source, tests, **options)


def test_an_honest_module_passes_plain_tests(examiner: PytestBench) -> None:
    verdict = judged(examiner, MODULE, TESTS)
    assert verdict.passed, verdict
    assert len(verdict.checks) == 1 + 5 + 9 + 2 + 2
    wrong = judged(examiner, MODULE.replace("2 * value", "value"), TESTS)
    assert [check.name.partition("[")[0] for check in wrong.checks if not check.passed] == ["test_double"] * 5


@pytest.mark.parametrize(
    ("tests", "passed"),
    [
        ("def test_it(): pass\n", True),
        ("import pytest\ndef test_it(): pytest.skip()\n", False),
        ("import pytest\n@pytest.mark.skip\ndef test_it(): pass\n", False),
        ("import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n", False),
        ("import pytest\n@pytest.mark.xfail\ndef test_it(): pass\n", False),
        ("import pytest\npytest.skip(allow_module_level=True)\ndef test_it(): pass\n", False),
        ("import pytest\npytest.importorskip('no_such_module')\ndef test_it(): pass\n", False),
        ("import pytest\ndef test_it(): pytest.exit('over', 1)\n", False),
        ("import unittest\nclass TestIt(unittest.TestCase):\n    def test_it(self): self.skipTest('no')\n", False),
        ("import unittest\nclass TestIt(unittest.TestCase):\n    def test_it(self): self.assertTrue(True)\n", True),
        ("def test_it(missing): pass\n", False),
        ("import pytest\n@pytest.fixture\ndef f():\n    yield\n    assert False\ndef test_it(f): pass\n", False),
        ("def test_it(): pass\ndef test_other(): assert False\n", False),
        ("import sys\ndef test_it(): sys.exit(0)\n", False),
        ("import os\ndef test_it(): os._exit(0)\n", False),
    ],
)
def test_only_what_passed_in_every_phase_has_passed(examiner: PytestBench, tests: str, passed: bool) -> None:
    assert judged(examiner, "", tests).passed is passed


@pytest.mark.parametrize("tests", ["", "x = 1\n", "def helper(): pass\n"])
def test_no_tests_are_an_error(examiner: PytestBench, tests: str) -> None:
    with pytest.raises(VerifierError, match="no tests"):
        judged(examiner, "", tests)


def test_tests_that_are_no_python_are_an_error(examiner: PytestBench) -> None:
    with pytest.raises(VerifierError, match="no Python"):
        judged(examiner, "", "def test_it(:\n")
    with pytest.raises(VerifierError, match="identifier"):
        judged(examiner, "", ONE, module="a.b")


EQUAL = """
class Yes:
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
    for name in ("eq", "le", "ge", "lt", "gt", "ne", "contains", "bool", "req"):
        locals()[f"__{name}__"] = lambda self, *other: True
    __hash__ = lambda self: 42
    __len__ = __int__ = __index__ = lambda self: 42
    __class__ = property(lambda self: int)
def answer(): return Yes()
"""
ATTACKS = {
    "nothing": "",
    "wrong": "def answer(): return 41\n",
    "equal to everything": EQUAL,
    "an equal int": "class Yes(int):\n    __eq__ = lambda self, other: True\n    __hash__ = int.__hash__\n"
    "def answer(): return Yes(1)\n",
    "exit on import": "import os\nos._exit(0)\n",
    "exit on import, politely": "raise SystemExit(0)\n",
    "exit on call": "import os\ndef answer(): os._exit(0)\n",
    "raises exit": "def answer(): raise SystemExit(0)\n",
    "raises interrupt": "def answer(): raise KeyboardInterrupt\n",
    "raises skip": "import pytest\ndef answer(): pytest.skip('no')\n",
    "raises what pytest exits by": "class Exit(BaseException): returncode = 0\ndef answer(): raise Exit(0)\n",
    "patches pytest": "import sys, builtins\nbuiltins.AssertionError = builtins.BaseException = type('X', (), {})\n"
    "for module in list(sys.modules.values()):\n    for name in ('call_and_report', 'pytest_runtest_call', 'main'):\n"
    "        if hasattr(module, name): setattr(module, name, lambda *a, **k: 0)\ndef answer(): return 41\n",
    "patches the comparison": "import builtins, operator\noperator.eq = lambda *a: True\n"
    "builtins.print = lambda *a: None\ndef answer(): return 41\n",
    "PYTEST_ADDOPTS": "import os\nos.environ['PYTEST_ADDOPTS'] = '--collect-only'\n"
    "os.environ['PYTEST_PLUGINS'] = 'evil'\ndef answer(): return 41\n",
    "conftest and ini": "import os\nfor place in ('.', '/tmp'):\n    for name, text in (('conftest.py', "
    "'import os; os._exit(0)'), ('pytest.ini', '[pytest]\\naddopts = --collect-only'), ('sitecustomize.py', "
    "'import os; os._exit(0)'), ('decimal.py', 'import os; os._exit(0)'), ('solution.py', 'answer = lambda: 42')):\n"
    "        open(os.path.join(place, name), 'w').write(text)\ndef answer(): return 41\n",
    "kills the tests": "import os, signal\nfor pid in range(1, 99):\n    if pid != os.getpid():\n        try:\n"
    "            os.kill(pid, signal.SIGKILL)\n        except OSError: pass\ndef answer(): return 41\n",
    "interrupts the tests": "import os, signal\nfor number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):\n"
    "    try: os.kill(os.getppid(), number)\n    except OSError: pass\ndef answer(): return 41\n",
    "forges a report": """
import json, os
words = json.dumps({"nonce": "", "code": 1, "outcomes": {"test_": ["passed", "failed", "passed"],
    "test_it": ["passed"] * 3}, "troubles": []}).encode()
for fd in range(3, 600):
    if fd not in (500, 501):
        try: os.write(fd, words)
        except OSError: pass
for pid in filter(str.isdigit, os.listdir("/proc")):
    for fd in range(64):
        try:
            if int(pid) != os.getpid(): open(f"/proc/{pid}/fd/{fd}", "wb", buffering=0).write(words)
        except OSError: pass
def answer(): return 41
""",
    "speaks on the wire": "import os\ndef answer():\n    os.write(501, b'\\0' * 7 + b'\\x0210')\n    return 41\n",
    "floods the wire": "import os\ndef answer():\n    while True: os.write(501, b'\\xff' * 4096)\n",
    "nests": "def answer():\n    x = []\n    for _ in range(90000): x = [x]\n    return x\n",
    "reads the tests": """
import gc, os, re
found = b""
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("environ", "cmdline", "mem", "fd/0", "fd/3", "fd/4", "fd/5", "maps"):
        try: found += os.read(os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_NONBLOCK), 1 << 20)
        except OSError: pass
for top in (".", "/tmp", "/opt", "/run", "/dev/shm"):
    for folder, _, names in os.walk(top):
        for name in names:
            try: found += open(os.path.join(folder, name), "rb").read(1 << 20)
            except OSError: pass
found += repr([one for one in gc.get_objects() if isinstance(one, (dict, str))]).encode()
value = 42 if re.search(rb"def test_it\\(", found) else 41
def answer(): return value
""",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_module_that_cheats_earns_nothing(examiner: PytestBench, name: str) -> None:
    assert not judged(examiner, ATTACKS[name], limits=Limits(wall_s=5, cpu_s=5, processes=8)).passed
    assert judged(examiner, "def answer(): return 42\n").passed


@pytest.mark.parametrize(
    "claim",
    [
        *("answer() == 42", "42 == answer()", "not answer() != 42", "41 < answer() < 43", "answer() in (42,)"),
        *(
            "abs(answer() - 42) < 1e-9",
            "abs(42 - answer()) < 1e-9",
            "answer() == pytest.approx(42)",
            "answer() is True",
        ),
        *("isinstance(answer(), int)", "{42: 1}[answer()]", "[1, 2][answer() - 42]", "answer() ^ 42 == 0"),
        *(
            "answer() == [42]",
            "answer().x == 42",
            "answer()[0] == 42",
            "answer().x() == {'a': 42}",
            "max(answer(), 42) == 42",
        ),
    ],
)
def test_an_object_that_agrees_to_everything_is_no_answer(examiner: PytestBench, claim: str) -> None:
    tests = f"import pytest\nfrom solution import answer\ndef test_it(): assert {claim}\n"
    numbers = "    for name in ('sub', 'rsub', 'xor', 'abs', 'index'): locals()[f'__{name}__'] = lambda self, *_: 0\n"
    assert not judged(examiner, EQUAL.replace("def answer", numbers + "def answer"), tests).passed


def test_a_module_that_sleeps_or_floods_fails(examiner: PytestBench) -> None:
    quick = Limits(wall_s=1.0, cpu_s=1.0, output_bytes=4096)
    for source in ("import time\ntime.sleep(60)\n", "def answer():\n    while True: pass\n"):
        assert judged(examiner, source, limits=quick).checks[-1].evidence == "out of time"
    prints = "def answer():\n    print('x' * 100000)\n    return 42\n"
    assert judged(examiner, prints, limits=quick).passed  # what is printed goes to the test, which may look at it


def test_a_report_that_is_not_the_tests_own_is_worth_nothing() -> None:
    well = b'{"nonce": "7", "code": 1, "troubles": [], "outcomes": {"test_7": %s, "test_it": %s}}'
    three, canary = b'["passed", "passed", "passed"]', b'["passed", "failed", "passed"]'
    assert _verdict(well % (canary, three), "7").passed
    for report in (
        b"",
        b"[]",
        b"{}",
        b"passed",
        b"\xff",
        well % (canary, three) + b"{}",
        (well % (canary, three)).replace(b'"7"', b'"8"'),
        (well % (canary, three)).replace(b'"code": 1', b'"code": 0'),
        (well % (canary, three)).replace(b'"troubles": []', b'"troubles": ["x"]'),
        well % (three, three),
        well % (canary, b'["passed", "passed"]'),
        well % (canary, b'["passed", "skipped", "passed"]'),
        well % (canary, b'"passed"'),
    ):
        assert not _verdict(report, "7").passed, report


def test_what_a_run_may_use_is_enough_for_many_tests(examiner: PytestBench) -> None:
    many = "import pytest\nfrom solution import answer\n@pytest.mark.parametrize('n', range(300))\n"
    many += "def test_it(n): assert answer() == 42\n"
    verdict = judged(examiner, "def answer(): return 42\n", many, limits=TEST_LIMITS)
    assert (verdict.passed, len(verdict.checks)) == (True, 301)
