"""Small C programs that do not build, or build wrongly: a Makefile is mended, and the program is run."""

from collections.abc import Mapping, Sequence
from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.drawing import Desk, Drawn
from palestra.envs.terminal.step import Operator, Step
from palestra.envs.terminal.tree import Tree

_OPENINGS: Final = {
    False: ("A small C program does not build as it should.", "Mend a Makefile."),
    True: ("The build of a C program is broken.", "Get a program built."),
}
_NAMES: Final = {False: ("meter", "count", "scale", "figure"), True: ("rate", "level", "weigh", "probe")}
_ROOTS: Final = {False: ("source", "build", "program"), True: ("code", "work", "tool")}
_FAULTS: Final = ("missing rule", "missing library", "missing object", "missing header path", "missing macro")


def _attempt(desk: Desk) -> Step:
    fault, extra = desk.draws.pick(_FAULTS), desk.draws.pick(("clean", "install", "none"))
    name, root = desk.of(_NAMES), desk.path(desk.of(_ROOTS))
    factor, base = desk.draws.between(2, 9), desk.draws.between(10, 90)
    starts = Tree()
    for at, text in _sources(name, factor, base).items():
        starts = starts.put(f"{root}/{at}", text)
    right = _makefile(name, root, base, extra)
    broken = _makefile(name, root, base, "none", fault)
    starts = starts.put(f"{root}/Makefile", broken)
    out, program = desk.path("result.txt"), f"{root}/{name}"
    number = desk.draws.between(3, 30)
    printed = _printed(number, factor, base)
    goals = {
        "clean": f" `make clean` must remove `{name}` and all files `*.o`, and not fail if there are none.",
        "install": f" `make install` must build what is not built and copy the program to `{root}/bin/{name}`, whose "
        "folder it makes.",
        "none": "",
    }[extra]
    sources = [f"{root}/{at}" for at in (*_sources(name, factor, base), "Makefile")]

    def bash(makefile: str, then: str = "") -> str:
        # a recipe begins with a tab
        return f"cat > {root}/Makefile <<'ENDOFTEXT'\n{makefile}ENDOFTEXT\nmake -s -C {root}\n{then}"

    inputs = {one: _printed(one, factor, base) for one in (desk.draws.between(31, 99), 0, 1)}
    built = _built(root, name, sources, extra, inputs)
    run = f"{program} {number} > {out}"
    half = _makefile(name, root, base + 1, extra)
    return Step(
        operator="",
        choices=(fault, extra),
        text=f"{desk.of(_OPENINGS)} In `{root}` are the C sources of a program `{name}` and a `Makefile`; the sources "
        f"are right, and stay as they are. Mend the `Makefile`, so that `make` in that folder builds the program "
        f"`{program}` with gcc from all sources, with the macro `BASE` set to {base}, each `.c` file compiled to an "
        f"object of its own; `include` is where its header is, and it needs the library of mathematics.{goals} Then "
        f"build it, run `{name} {number}`, and put what it prints into `{out}`. `make` is tried again from a fresh "
        "start, without objects, and the program with other numbers.",
        starts=starts,
        effect=lambda tree: tree.put(out, printed),
        solve=bash(right, run),
        checks=({"kind": "file", "group": 0, "path": out, "lines": printed.splitlines()}, *built),
        wrong={
            "builds by hand": f"cd {root}\ngcc -Iinclude -DBASE={base} *.c -lm -o {name}\n{run}",
            "has another macro": bash(half, run),
            "writes the answer only": f"printf '%s' '{printed}' > {out}",
            "does not run it": bash(right),
        },
        makes=(out,),
        keeps=tuple(path for path in sources if not path.endswith("Makefile")),
        tools=("make", "gcc"),
    )


def _built(root: str, name: str, sources: Sequence[str], extra: str, printed: Mapping[int, str]) -> tuple[Json, ...]:
    """Return predicates that make makes the program from its sources alone, and that it is there and right."""
    program, make = f"{root}/{name}", f"make -s -C {root}"
    after = {
        "clean": f"{make} >/dev/null && {make} clean >/dev/null && {make} clean "
        f">/dev/null && ls {root} | grep -c -e '[.]o$' -e '^{name}$'; {make} >/dev/null && {program} ",
        "install": f"{make} install >/dev/null && {root}/bin/{name} ",
        "none": f"{make} >/dev/null && {program} ",
    }[extra]
    before, clear = "0\n" if extra == "clean" else "", f"rm -f {root}/*.o {program}; "
    cases: list[Json] = [
        {"args": [f"{clear}{after}{one}"], "stdout": f"{before}{shown}"} for one, shown in list(printed.items())[:2]
    ]
    runs: Json = {"kind": "runs", "group": 0}
    return (
        {**runs, "command": ["bash", "-c"], "files": list(sources), "cases": cases, "seconds": 20},
        {
            **runs,
            "command": [program],
            "files": [program],
            "cases": [{"args": [str(one)], "stdout": shown} for one, shown in printed.items()],
        },
    )


def _printed(number: int, factor: int, base: int) -> str:
    return f"{number} {number * factor + base} {int(number**0.5)}\n"


def _sources(name: str, factor: int, base: int) -> dict[str, str]:
    return {
        "main.c": '#include <stdio.h>\n#include <stdlib.h>\n#include "parts.h"\n\n'
        "int main(int argc, char **argv)\n{\n    long n = argc > 1 ? atol(argv[1]) : 0;\n"
        '    printf("%ld %ld %ld\\n", n, scaled(n), root(n));\n    return 0;\n}\n',
        "scaled.c": '#include "parts.h"\n\n#ifndef BASE\n#define BASE 0\n#endif\n\n'
        f"long scaled(long n)\n{{\n    return n * {factor} + BASE;\n}}\n",
        "root.c": '#include <math.h>\n#include "parts.h"\n\nlong root(long n)\n{\n'
        "    return (long)sqrt((double)n);\n}\n",
        "include/parts.h": f"/* parts of {name} */\nlong scaled(long n);\nlong root(long n);\n",
    }


def _makefile(name: str, root: str, base: int, extra: str, fault: str = "") -> str:
    objects = "main.o scaled.o" if fault == "missing object" else "main.o scaled.o root.o"
    header = "" if fault == "missing header path" else " -Iinclude"
    macro = "" if fault == "missing macro" else f" -DBASE={base}"
    library = "" if fault == "missing library" else " -lm"
    rule = f"{name}: $(OBJECTS)\n\t$(CC) -o $@ $(OBJECTS)$(LIBRARIES)\n\n"
    text = (
        f"CC = gcc\nCFLAGS = -O0 -fno-builtin{header}{macro}\nLIBRARIES ={library}\nOBJECTS = {objects}\n\n"
        f"all: {name}\n\n{'' if fault == 'missing rule' else rule}"
        "%.o: %.c include/parts.h\n\t$(CC) $(CFLAGS) -c -o $@ $<\n"
    )
    text = text.replace("$(OBJECTS)$(LIBRARIES)", "$(OBJECTS) $(LIBRARIES)")
    if extra == "clean":
        text += f"\nclean:\n\trm -f {name} *.o\n"
    elif extra == "install":
        text += f"\ninstall: {name}\n\tmkdir -p bin\n\tcp {name} bin/{name}\n"
    return text + "\n.PHONY: all clean install\n"


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("scripting_builds", "scripting", None, _attempt),)
