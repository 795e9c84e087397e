"""Tasks that came as folders: what of a folder an episode needs, and the folder again."""

import base64
import gzip
import math
import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from palestra.envs.base import Budget, Json, Split, Task, TaskError
from palestra.envs.terminal.formats.dockerfile import BASES, Recipe, interpret, is_usual_base
from palestra.envs.terminal.formats.images import image_of, setup_of
from palestra.envs.terminal.formats.offline import STAND_INS, stand_ins
from palestra.envs.terminal.formats.package import Package
from palestra.envs.terminal.step import HOME
from palestra.envs.terminal.tools import TOOLS
from palestra.envs.terminal.tree import File, Tree

_TURNS: Final = 100
_AGENT_S, _TESTS_S = 600.0, 600.0
_MOST_S: Final = 3600.0
_MOST_SOLUTION_BYTES: Final = 512 * 1024  # packed: it is typed into a shell
_CARRIED: Final = (  # what an agent may be asked to change, beside the task's own folder
    "/app", "/data", "/home", "/logs/artifacts", "/mnt", "/output", "/results", "/root", "/srv", "/tmp", HOME,
)  # fmt: skip
_NAMED: Final = re.compile(r"(?<![\w./~$}-])/([a-z][\w-]*)(?=[/\"'\s])")
_SYSTEM: Final = frozenset(
    [".palestra", "bin", "boot", "dev", "etc", "lib", "lib64", "logs", "proc", "run", "sbin", "solution", "sys"]
) | {"tests", "usr"}
_LINE, _LINES = 76, 500  # of a packed solution: characters in a line, and lines in one command
_SHOWN: Final = 5  # obstacles told


def task_of(package: Package, *, number: int, split: Split, source: str, where: str, in_docker: bool = False) -> Task:
    """Return the task of a folder.

    Args:
        package: what the folder holds.
        number: the task's among its like.
        split: which it belongs to.
        source: the name of the format it came in.
        where: the folder's name for messages.
        in_docker: have Docker build its image even if it could do without.

    Raises:
        TaskError: it makes no sense, or needs what there is not; the message names file and line.
    """
    recipe = _recipe(package, where)
    if refusals := [*recipe.refusals, *_unplayable(package.settings, where)]:
        raise TaskError(f"{_listed(refusals)}. This task cannot be played here")
    public: dict[str, Json] = {"image": ""}
    if recipe.obstacles or in_docker:
        recipe, image = _with_docker(package, recipe, where)
        public = {"image": image, "sandbox": "docker"}
    agent_s = min(_seconds(package.settings, "agent", _AGENT_S), _MOST_S)
    tests_s = min(_seconds(package.settings, "verifier", _TESTS_S), _MOST_S)
    mode = _mode(package.settings)
    hidden: dict[str, Json] = {
        "start": (recipe.start.joined(stand_ins()) if STAND_INS in recipe.setup else recipe.start).to_json(),
        "setup": recipe.setup,
        "enter": _enter(recipe),
        "services": [],
        "checks": [],
        "steps": _steps(package, recipe, where),
        "tests": {
            "mode": mode,
            "carry": _carried(package, recipe, where) if mode == "separate" else [],
            "env": {**recipe.env, **_variables(package.settings, "verifier", where)},
            "workdir": recipe.workdir,
            "seconds": tests_s,
        },
        "package": package.to_json(),
    }
    return Task(
        id=f"terminal/{source}/{package.name}/{split}/{number}",
        family="terminal",
        seed=number,
        instruction=package.instruction.strip() + "\n",
        tools=TOOLS,
        budget=Budget(turns=_TURNS, seconds=agent_s + tests_s + 120.0),
        public={"limits": {"seconds": math.ceil(agent_s), "command_s": min(math.ceil(agent_s), 600)}, **public},
        hidden=hidden,
        provenance={"template": package.name, "split": split, "source": source},
    )


def solution_of(task: Task) -> list[Json]:
    """Return the steps of a task's solution; none if it came without."""
    steps: list[Json] = list(task.hidden["steps"])
    return steps


