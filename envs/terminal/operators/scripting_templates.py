"""Templates of configuration files are filled in, one or many, from values in a file."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.drawing import Desk, Drawn, missed
from palestra.envs.terminal.operators.scripting_repositories import KEYS
from palestra.envs.terminal.step import Artefact, Operator, Step
from palestra.envs.terminal.tree import Tree

_OPENINGS: Final = {
    False: ("Fill in a template.", "Configuration files are made from a template."),
    True: ("Render a template.", "A template has to become files."),
}
_MARKS: Final = {"braces": ("{{", "}}"), "at": ("@", "@"), "dollar": ("${", "}")}
_HOSTS: Final = {False: ("web1", "web2", "db1", "mail1", "cache1"), True: ("node4", "node7", "edge2", "core9")}


def _attempt(desk: Desk) -> Step | None:
    style, source = desk.draws.pick(tuple(_MARKS)), desk.draws.pick(("env", "json", "csv"))
    lacking = desk.draws.pick(("default", "keep", "drop"))
    before, after = _MARKS[style]
    keys = desk.some(KEYS, 5)
    hosts = desk.some(_HOSTS, 3) if source == "csv" else [""]
    unknown, known = keys[-1], keys[:-1]
    values = {
        host: {key: f"{desk.draws.pick(('a', 'b', 'c'))}{desk.draws.between(10, 999)}" for key in known}
        for host in hosts
    }
    lines = [f"{key} = {before}{key}{after}" for key in desk.draws.shuffled(known)]
    lines.insert(2, f"path = /srv/{before}{known[0]}{after}/{before}{known[1]}{after}")
    lines.insert(1, f"# {known[2]} is {before}{known[2]}{after}, see the manual")
    lines.insert(desk.draws.between(1, 4), f"extra = {before}{unknown}{after}")
    template = "".join(f"{line}\n" for line in lines)
    template_path, values_path = desk.path("template.conf"), desk.path(f"values.{source}")
    outs = {host: desk.path(f"out/{host or 'service'}.conf") for host in hosts}
    starts = Tree().put(template_path, template).put(values_path, _values(source, values))

    def filled(given: Mapping[str, str], lacking: str) -> str:
        text = template
        for key, value in given.items():
            text = text.replace(f"{before}{key}{after}", value)
        rows = text.splitlines()
        mark = f"{before}{unknown}{after}"
        rows = [row for row in rows if lacking != "drop" or mark not in row]
        return "".join(f"{row.replace(mark, 'none') if lacking == 'default' else row}\n" for row in rows)

    texts = {outs[host]: filled(values[host], lacking) for host in hosts}

    def rendering(texts: Mapping[str, str]) -> Tree:
        tree = Tree()
        for path, text in texts.items():
            tree = tree.put(path, text)
        return tree

    def bash(lacking: str, once: str = "g") -> str:
        done = [f"mkdir -p {desk.path('out')}"]
        last = {
            "default": f"s/{_quoted(before + unknown + after)}/none/g",
            "drop": f"/{_quoted(before + unknown + after)}/d",
            "keep": "",
        }[lacking]
        for host in hosts:
            edits = [f"s/{_quoted(before + key + after)}/{value}/{once}" for key, value in values[host].items()]
            told = " ".join(f"-e '{edit}'" for edit in (*edits, last) if edit)
            done.append(f"sed {told} {template_path} > {outs[host]}")
        return "\n".join(done)

    others = {
        f"does something else about what has no value: {other}": (
            {outs[h]: filled(values[h], other) for h in hosts},
            bash(other),
        )
        for other in ("default", "keep", "drop")
        if other != lacking
    }
    kind = {"kind": "file", "group": 0}
    checks: tuple[Json, ...] = tuple(
        {**kind, "path": path, "equals": text}
        if desk.knobs.strict
        else {**kind, "path": path, "lines": text.splitlines()}
        for path, text in texts.items()
    )
    checks = (
        *checks,
        {"kind": "folder", "group": 0, "path": desk.path("out"), "files": [path.rpartition("/")[2] for path in texts]},
    )
    near = {name: _adding(rendering(made)) for name, (made, _) in others.items()}
    failing = missed(checks, starts, near)
    wrong = {name: made[1] for name, made in others.items() if name in failing}
    wrong["leaves the template as it is"] = "\n".join(
        [f"mkdir -p {desk.path('out')}", *(f"cp {template_path} {path}" for path in texts)]
    )
    told_values = {
        "env": f"`{values_path}` has lines `NAME=VALUE`. Write the result to `{outs[hosts[0]]}`.",
        "json": f"`{values_path}` is a JSON object of values by name. Write the result to `{outs[hosts[0]]}`.",
        "csv": f"`{values_path}` is CSV; each row after the header has a host's name and its values, by the names in "
        f"the header. Write for each host the file {', '.join(f'`{path}`' for path in texts)}.",
    }[source]
    told_lacking = {
        "default": "A placeholder for which there is no value becomes `none`.",
        "keep": "A placeholder for which there is no value stays as it is.",
        "drop": "A line with a placeholder for which there is no value is left out.",
    }[lacking]
    return Step(
        operator="",
        choices=(style, source, lacking),
        text=f"{desk.of(_OPENINGS)} `{template_path}` is a template, in which `{before}NAME{after}` stands for a "
        f"value, wherever it occurs, in comments too. {told_values} {told_lacking} Everything else stays as it is in "
        "the template"
        f"{', to the byte' if desk.knobs.strict else ''}. No other files are in `{desk.path('out')}`. Leave "
        f"`{template_path}` and `{values_path}` as they are.",
        starts=starts,
        effect=lambda tree: tree.joined(rendering(texts)),
        solve=bash(lacking),
        checks=checks,
        wrong=wrong,
        makes=tuple(texts),
        keeps=(template_path, values_path),
        gives=Artefact("lines", outs[hosts[0]], texts[outs[hosts[0]]].splitlines(), "the filled-in template"),
    )


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
