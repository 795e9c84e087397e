"""What can be asked of the files that a task ends with: a JSON object each, judged by `evaluate`.

Every predicate has ``"kind"`` and ``"group"``, the number of the step that it is about, from 0. Paths are absolute.
Conditions that stand together must all hold. A text may be given as ``{"base64": "..."}`` where it is no UTF-8, or
as ``{"sha256": "..."}`` where only its hash is to be known. Lists and objects are compared whole.

=========== ==================================================================================================
kind        keys
=========== ==================================================================================================
file        ``path``, and at least one of: ``equals`` a text, to the byte; ``lines`` a list, where a newline after
            the last is optional; ``lines_any_order`` each as often; ``contains`` a text or a list of them;
            ``lacks`` likewise; ``matches`` a regular expression that the whole text matches; ``exists`` or
            ``absent`` true. Beside them ``encoding``, of Python's, if it is not UTF-8. A file is a regular one.
json, toml  ``path``; ``equals`` a value, or ``absent`` true; ``at`` where in it, a list of keys and indexes;
            ``any_order`` true: the list there, in any order; ``tolerance`` of numbers. 1 and 1.0 are equal,
            1 and true are not; dates of TOML are texts as ISO has them.
ini         ``path``, ``at`` [section, key], and ``equals`` a text or ``absent`` true; keys as they are written.
csv         ``path``, ``rows`` lists of texts, the header, if any, among them unless it stands in ``header``;
            ``header`` a list; ``any_order`` true: rows other than ``header``; ``delimiter`` if it is no comma.
mode        ``path`` of a file or folder, ``equals`` in octal with four digits: "0640".
owner       ``path``, ``equals`` a number of a user.
mtime       ``path`` of a file, ``equals`` seconds since 1970.
link        ``path`` of a symbolic link, and ``target`` as it is written, or ``leads`` to an absolute path.
folder      ``path`` of a folder, which is all that is asked if nothing else is: ``files`` all paths below it,
            relative to it, that are no folders; ``folders`` those that are; ``lists`` the names right in it;
            ``count`` of all below it that is no folder. Order means nothing.
same        ``path``; ``sha256`` of a file, or ``tree`` of a folder: all that is below it, as `Tree.to_json` has it.
archive     ``path``, ``format`` tar, tar.gz, tar.bz2, tar.xz or zip; ``members`` an object of name to content, or
            ``names`` a list, of all its files; ``modes`` of some. Folders do not count, nor "./" before names.
            ``format`` gz, bz2 or xz: ``content``.
checksums   ``path``; ``of`` an object of name to hex digest, the lines that sha256sum and the like write, in any
            order; ``ordered`` true: sorted as ``of`` is written. "*" before names, and "./", do not count.
sqlite      ``path``, ``query`` one SELECT, ``rows`` a list of lists; ``any_order`` true; ``tolerance``. Blobs are
            ``{"base64": ...}``.
git         ``path`` of a folder with ``.git`` in it, and any of: ``branch`` that is checked out; ``branches`` and
            ``tags`` the names of all; ``clean`` true: no tracked file differs from the index, nor that from HEAD.
            And of the revision ``at`` (a branch, tag or commit, with ~N; HEAD if not told): ``subjects`` of it and
            its first parents, newest first; ``files`` an object of path to content, of all; ``has`` of some;
            ``without`` paths; ``parents`` how many; ``author`` "name <address>"; ``message`` whole, ``ancestor`` a
            revision; ``commits`` how many can be reached. ``lacks`` a text: no object of any branch or tag has it.
runs        ``command`` words; ``files`` paths of files and folders laid out in a fresh machine, where the command
            starts in ``/workspace`` and finds nothing else of the agent's; ``cases`` objects with any of ``stdin``,
            ``args`` to add to the command, ``files`` path to text, and with ``stdout``, ``exit`` 0 if not told,
            ``makes`` path to text, of files that it writes; ``compare`` exact, lines (as if not told), tokens,
            unordered_lines or floats; ``seconds`` for each case, 5 if not told.
listens     ``command`` words and ``files`` as for runs; ``port`` of localhost; ``cases`` objects with ``send`` a
            text, and any of ``equals``, ``contains``, ``matches`` of what is answered until the connection ends or
            nothing comes for a second; ``seconds`` until the port must be open, 5 if not told.
=========== ==================================================================================================

`runs` and `listens` are judged by running something, see `palestra.envs.terminal.runs`; all others are judged of a tree
alone.
"""

from collections.abc import Mapping, Sequence
from posixpath import normpath
from typing import Any, Final

from palestra.envs.terminal.predicates.content import Predicate
from palestra.envs.terminal.predicates.judging import reason
from palestra.envs.terminal.tree import Tree
from palestra.rewards.base import Check, VerifierError

__all__ = ["RUNNING", "Predicate", "check_predicate", "evaluate", "name_of"]

