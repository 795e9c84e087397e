"""Templates of configuration files are filled in, one or many, from values in a file."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.drawing import Desk, Drawn, missed
from palestra.envs.terminal.operators.scripting_repositories import KEYS
from palestra.envs.terminal.step import Artefact, Operator, Step
from palestra.envs.terminal.tree import File, Tree

_OPENINGS: Final = {
    False: ("Fill in a template.", "Configuration files are made from a template."),
    True: ("Render a template.", "A template has to become files."),
}
_MARKS: Final = {"braces": ("{{", "}}"), "at": ("@", "@"), "dollar": ("${", "}")}
_HOSTS: Final = {False: ("web1", "web2", "db1", "mail1", "cache1"), True: ("node4", "node7", "edge2", "core9")}


@dataclass(frozen=True, slots=True)
class _Template:
    """A text with placeholders, one of which has no value."""

    text: str
    marks: tuple[str, str]
    unknown: str

    def mark(self, key: str) -> str:
        """Return a placeholder."""
        return f"{self.marks[0]}{key}{self.marks[1]}"

    def filled(self, values: Mapping[str, str], lacking: str) -> str:
        """Return the text with values."""
        text = self.text
        for key, value in values.items():
            text = text.replace(self.mark(key), value)
        mark = self.mark(self.unknown)
        rows = [row for row in text.splitlines() if lacking != "drop" or mark not in row]
        return "".join(f"{row.replace(mark, 'none') if lacking == 'default' else row}\n" for row in rows)

    def bash(self, path: str, values: Mapping[str, Mapping[str, str]], lacking: str) -> str:
        """Return bash that fills in the template at a path, for files with values."""
        unknown = _quoted(self.mark(self.unknown))
        last = {"default": f"s/{unknown}/none/g", "drop": f"/{unknown}/d", "keep": ""}[lacking]
        done = [f"mkdir -p {next(iter(values)).rpartition('/')[0]}"]
        for out, held in values.items():
            edits = [f"s/{_quoted(self.mark(key))}/{value}/g" for key, value in held.items()]
            told = " ".join(f"-e '{edit}'" for edit in (*edits, last) if edit)
            done.append(f"sed {told} {path} > {out}")
        return "\n".join(done)


_LACKING: Final = {
    "default": "A placeholder for which there is no value becomes `none`.",
    "keep": "A placeholder for which there is no value stays as it is.",
    "drop": "A line with a placeholder for which there is no value is left out.",
}
_SOURCES: Final = {
    "env": "`{}` has lines `NAME=VALUE`. Write the result to {}.",
    "json": "`{}` is a JSON object of values by name. Write the result to {}.",
    "csv": "`{}` is CSV; each row after the header has a host's name and its values, by the names in the header. Write "
    "for each host the file {}.",
}


def _template(desk: Desk, style: str, keys: Sequence[str]) -> _Template:
    made, known = _Template("", _MARKS[style], keys[-1]), keys[:-1]
    lines = [f"{key} = {made.mark(key)}" for key in desk.draws.shuffled(known)]
    lines.insert(2, f"path = /srv/{made.mark(known[0])}/{made.mark(known[1])}")
    lines.insert(1, f"# {known[2]} is {made.mark(known[2])}, see the manual")
    lines.insert(desk.draws.between(1, 4), f"extra = {made.mark(made.unknown)}")
    return replace(made, text="".join(f"{line}\n" for line in lines))


def _attempt(desk: Desk) -> Step | None:
    style, source = desk.draws.pick(tuple(_MARKS)), desk.draws.pick(("env", "json", "csv"))
    lacking, keys = desk.draws.pick(("default", "keep", "drop")), desk.some(KEYS, 5)
    hosts = desk.some(_HOSTS, 3) if source == "csv" else [""]
    values = {
        host: {key: f"{desk.draws.pick(('a', 'b', 'c'))}{desk.draws.between(10, 999)}" for key in keys[:-1]}
        for host in hosts
    }
    template = _template(desk, style, keys)
    path, values_path, folder = desk.path("template.conf"), desk.path(f"values.{source}"), desk.path("out")
    by_file = {f"{folder}/{host or 'service'}.conf": held for host, held in values.items()}
    starts = Tree().put(path, template.text).put(values_path, _values(source, values))
    made = {way: {out: template.filled(held, way) for out, held in by_file.items()} for way in _LACKING}
    texts = made[lacking]
    checks = _checks(folder, texts, "equals" if desk.knobs.strict else "lines")
    near = {f"does something else about what has no value: {other}": other for other in _LACKING if other != lacking}
    failing = missed(checks, starts, {name: _adding(_tree(made[other])) for name, other in near.items()})
    wrong = {name: template.bash(path, by_file, other) for name, other in near.items() if name in failing}
    wrong["leaves the template as it is"] = "\n".join([f"mkdir -p {folder}", *(f"cp {path} {out}" for out in texts)])
    listed = ", ".join(f"`{out}`" for out in texts)
    first = next(iter(texts))
    return Step(
        operator="",
        choices=(style, source, lacking),
        text=f"{desk.of(_OPENINGS)} `{path}` is a template, in which `{template.mark('NAME')}` stands for a "
        f"value, wherever it occurs, in comments too. {_SOURCES[source].format(values_path, listed)} "
        f"{_LACKING[lacking]} Everything else stays as it is in the template"
        f"{', to the byte' if desk.knobs.strict else ''}. No other files are in `{folder}`. Leave "
        f"`{path}` and `{values_path}` as they are.",
        starts=starts,
        effect=_adding(_tree(texts)),
        solve=template.bash(path, by_file, lacking),
        checks=checks,
        wrong=wrong,
        makes=tuple(texts),
        keeps=(path, values_path),
        gives=Artefact("lines", first, texts[first].splitlines(), "the filled-in template"),
    )


def _checks(folder: str, texts: Mapping[str, str], how: str) -> tuple[Json, ...]:
    told: list[Json] = [
        {"kind": "file", "group": 0, "path": path, how: text if how == "equals" else text.splitlines()}
        for path, text in texts.items()
    ]
    names = [path.rpartition("/")[2] for path in texts]
    return (*told, {"kind": "folder", "group": 0, "path": folder, "files": names})


def _tree(texts: Mapping[str, str]) -> Tree:
    return Tree({path: File(text.encode()) for path, text in texts.items()})


def _values(source: str, values: Mapping[str, Mapping[str, str]]) -> str:
    first = next(iter(values.values()))
    if source == "json":
        return json.dumps(first, indent=2) + "\n"
    if source == "env":
        return "".join(f"{key}={value}\n" for key, value in first.items())
    header = ",".join(("host", *first))
    rows = "".join(",".join((host, *held.values())) + "\n" for host, held in values.items())
    return f"{header}\n{rows}"


def _adding(more: Tree) -> Callable[[Tree], Tree]:
    return lambda tree: tree.joined(more)


def _quoted(mark: str) -> str:
    """Return a text as what sed looks for."""
    return mark.replace("$", "[$]").replace(".", "[.]")


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("scripting_templates", "scripting", None, _attempt),)
