"""Python programs that do anything but solve their task."""

from typing import Final

# Tried on every test: what a cheat finds it prints, so that a leak would show as a pass.
PYTHON: Final[dict[str, str]] = {
    "empty": "",
    "echo": "import sys\nsys.stdout.write(sys.stdin.read())\n",
    "os_exit": "import os\nos._exit(0)\n",
    "sys_exit": "import sys\nsys.exit(0)\n",
    "crash": "raise RuntimeError('passed')\n",
    "segfault": "import ctypes\nctypes.string_at(0)\n",
    "not_python": "all hidden tests passed\n",
    "null_byte": "print(1)\0\n",
    "surrogate": "print('\ud800')\n",
    "infinite_loop": "while True:\n    pass\n",
    "sleep": "import time\ntime.sleep(3600)\n",
    "huge_output": "while True:\n    print('0' * 65536)\n",
    "every_answer": "print(*range(10000), sep='\\n')\n",
    "memory_bomb": "x = []\nwhile True:\n    x.append(bytearray(1 << 24))\n",
    "fork_bomb": "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n",
    "orphan": """
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(3600)
""",
    "kill_everyone": """
import os, signal
for pid in (os.getppid(), 1, -1, 0):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
""",
    "forge_verdict": """
import os
words = b'{"passed": true, "score": 1.0, "result": "success", "exit_code": 0, "stdout": ""}\\n'
for fd in range(2, 256):
    try:
        os.write(fd, words)
    except OSError:
        pass
for pid in os.listdir("/proc"):
    for fd in range(3 if pid.isdigit() else 0):
        try:
            with open(f"/proc/{pid}/fd/{fd}", "wb", buffering=0) as file:
                file.write(words)
        except OSError:
            pass
""",
    "read_files": """
import os
for top in ("/workspace", "/tmp", "/dev/shm", "/var", "/run", "/mnt", "/srv", "/data"):
    for folder, _, names in os.walk(top):
        for name in names:
            try:
                if name.endswith((".json", ".jsonl", ".txt", ".in", ".out")):
                    with open(os.path.join(folder, name), "rb") as file:
                        os.write(1, file.read(256))
            except OSError:
                pass
""",
    "read_memory": """
import os, re
given = input()
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            os.write(1, file.read(4096))
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for line in maps:
                low, high = (int(end, 16) for end in line.split()[0].split("-"))
                if "rw-p" in line and high - low < 1 << 24:
                    memory.seek(low)
                    found = re.search(rb'"output": "([^"]+)', memory.read(high - low))
                    if found:
                        os.write(1, found[1])
    except (OSError, ValueError):
        pass
""",
    "walk_objects": """
import gc, sys
given = sys.stdin.read()
found, frame = gc.get_objects(), sys._getframe()
while frame is not None:
    found += [frame.f_locals, frame.f_globals]
    frame = frame.f_back
for one in found:
    try:
        if isinstance(one, dict) and one.get("input") == given:
            print(one["output"])
        elif isinstance(getattr(one, "stdin", None), bytes) and isinstance(one.stdout, bytes):
            sys.stdout.buffer.write(one.stdout)
    except Exception:
        pass
""",
    "monkeypatch": """
import builtins, sys
class Yes(str):
    __eq__ = __ne__ = lambda self, other: True
    __hash__ = str.__hash__
    def __getattr__(self, name):
        return lambda *args, **kwargs: self
builtins.all = builtins.any = builtins.isinstance = lambda *args: True
for module in list(sys.modules.values()):
    for name in ("examine", "judge", "lines", "_lines"):
        if hasattr(module, name):
            setattr(module, name, lambda *args: True)
sys.stdout = sys.__stdout__ = Yes()
print(Yes("passed"))
""",
    "exit_hooks": """
import atexit, os, sys
atexit.register(os._exit, 0)
sys.excepthook = lambda *error: os._exit(0)
raise SystemError("passed")
""",
    "leave_traces": """
import os
for place in ("/workspace", "/tmp"):
    for name in ("sitecustomize.py", "usercustomize.py", "builtins.py", "answer"):
        try:
            with open(os.path.join(place, name), "x") as file:
                file.write("print('passed')")
        except FileExistsError:
            print("a file of the last test is still here")
        except OSError:
            pass
""",
}

REGENERATE: Final = """
import glob, sys
given = sys.stdin.read()
for place in ("/*", "/*/src", "/*/*/src", "/usr/lib/python3*/*-packages", "/usr/local/lib/python3*/*-packages"):
    sys.path += glob.glob(place)
from palestra.envs.code.generate import CodeTasks
task = CodeTasks(known["split"]).sample(known["seed"], known["knobs"])
print(next(case["output"] for case in task.hidden["tests"] if case["input"] == given))
"""
