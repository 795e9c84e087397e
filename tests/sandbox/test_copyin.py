"""What is read of a host's file before it goes into a sandbox."""

import os
from pathlib import Path

import pytest

from palestra.sandbox.base import SandboxFileError
from palestra.sandbox.copyin import read_source


def test_bytes_and_permissions_without_the_special_bits(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\x00data")
    (tmp_path / "file").chmod(0o6751)
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        assert read_source(str(tmp_path / name), 5) == (b"\x00data", 0o751)


def test_more_than_the_limit_is_refused_and_the_size_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    with pytest.raises(SandboxFileError, match=r"file': 5 bytes are more than the disk limit 4"):
        read_source(str(tmp_path / "file"), 4)
    with pytest.raises(SandboxFileError, match="more than the disk limit 4"):
        read_source("/proc/self/status", 4)  # which says that it is empty


def test_what_is_no_file_is_refused_at_once_and_nothing_stays_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = os.listdir("/proc/self/fd")
    for path in (str(tmp_path), str(tmp_path / "pipe"), "/dev/zero"):
        with pytest.raises(SandboxFileError, match="not a regular file"):
            read_source(path, 10)
    with pytest.raises(FileNotFoundError, match="absent"):
        read_source(str(tmp_path / "absent"), 10)
    assert os.listdir("/proc/self/fd") == before
