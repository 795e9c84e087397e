"""What a slot is made of, worked out on the host before anything is started."""

import glob
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import palestra.sandbox
from palestra.sandbox.base import PermanentInfraError
from palestra.sandbox.outcome import program_environment

ROOT_ID, AGENT_ID = 0, 1000  # user and group ids inside: the fork-server's and the programs'
PACKAGE_DIR = "/opt/palestra"  # where a slot finds this folder's code
WORKSPACE = "/workspace"

_HOST_IDS = ((100_000, 101_000), (64_000, 64_001))  # of both on the host, where root may choose; the first to exist
_PLAIN_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_PLAIN_FILES = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime")
_SETTINGS = ("/etc/R", "/etc/java-*-openjdk", "/var/lib/ghc")  # of what lies in /usr: Debian has links there to them
_SITE_FOLDER_NAMES = ("site-packages", "dist-packages")
_DEVICES = ("/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The private root, the ids and the imports of a slot. It crosses to the launcher as JSON."""

    owner_pid: int  # the slot dies with this process
    host_ids: tuple[int, int] | None  # of ROOT_ID and AGENT_ID; None: one id, the caller's own, is AGENT_ID
    folders: tuple[str, ...]  # bound read-only at their own path, files among them
    devices: tuple[str, ...]
    links: dict[str, str]
    hidden: tuple[str, ...]  # covered by an empty folder
    package: str  # the host folder whose `sandbox` is bound below PACKAGE_DIR
    python: str
    import_dirs: tuple[str, ...]  # added to sys.path
    preload: tuple[str, ...]
    server: str = "palestra.sandbox.native.forkserver"  # the module whose `main` serves the slot from inside
    id_range: tuple[int, int] | None = None  # where a slot needs many ids, in place of the two: the first, and how many
    cgroup_procs: tuple[str, ...] = ()  # files that the slot's first process is written to
    cgroup_dirs: tuple[str, ...] = ()  # removed when it has ended

    @classmethod
    def make(cls, preload: tuple[str, ...]) -> Self:
        """Return the plan for this host, this interpreter and these imports.

        Raises:
            PermanentInfraError: root may not use two more user ids here.
        """
        package = Path(palestra.sandbox.__file__).resolve().parent.parent
        import_dirs = _site_folders() if preload else ()
        links = {path: os.readlink(path) for path in _PLAIN_FOLDERS if os.path.islink(path)}
        settings = [path for pattern in _SETTINGS for path in sorted(glob.glob(pattern))]
        wanted = [path for path in _PLAIN_FOLDERS if path not in links]
        wanted += [sys.base_prefix, *import_dirs, *_PLAIN_FILES, *settings]
        wanted = [os.path.normpath(path) for path in wanted if os.path.exists(path)]
        outermost = [path for path in wanted if not _inside(path, wanted)]
        hidden = _hidden_places(package, outermost, import_dirs)
        needed = [path for path in wanted if _inside(path, hidden)]  # bound again, over what hides them
        return cls(
            owner_pid=os.getpid(),
            host_ids=_choose_host_ids() if os.geteuid() == 0 else None,
            folders=tuple(dict.fromkeys(outermost + needed)),
            devices=tuple(path for path in _DEVICES if os.path.exists(path)),
            links=links,
            hidden=tuple(hidden),
            package=str(package),
            python=os.path.realpath(getattr(sys, "_base_executable", sys.executable)),
            import_dirs=import_dirs,
            preload=preload,
        )

    def environment(self) -> dict[str, str]:
        """Return the variables that every program inside starts with."""
        return program_environment(self.python, "/tmp")

    def to_json(self) -> str:
        """Return the plan as text for `from_json`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the plan that `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        lists: dict[str, Any] = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        return cls(**{**fields, **lists})


def bootstrap(module: str) -> str:
    """Return Python source that runs a module's `main`, given the folder of `sandbox` as first argument.

    The package `palestra` is made up on the spot, so that nothing but this folder is imported or bound.
    """
    return (
        "import sys, types; package = types.ModuleType('palestra'); package.__path__ = [sys.argv.pop(1)]; "
        f"sys.modules['palestra'] = package; from {module} import main; main()"
    )


def bare_bootstrap(module: str) -> str:
    """Return Python source that runs a module's `main` in a slot, without the code of the packages on the way.

    It is for what is started for every program, and so must import little.
    """
    names = ["palestra", *(module.rsplit(".", depth)[0] for depth in (2, 1)), "palestra.sandbox.native"]
    return (
        f"import sys, types\nfor name in {names}:\n"
        " package = sys.modules[name] = types.ModuleType(name)\n"
        f" package.__path__ = [{PACKAGE_DIR!r} + name.removeprefix('palestra').replace('.', '/')]\n"
        f"from {module} import main; main()"
    )


def _site_folders() -> tuple[str, ...]:
    """Return where this interpreter finds what is not in the standard library."""
    return tuple(dict.fromkeys(os.path.realpath(path) for path in sys.path if path.endswith(_SITE_FOLDER_NAMES)))


def _inside(path: str, places: Iterable[str]) -> bool:
    return any(path.startswith(place + "/") for place in places)


def _hidden_places(package: Path, folders: list[str], import_dirs: tuple[str, ...]) -> list[str]:
    """Return what programs would otherwise see below the bound folders.

    That is palestra itself, whose generators know the answers to its tasks; projects, which container
    images keep in /usr/src by custom; and packages that nobody asked for, which differ from host to host.
    """
    places = {str(package), str(Path(palestra.sandbox.__file__).parent.parent), "/usr/src"}
    for folder in (*folders, "/usr/local"):
        for name in _SITE_FOLDER_NAMES:
            places |= {str(place) for place in Path(folder).glob(f"lib*/python3*/{name}")}
    places -= set(import_dirs)
    places |= {f"{folder}/palestra" for folder in import_dirs}
    return sorted(place for place in places if os.path.isdir(place) and _inside(place, folders))


def _choose_host_ids() -> tuple[int, int]:
    """Return two ids that this user namespace maps and no account is likely to have."""
    maps = [Path(file).read_text().splitlines() for file in ("/proc/self/uid_map", "/proc/self/gid_map")]
    spans = [[(int(line.split()[0]), int(line.split()[2])) for line in lines] for lines in maps]
    for pair in _HOST_IDS:
        if all(any(start <= wanted < start + count for start, count in table) for table in spans for wanted in pair):
            return pair
    raise PermanentInfraError(
        f"root in this container has none of the user ids {_HOST_IDS} that sandboxed programs would run as; "
        "run as an ordinary user, or give the container a larger range of ids"
    )
