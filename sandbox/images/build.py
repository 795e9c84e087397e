"""Builds an image: mmdebstrap unpacks Debian packages, and what is of the building machine is taken out.

A build happens in a folder of its own and is put in place by one rename, so one that is killed leaves
nothing that is used, and the next one removes its leavings. The same recipe and the same versions of the
packages give the same digest. The versions themselves are those that the package archive has on the
day: a recipe names a Debian release, whose point releases and security fixes change them. `Image.packages`
says which they were.
"""

import contextlib
import errno
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from palestra.sandbox.base import InfraError, PermanentInfraError
from palestra.sandbox.images import store
from palestra.sandbox.images.recipe import Recipe, RecipeError
from palestra.sandbox.images.store import Image
from palestra.sandbox.images.tree import digest_tree

_EPOCH = 1_735_689_600  # 2025-01-01: no file of an image is younger, so that a build's date leaves no trace
_AGENT = 1000
_FOLDERS = {"dev": 0o755, "proc": 0o755, "sys": 0o755, "run": 0o755, "etc": 0o755, "workspace": 0o755}
_FOLDERS |= {"root": 0o700, "tmp": 0o1777, "var/tmp": 0o1777}
_OF_THE_BUILDER = (  # configuration and caches of the machine that builds, or of the day
    *("etc/hostname", "etc/resolv.conf", "etc/apt/sources.list", "etc/apt/sources.list.d/*"),
    *("etc/apt/apt.conf.d/99mmdebstrap", "etc/dpkg/dpkg.cfg.d/99mmdebstrap", "var/cache/apt/*"),
    *("var/cache/debconf/*-old", "var/cache/ldconfig/aux-cache", "var/lib/apt/*", "var/lib/dpkg/*-old", "var/log/*"),
)
_NOT_UNPACKED = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/man/??/*")
_USERS = {
    "etc/passwd": ("root:x:0:0:root:/root:/bin/sh\n", f"agent:x:{_AGENT}:{_AGENT}:agent:/workspace:/bin/sh\n"),
    "etc/group": ("root:x:0:\n", f"agent:x:{_AGENT}:\n"),
}
_COMPLAINT_LINES = 2
_LOOK_EVERY_S, _LEAST_ROOM_BYTES = 0.1, 1 << 20
_STILL_S, _LITTLE_ROOM_BYTES = 120.0, 64 << 20
_ELSEWHERE = "set PALESTRA_CACHE to a folder"
_HINTS = {
    errno.ENOSPC: f"; free some room, or {_ELSEWHERE} that has more",
    errno.EACCES: f"; {_ELSEWHERE} that you may write to",
    errno.EROFS: f"; {_ELSEWHERE} that you may write to",
}


def build_image(recipe: Recipe, *, sources: Path | None = None, told: Callable[[str], object] = str) -> Image:
    """Return a recipe's image, built now unless it was built before.

    Args:
        recipe: what it is made of.
        sources: an APT sources file to take packages from; by default this machine's own, where it runs the
            recipe's release, and else Debian's mirror that mmdebstrap knows.
        told: is given a line when something begins that takes long.

    Raises:
        InfraError: the packages cannot be had, or there is no room.
        PermanentInfraError: mmdebstrap is not installed.
        RecipeError: a file of the recipe has no place in the image.
    """
    folder = store.folder_of(recipe)
    if done := [image for image in store.list_images() if image.folder == folder]:
        return done[0]
    if not shutil.which("mmdebstrap"):
        raise PermanentInfraError("building an image needs mmdebstrap; run: apt-get install mmdebstrap")
    told(f"building {recipe.name} from {len(recipe.packages)} packages and what they need")
    try:
        with store.staging() as staged:
            _bootstrap(recipe, staged, sources)
            (staged / "image").mkdir(mode=0o755)
            root = staged / "image" / "root"
            _unpack(staged / "root.tar", root)
            _strip(root)
            _dress(root, recipe)
            digest, size_bytes = digest_tree(root)
            image = Image(
                name=recipe.name,
                folder=folder,
                recipe_digest=recipe.digest,
                digest=digest,
                size_bytes=size_bytes,
                built_at=datetime.now(UTC).isoformat(timespec="microseconds"),
                packages=_installed(root),
            )
            return store.publish(image, staged / "image")
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, "")
        raise InfraError(f"image {recipe.name!r} could not be built: {error}{hint}") from error


def _bootstrap(recipe: Recipe, staged: Path, sources: Path | None) -> None:
    is_root = os.geteuid() == 0
    own_namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"] if is_root else []
    options = [f"--mode={'root' if is_root else 'unshare'}", f"--variant={recipe.variant}", "--format=tar"]
    options += [f"--dpkgopt=path-exclude={place}" for place in _NOT_UNPACKED]
    options += ["--dpkgopt=path-include=/usr/share/doc/*/copyright", '--aptopt=APT::Sandbox::User "root"']
    options += [f"--include={','.join(sorted(set(recipe.packages)))}"] if recipe.packages else []
    places = [str(sources)] if sources else _own_sources(recipe.suite)
    kept = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    # What it starts and mounts ends with us, even if we end before it can ask for that.
    unless_late = ["sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"', str(os.getpid())]
    bound = ["setpriv", "--pdeathsig", "KILL", *unless_late, *own_namespaces]
    command = [*bound, "mmdebstrap", *options, recipe.suite, str(staged / "root.tar"), *places]
    env = {**kept, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TMPDIR": str(staged)}
    code, said = _run_while_there_is_room(command, {**env, "SOURCE_DATE_EPOCH": str(_EPOCH)}, staged)
    if code:
        lines = [line.strip() for line in said.splitlines() if not line.startswith("I: ")]
        errors = [line for line in lines if line.startswith("E: ")][:_COMPLAINT_LINES]
        if any(os.strerror(errno.ENOSPC) in line for line in errors):
            raise OSError(errno.ENOSPC, "No space left", str(staged))
        raise InfraError(
            f"image {recipe.name!r} could not be built: mmdebstrap ended with {code}: "
            + " / ".join(errors or lines[-_COMPLAINT_LINES:])
            + "; packages come from this machine's APT sources, or from those that `--sources` names"
        )


def _run_while_there_is_room(command: list[str], env: dict[str, str], folder: Path) -> tuple[int, str]:
    """Run a program that fills a folder; return its exit code and what it said.

    Of programs that find a disk full, apt is one that waits for ever, some of the time after it has
    removed what it could not finish; so one under which nothing grows for minutes is ended, too.

    Raises:
        OSError: no room is left.
        InfraError: the program stands still, though there is room.
    """
    _check_room(folder)
    seen, until = -1, time.monotonic() + _STILL_S
    with subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            while True:
                try:
                    said, _ = process.communicate(timeout=_LOOK_EVERY_S)
                    return process.returncode, said.decode(errors="replace")
                except subprocess.TimeoutExpired as late:
                    _check_room(folder)
                    if time.monotonic() > until:
                        seen, until = _check_growth(folder, seen, late.output or b""), time.monotonic() + _STILL_S
        except BaseException:
            process.kill()
            raise


def _check_growth(folder: Path, before: int, said: bytes) -> int:
    """Return the bytes on disk of the files below a folder that can be looked at: not as many as before."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
    if total == before:
        _check_room(folder, _LITTLE_ROOM_BYTES)
        last = said.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
        raise InfraError(f"mmdebstrap stood still for {_STILL_S:g} s; the last that it said: {last[0]}")
    return total


def _own_sources(suite: str) -> list[str]:
    """Return this machine's own Debian sources files for a release."""
    places = [Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d/debian.sources")]
    if "\nID=debian\n" not in f"\n{Path('/etc/os-release').read_text()}\n":
        return []
    return [str(place) for place in places if place.is_file() and suite in place.read_text().split()]


def _unpack(archive: Path, root: Path) -> None:
    """Unpack what mmdebstrap made, without devices: every sandbox has its own."""
    root.mkdir(mode=0o755)
    owners = ["--numeric-owner", "--same-owner"] if os.geteuid() == 0 else ["--no-same-owner"]
    command = ["tar", "--extract", f"--file={archive}", f"--directory={root}", "--same-permissions", *owners]
    done = subprocess.run([*command, "--exclude=./dev/*"], capture_output=True, check=False)
    if done.returncode:
        _check_room(root)
        complaint = "".join(done.stderr.decode(errors="replace").splitlines()[:1])
        raise InfraError(f"what mmdebstrap made cannot be unpacked: {complaint}")
    archive.unlink()


def _check_room(folder: Path, least_bytes: int = _LEAST_ROOM_BYTES) -> None:
    if shutil.disk_usage(folder).free < least_bytes:
        raise OSError(errno.ENOSPC, "No space left", str(folder))


def _strip(root: Path) -> None:
    """Remove what is of the building machine, and the set-user-ID bits, which mean nothing in a sandbox."""
    for pattern in _OF_THE_BUILDER:
        for place in root.glob(pattern):
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()
    clear_privileges(root)


def clear_privileges(root: Path) -> None:
    """Take the set-user-ID bits from all files below a folder, and remove what is neither file, folder nor link."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
                os.chmod(path, stat.S_IMODE(mode) & ~(stat.S_ISUID | stat.S_ISGID))
            elif not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
                os.unlink(path)


def _dress(root: Path, recipe: Recipe) -> None:
    """Add what every sandbox expects, and the recipe's own files and links."""
    for name, mode in _FOLDERS.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name).chmod(mode)
    for name, (first, agent) in _USERS.items():
        place = root / name
        text = place.read_text() if place.exists() else first
        place.write_text(text + agent)
        place.chmod(0o644)
    if os.geteuid() == 0:
        os.chown(root / "workspace", _AGENT, _AGENT)
    for path, text in recipe.files.items():
        place = _place(root, path)
        place.write_text(text, encoding="utf-8")
        place.chmod(0o755 if text.startswith("#!") else 0o644)
    for path, target in recipe.links.items():
        _place(root, path).symlink_to(target)


def _place(root: Path, path: str) -> Path:
    """Return where a file goes, with nothing in its place; links of the image lead nowhere outside it."""
    place = root / path.lstrip("/")
    folder = place.parent.resolve()
    if not folder.is_relative_to(root.resolve()):
        raise RecipeError(f"{path!r} goes through a link that leaves the image")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / place.name).unlink(missing_ok=True)
    return folder / place.name


def _installed(root: Path) -> tuple[str, ...]:
    """Return "name=version" of every installed package; none where packages were only unpacked."""
    status = root / "var/lib/dpkg/status"
    found = []
    for entry in status.read_text(encoding="utf-8").split("\n\n") if status.exists() else ():
        fields = dict(line.split(": ", 1) for line in entry.splitlines() if ": " in line and not line[0].isspace())
        if "Package" in fields:
            found.append(f"{fields['Package']}={fields['Version']}")
    return tuple(sorted(found))
