"""Archives are packed by a rule, unpacked by a rule, or made into another format."""

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Final

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.terminal.operators.files_words import EXTENSIONS, apart, contents, names, opening, prose, q, texts
from palestra.envs.terminal.step import Area, Artefact, Knobs, Operator, Shape, Step
from palestra.envs.terminal.tree import EPOCH, File, Tree

_FORMATS: Final = ("tar", "tar.gz", "zip")
_OPENINGS: Final[Mapping[str, Mapping[bool, tuple[str, ...]]]] = {
    "pack": {
        False: (
            "Pack files from below `{root}` into a {format} archive, `{archive}`:",
            "Make the {format} archive `{archive}` of files below `{root}`:",
        ),
        True: ("Put files from below `{root}` together in one {format} archive, `{archive}`:",),
    },
    "unpack": {
        False: ("From the {format} archive `{archive}`, unpack files into `{root}` (make the folder):",),
        True: ("`{archive}` is a {format} archive. Take files out of it, into the new folder `{root}`:",),
    },
    "convert": {
        False: ("Make the {other} archive `{second}` from the {format} archive `{archive}`, with some of its files:",),
        True: ("The {format} archive `{archive}` is to become a {other} archive, `{second}`, with part of its files:",),
    },
}
_RULES: Final = {
    "ending": "those whose names end with `.{kind}`, and no others.",
    "not in": "all those that do not stand in a folder called `{skip}`, at whatever depth that is.",
    "top": "only those that stand right at the top, in no folder.",
    "all": "all of them.",
}


class Archives:
    """Packs, unpacks and converts archives; which files, a rule says."""

    name = "files_archives"
    area: Area = "files"
    takes: Shape | None = "folder"

    def draw(self, draws: Draws, folder: str, given: Artefact | None, knobs: Knobs, *, heldout: bool) -> Step | None:
        task = "pack" if given else draws.pick(("pack", "unpack", "convert"))
        kind, skip = draws.pick(EXTENSIONS[heldout]), draws.pick(names(draws, 3, heldout=heldout))
        rule = "all" if given else draws.pick(("ending", "not in", "top"))
        form, other = draws.shuffled(_FORMATS)[:2]
        root = (
            given.path if given else f"{folder}/{draws.pick(('tree', 'stock') if not heldout else ('store', 'items'))}"
        )
        archive, second = f"{folder}/bundle.{form}", f"{folder}/bundle.{other}"
        held = dict(given.content) if given else _files(draws, kind, skip, knobs, heldout)
        skip = min(held) if rule == "all" else skip
        chosen = {path: text for path, text in held.items() if _rule(rule, kind, skip)(path)}
        if not chosen or (len(chosen) == len(held) and rule != "all"):
            return None
        inside = Tree({f"{root}/{path}": File(text.encode()) for path, text in held.items()})
        start = Tree() if given else inside if task == "pack" else Tree({archive: File(_packed(held, form))})
        made = {"pack": archive, "convert": second}.get(task, "")
        told = (
            opening(draws, _OPENINGS[task], heldout)
            + " "
            + _RULES[rule]
            + {
                "pack": " Names of members are relative to `{root}`. Leave the files as they are.",
                "unpack": " Paths below `{root}` are those that the members have in the archive. Leave the archive "
                "as it is.",
                "convert": " Names and contents of members stay the same. Leave `{archive}` as it is.",
            }[task]
        )

        def effect(tree: Tree) -> Tree:
            if task == "unpack":
                return tree.joined(Tree({f"{root}/{path}": File(text.encode()) for path, text in chosen.items()}))
            return tree.put(made, File(_packed(chosen, form if task == "pack" else other)))

        after = effect(start)
        checks: list[Json] = (
            contents(after, root)
            if task == "unpack"
            else [{"kind": "archive", "path": made, "format": form if task == "pack" else other, "members": chosen}]
        )
        return Step(
            operator=self.name,
            choices=(task, form, *((other,) if task == "convert" else ()), rule),
            text=told.format(root=root, archive=archive, second=second, format=form, other=other, kind=kind, skip=skip),
            starts=start,
            effect=effect,
            solve=apart(_solve(task, form, other, root, archive, second, _find(rule, kind, skip))),
            checks=tuple(checks),
            wrong={
                name: apart(line)
                for name, line in _wrong(task, form, other, root, archive, second, rule, kind, skip, made).items()
            },
            makes=tuple(f"{root}/{path}" for path in chosen) if task == "unpack" else (),
            keeps=() if given else tuple(start),
            tools=tuple({"zip": "zip", "unzip": "unzip"}[one] for one in _tools(task, form, other)),
            gives=Artefact("folder", root, texts(after, root), "the unpacked files") if task == "unpack" else None,
        )


def _tools(task: str, form: str, other: str) -> list[str]:
    packs, reads = {"pack": (form, ""), "unpack": ("", form), "convert": (other, form)}[task]
    return ["zip"] * (packs == "zip") + ["unzip"] * (reads == "zip")


def _rule(rule: str, kind: str, skip: str) -> Callable[[str], bool]:
    rules: dict[str, Callable[[str], bool]] = {
        "ending": lambda path: path.endswith(f".{kind}"),
        "not in": lambda path: skip not in path.split("/")[:-1],
        "top": lambda path: "/" not in path,
        "all": lambda path: True,
    }
    return rules[rule]


