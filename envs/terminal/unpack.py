"""What lays files out in a fresh machine: it is given paths and archives, and tells which of the paths it found.

It runs before anything of an agent's does.
"""

import contextlib
import io
import json
import os
import sys
import tarfile


def main() -> None:
    """Read all from stdin, write files, folders and links, and print a JSON list of the paths that were there."""
    given = sys.stdin.buffer.read()
    size = int.from_bytes(given[:8], "big")
    head = json.loads(given[8 : 8 + size])
    place, found = 8 + size, set()
    for length in head["sizes"]:
        with tarfile.open(fileobj=io.BytesIO(given[place : place + length]), mode="r:") as archive:
            for member in archive:
                path = "/" + member.name.strip("/")
                for wanted in head["paths"]:
                    if f"{path}/".startswith(f"{wanted}/"):
                        with contextlib.suppress(OSError):  # a name or a place that this machine does not bear
                            write(archive, member, path)
                            found.add(wanted)
        place += length
    print(json.dumps(sorted(found)))


def write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
    """Write one member at a path, its owner left out; what is neither file, folder nor link is left out whole."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if member.isdir():
        os.makedirs(path, exist_ok=True)
        os.chmod(path, (member.mode & 0o777) | 0o700)
        return
    if not (member.isfile() or member.islnk() or member.issym()):
        return
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    if member.issym():
        os.symlink(member.linkname, path)
    elif file := archive.extractfile(member):
        with open(path, "wb") as target:
            target.write(file.read())
        os.chmod(path, member.mode & 0o777)
        os.utime(path, (member.mtime, member.mtime))


if __name__ == "__main__":
    main()
