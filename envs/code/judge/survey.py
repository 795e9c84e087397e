"""Finds, inside the sandbox, the files that a language's programs must reach. Sent as source, once a language."""

import glob
import json
import os
import shutil
import sys

_RUNTIMES = ("c", "m", "dl", "pthread", "rt", "gcc_s", "stdc++", "gfortran", "quadmath", "gmp", "ffi", "atomic")
_ANY_PROGRAM_READS = (
    *("/workspace", "/tmp", "/proc", "/dev", "/etc", "/usr/lib/locale", "/usr/share/zoneinfo", "/usr/lib/*/gconv"),
    *(f"/usr/lib/*-linux-gnu*/lib{name}.so*" for name in _RUNTIMES),  # and no library that is an interpreter
    *("/lib/ld-*", "/lib64/ld-*"),
)
_LOADERS = ("/lib64/ld-*", "/lib/ld-*", "/lib/*-linux-gnu*/ld-*")


def main(asked: dict[str, list[str]]) -> None:
    """Print what a plan for `cell` needs: ``asked`` has the patterns of a language, and its command."""
    reads, runs, command = [*_ANY_PROGRAM_READS, *asked["reads"]], [*asked["runs"], *_LOADERS], asked["command"]
    if command:
        own = shutil.which(command[0])
        found = _found(runs) + ([os.path.realpath(own)] if own else [])
        is_made = not own and "/" in command[0]  # by a compiler that has yet to run
        print(json.dumps({"reads": _found(reads), "runs": found + ([command[0]] if is_made else [])}))
    else:
        modules = [sys.base_prefix + "/lib", "/usr/lib/*-linux-gnu*", *filter(None, sys.path)]
        print(json.dumps({"reads": _found([*reads, *modules]), "runs": []}))


def _found(patterns: list[str]) -> list[str]:
    return list(dict.fromkeys(os.path.realpath(path) for pattern in patterns for path in glob.glob(pattern)))


if __name__ == "__survey__":  # as the host starts it
    main(json.loads(sys.argv[1]))
