"""Dockerfiles are read strictly: what is known becomes files and a script, what is not is named by its line."""

import io
import tarfile
from collections.abc import Mapping

import pytest

from palestra.envs.base import TaskError
from palestra.envs.terminal.formats.dockerfile import Recipe, interpret
from palestra.envs.terminal.tree import File, Folder, Node, Tree


def read(text: str, files: Mapping[str, Node | str] | None = None) -> Recipe:
    tree = Tree().put("/Dockerfile", text)
    for path, node in (files or {}).items():
        tree = tree.put(path, node)
    return interpret(tree, "task/environment")


def test_files_are_put_where_a_copy_puts_them() -> None:
    recipe = read(
        "FROM python:3.13-slim\nWORKDIR /app\nCOPY a.txt .\nCOPY a.txt b.txt more/\nCOPY data /srv/data\n"
        'COPY ["a.txt", "/one two"]\nCOPY *.txt /all/\nCOPY --chmod=755 a.txt /bin/run\n',
        {"/a.txt": "a", "/b.txt": "b", "/data/deep/c.txt": "c"},
    )
    assert recipe.obstacles == ()
    assert recipe.workdir == "/app"
    assert recipe.setup == ""
    assert {path for path, node in recipe.start.items() if isinstance(node, File)} == {
        *("/app/a.txt", "/app/more/a.txt", "/app/more/b.txt", "/srv/data/deep/c.txt", "/one two"),
        *("/all/a.txt", "/all/b.txt", "/usr/bin/run"),
    }
    assert recipe.start["/usr/bin/run"] == File(b"a", 0o755)
    assert isinstance(recipe.start["/app"], Folder)


def test_what_is_copied_after_a_command_is_put_there_after_it() -> None:
    recipe = read("FROM debian:12\nRUN mkdir /x\nCOPY a.txt /x/\nRUN cat /x/a.txt\n", {"/a.txt": "a"})
    lines = recipe.setup.splitlines()
    first, put, last = (next(n for n, line in enumerate(lines) if word in line) for word in ("mkdir", "tar -C", "cat"))
    assert first < put < last
    assert "/x/a.txt" not in recipe.start


def test_continued_lines_comments_and_variables() -> None:
    recipe = read(
        '# syntax=docker/dockerfile:1\nARG WHERE=/opt/tool\nFROM ubuntu:24.04 AS main\nENV A=1 B="two words"\n'
        "ENV C three\nENV PLACE=$WHERE/bin D=${NONE:-four}\nRUN apt-get update && \\\n    # why\n"
        "    apt-get install -y curl\n"
        'WORKDIR $WHERE\nLABEL x=y\nCMD ["sleep", "infinity"]\nUSER root\n'
    )
    assert recipe.obstacles == ()
    assert recipe.env == {"A": "1", "B": "two words", "C": "three", "PLACE": "/opt/tool/bin", "D": "four"}
    assert recipe.workdir == "/opt/tool"
    assert "apt-get update &&     apt-get install -y curl" in recipe.setup


def test_an_added_archive_is_unpacked_and_a_copied_one_is_not() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("etc/thing.conf")
        member.size, member.mode = 2, 0o600
        archive.addfile(member, io.BytesIO(b"x\n"))
    files = {"/a.tar.gz": File(packed.getvalue())}
    added = read("FROM debian\nADD a.tar.gz /\n", files)
    assert (added.start.data("/etc/thing.conf"), added.start["/etc/thing.conf"]) == (b"x\n", File(b"x\n", 0o600, 0, 0))
    assert "/a.tar.gz" in read("FROM debian\nCOPY a.tar.gz /\n", files).start


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("FROM alpine:3.20", "FROM alpine:3.20 is none of debian"),
        ("FROM python:3.12-alpine", "is none of"),
        ("FROM debian\nFROM debian", "Dockerfile:2: a second FROM"),
        ("FROM debian\nCOPY --from=build /x /x", "Dockerfile:2: COPY --from=build"),
        ("FROM debian\nADD https://example.org/x /x", "Dockerfile:2: ADD of what is not in the folder"),
        ("FROM debian\nRUN --mount=type=cache,target=/x true", "Dockerfile:2: RUN with a here-document or an option"),
        ("FROM debian\nRUN cat <<EOF > /x\nhello\nEOF", "Dockerfile:2: RUN with a here-document"),
        ("FROM debian\nUSER nobody", "Dockerfile:2: USER nobody is not supported"),
        ("FROM debian\nVOLUME /data", "Dockerfile:2: VOLUME /data"),
        ("FROM debian\nCMD nginx -g 'daemon off;'", "Dockerfile:2: CMD nginx"),
        ("FROM debian\nHEALTHCHECK CMD true", "Dockerfile:2: HEALTHCHECK"),
    ],
)
def test_what_needs_docker_is_named_by_its_line(line: str, told: str) -> None:
    recipe = read(line + "\n")
    assert any(told in obstacle for obstacle in recipe.obstacles), recipe.obstacles


def test_what_runs_beside_the_agent_is_refused_even_with_docker() -> None:
    recipe = read('FROM alpine\nENTRYPOINT ["/start.sh"]\n')
    assert recipe.refusals == ('task/environment/Dockerfile:2: ENTRYPOINT ["/start.sh"] is not started here',)


def test_after_what_is_not_known_nothing_is_refused() -> None:
    recipe = read("FROM debian\nRUN <<EOF\nENV\nCOPY missing /x\nEOF\n")
    assert [one.partition(": ")[0][-12:] for one in recipe.obstacles] == ["Dockerfile:2", "Dockerfile:4"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("RUN true\n", "Dockerfile:1: 'RUN' stands before FROM"),
        ("\n# nothing\n", "has no FROM"),
        ("FROM debian\nCOPY missing.txt /x\n", "Dockerfile:2: 'missing.txt' is not in the folder"),
        ("FROM debian\nCOPY one\n", "Dockerfile:2: COPY takes sources and a destination"),
        ("FROM debian\nENV =3\n", "Dockerfile:2: ENV takes NAME=VALUE"),
        ("FROM debian\nENV A='x\n", "Dockerfile:2: ENV"),
        ("# escape=`\nFROM debian\n", "another escape character"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, told: str) -> None:
    with pytest.raises(TaskError) as refused:
        read(text)
    assert told in str(refused.value)


def test_a_copy_cannot_leave_the_folder() -> None:
    with pytest.raises(TaskError, match="is not in the folder"):
        read("FROM debian\nCOPY ../../etc/passwd /x\n")


def test_an_archive_that_grows_without_end_is_refused() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as archive:
        member = tarfile.TarInfo("zeros")
        member.size = 64 * 2**20
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(TaskError, match="when it is unpacked"):
        read("FROM debian\nADD bomb.tar.xz /\n", {"/bomb.tar.xz": File(packed.getvalue())})
