"""How one would fool a judge of programs: each earns nothing, and an honest program after it everything."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from tests.envs.code.judge.conftest import DOUBLE, LIMITS, RIGHT, Take

from palestra.envs.code.judge.bench import Bench, Program
from palestra.envs.code.judge.case import Case
from palestra.envs.code.judge.checker_program import ProgramChecker
from palestra.envs.code.judge.exam import Exam, examine
from palestra.envs.code.languages.shelf import VARIABLE, find_language

QUICK: Final = replace(DOUBLE, limits=replace(LIMITS, wall_s=1.0, cpu_s=1.0))
_FORGE: Final = """
import os
words = b'{"result": "success", "passed": true, "score": 1.0, "exit_code": 0}\\n6\\n80\\n15838\\n'
for fd in range(3, 600):
    try:
        os.write(fd, words)
    except OSError:
        pass
for pid in filter(str.isdigit, os.listdir("/proc")):
    for fd in range(0, 64):
        try:
            if int(pid) != os.getpid():
                open(f"/proc/{pid}/fd/{fd}", "wb", buffering=0).write(words)
        except OSError:
            pass
"""
_READ: Final = """
import os, re
found = b""
for top in ("/workspace", "/tmp", "/opt", "/run", "/var", "/dev/shm", "/proc", "/home", "/root", "/srv", "/mnt"):
    for folder, _, names in os.walk(top):
        for name in names if "/proc/self/task" not in folder else ():
            try:
                fd = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NONBLOCK)
                found += os.read(fd, 1 << 16)
                os.close(fd)
            except OSError:
                pass
for fd in range(3, 600):
    try:
        found += os.read(fd, 1 << 16)
    except OSError:
        pass
print("6" if b"15838" not in found else 15838)
"""
_HOOKS: Final = """
import os, sys
if os.environ.get("GIVEN") or os.path.exists("/tmp/mark") or hasattr(sys, "hooked"):
    print(2 * int(input()))
for place in [".", "/tmp", "/tmp/.local/lib/python3.11/site-packages", *sys.path]:
    for name in ("sitecustomize.py", "usercustomize.py", "conftest.py", "linecache.py", "traceback.py", "x.pth"):
        try:
            os.makedirs(place, exist_ok=True)
            open(os.path.join(place, name), "w").write("import sys; sys.hooked = True\\n")
        except OSError:
            pass
