"""Edits of settings in place: JSON at a path, and single lines of INI and TOML."""

import copy
import json
from dataclasses import dataclass, replace
from typing import Any, Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, joined
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a JSON file."""

    kind: str  # set, add, remove, append, raise or rename
    place: Place
    value: Any = None

    def told(self) -> str:
        """Return the change as the text tells it."""
        at, value = ".".join(self.place), json.dumps(self.value)
        return {
            "set": f"set `{at}` to `{value}`",
            "add": f"add `{at}` with the value `{value}`",
            "remove": f"remove `{at}`",
            "append": f"append `{value}` to the end of the list `{at}`",
            "raise": f"raise the number `{at}` by {self.value}",
            "rename": f"rename the key `{at}` to `{self.value}`, its value as it is",
        }[self.kind]

    def python(self) -> str:
        """Return the change as a line of Python on `held`."""
        inner = "held" + "".join(f"[{part!r}]" for part in self.place[:-1])
        at = f"{inner}[{self.place[-1]!r}]"
        return {
            "set": f"{at} = {self.value!r}",
            "add": f"{at} = {self.value!r}",
            "remove": f"del {at}",
            "append": f"{at}.append({self.value!r})",
            "raise": f"{at} += {self.value!r}",
            "rename": f"{inner}[{self.value!r}] = {inner}.pop({self.place[-1]!r})",
        }[self.kind]


def edited(held: Json, edit: Edit) -> Json:
    """Return settings after a change, made by building all of it anew."""
    key, rest = edit.place[0], edit.place[1:]
    if rest:
        return {name: edited(one, replace(edit, place=rest)) if name == key else one for name, one in held.items()}
    match edit.kind:
        case "remove":
            return {name: one for name, one in held.items() if name != key}
        case "rename":
            return {**{name: one for name, one in held.items() if name != key}, edit.value: held[key]}
        case "append":
            return {**held, key: [*held[key], edit.value]}
        case "raise":
            return {**held, key: held[key] + edit.value}
    return {**held, key: edit.value}


@dataclass(frozen=True, slots=True)
class JsonEdits:
    """Several changes of one JSON file."""

    path: str
    edits: tuple[Edit, ...]

    def effect(self, tree: Tree) -> Tree:
        held = json.loads(tree.text(self.path))
        for edit in self.edits:
            held = edited(held, edit)
        return tree.put(self.path, json.dumps(held, indent=2) + "\n")

    def bash(self) -> str:
        body = "\n".join(edit.python() for edit in self.edits)
        return (
            f"python3 - <<'END'\nimport json\nwith open({self.path!r}) as file:\n    held = json.load(file)\n{body}\n"
            f"with open({self.path!r}, 'w') as file:\n    file.write(json.dumps(held, indent=2) + '\\n')\nEND"
        )


SERVICES: Final = Pool(("web", "queue", "search", "mail"), ("relay", "vault", "index", "fleet"))
WORDS: Final = Pool(("alpha", "beta", "gamma", "delta", "omega"), ("red", "green", "blue", "black", "white"))


def settings(desk: Desk) -> dict[str, Any]:
    """Return settings as JSON has them, the same keys in several places."""
    made: dict[str, Any] = {"version": desk.draws.between(1, 9), "owner": desk.word(WORDS)}
    for name in desk.some(desk.of(SERVICES), 3):
        made[name] = {
            "host": f"{desk.word(WORDS)}.local",
            "port": desk.draws.between(1000, 9000),
            "enabled": desk.draws.chance(0.5),
            "tags": desk.some(desk.of(WORDS), 2),
            "limits": {"memory": 64 * desk.draws.between(1, 16), "retries": desk.draws.between(0, 5)},
        }
    return made


JSONS: Final = Pool(
    ("`{}` holds a program's settings in JSON.", "Edit the JSON file `{}`."),
    ("A service reads its settings from `{}`, a JSON file.", "Change the settings in the JSON file `{}`."),
)


def json_edit(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `JsonEdits`."""
    held = settings(desk)
    name = desk.pick(("config.json", "settings.json", "service.json"))
    path = desk.put(name, json.dumps(held, indent=2) + "\n")
    services = [one for one in held if isinstance(held[one], dict)]
    kinds = tuple(sorted(desk.some(("set", "add", "remove", "append", "raise", "rename"), desk.draws.between(2, 3))))
    edits = tuple(_drawn(desk, kind, service, held[service]) for kind, service in zip(kinds, services, strict=False))
    plan = JsonEdits(path, edits)
    steps = "; ".join(edit.told() for edit in edits)
    text = (
        f"{desk.word(JSONS).format(path)} In it, {steps}. A dot leads into an object. All else in it stays as it is;"
        " spaces, line breaks and the order of keys do not count."
    )
    other = services[-1] if edits[0].place[0] != services[-1] else services[0]
    moved = replace(edits[0], place=(other, *edits[0].place[1:]))
    loose = tuple(replace(one, value=json.dumps(one.value)) if one.kind in ("set", "add") else one for one in edits)
    wrong = {
        "the last change is not made": replace(plan, edits=edits[:-1]),
        "the first change is not made": replace(plan, edits=edits[1:]),
        "a change in another place": replace(plan, edits=(moved, *edits[1:])),
        "values as texts": replace(plan, edits=loose),
    }
    value = json.loads(plan.effect(desk.start()).text(path))
    return desk.step(
        choices=(f"{len(kinds)} changes", *kinds),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=[{"kind": "json", "group": 0, "path": path, "equals": value}],
        makes=(path,),
        changes=(path,),
        is_bytewise=False,
        tools=("python3",),
    )


