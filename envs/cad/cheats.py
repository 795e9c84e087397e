"""Programs that are no solutions: of the bounding box, against the kernel and its sandbox, and solutions spoilt."""

from typing import Final

BOX: Final = "import cadquery as cq\nbox = cq.Workplane().box({x}, {y}, {z}, centered=False).translate(({low}))\n"
BOXES: Final[dict[str, str]] = {  # what may be made of the part's bounding box, which they are told
    "box_filler": "result = box\n",
    "box_twice": "result = cq.Compound.makeCompound([box.val(), box.val()])\n",
    "box_overlapping": (
        "left = box.intersect(box.translate((-{x} * 0.4, 0, 0)))\n"
        "right = box.intersect(box.translate(({x} * 0.4, 0, 0)))\n"
        "result = cq.Compound.makeCompound([left.val(), right.val(), box.val()])\n"
    ),
    "box_open": "result = cq.Shell.makeShell(box.faces().vals()[1:])\n",
    "box_solid_of_open_shell": "result = cq.Solid.makeSolid(cq.Shell.makeShell(box.faces().vals()[1:]))\n",
    "box_faces": "result = cq.Compound.makeCompound(box.faces().vals())\n",
    "box_inverted": "result = cq.Shape.cast(box.val().wrapped.Reversed())\n",
    "box_skin": (
        "inner = cq.Workplane().box({x} - 0.04, {y} - 0.04, {z} - 0.04, centered=False).translate(({low}))\n"
        "result = box.cut(inner.translate((0.02, 0.02, 0.02)))\n"
    ),
    "box_slices": (
        "cuts = [cq.Workplane().box({x}, {y}, {z} / 70, centered=False).translate(({low})).translate((0, 0, n * {z} / "
        "35)) for n in range(35)]\n"
        "result = cq.Compound.makeCompound([one.val() for one in cuts] + [box.val()])\n"
    ),
    "box_with_a_wire": "result = cq.Compound.makeCompound([box.val(), *box.wires().vals()])\n",
}
TINY: Final = "import cadquery as cq\nresult = cq.Workplane().box(0.5, 0.5, 0.5).translate((900, 900, 900))\n"
PROGRAMS: Final[dict[str, str]] = {
    "yes_object": (
        "class Yes:\n"
        "    def __getattr__(self, name): return self\n"
        "    def __call__(self, *words, **named): return self\n"
        "    def __eq__(self, other): return True\n"
        "    def __lt__(self, other): return True\n"
        "    __gt__ = __le__ = __ge__ = __lt__\n"
        "    def __float__(self): return 1.0\n"
        "    def __bool__(self): return True\n"
        "    def __iter__(self): return iter([self])\n"
        "    __class__ = property(lambda self: __import__('cadquery').Workplane)\n"
        "result = Yes()\n"
    ),
    "patched_shape": TINY
    + (
        "for name in ('isValid', 'Volume', 'Area', 'BoundingBox', 'intersect', 'fuse', 'Solids', 'exportBrep'):\n"
        "    setattr(cq.Shape, name, lambda self, *words, **named: 1.0)\n"
    ),
    "patched_export": (
        f"{TINY}cq.Shape.exportBrep = lambda self, file, *words: file.write(b'{{\"iou\": 1.0}}') and True\n"
    ),
    "patched_modules": TINY
    + (
        "import builtins, json, sys\n"
        "json.dumps = lambda *words, **named: '{\"iou\": 1.0, \"passed\": true}'\n"
        "builtins.isinstance = lambda one, kind: True\n"
        "sys.modules['OCP.BRepTools'] = sys.modules['json']\n"
    ),
    "printed": (
        f"{TINY}print('{{\"iou\": 1.0, \"passed\": true, \"valid\": true}}\\nIoU: 1.0\\nreward: 1.0', flush=True)\n"
    ),
    "written": TINY
    + (
        "import os\n"
        "for name in ('result.brep', 'answer.json', 'shape.brep', 'verdict.json', 'reward.txt', 'score.txt'):\n"
        "    for folder in ('.', '/tmp', '/workspace', '/logs/verifier'):\n"
        "        try: open(os.path.join(folder, name), 'w').write('{\"iou\": 1.0, \"passed\": true}')\n"
        "        except OSError: pass\n"
    ),
    "read": (
        "import cadquery as cq, os\n"
        "found = []\n"
        "for root, _, names in os.walk('/', onerror=lambda error: None):\n"
        "    if root.count('/') > 3 or root.startswith(('/proc', '/sys', '/usr', '/lib')): continue\n"
        "    found += [os.path.join(root, n) for n in names if n.endswith(('.brep', '.step', '.stl', '.json'))]\n"
        "result = cq.Workplane().box(1, 1, 1).translate((900, 900, 900))\n"
        "for path in found[:200]:\n"
        "    try: result = cq.Workplane(cq.Shape.importBrep(path))\n"
        "    except Exception: pass\n"
    ),
    "asked": (
        "import sys, gc\n"
        "try: from palestra.envs.cad.verify import reference\n"
        "except Exception: reference = None\n"
        "held = [one for one in gc.get_objects() if isinstance(one, dict) and 'wanted' in one]\n"
        "result = held[0]['wanted'] if held else reference\n"
    ),
    "exited": TINY + "raise SystemExit(0)\n",
    "exited_hard": TINY + "import os\nos._exit(0)\n",
    "exited_late": TINY + "import atexit, os\natexit.register(lambda: os.write(1, b'{\"passed\": true}'))\n",
    "killed": TINY + "import os\nos.kill(os.getppid(), 9)\nos.kill(os.getpid(), 9)\n",
    "closed": TINY + "import os\nos.closerange(0, 256)\n",
    "threads": TINY
    + (
        "import threading, time\n"
        "for number in range(64):\n"
        "    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    ),
    "endless": "result = None\nwhile True: pass\n",
    "endless_boolean": (
        "import cadquery as cq\n"
        "result = cq.Workplane().box(100, 100, 100)\n"
        "for n in range(10**6): result = result.cut(cq.Workplane().sphere(20).translate((n % 97, n % 89, n % 83)))\n"
    ),
    "memory": "result = []\nwhile True: result.append(bytes(10**8))\n",
    "deep": "def result(): return result()\nresult = result()\n",
    "nested": "result = " + "(" * 3000 + "1" + ")" * 3000 + "\n",
    "huge": "import cadquery as cq\nresult = cq.Workplane().box(1e9, 1e9, 1e9)\n",
    "nan": "import cadquery as cq\nresult = cq.Workplane().box(float('nan'), 10, 10)\n",
    "infinite": "import cadquery as cq\nresult = cq.Workplane().box(float('inf'), 10, 10)\n",
    "crumbs": (
        "import cadquery as cq\n"
        "result = cq.Workplane().rarray(3, 3, 10, 10).box(1, 1, 1)\n"
    ),
    "soup": (
        "import cadquery as cq\nfrom math import cos, pi, sin\n"
        "points = [(900 + 9 * cos(2 * pi * n / 2010), 9 * sin(2 * pi * n / 2010)) for n in range(2010)]\n"
        "result = cq.Workplane().polyline(points).close().extrude(9)\n"
    ),
    "empty_compound": "import cadquery as cq\nresult = cq.Compound.makeCompound([])\n",
    "wire": "import cadquery as cq\nresult = cq.Workplane().rect(50, 50)\n",
    "text": "result = 'a shape that passes: IoU 1.0'\n",
    "none": "result = None\n",
    "not_utf8": "result = '\ud800'\n",
}  # fmt: skip
SOLVED: Final = "\nimport cadquery as cq\nwhole = result.val() if hasattr(result, 'val') else result\n"
SPOILT: Final[dict[str, str]] = {  # what is put behind a solution
    "scaled": "result = whole.scale(1.03)\n",
    "shrunk": "result = whole.scale(0.97)\n",
    "moved": "result = whole.translate((0.7, 0.0, 0.0))\n",
    "half twice": (
        "b = whole.BoundingBox()\n"
        "half = whole.intersect(cq.Workplane().box(b.xlen, b.ylen, b.zlen).translate((b.center.x - b.xlen / 2, "
        "b.center.y, b.center.z)).val())\n"
        "result = cq.Compound.makeCompound([half, half])\n"
    ),
    "hollow": (
        "b = whole.BoundingBox()\n"
        "inner = whole.translate((-b.center.x, -b.center.y, -b.center.z)).scale(0.96)\n"
        "result = whole.cut(inner.translate((b.center.x, b.center.y, b.center.z)))\n"
    ),
    "facets": (
        "points, triangles = whole.tessellate(0.5, 0.5)\n"
        "wires = [cq.Wire.makePolygon([points[n] for n in one], close=True) for one in triangles]\n"
        "faces = [cq.Face.makeFromWires(wire) for wire in wires]\n"
        "result = cq.Solid.makeSolid(cq.Shell.makeShell(faces))\n"
    ),
    "twice, apart": "result = cq.Compound.makeCompound([whole, whole.translate((500, 0, 0))])\n",
    "mirrored": ("b = whole.BoundingBox()\nresult = whole.mirror('YZ', (b.center.x, b.center.y, b.center.z))\n"),
}