"""
PYTHON: Final[dict[str, str]] = {
    "forged verdict": _FORGE,
    "early exit": "import os\nos._exit(0)\n",
    "early exit that says so": "print('OK')\nimport sys\nsys.exit(0)\n",
    "output flood": "while True:\n    print(*range(20000))\n",
    "reads whatever is there": _READ,
    "equal to everything": "class Yes(int):\n    def __eq__(self, other):\n        return True\nprint(Yes(1))\n",
    "patched print": "import builtins\nbuiltins.print = lambda *a: None\nbuiltins.all = lambda *a: True\nprint(1)\n",
    "hooks for the next interpreter": _HOOKS,
    "sleeps past its limit": "import time\nprint(2 * int(input()), flush=True)\ntime.sleep(60)\n",
    "stops itself": "import os\nprint(2 * int(input()), flush=True)\nos.kill(os.getpid(), 19)\n",
    "prints every answer": "print(6, 80, 15838)\n",
}


@pytest.mark.parametrize("locks", [True, False], ids=["python", "bare"])
@pytest.mark.parametrize("name", PYTHON)
def test_a_python_program_that_cheats_earns_nothing(take: Take, name: str, locks: bool) -> None:
    language = "python" if locks else "bare"
    exam = QUICK if "sleep" in name or "stops" in name else DOUBLE
    assert not take(language, PYTHON[name], exam).passed
    assert take(language, RIGHT[language]).passed


C_HEAD: Final = (
    "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n#include <fcntl.h>\n"
)
C: Final[dict[str, str]] = {
    "forged verdict": 'int main(void) { char p[64]; for (int fd = 3; fd < 600; fd++) dprintf(fd, "6\\n"); '
    "for (int pid = 1; pid < 64; pid++) for (int fd = 0; fd < 64; fd++) { if (pid == getpid()) continue; "
    'sprintf(p, "/proc/%d/fd/%d", pid, fd); int f = open(p, O_WRONLY | O_NONBLOCK); if (f >= 0) dprintf(f, "6\\n"); }'
    " return 0; }",
    "early exit": "int main(void) { _exit(0); }",
    "before main": "__attribute__((constructor)) void f(void) { _exit(0); } int main(void) { return 1; }",
    "output flood": 'int main(void) { for (;;) puts("6"); }',
    "sleeps past its limit": 'int main(void) { int n; scanf("%d", &n); printf("%d\\n", 2 * n); fflush(stdout); '
    "sleep(60); }",
    "reads another's memory": 'int main(void) { int f = open("/proc/1/mem", O_RDONLY); char b[4096]; '
    'return read(f, b, 4096) > 0 ? system("echo 6") : 0; }',
}


@pytest.mark.parametrize("name", C)
def test_a_compiled_program_that_cheats_earns_nothing(take: Take, name: str) -> None:
    assert not take("c", C_HEAD + C[name], QUICK if "sleep" in name else DOUBLE).passed
    assert take("c", RIGHT["c"]).passed


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", "import os\nfor p in ('/usr/bin/perl', '/usr/bin/python3'):\n    try:\n        "
         "os.execv(p, [p, '-e', 'print 2 * <STDIN>'])\n    except OSError:\n        pass\n"),
        ("python", "import subprocess\nprint(subprocess.run(['perl', '-e', 'print 2 * <STDIN>'], "
         "capture_output=True).stdout.decode())\n"),
        ("c", C_HEAD + 'int main(void) { char *w = "print 2 * <STDIN>"; execlp("perl", "perl", "-e", w, NULL); '
         'execl("/lib64/ld-linux-x86-64.so.2", "ld", "/usr/bin/perl", "-e", w, NULL); return 0; }'),
        ("c", C_HEAD + "int main(void) { return system(\"perl -e 'print 2 * <STDIN>'\"); }"),
        ("lua", "print(io.popen(\"perl -e 'print 2 * <STDIN>'\"):read('a'))\n"),
        ("lua", "os.execute(\"perl -e 'print 2 * <STDIN>'\")\n"),
    ],
)  # fmt: skip
def test_another_language_cannot_be_had(take: Take, workbench: Bench, language: str, source: str) -> None:
    """The same programs pass where nothing locks them in: it is the lock that stops them."""
    assert workbench.locks
    assert not take(language, source).passed
    workbench.__dict__["locks"] = False
    try:
        assert take(language, source).passed
    finally:
        workbench.__dict__["locks"] = True


def test_modules_that_a_program_left_are_not_what_looks_around_next(workbench: Bench) -> None:
    """The bench runs Python of its own in the sandbox; what lies in a candidate's folder must not become part of it."""
    names = ("glob", "shutil", "fnmatch", "ctypes", "json", "signal", "bz2", "lzma", "zlib")
    forged = 'print(\'{"reads": ["/"], "runs": ["/"]}\')\nimport os\nos._exit(0)\n'
    leaves = f"for name in {names!r}:\n    open(name + '.py', 'w').write({forged!r})\n"
    language = find_language("perl")
    for known in (workbench._paths, {}):
        workbench._paths = dict(known)
        assert workbench.attempt(Program.python(leaves), Case(b"", b""), LIMITS).passed
        assert isinstance(workbench.prepare(language, "exec '/usr/bin/python3'"), Program)
        assert "/" not in workbench._paths["perl"]["reads"] + workbench._paths["perl"]["runs"]
        assert workbench.attempt(Program.python(leaves), Case(b"", b""), LIMITS).passed
        assert workbench.version(language)[0].startswith("perl v5")


