"""Which files decide an environment's episodes: its family's, and what they import of palestra, read and not run.

The family's folder counts whole, its data as well. Beside it count the modules that it imports of `palestra.envs`,
of `palestra.rewards` and of its own distribution, and what these import in turn; so the core does as well, which
every family imports. The module `attacks` decides no episode, so what it imports does not count.
"""

import ast
import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from palestra.envs.base import TaskError
from palestra.envs.reading import python_tree

STAMP_SUFFIX = ".certificate.json"  # of an environment's own certificate, which tells of the code and is no part of it
_CORE = ("palestra.envs", "palestra.rewards")
_ENV = "palestra.envs.env"  # what every episode runs through


def sources(entry_point: str) -> dict[str, Path]:
    """Return the files that decide an environment's episodes, by names that are the same on every machine.

    Nothing is imported but the parent packages of the family's module.

    Raises:
        TaskError: there is no such module.
    """
    module = entry_point.split(":")[0]
    file = _file_of(module, entry_point)
    package = module.rpartition(".")[0]  # a module of no package has no folder of its own
    family = sorted(path for path in file.parent.rglob("*") if _is_source(path)) if package else [file]
    found = {path.relative_to(file.parent).as_posix(): path for path in family}
    modules = {_module_name(package, name): path for name, path in found.items() if path.suffix == ".py"}
    imported = _followed(modules, _roots(module))
    return found | {name: path for name, path in imported.items() if name not in modules}


def _followed(modules: Mapping[str, Path], roots: Mapping[str, list[Path]]) -> dict[str, Path]:
    """Return the modules that some modules import, and those that these do, as far as they stand below the roots."""
    begun = {name: path for name, path in modules.items() if name.rpartition(".")[2] != "attacks"}
    found: dict[str, Path] = {}
    waiting = [_ENV, *_imports_of(begun)]
    while waiting:
        name = waiting.pop()
        path = None if name in found else _located(name, roots)
        if path is not None:
            found[name] = path
            waiting += _imports_of({name: path})
    return found


def _imports_of(modules: Mapping[str, Path]) -> Iterator[str]:
    for name, path in modules.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for imported in _imports(path.read_bytes()):
            level = len(imported) - len(imported.lstrip("."))
            above = package.split(".")[: len(package.split(".")) + 1 - level] if level else []
            yield from _with_parents(".".join([*above, *filter(None, [imported[level:]])]))


def _with_parents(name: str) -> Iterator[str]:
    """Yield a module and the packages that it stands in, which an import of it runs as well."""
    while name:
        yield name
        name = name.rpartition(".")[0]


@lru_cache(maxsize=512)
def _imports(code: bytes) -> tuple[str, ...]:
    """Return what a module imports, anywhere in it: modules, and names that may be modules; dots say "from here".

    What is imported for type checkers alone does not count. A file that is no Python imports nothing.
    """
    try:
        tree = python_tree(code)
    except (SyntaxError, ValueError):
        return ()
    found: list[str] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found += [base, *(f"{base}{'.' * bool(node.module)}{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)
    return tuple(dict.fromkeys(found))


def _roots(module: str) -> dict[str, list[Path]]:
    """Return the packages below which imports are followed, and where each is."""
    top = module.partition(".")[0]
    own = [top] if "." in module and top != "palestra" else []
    return {name: list(_folders(name)) for name in (*_CORE, *own)}


def _folders(package: str) -> Iterable[Path]:
    spec = importlib.util.find_spec(package)
    return map(Path, spec.submodule_search_locations or ()) if spec else ()


def _located(name: str, roots: Mapping[str, list[Path]]) -> Path | None:
    """Return the file of a module below one of the roots, if there is such a module."""
    for root, folders in roots.items():
        if name == root or name.startswith(f"{root}."):
            below = name[len(root) + 1 :].split(".") if name != root else []
            for folder in folders:
                whole = folder.joinpath(*below)
                files = [whole / "__init__.py", *([whole.with_name(f"{whole.name}.py")] if below else [])]
                found = next((file for file in files if file.is_file()), None)
                if found:
                    return found
    return None


def _file_of(module: str, entry_point: str) -> Path:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError as error:
        raise TaskError(f"the entry point {entry_point!r} names no module: {error}") from error
    if spec is None or spec.origin is None:
        raise TaskError(f"the entry point {entry_point!r} names no module that is a file")
    return Path(spec.origin)


def _module_name(package: str, path: str) -> str:
    """Return the name of the module that stands at a path within a package's folder."""
    parts = path.removesuffix(".py").split("/")
    return ".".join(filter(None, [package, *parts[: -1 if parts[-1] == "__init__" else None]]))


def _is_source(path: Path) -> bool:
    is_text = path.is_file() and path.suffix in (".py", ".json", ".toml", ".yaml", ".txt")
    return is_text and "__pycache__" not in path.parts and not path.name.endswith(STAMP_SUFFIX)