def package_of(task: Task) -> Package:
    """Return the folder that a task came from.

    Raises:
        TaskError: it came from none.
    """
    try:
        return Package.from_json(task.hidden["package"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TaskError(f"{task.id!r} came from no folder: {error!r}") from error


def _with_docker(package: Package, recipe: Recipe, where: str) -> tuple[Recipe, str]:
    """Return how a task begins in the image of its Dockerfile, and the image's name."""
    try:
        image = image_of(package, where)
    except TaskError as error:
        if not recipe.obstacles:
            raise
        raise TaskError(f"{_listed(recipe.obstacles)}. So this task needs Docker, and: {error}") from error
    known = {name: value for name, value in image.env.items() if re.fullmatch(r"[A-Za-z_]\w*", name)}
    env = {**known, **_variables(package.settings, "environment", where)}
    workdir = _workdir(package, image.workdir, where)
    return Recipe(start=Tree(), setup=setup_of(image), env=env, workdir=workdir, obstacles=()), image.name


def _listed(obstacles: Sequence[str]) -> str:
    more = f"; and {len(obstacles) - _SHOWN} more" if len(obstacles) > _SHOWN else ""
    return "; ".join(obstacles[:_SHOWN]) + more


def _workdir(package: Package, usual: str, where: str) -> str:
    workdir = posixpath.normpath(package.settings.get("environment", {}).get("workdir") or usual)
    if not workdir.startswith("/"):
        raise TaskError(f"{where}/task.toml: environment.workdir: {workdir!r} is no absolute path")
    return workdir


def _recipe(package: Package, where: str) -> Recipe:
    told = package.settings.get("environment", {})
    image = told.get("docker_image", "")
    if image and "/Dockerfile" not in package.environment:
        obstacles = (
            ()
            if is_usual_base(image)
            else (f"{where}/task.toml: environment.docker_image: {image} is none of {BASES}",)
        )
        recipe = Recipe(start=Tree(), setup="", env={}, workdir="/", obstacles=obstacles)
    else:
        recipe = interpret(package.environment, f"{where}/environment")
    composed = [
        f"{where}/environment{path}: is not supported"
        for path in ("/docker-compose.yaml", "/docker-compose.yml", "/compose.yaml")
        if path in package.environment
    ]
    env = {**recipe.env, **_variables(package.settings, "environment", where)}
    workdir = _workdir(package, recipe.workdir, where)
    return replace(recipe, env=env, workdir=workdir, refusals=(*recipe.refusals, *composed))


def _unplayable(settings: Mapping[str, Any], where: str) -> list[str]:
    """Return which fields ask for what there is not."""
    environment, verifier = settings.get("environment", {}), settings.get("verifier", {})
    asked = {
        "environment.gpus": environment.get("gpus"),
        "environment.healthcheck": environment.get("healthcheck"),
        "environment.mcp_servers": environment.get("mcp_servers"),
        "environment.os": environment.get("os", "linux").lower() != "linux",
        "verifier.environment": verifier.get("environment"),
        "verifier.collect": verifier.get("collect"),
        "agent.user": settings.get("agent", {}).get("user", "root") not in ("root", "0", 0),
        "verifier.user": verifier.get("user", "root") not in ("root", "0", 0),
    }
    return [f"{where}/task.toml: {field}: is not supported" for field, is_asked in asked.items() if is_asked]


def _variables(settings: Mapping[str, Any], table: str, where: str) -> dict[str, str]:
    told: dict[str, str] = dict(settings.get(table, {}).get("env", {}))
    for name, value in told.items():
        if "${" in value:
            raise TaskError(f"{where}/task.toml: {table}.env.{name}: {value!r} asks for a variable of the host's")
    return told


def _seconds(settings: Mapping[str, Any], table: str, usual: float) -> float:
    return float(settings.get(table, {}).get("timeout_sec", usual))


def _mode(settings: Mapping[str, Any]) -> Literal["shared", "separate"]:
    """Return where tests run: in a fresh machine, unless the task says that it must be the agent's."""
    asked = settings.get("verifier", {}).get("environment_mode", "separate")
    return "shared" if asked == "shared" else "separate"


def _carried(package: Package, recipe: Recipe, where: str) -> list[str]:
    """Return the paths that go from the agent's machine to that of the tests.

    They are what the task declares; or else folders of the root that are no part of the system, of those that are usual
    or named in the tests.
    """
    settings = package.settings
    texts = [node.data.decode("utf-8", "replace") for node in package.tests.values() if isinstance(node, File)]
    told = [one if isinstance(one, str) else one["source"] for one in settings.get("artifacts", ())]
    declared = [posixpath.normpath(path) for path in told]
    if wrong := [path for path in declared if not path.startswith("/") or path == "/"]:
        raise TaskError(f"{where}/task.toml: artifacts: {wrong[0]!r} is no absolute path below /")
    named = [*recipe.start, *(f"/{found}" for text in texts for found in _NAMED.findall(text))]
    tops = {f"/{path.split('/')[1]}" for path in named if path.split("/")[1] not in _SYSTEM}
    paths = declared or [*_CARRIED, *tops, *([recipe.workdir] if recipe.workdir != "/" else [])]
    found: list[str] = []
    for path in sorted(set(paths), key=lambda path: path.split("/")):
        if not found or not path.startswith(f"{found[-1]}/"):
            found.append(path)
    return found


def _enter(recipe: Recipe) -> str:
    """Return the line with which the agent's shell begins."""
    exports = "".join(f"export {name}={shlex.quote(value)}; " for name, value in recipe.env.items())
    return f"{exports}mkdir -p {shlex.quote(recipe.workdir)} && cd {shlex.quote(recipe.workdir)}"


def _steps(package: Package, recipe: Recipe, where: str) -> list[Json]:
    if not package.solution:
        return []
    packed = _packed(package.solution)
    if len(packed) > _MOST_SOLUTION_BYTES:
        raise TaskError(f"{where}/solution: has more than {_MOST_SOLUTION_BYTES:,} bytes when it is packed")
    lines = [packed[at : at + _LINE] for at in range(0, len(packed), _LINE)]
    parts = ["\n".join(lines[at : at + _LINES]) for at in range(0, len(lines), _LINES)]
    exports = {**recipe.env, **_variables(package.settings, "solution", where)}
    variables = "".join(f"export {name}={shlex.quote(value)}; " for name, value in exports.items())
    run = (
        "mkdir -p /solution && base64 -d /.solution | tar -xzf - -C /solution\n"
        f"({variables}cd {shlex.quote(recipe.workdir)} && bash /solution/solve.sh </dev/null >/dev/null 2>&1)\n"
        "rm -rf /solution /.solution"
    )
    typed = [f"cat >> /.solution <<'END'\n{part}\nEND" for part in parts]
    solves = [*typed[:-1], f"{typed[-1]}\n{run}"]
    return [{"operator": "solution", "choices": [], "solve": solve, "wrong": {}} for solve in solves]


def _packed(tree: Tree) -> str:
    """Return a tree as base64 of a packed archive, the same for the same tree."""
    return base64.b64encode(gzip.compress(tree.to_tar(), mtime=0)).decode()