def _drawn(desk: Desk, kind: str, service: str, held: dict[str, Any]) -> Edit:
    held = copy.deepcopy(held)
    match kind:
        case "set":
            key = desk.pick(("port", "enabled", "host"))
            if key == "enabled":
                return Edit(kind, (service, key), not held[key])
            return Edit(kind, (service, key), held["port"] + 1 if key == "port" else "0.0.0.0")
        case "add":
            value = desk.pick((desk.draws.between(10, 99), [1, 2], {"level": 3}, True, None))
            return Edit(kind, desk.pick(((service, "timeout"), (service, "limits", "burst"))), value)
        case "remove":
            return Edit(kind, desk.pick(((service, "tags"), (service, "limits", "retries"), (service, "host"))))
        case "append":
            return Edit(kind, (service, "tags"), f"{desk.word(WORDS)}-{desk.draws.between(2, 9)}")
        case "raise":
            return Edit(kind, desk.pick(((service, "port"), (service, "limits", "memory"))), desk.draws.between(2, 50))
    return Edit(kind, desk.pick(((service, "enabled"), (service, "limits", "memory"))), f"new_{desk.word(WORDS)}")


@dataclass(frozen=True, slots=True)
class LineEdit:
    """One change of a file with sections."""

    kind: str  # set, add, remove or comment
    section: str
    key: str
    line: str = ""  # what is set or added

    def told(self) -> str:
        """Return the change as the text tells it."""
        at = f"`{self.key}` in `[{self.section}]`"
        return {
            "set": f"make the line of {at} `{self.line}`",
            "add": f"add the line `{self.line}` directly below `[{self.section}]`",
            "remove": f"remove the line of {at}",
            "comment": f"put `# ` before the line of {at}",
        }[self.kind]

    def applied(self, lines: list[str], is_anywhere: bool) -> list[str]:
        """Return the lines after the change."""
        made, section = [], ""
        for line in lines:
            if line.startswith("["):
                section = line[1:-1]
            if (section != self.section and not is_anywhere) or line.split(" ")[0] != self.key or self.kind == "add":
                made.append(line)
                if self.kind == "add" and line == f"[{self.section}]":
                    made.append(self.line)
            elif self.kind != "remove":
                made.append(self.line if self.kind == "set" else f"# {line}")
        return made

    def awk(self, is_anywhere: bool) -> str:
        """Return the change as a program for awk."""
        if self.kind == "add":
            return f"awk -v l='{self.line}' '{{ print }} $0 == \"[{self.section}]\" {{ print l }}'"
        inside = "" if is_anywhere else "s && "
        then = {"set": "$0 = l", "remove": "next", "comment": '$0 = "# " $0'}[self.kind]
        line = f"-v l='{self.line}' " if self.kind == "set" else ""
        return f'awk {line}\'/^\\[/ {{ s = $0 == "[{self.section}]" }} {inside}$1 == "{self.key}" {{ {then} }} 1\''


