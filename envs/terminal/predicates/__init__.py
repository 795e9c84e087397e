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
