"""Programs that try to get more than a shape out of the kernel, or to take it from others."""

import random
from typing import Final

_START: Final = "import cadquery as cq\n"
_BOX: Final = _START + "result = cq.Workplane().box(10, 20, 30)\n"
_REACH: Final = "import os, glob\n"

HOSTILE: Final[dict[str, str]] = {
    # ends that are none
    "os._exit with success": _BOX + "import os\nos._exit(0)\n",
    "sys.exit": _BOX + "import sys\nsys.exit(0)\n",
    "exit of a thread": _BOX + "import os, threading\nthreading.Thread(target=os._exit, args=(0,)).start()\n",
    "kill of itself": "import os\nos.kill(os.getpid(), 9)\n",
    "kill of everything": "import os\nos.kill(-1, 9)\n",
    "segmentation fault": "import ctypes\nctypes.string_at(0)\n",
    "abort": "import os\nos.abort()\n",
    "no end at all": "while True: pass\n",
    "deaf to signals": (
        "import signal, time\n"
        "for one in set(signal.Signals) - {9, 19}:\n"
        "    signal.signal(one, signal.SIG_IGN)\n"
        "while True: time.sleep(1)\n"
    ),
    "thread that stays": _BOX + "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n",
    "exception that cannot be told": "class E(Exception):\n    def __str__(self): raise self\nraise E\n",
    # what is left behind
    "child that writes later": (
        _BOX + "import os, time\n"
        "if os.fork() == 0:\n    time.sleep(.2)\n    open('answer', 'w').write('{}')\n    os._exit(0)\n"
    ),
    "daemon": _BOX + "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\n",
    "answer of its own": "import os\nopen('answer', 'w').write('{\"kind\": \"shape\"}\\nno BREP')\nos._exit(0)\n",
    "answer at exit": _BOX + "import atexit\natexit.register(lambda: open('answer', 'w').write('{}'))\n",
    "answer is a folder": _BOX + "import os\nos.mkdir('answer')\n",
    "answer is a link": _BOX + "import os\nos.symlink('/etc/passwd', 'answer')\n",
    "answer that never ends": "import os\nos.mkfifo('answer')\nos._exit(0)\n",
    "answer of nothing": "import os\nopen('answer', 'wb').truncate(1 << 24)\nos._exit(0)\n",
    "workspace closed": _BOX + "import os\nos.chmod('.', 0)\n",
    "elsewhere": _BOX + "import os\nos.chdir('/tmp')\n",
    "descriptors closed": _BOX + "import os\nos.closerange(0, 512)\n",
    "output without end": _BOX + "while True: print('x' * 65536)\n",
    "score printed": _BOX + "print('{\"iou\": 1.0, \"passed\": true}')\nprint('score: 1.0')\n",
    # what is looked for
    "files": _REACH + "print([n for p in ('/*', '/root/*', '/home/*', '/opt/*', '/tmp/*') for n in glob.glob(p)])\n",
    "our modules": "import palestra.envs.cad.records\n",
    "other processes": _REACH + "print(glob.glob('/proc/[0-9]*/cmdline'), os.environ)\n",
    "network": "import socket\nsocket.create_connection(('10.0.0.1', 80), 1)\n",
    # what is not what it seems
    "yes object": (
        "class Yes:\n"
        "    def __getattr__(self, name): return self\n"
        "    def __call__(self, *a, **k): return self\n"
        "    def __eq__(self, other): return True\n"
        "    def __bool__(self): return True\n"
        "    def __iter__(self): return iter([self])\n"
        "    def __instancecheck__(self, one): return True\n"
        "    __class__ = property(lambda self: __import__('cadquery').Workplane)\n"
        "result = Yes()\n"
    ),
    "isinstance of its own": "import builtins\nbuiltins.isinstance = lambda *a: True\nresult = object()\n",
    "kernel patched": (
        _BOX + "cq.Shape.Volume = lambda self: 1.0\n"
        "cq.Shape.isValid = lambda self: True\n"
        "cq.Shape.BoundingBox = lambda self: None\n"
        "cq.Shape.Solids = lambda self: [self]\n"
        "cq.Workplane.val = lambda self: 42\n"
    ),
    "writer patched": _BOX + "from OCP.BRepTools import BRepTools\nBRepTools.Write_s = lambda *a, **k: 1 / 0\n",
    "JSON patched": _BOX + "import json\njson.dumps = lambda *a, **k: 'null'\n",
    "os patched": _BOX + "import os\nfor name in dir(os):\n    setattr(os, name, None)\n",
    "modules gone": _BOX + "import sys\nsys.modules.clear()\n",
    "builtins gone": _BOX + "import builtins\nbuiltins.__dict__.clear()\n",
    "frames walked": (
        "import sys\nframe = sys._getframe()\n"
        "while frame:\n    frame.f_locals.update(result=1)\n    frame.f_globals.clear()\n    frame = frame.f_back\n"
    ),
    "shape of nothing": _START + "result = cq.Shape.__new__(cq.Shape)\nresult.wrapped = None\n",
    "shape with itself inside": _START + "result = cq.Workplane()\nresult.objects = result\n",
    # more than there is
    "memory": "a = []\nwhile True: a.append(bytearray(1 << 24))\n",
    "memory at once": "a = bytearray(1 << 50)\n",
    "memory of many": "import os\nfor _ in range(8): os.fork()\na = [bytearray(1 << 26) for _ in range(64)]\n",
    "disk": "for n in range(100): open(str(n), 'wb').write(bytes(1 << 24))\n",
    "fork bomb": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass\n",
    "thread bomb": "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(9,)).start()\n",
    "recursion": "def f(n): return f(n + 1)\nf(0)\n",
    "deep expression": "result = " + "(" * 3000 + "1" + ")" * 3000 + "\n",
    "huge boolean": (
        _START + "tool = cq.Workplane().rarray(1, 1, 60, 60).circle(.6).extrude(9)\n"
        "result = cq.Workplane().sphere(40).cut(tool)\n"
    ),
    "endless triangles": _START + "result = cq.Workplane().sphere(1000)\nresult.val().tessellate(1e-9, 1e-9)\n",
    "very many faces": _START + "result = cq.Workplane().rarray(3, 3, 80, 80).box(1, 1, 1, combine=False)\n",
    "coordinates that are no numbers": _START + "result = cq.Workplane().box(float('nan'), 1, 1)\n",
    "as far as can be": _START + "result = cq.Workplane().box(1e300, 1, 1)\n",
}  # fmt: skip
"""By what they try."""