@dataclass(frozen=True, slots=True)
class LineEdits:
    """Several changes of one file with sections."""

    path: str
    edits: tuple[LineEdit, ...]
    is_anywhere: bool = False

    def effect(self, tree: Tree) -> Tree:
        lines = tree.text(self.path).splitlines()
        for edit in self.edits:
            lines = edit.applied(lines, self.is_anywhere)
        return tree.put(self.path, joined(lines))

    def bash(self) -> str:
        first, *more = [edit.awk(self.is_anywhere) for edit in self.edits]
        chain = " |\n  ".join([f"{first} {self.path}", *more])
        return f"{chain} > {self.path}.new\ncat {self.path}.new > {self.path} && rm {self.path}.new"


COMMENTS: Final = Pool(("# managed by hand", "# see the manual"), ("# do not reorder", "# reviewed in spring"))
KINDS: Final = {"ini": "an INI file", "toml": "a TOML file"}


def sections(desk: Desk, form: str) -> list[str]:
    """Return the lines of settings with sections, the same keys in several of them."""
    quote = '"' if form == "toml" else ""
    made = [desk.word(COMMENTS), ""]
    for name in desk.some(desk.of(SERVICES), 3):
        keys = [
            f"host = {quote}{desk.word(WORDS)}.local{quote}",
            f"port = {desk.draws.between(1000, 9000)}",
            f"log_level = {quote}{desk.pick(('info', 'warn'))}{quote}",
            f"workers = {desk.draws.between(1, 16)}",
        ]
        made += [
            f"[{name}]",
            *desk.draws.shuffled(keys),
            *([desk.word(COMMENTS)] if desk.draws.chance(0.5) else []),
            "",
        ]
    return made[:-1]


FILES: Final = Pool(
    ("`{}` is {} with sections.", "Edit `{}`, {} with sections."),
    ("A program's settings are in `{}`, {} with sections.", "Change `{}`; it is {} with sections."),
)


def line_edit(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `LineEdits`."""
    form = desk.pick(tuple(KINDS))
    name = f"{desk.pick(('app', 'service', 'main'))}.{form}"
    held = sections(desk, form)
    path = desk.put(name, joined(held))
    names = [line[1:-1] for line in held if line.startswith("[")]
    kinds = tuple(sorted(desk.some(("set", "add", "remove", "comment"), desk.draws.between(2, 3))))
    quote = '"' if form == "toml" else ""
    values = {
        "host": f"host = {quote}{desk.word(WORDS)}.lan{quote}",
        "port": f"port = {desk.draws.between(9001, 9999)}",
        "log_level": f"log_level = {quote}debug{quote}",
        "workers": f"workers = {desk.draws.between(17, 64)}",
    }
    edits = tuple(
        LineEdit(
            kind, desk.pick(names), key, f"timeout = {desk.draws.between(5, 90)}" if kind == "add" else values[key]
        )
        for kind, key in zip(kinds, desk.some(tuple(values), 3), strict=False)
    )
    plan = LineEdits(path, edits)
    text = (
        f"{desk.word(FILES).format(path, KINDS[form])} In it, {'; '.join(edit.told() for edit in edits)}. All its other"
        " lines, comments and empty ones included, stay as and where they are."
    )
    wrong = {
        "in every section": replace(plan, is_anywhere=True),
        "the last change is not made": replace(plan, edits=edits[:-1]),
        "the first change is not made": replace(plan, edits=edits[1:]),
        "in another section": replace(
            plan,
            edits=(*edits[:-1], replace(edits[-1], section=next(one for one in names if one != edits[-1].section))),
        ),
    }
    made = plan.effect(desk.start()).text(path)
    return desk.step(
        choices=(form, *kinds),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.lines_check(path, made),
        makes=(path,),
        changes=(path,),
    )


OPERATORS: Final = (
    Operation("data_json_edit", "data", None, json_edit),
    Operation("data_line_edit", "data", None, line_edit),
)
