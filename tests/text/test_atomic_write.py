"""A file is written whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from mailgun_mcp.text.atomic_write import draft_file, write_file


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    write_file(tmp_path / "file", b"new")
    assert ((tmp_path / "file").read_bytes(), mode(tmp_path / "file")) == (b"new", 0o600)


def test_a_mode_is_set_where_it_is_asked_for(tmp_path: Path) -> None:
    write_file(tmp_path / "file", b"new", mode=0o644)
    assert mode(tmp_path / "file") == 0o644


def test_nothing_else_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    write_file(tmp_path / "file", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"new")]


def test_a_disk_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("the disk is full")

    (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="the disk is full"):
        write_file(tmp_path / "file", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_a_draft_that_is_not_moved_is_removed(tmp_path: Path) -> None:
    with draft_file(tmp_path / "file", b"draft") as draft:
        assert (draft.read_bytes(), draft.parent) == (b"draft", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_writers_do_not_share_a_draft(tmp_path: Path) -> None:
    with draft_file(tmp_path / "file", b"one") as one, draft_file(tmp_path / "file", b"two") as two:
        one.replace(tmp_path / "file")
        two.replace(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"two"


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_file(tmp_path / "missing" / "file", b"")
    assert os.listdir(tmp_path) == []