_CALLS: Final = (
    "box({a}, {b}, {c})", "cylinder({a}, {b})", "sphere({a})", "faces('{d}').workplane()", "hole({a})", "edges('{d}')",
    "fillet({a})", "chamfer({a})", "shell({a})", "rect({a}, {b})", "circle({a})", "extrude({c})", "cutBlind({c})",
    "cutThruAll()", "rarray({a}, {b}, 3, 2)", "polygon(6, {a})", "lineTo({a}, {b})", "close()", "revolve({a})",
    "rotate((0, 0, 0), (0, 0, 1), {a})", "translate(({a}, {b}, {c}))", "mirror('XY')", "end()", "first()", "combine()",
    "union(cq.Workplane().box({a}, {b}, {c}))", "cut(cq.Workplane().sphere({b}))",
    "intersect(cq.Workplane().box(9, 9, 9))",
)  # fmt: skip
_SIZES: Final = (0, 1, 2.5, 5, 10, 20, 40, -3, 1e-9, 1e9, "float('nan')", "None", "'x'")
_SELECTORS: Final = (">Z", "<X", "|Y", "#Z", "%CYLINDER", ">Z[7]", "", "|Q", "not", ">X and <X")


def random_program(rng: random.Random) -> str:
    """Return a chain of calls that mostly makes no sense."""
    calls = [rng.choice(_CALLS) for _ in range(rng.randint(1, 8))]
    if rng.random() < 0.7:
        calls.insert(0, "box(20, 30, 10)")
    text = "".join(
        "." + call.format(d=rng.choice(_SELECTORS), **{name: rng.choice(_SIZES) for name in "abc"}) for call in calls
    )
    return f"{_START}result = cq.Workplane(){text}\n"
