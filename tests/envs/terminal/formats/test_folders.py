"""Folders are read as something hostile: what is in the way is named, and nothing outside them is reached."""

import os
from pathlib import Path

import pytest

from palestra.envs.base import TaskError
from palestra.envs.terminal.formats.folders import MOST_BYTES, read_folder, read_text, write_folder
from palestra.envs.terminal.tree import File, Folder, Link, Tree


def test_a_folder_is_what_was_written(tmp_path: Path) -> None:
    tree = Tree(
        {"/a": File(b"\0\xff", 0o755), "/b/c": File(b"x"), "/empty": Folder(), "/b/to": Link("c"), "/é": File(b"")}
    )
    write_folder(tree, tmp_path / "out")
    assert read_folder(tmp_path / "out") == tree
    assert read_folder(tmp_path / "out", without=frozenset({"b", "é"})) == tree.drop("/b").drop("/é")
    assert read_folder(tmp_path / "nowhere") == Tree()


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "../../../../etc/passwd", "b/../../outside"])
def test_links_out_of_it_are_refused(target: str, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    (tmp_path / "in" / "b").mkdir(parents=True)
    (tmp_path / "in" / "link").symlink_to(target)
    with pytest.raises(TaskError, match=r"link: is a link to"):
        read_folder(tmp_path / "in")


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(TaskError, match="is a link"):
        read_folder(tmp_path / "link")


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(TaskError):
        read_folder(tmp_path)


def test_pipes_and_huge_files_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TaskError, match="pipe: is no regular file"):
        read_folder(tmp_path)
    (tmp_path / "pipe").unlink()
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(TaskError, match=r"huge: has 1,099,511,627,776 bytes"):
        read_folder(tmp_path)


def test_many_bytes_together_are_refused(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(bytes(MOST_BYTES // 2 + 1))
    with pytest.raises(TaskError, match="b: with it, the folder has more than"):
        read_folder(tmp_path)


def test_deep_folders_and_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "deep" / "/".join("d" * 40)).mkdir(parents=True)
    with pytest.raises(TaskError, match="nested more than"):
        read_folder(tmp_path / "deep")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / os.fsdecode(b"\xff")).write_text("")
    with pytest.raises(TaskError, match="a name that is no UTF-8"):
        read_folder(tmp_path / "odd")


def test_a_text_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"caf\xe9")
    with pytest.raises(TaskError, match="text: is not UTF-8"):
        read_text(tmp_path / "text")


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    tree = Tree({"/a": Link(str(tmp_path / "elsewhere")), "/a/b/x": File(b"x")})
    with pytest.raises(TaskError, match="'/a/b/x' lies below what is no folder"):
        write_folder(tree, tmp_path / "out")
    assert list((tmp_path / "elsewhere").iterdir()) == []
