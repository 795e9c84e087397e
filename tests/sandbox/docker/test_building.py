"""Images of Dockerfiles: what the daemon built is a machine here, and what it built is nobody's to trust."""

import io
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from palestra.sandbox.base import InfraError, PermanentInfraError, Python, Spec
from palestra.sandbox.docker import building
from palestra.sandbox.docker.backend import DockerBackend
from palestra.sandbox.docker.building import DockerfileError, build_dockerfile
from palestra.sandbox.docker.client import connect
from palestra.sandbox.docker.images import provide
from palestra.sandbox.images import Image, find_image
from palestra.sandbox.images.store import remove_image

BASE = "palestra.test/base:1"  # stands for an image of a registry, of which there is none here
HOSTILE = rf"""FROM {BASE}
RUN rm -rf /dev/shm/* && mkfifo /fifo && cp /bin/true /raise && chmod 6755 /raise; mknod /disk b 8 0 || true
RUN echo given > /workspace/given && chown 1234:77 /workspace/given && ln -s /etc/passwd /tmp/link
RUN printf x > "$(printf '/tmp/new\nline')"
RUN rm -f /usr/bin/python3* && printf '#!/bin/sh\necho hostile' > /usr/bin/python3 && chmod 755 /usr/bin/python3
"""


def packed(dockerfile: str, **files: str | tarfile.TarInfo) -> bytes:
    """Return a folder with a Dockerfile as a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in {"Dockerfile": dockerfile, **files}.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    return buffer.getvalue()


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


@pytest.fixture(scope="module")
def base(docker_daemon: str) -> Iterator[str]:
    """An image in the daemon's store that Dockerfiles can begin with."""
    with closing(connect()) as client:
        client.images.get(provide(client, "").id).tag(BASE)
        yield BASE
        client.images.remove(BASE, force=True)


@pytest.fixture
def build(base: str) -> Iterator[Callable[..., Image]]:
    """Build a Dockerfile; the images are removed afterwards."""
    made: list[Image] = []

    def of(dockerfile: str, name: str = "task-test", **files: str | tarfile.TarInfo) -> Image:
        made.append(build_dockerfile(name, packed(dockerfile, **files)))
        return made[-1]

    yield of
    for image in made:
        remove_image(image)


@pytest.mark.slow
def test_stages_files_and_settings_make_a_machine(build: Callable[..., Image]) -> None:
    image = build(
        f"FROM {BASE} AS first\nRUN mkdir /out && echo made > /out/x\nFROM {BASE}\nARG A=1\nENV WORD=hello$A\n"
        "COPY --from=first /out/x /srv/x\nCOPY given.txt /data/\nUSER 1000\nRUN id -u > /tmp/who\nUSER root\n"
        "WORKDIR /data\n",
        **{"given.txt": "given\n"},
    )
    assert (image.is_foreign, image.workdir, image.env["WORD"]) == (True, "/data", "hello1")
    assert (image.root / "srv/x").read_text() == "made\n"
    assert (image.root / ".palestra/held/tmp/who").read_text() == "1000\n"
    assert build_dockerfile("task-test", b"not looked at, since there is one of the name") == find_image("task-test")
    with closing(DockerBackend()) as backend, closing(backend.create(Spec(terminal=True, image="task-test"))) as box:
        assert box.read("/data/given.txt") == b"given\n"
        assert box.shell().run("cat /srv/x").output == b"made\n"


@pytest.mark.slow
def test_what_an_image_holds_is_data_and_serves_nobody(build: Callable[..., Image]) -> None:
    image = build(HOSTILE)
    for folder, _, names in os.walk(image.root):
        for name in names:
            mode = os.lstat(os.path.join(folder, name)).st_mode
            assert not mode & 0o6000, name
            assert mode & 0o170000 in (0o100000, 0o120000), f"{name} is neither a file nor a link"
    assert (image.root / ".palestra/held/tmp/new\nline").read_text() == "x"
    assert os.stat(image.root / ".palestra/held/workspace/given").st_uid == 1234
    with closing(DockerBackend()) as backend, closing(backend.create(Spec(terminal=True, image="task-test"))) as box:
        found = box.exec(Python("import ctypes, hashlib, sqlite3, sys; print(sys.executable)"))
        assert found.stdout == b"/usr/lib/palestra-keeper/python/bin/python3.11\n"
        box.write("/tmp/a", b"1")
        box.write("/workspace/a", b"2")
        assert box.shell().run("python3; /usr/lib/palestra-keeper/bin/python3 -c 'print(1)'").output == b"hostile\n1\n"
        with closing(box.fork()) as fork:
            assert (fork.read("/tmp/a"), fork.read("/workspace/a")) == (b"1", b"2")


@pytest.mark.parametrize(
    ("dockerfile", "told"),
    [
        ("FROM palestra.test/nowhere:1\n", "its build failed:"),
        (f"FROM {BASE}\nRUN exit 3\n", "returned a non-zero code: 3"),
        (f"FROM {BASE}\nCOPY ../../etc/passwd /x\n", "its build failed:"),
        (f"FROM {BASE}\nCOPY out /x\n", "its build failed:"),
        (f"FROM {BASE}\nRUN head -c 80M /dev/zero > /x\n", "its build failed:"),
        (f"FROM {BASE}\nVOLUME /data\n", "it has VOLUME /data"),
        (f"FROM {BASE}\nUSER 1000:0\n", "it ends as USER 1000:0"),
        (f"FROM {BASE}\nRUN rm -rf /root && ln -s /tmp /root\n", "it has a /root that is no folder"),
        ("FROM\n", "its build failed:"),
        ("", "its build failed:"),
    ],
)
@pytest.mark.slow
def test_what_cannot_be_built_is_told_and_leaves_nothing(
    base: str, dockerfile: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALESTRA_CACHE", str(tmp_path))
    monkeypatch.setattr(building, "LARGEST_FILE", 64 << 20)
    with closing(connect()) as client:
        before = {tag for image in client.images.list() for tag in image.tags}
        with pytest.raises(DockerfileError, match=told):
            build_dockerfile("task-test", packed(dockerfile, out=link("out", "/etc/passwd")))
        assert {tag for image in client.images.list() for tag in image.tags} == before
    assert [place.name for place in tmp_path.glob("images/*")] == []


@pytest.mark.slow
def test_a_build_without_end_is_ended(base: str) -> None:
    with pytest.raises(DockerfileError, match="took more than 1 s"):
        build_dockerfile("task-test", packed(f"FROM {BASE}\nRUN sleep 60\n"), within_s=1.0)


def test_who_has_no_docker_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(InfraError, match="does not answer"):
        build_dockerfile("task-test", packed("FROM scratch\n"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PermanentInfraError, match="program docker"):
        build_dockerfile("task-test", packed("FROM scratch\n"))