RUNNING: Final = frozenset({"runs", "listens"})  # kinds that need a machine
_KEYS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {  # by kind: what is needed, and what may be
    kind: (frozenset(needed.split()), frozenset(more.split()))
    for kind, needed, more in (
        ("file", "path", "equals lines lines_any_order contains lacks matches exists absent encoding"),
        ("json", "path", "equals absent at any_order tolerance"),
        ("toml", "path", "equals absent at any_order tolerance"),
        ("ini", "path at", "equals absent"),
        ("csv", "path rows", "header any_order delimiter"),
        ("mode", "path equals", ""),
        ("owner", "path equals", ""),
        ("mtime", "path equals", ""),
        ("link", "path", "target leads"),
        ("folder", "path", "files folders lists count"),
        ("same", "path", "sha256 tree"),
        ("archive", "path format", "members names modes content"),
        ("checksums", "path of", "ordered"),
        ("sqlite", "path query rows", "any_order tolerance"),
        (
            "git",
            "path",
            "branch branches tags clean at subjects files has without parents author message ancestor commits lacks",
        ),
        ("runs", "command files cases", "compare seconds"),
        ("listens", "command files port cases", "seconds"),
    )
}
_ONE_OF: Final[Mapping[str, frozenset[str]]] = {  # by kind: at least one of these
    "file": frozenset(["equals", "lines", "lines_any_order", "contains", "lacks", "matches", "exists", "absent"]),
    "json": frozenset({"equals", "absent"}),
    "toml": frozenset({"equals", "absent"}),
    "ini": frozenset({"equals", "absent"}),
    "link": frozenset({"target", "leads"}),
    "same": frozenset({"sha256", "tree"}),
    "archive": frozenset({"members", "names", "content"}),
    "git": _KEYS["git"][1] - {"at"},
}
_FORMATS: Final = ("tar", "tar.gz", "tar.bz2", "tar.xz", "zip", "gz", "bz2", "xz")


def evaluate(tree: Tree, predicate: Predicate) -> Check:
    """Return whether a predicate holds of a tree, and why not.

    It is for trees of our own; what an agent left is judged in a slot, by `palestra.envs.terminal.verify`.

    Raises:
        VerifierError: it is malformed, or needs a machine.
    """
    check_predicate(predicate)
    if predicate["kind"] in RUNNING:
        raise VerifierError(f"a predicate of kind {predicate['kind']!r} is judged by running something, not of a tree")
    told = reason(tree, predicate)
    return Check(name=name_of(predicate), passed=not told, evidence=told)


def name_of(predicate: Predicate) -> str:
    """Return what a predicate's check is called: its group, its kind and what it is about."""
    about = predicate.get("path") or " ".join(predicate["command"])
    return f"step {predicate['group'] + 1}: {predicate['kind']} {about}"[:200]


def check_predicate(predicate: Any) -> None:
    """Refuse a predicate that asks for nothing, or for what nobody knows.

    Raises:
        VerifierError: it is malformed; the message says how.
    """
    if not isinstance(predicate, Mapping) or predicate.get("kind") not in _KEYS:
        raise VerifierError(f"a predicate is an object with a kind of {', '.join(_KEYS)}, not {predicate!r:.120}")
    kind, keys = predicate["kind"], set(predicate) - {"kind", "group"}
    needed, more = _KEYS[kind]
    if type(predicate.get("group")) is not int:
        raise VerifierError(f"a predicate's group is the number of its step, not {predicate.get('group')!r}")
    if unknown := sorted(keys - needed - more):
        raise VerifierError(f"a predicate of kind {kind!r} knows nothing of {unknown[0]!r}: {predicate!r:.120}")
    if lacking := sorted(needed - keys):
        raise VerifierError(f"a predicate of kind {kind!r} needs {lacking[0]!r}: {predicate!r:.120}")
    if kind in _ONE_OF and not keys & _ONE_OF[kind]:
        raise VerifierError(f"a predicate of kind {kind!r} asks for one of {', '.join(sorted(_ONE_OF[kind]))}")
    paths = predicate["files"] if kind in RUNNING else [predicate["path"]]
    if not all(isinstance(path, str) and path[:1] == "/" and normpath(path) == path for path in paths):
        raise VerifierError(f"a predicate's paths are absolute, in their shortest form, not {paths!r:.120}")
    if kind in RUNNING:
        _check_running(predicate)
    elif kind == "archive" and predicate["format"] not in _FORMATS:
        raise VerifierError(f"an archive's format is one of {', '.join(_FORMATS)}, not {predicate['format']!r}")


def _check_running(predicate: Predicate) -> None:
    command, cases = predicate["command"], predicate["cases"]
    for listed in (command, cases):
        if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
            raise VerifierError(f"what runs has a list of words and at least one case, not {listed!r:.120}")
    wanted = {"stdout"} if predicate["kind"] == "runs" else {"send"}
    for case in cases:
        if not isinstance(case, Mapping) or not wanted <= set(case):
            raise VerifierError(f"a case of {predicate['kind']!r} is an object with {wanted}, not {case!r:.120}")
