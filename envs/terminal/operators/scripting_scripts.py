"""Scripts are written, and broken ones are mended; they are judged on inputs that nobody has seen."""

from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.drawing import Desk, Drawn, written
from palestra.envs.terminal.operators.scripting_programs import (
    PROGRAMS,
    SEPARATORS,
    Program,
    cases,
    output,
    rows,
    script_of,
    told,
)
from palestra.envs.terminal.step import Operator, Step
from palestra.envs.terminal.tree import File, Folder, Tree

_WRITE: Final = {
    False: ("Write a script.", "A small script is wanted."),
    True: ("Make a program of a few lines.", "Somebody needs a script."),
}
_MEND: Final = {
    False: ("A script does not do what it should.", "Find what is wrong with a script."),
    True: ("A script gives wrong answers.", "Debug a script."),
}
_NAMES: Final = {False: ("pick", "tally", "digest", "lines"), True: ("sift", "gather", "measure", "rank")}
_LANGUAGES: Final = {"bash": ("bash", "sh"), "python": ("Python 3", "py")}


def _runs(desk: Desk, program: Program, path: str, separator: str) -> Json:
    given = cases(desk, program, separator)
    return {"kind": "runs", "group": 0, "command": [path], "files": [path], "cases": given, "compare": "exact"}


def _write(desk: Desk) -> Step:
    program, language = desk.draws.pick(PROGRAMS), desk.draws.pick(("bash", "python"))
    spoken, ending = _LANGUAGES[language]
    separator, path = desk.of(SEPARATORS), desk.path(f"{desk.of(_NAMES)}.{ending}")
    right = script_of(program, language, separator)
    faults = program.bash_faults if language == "bash" else program.python_faults
    wrong = {f"it {fault}": written(path, script_of(program, language, separator, [fault]), "755") for fault in faults}
    careless = right.replace("exit 2", "exit 1").replace("sys.exit(2)", "sys.exit(1)")
    return Step(
        operator="",
        choices=(language, program.name),
        text=f"{desk.of(_WRITE)} Write `{path}` in {spoken}, with the mode 0755 and a first line by which it runs "
        f"when it is called by its path. {told(program, separator)} It is tried on inputs that you do not see, where "
        "no other file of yours is there.",
        starts=Tree().put(desk.folder, Folder()),
        effect=lambda tree: tree.put(path, File(right.encode(), 0o755)),
        solve=written(path, right, "755"),
        checks=({"kind": "mode", "group": 0, "path": path, "equals": "0755"}, _runs(desk, program, path, separator)),
        wrong={
            **wrong,
            "cannot be run": written(path, right, "644"),
            "has another status for bad arguments": written(path, careless, "755"),
        },
        tools=("python3",) if language == "python" else (),
    )


def _mend(desk: Desk) -> Step:
    program, language = desk.draws.pick(PROGRAMS), desk.draws.pick(("bash", "python"))
    ending = _LANGUAGES[language][1]
    separator, path = desk.of(SEPARATORS), desk.path(f"{desk.of(_NAMES)}.{ending}")
    known = tuple(program.bash_faults if language == "bash" else program.python_faults)
    faults = desk.draws.shuffled(known)[: desk.draws.between(1, 2)]
    right, broken = (script_of(program, language, separator, one) for one in ((), faults))
    source, out = desk.path("input.txt"), desk.path("output.txt")
    text = rows(desk, separator, max(8, min(desk.knobs.size, 60)), 5)
    number = desk.draws.between(2, 20)
    printed, _ = output(program, separator, text, number)
    call = f"{path} {number}" if program.takes == "one" else path
    starts = Tree().put(path, File(broken.encode(), 0o755)).put(source, text)
    run = f"{call} < {source} > {out} || true"

    def effect(tree: Tree) -> Tree:
        return tree.put(path, File(right.encode(), 0o755)).put(out, printed)

    check: Json = {"kind": "file", "group": 0, "path": out, "equals": printed}
    if not desk.knobs.strict:
        check = {"kind": "file", "group": 0, "path": out, "lines": printed.splitlines()}
    wrong = {
        "writes the output and mends nothing": f"cat > {out} <<'ENDOFTEXT'\n{printed}ENDOFTEXT",
        "does not run it": written(path, right, "755"),
    }
    if len(faults) == 2:
        half = script_of(program, language, separator, faults[:1])
        wrong["mends one fault of two"] = f"{written(path, half, '755')}\n{run}"
    return Step(
        operator="",
        choices=(language, program.name, str(len(faults))),
        text=f"{desk.of(_MEND)} This is what the script `{path}` is for: {told(program, separator)} Mend it so that "
        f"it does this on every input; it keeps its name and its mode. Then run it as `{call}` on the input "
        f"`{source}`, and put what it prints into `{out}`. Leave "
        f"`{source}` as it is. The script is tried on inputs that you do not see.",
        starts=starts,
        effect=effect,
        solve=f"{written(path, right, '755')}\n{run}",
        checks=(
            check,
            {"kind": "mode", "group": 0, "path": path, "equals": "0755"},
            _runs(desk, program, path, separator),
        ),
        wrong=wrong,
        makes=(out,),
        keeps=(source,),
        tools=("python3",) if language == "python" else (),
    )


OPERATORS: Final[tuple[Operator, ...]] = (
    Drawn("scripting_writes", "scripting", None, _write),
    Drawn("scripting_mends", "scripting", None, _mend),
)
