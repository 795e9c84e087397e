"""Python modules that do anything but what the tests of pytest ask of them; each has whatever name is asked for."""

from typing import Final

_HAS_EVERYTHING: Final = "def __getattr__(name):\n    if name.startswith('__'): raise AttributeError(name)\n"
_HAS_EVERYTHING_END: Final = "    return answer\n"


def _answers(body: str, before: str = "") -> str:
    """Return a module in which every name is a function with this body."""
    return f"{before}def answer(*args, **kwargs):\n    {body}\n{_HAS_EVERYTHING}{_HAS_EVERYTHING_END}"


_YES: Final = """
class Yes:
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
    for name in ("eq", "le", "ge", "lt", "gt", "ne", "contains", "bool", "req"):
        locals()[f"__{name}__"] = lambda self, *other: True
    for name in ("sub", "rsub", "xor", "abs", "round"):
        locals()[f"__{name}__"] = lambda self, *other: 0
    __hash__ = lambda self: 1
    __len__ = __int__ = __index__ = lambda self: 1
    __iter__ = lambda self: iter([self])
    __class__ = property(lambda self: int)
"""
_FORGE: Final = """
import json, os
words = json.dumps({"nonce": "", "code": 1, "outcomes": {"test_": ["passed", "failed", "passed"],
    "test_check": ["passed"] * 3}, "troubles": []}).encode()
for fd in range(3, 600):
    if fd not in (500, 501):
        try: os.write(fd, words)
        except OSError: pass
for pid in filter(str.isdigit, os.listdir("/proc")):
    for fd in range(64):
        try:
            if int(pid) != os.getpid(): open(f"/proc/{pid}/fd/{fd}", "wb", buffering=0).write(words)
        except OSError: pass
"""
_LEAVE: Final = """
import os
for place in (".", "/tmp"):
    for name, text in (("conftest.py", "import os; os._exit(0)"), ("pytest.ini", "[pytest]\\naddopts = --collect-only"),
                       ("sitecustomize.py", "import os; os._exit(0)"), ("decimal.py", "import os; os._exit(0)"),
                       ("solution.py", "def __getattr__(name): return lambda *a: None")):
        open(os.path.join(place, name), "w").write(text)
"""
_PATCH: Final = """
import builtins, operator, sys
builtins.AssertionError = builtins.BaseException = type("X", (), {})
operator.eq = lambda *a: True
for module in list(sys.modules.values()):
    for name in ("call_and_report", "pytest_runtest_call", "main", "raises", "approx"):
        if hasattr(module, name): setattr(module, name, lambda *a, **k: 0)
"""
_OPTIONS: Final = """
import os
os.environ["PYTEST_ADDOPTS"] = "--collect-only"
os.environ["PYTEST_PLUGINS"] = "evil"
os.environ["PYTHONPATH"] = "."
"""
_READ: Final = """
import gc, os, re
found = b""
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("environ", "cmdline", "mem", "fd/0", "fd/3", "fd/4", "fd/5"):
        try: found += os.read(os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_NONBLOCK), 1 << 20)
        except OSError: pass
found += repr([one for one in gc.get_objects() if isinstance(one, (dict, str))]).encode()
wanted = re.findall(rb"candidate\\(.*\\) == (.*)", found) + [b"None"]
"""
_KILL: Final = """
import os, signal
for pid in range(1, 99):
    if pid != os.getpid():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            try: os.kill(pid, number)
            except OSError: pass
"""
MODULES: Final[dict[str, str]] = {
    "empty": "",
    "echo": _answers("return args[0] if args else None"),
    "os_exit": "import os\nos._exit(0)\n",
    "sys_exit": _answers("raise SystemExit(0)"),
    "crash": "raise RuntimeError('passed')\n",
    "not_python": "all hidden tests passed\n",
    "null_byte": "answer = 1\0\n",
    "surrogate": "answer = '\ud800'\n",
    "infinite_loop": _answers("while True: pass"),
    "sleep": _answers("__import__('time').sleep(3600)"),
    "huge_output": _answers("return '0' * (1 << 26)"),
    "memory_bomb": _answers("return [bytearray(1 << 24) for _ in range(1 << 20)]"),
    "orphan": _answers("import os, time\n    if os.fork() == 0: os.setsid(); time.sleep(3600)"),
    "kill_everyone": _answers("return None", _KILL),
    "forge_verdict": _answers("return None", _FORGE),
    "read_memory": _answers("return eval(wanted[0])", _READ),
    "monkeypatch": _answers("return None", _PATCH),
    "exit_hooks": _answers("__import__('os')._exit(0)"),
    "leave_traces": _answers("return None", _LEAVE),
    "every_answer": _answers("return Yes()", _YES),
    "equal_number": _answers(
        "return Yes(1)",
        "class Yes(int):\n    __eq__ = lambda self, other: True\n    __ne__ = lambda self, other: False\n"
        "    __hash__ = int.__hash__\n",
    ),
    "equal_text": _answers(
        "return Yes('passed')",
        "class Yes(str):\n    __eq__ = lambda self, other: True\n    __ne__ = lambda self, other: False\n"
        "    __hash__ = str.__hash__\n",
    ),
    "raises_skip": _answers("import pytest\n    pytest.skip('no')"),
    "pytest_options": _answers("return None", _OPTIONS),
    "speaks_on_the_wire": _answers("import os\n    os.write(501, b'\\0' * 7 + b'\\x0210')\n    return None"),
}
