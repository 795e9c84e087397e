"""Programs that stand in for those that would need a network, where a task's own scripts call them.

They do nothing and succeed if what is asked for is on this machine already, and fail with a line that says what is
missing if it is not. ``uv run`` and ``uvx`` run the command that they are given. What is on this machine has its own
version, whatever is asked for. Pytest is that of this Python: a copy of its source travels to where tests run.
"""

import functools
import importlib.metadata
import importlib.util
from pathlib import Path
from typing import Final

from palestra.envs.terminal.tree import File, Link, Node, Tree
from palestra.sandbox.base import PermanentInfraError

OURS: Final = "/.palestra"  # a folder in the machine that nothing of the task's is in
STAND_INS: Final = f"{OURS}/bin"
LIBRARY: Final = f"{OURS}/lib"
HOME: Final = f"{OURS}/home"
_NAMES: Final = ("apt", "apt-get", "pip", "pip3", "uv", "uvx", "curl", "wget", "pytest", "python")
_PACKAGES: Final = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "py")
_SCRIPT: Final = r"""#!/bin/bash
name=${0##*/}
says() { echo "palestra: $*; there is no network, and this machine does not have it" >&2; exit 100; }
without_us() { PATH=${PATH//@BIN@:/}; hash -r; }
has_package() {
  local package=${1%%=*}; package=${package%%:*}
  case $package in
    ca-certificates|python3-pip|python3-venv|python3-dev|python3-setuptools|locales|tzdata|libc6-dev) return 0;;
    coreutils|apt-transport-https|gnupg|lsb-release|tmux|asciinema|procps|sudo|bsdmainutils) return 0;;
    build-essential) package=gcc;;
    python-is-python3) package=python3;;
    xz-utils) package=xz;; bsdextrautils) package=column;; gawk) package=awk;; netcat-openbsd) package=nc;;
    iproute2) package=ss;; ripgrep) package=rg;; cron) return 0;;
  esac
  (without_us; command -v "$package" >/dev/null) || says "the package $package is wanted"
}
has_module() {
  local module=${1%%[=<>!~\[;@]*}; module=${module,,}; module=${module//-/_}
  case $module in pytest|pytest_json_ctrf|pip|setuptools|wheel|uv) return 0;; esac
  python3 -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$module') is None)" 2>/dev/null ||
    says "the Python package $module is wanted"
}
each() {
  local check=$1 word; shift
  while (($#)); do
    word=$1; shift
    case $word in
      -p|--python|--index-url|-i|--extra-index-url|-o|-t) shift;;
      -r)
        while IFS= read -r word; do word=${word%%#*}; word=${word// /}; [[ ! $word ]] || "$check" "$word"; done <"$1"
        shift;;
      -*|.) ;;
      *) "$check" "$word" || exit;;
    esac
  done
}
run() {
  while (($#)); do
    case $1 in
      -p|--python|-w|--with|--from|--index-url) case $1 in -w|--with) has_module "$2";; esac; shift 2;;
      -*) shift;;
      *) break;;
    esac
  done
  [[ $1 == *@* || $1 == *==* ]] && set -- "${1%%[@=]*}" "${@:2}"
  exec "$@"
}
case $name in
  apt|apt-get)
    while [[ $1 == -* ]]; do shift; done
    verb=$1; shift
    [[ $verb == install ]] && each has_package "$@"
    exit 0;;
  pip|pip3) verb=$1; shift; [[ $verb == install ]] && each has_module "$@"; exit 0;;
  uv)
    while [[ $1 == -* ]]; do shift; done
    verb=$1; shift
    case $verb in
      add) each has_module "$@";;
      pip) [[ $1 == install ]] && { shift; each has_module "$@"; };;
      run) run "$@";;
      tool) [[ $1 == run ]] && { shift; run "$@"; };;
      venv) mkdir -p .venv/bin; : >.venv/bin/activate;;
    esac
    exit 0;;
  uvx) run "$@";;
  curl|wget)
    if [[ "$*" == *astral.sh/uv* ]]; then
      mkdir -p "$HOME/.local/bin"; : >"$HOME/.local/bin/env"; exit 0
    fi
    without_us; exec "$name" "$@";;
  python) exec python3 "$@";;
  pytest)
    words=()
    while (($#)); do case $1 in --ctrf) shift 2;; --ctrf=*) shift;; *) words+=("$1"); shift;; esac; done
    exec python3 -c 'import sys; sys.path.pop(0); import pytest; sys.exit(pytest.main())' "${words[@]}";;
esac
""".replace("@BIN@", STAND_INS)


def stand_ins() -> Tree:
    """Return the programs, to be laid out in a machine."""
    nodes: dict[str, Node] = {f"{STAND_INS}/{name}": Link("stand-in") for name in _NAMES}
    return Tree({**nodes, f"{STAND_INS}/stand-in": File(_SCRIPT.encode(), 0o755)})


@functools.cache
def with_pytest() -> Tree:
    """Return the programs, and the source of pytest.

    Raises:
        PermanentInfraError: this Python has no pytest.
    """
    nodes: dict[str, Node] = dict(stand_ins())
    for name in _PACKAGES:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise PermanentInfraError(f"tests need {name}, which this Python does not have; pip install pytest")
        root = Path(found.origin).parent
        if Path(found.origin).name != "__init__.py":
            nodes[f"{LIBRARY}/{name}.py"] = File(Path(found.origin).read_bytes())
            continue
        for file in sorted(root.rglob("*.py")):
            nodes[f"{LIBRARY}/{name}/{file.relative_to(root)}"] = File(file.read_bytes())
    for name in ("pytest", "pluggy"):
        held = importlib.metadata.version(name)
        told = f"Metadata-Version: 2.1\nName: {name}\nVersion: {held}\n"
        nodes[f"{LIBRARY}/{name}-{held}.dist-info/METADATA"] = File(told.encode())
    return Tree({**nodes, **_pygments()})


def _pygments() -> dict[str, Node]:
    """Return modules in the place of those that pytest imports to colour what it shows, which does nothing here."""
    plain = "class {0}:\n    def __init__(self, *words, **more):\n        pass\n"
    made = {
        "__init__": "def highlight(code, lexer, formatter):\n    return code\n",
        "util": "class ClassNotFound(ValueError):\n    pass\n",
        "lexer": plain.format("Lexer"),
        "lexers/__init__": "",
        "lexers/diff": plain.format("DiffLexer"),
        "lexers/python": plain.format("PythonLexer"),
        "formatters/__init__": "",
        "formatters/terminal": plain.format("TerminalFormatter"),
    }
    return {f"{LIBRARY}/pygments/{name}.py": File(text.encode()) for name, text in made.items()}
