"""Which languages work on this machine: each compiles and runs its hello world in the sandbox."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from palestra.envs.code.judge.bench import Bench
from palestra.envs.code.languages.language import Language, LanguageError, load_language
from palestra.envs.code.languages.shelf import find_language, language_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was seen of one language."""

    name: str
    title: str
    version: str  # the first line that its version command prints; "" if it cannot be used
    trouble: str  # why it cannot be used; "" if it can
    remedy: str  # a command that would help; "" if none is known
    is_locked: bool  # its programs can read and run nothing but their own language

    @property
    def works(self) -> bool:
        """Whether its hello world did what it should."""
        return not self.trouble


def examine_languages(names: Sequence[str] = (), *, backend: str = "native", unsafe: bool = False) -> Iterator[Finding]:
    """Try languages one after another, all of them by default, and tell of each what was seen.

    Raises:
        UnknownLanguageError: no language has one of the names.
        LanguageError: a folder of languages is missing, or a language that was named cannot be read.
        CapabilityError: the sandbox does not isolate programs here.
        InfraError: it could not be started.
    """
    wanted: Mapping[str, Language | Path] = {name: find_language(name) for name in names} or language_files()
    with closing(Bench.open(backend=backend, unsafe=unsafe, disk_mb=512)) as bench:
        for name, entry in wanted.items():
            yield _examine(bench, name, entry)


def _examine(bench: Bench, name: str, entry: Language | Path) -> Finding:
    if isinstance(entry, Path):
        try:
            entry = load_language(entry)
        except LanguageError as error:
            return Finding(name=name, title=name, version="", trouble=str(error), remedy="", is_locked=False)
    version, trouble = bench.version(entry)
    is_missing = not version and bool(trouble)
    if is_missing and (elsewhere := shutil.which(entry.version[0])):
        trouble += f"; {elsewhere} is on this machine, and the sandbox shows /usr"
    trouble = trouble or bench.greet(entry)
    remedy = f"apt-get install {' '.join(entry.packages)}" if trouble and entry.packages else ""
    if trouble and not is_missing and not bench.limits_trees:
        trouble += "; memory is limited by address space here, of which some languages reserve much"
        remedy = "sudo palestra code doctor"
    return Finding(
        name=name,
        title=entry.title,
        version="" if trouble else version,
        trouble=trouble,
        remedy=remedy,
        is_locked=bench.locks,
    )