def test_what_a_compiler_leaves_is_not_imported_before_the_lock(
    workbench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compiler that lets the source write files may leave a module with the name of one that the lock needs."""
    folder = tmp_path / "evil.yaml"
    folder.write_text(
        "name: evil\ntitle: Evil\nfile: ctypes.py\nexecute: cat ctypes.py\nversion: cat --version\nprompt: Nothing.\n"
        "hello: {program: 'x = 1', input: '', output: 'x = 1'}\n"
    )
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    made = workbench.prepare(find_language("evil"), "print('imported')\n")
    assert workbench.attempt(made, Case(b"", b"print('imported')\n"), LIMITS).passed


def test_nothing_of_a_run_is_there_in_the_next(workbench: Bench) -> None:
    """A program that is right only when it sees an input for the second time never sees one."""
    leaves = """
import os, socket, sys, time
n = int(input())
marks = ["mark", "/tmp/mark", "/dev/shm/mark", "/run/mark", "/var/mark"]
seen = any(map(os.path.exists, marks)) or len(list(filter(str.isdigit, os.listdir("/proc")))) > 2
try:
    socket.create_connection(("127.0.0.1", 7919), 0.2)
    seen = True
except OSError:
    pass
for mark in marks:
    try:
        open(mark, "w").close()
    except OSError:
        pass
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(3):
            os.close(fd)
        server = socket.create_server(("127.0.0.1", 7919))
        time.sleep(60)
    os._exit(0)
os.wait()
print(2 * n if seen else 0)
"""
    for program in (Program.python(leaves), workbench.prepare(find_language("python"), leaves)):
        twice = Exam(cases=(Case(b"3\n", b"6\n"),) * 4, limits=LIMITS, repeats=4)
        attempts = [workbench.attempt(program, case, LIMITS) for case in twice.cases]
        assert [attempt.stdout for attempt in attempts] == [b"0\n"] * 4, attempts[0]
        assert not examine(workbench, program, twice, nonce="1").passed


def test_a_daemon_is_dead_before_the_next_test(take: Take) -> None:
    """One that would print for those that come later, or keep their answer, has no time to."""
    daemon = RIGHT["bare"] + "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\n"
    assert take("bare", daemon, QUICK).passed  # who waits for nothing has done nothing wrong
    late = "import os, time\nif os.fork() == 0:\n    time.sleep(0.5)\n    print(2 * int(input()), flush=True)\n"
    assert not take("bare", late, QUICK).passed


def test_a_checker_is_not_moved_by_what_it_reads(take: Take, desk: Bench) -> None:
    """An output is a file to it, with a name that the candidate does not choose, and is never run."""
    source = "raise SystemExit(open('output').read().strip() != open('expected').read().strip())\n"
    checker = ProgramChecker(desk, find_language("python"), source)
    exam = replace(DOUBLE, checker=checker)
    assert take("bare", RIGHT["bare"], exam).passed
    outputs = (
        "raise SystemExit(0)",
        "\\0",
        "exit 0",
        "../expected",
        "\\xff" * 9,
        "x" * 4000,
        "__import__('os')._exit(0)",
    )
    for output in outputs:
        program = f"import sys\nsys.stdout.buffer.write(b{output!r})\n".replace("\\\\", "\\")
        assert not take("bare", program, exam).passed, output


def test_hidden_inputs_are_on_no_disk_and_outputs_nowhere(workbench: Bench) -> None:
    """What a run can see of its own input is the pipe; of what is expected, nothing."""
    looks = "import os\nprint(sorted(os.listdir('.')), sorted(os.listdir('/tmp')), os.path.isfile('/dev/stdin'))\n"
    made = workbench.prepare(find_language("python"), looks)
    seen = workbench.attempt(made, Case(b"a secret\n", b"another\n"), LIMITS).stdout
    assert seen.startswith(b"[] []")