def _find(rule: str, kind: str, skip: str) -> str:
    """Return what find is told, in the folder that the paths are relative to."""
    return {
        "ending": f"-type f -name '*.{kind}'",
        "ending, loosely": f"-type f -name '*{kind}*'",
        "not in": f"-type f -not -path '*/{skip}/*'",
        "not in, loosely": f"-type f -not -path './{skip}/*'",
        "top": "-maxdepth 1 -type f",
        "top, loosely": "-maxdepth 2 -type f",
        "all": "-type f",
        "all, loosely": f"-type f -not -path {q(f'./{skip}')}",
    }[rule]


_WORK = "work=/tmp/repacked && rm -rf $work && mkdir $work"  # of one name, so that the same is left every time


def _solve(task: str, form: str, other: str, root: str, archive: str, second: str, find: str) -> str:
    packs = {"tar": "tar -cf {0} -T -", "tar.gz": "tar -czf {0} -T -", "zip": "zip -q -X {0} -@"}
    reads = {"tar": "tar -xf {0}", "tar.gz": "tar -xzf {0}", "zip": "unzip -q {0}"}
    listed = f"find . {find} | sed 's|^\\./||' | LC_ALL=C sort"
    if task == "pack":
        copied = f'{_WORK}\ncp -r {q(root)}/. "$work" && cd "$work" && find . -exec touch -d 2025-01-01 {{}} +'
        return f"{copied}\n{listed} | {packs[form].format(q(archive))}"
    unpacked = f'{_WORK}\ncd "$work" && {reads[form].format(q(archive))}\n'
    if task == "convert":
        return f"{unpacked}{listed} | {packs[other].format(q(second))}"
    loop = f"{listed} | while IFS= read -r p; do"
    return f'{unpacked}mkdir -p {q(root)}\n{loop}\n  mkdir -p "$(dirname {q(root)}/"$p")"; cp "$p" {q(root)}/"$p"\ndone'


def _wrong(
    task: str, form: str, other: str, root: str, archive: str, second: str, rule: str, kind: str, skip: str, made: str
) -> dict[str, str]:
    """Return what nearly does it: other files, and another place or format."""
    wrong = {
        "goes by the rule loosely": _solve(
            task, form, other, root, archive, second, _find(f"{rule}, loosely", kind, skip)
        )
    }
    right = _solve(task, form, other, root, archive, second, _find(rule, kind, skip))
    if task == "unpack":
        return {
            **wrong,
            "leaves the folders out": f"{right}\ncd {q(root)} && find . -mindepth 2 -type f -exec mv -t . {{}} "
            f'+\necho >> "$(find . -type f | head -n 1)"',
        }
    third = next(one for one in _FORMATS if one not in (form, other))
    format_ = _solve("convert", form, third, root, archive, made, _find(rule, kind, skip))
    if task == "pack":
        format_ = _solve("pack", other, third, root, made, second, _find(rule, kind, skip))
    return {**wrong, "another format": f"{format_}\n[ -e {q(made)} ] || mv {q(made)}.zip {q(made)}"}


def _files(draws: Draws, kind: str, skip: str, knobs: Knobs, heldout: bool) -> dict[str, str]:
    """Return files which every rule, and its loose form, tell apart."""
    words = [word for word in names(draws, max(6, min(knobs.size, 30)) + 3, heldout=heldout) if word != skip]
    folders = ("", "", f"{words[0]}/", f"{skip}/", f"{words[0]}/{skip}/", f"{words[1]}/")
    held = {}
    for place, word in enumerate(words[2:]):
        ending = (kind, f"{kind}.old", kind, f"{kind}x")[place // 2 % 4]
        held[f"{folders[place % len(folders)]}{word}.{ending}"] = prose(draws, 1, 3, heldout=heldout)
    return held


def _packed(held: Mapping[str, str], form: str) -> bytes:
    """Return an archive, the same bytes with any version of any library: nothing is compressed."""
    packed = io.BytesIO()
    if form == "zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as zipped:
            for path in sorted(held):
                told = zipfile.ZipInfo(path, (2025, 1, 1, 0, 0, 0))
                told.external_attr, told.create_system = 0o100644 << 16, 3
                zipped.writestr(told, held[path])
        return packed.getvalue()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(held):
            member, data = tarfile.TarInfo(path), held[path].encode()
            member.size, member.mtime = len(data), EPOCH
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue() if form == "tar" else _gzipped(packed.getvalue())


def _gzipped(data: bytes) -> bytes:
    parts = [data[at : at + 65535] for at in range(0, len(data), 65535)]
    blocks = b"".join(
        bytes([at == len(parts) - 1])
        + len(part).to_bytes(2, "little")
        + (len(part) ^ 0xFFFF).to_bytes(2, "little")
        + part
        for at, part in enumerate(parts)
    )
    tail = zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")
    packed = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + blocks + tail
    if gzip.decompress(packed) != data:
        raise ValueError("what was packed as gzip does not unpack to the same")
    return packed


OPERATORS: Final[tuple[Operator, ...]] = (Archives(),)
