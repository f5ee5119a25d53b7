"""Writing a person's file: whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from mailgun_mcp.cli.config_write import read, replace
from mailgun_mcp.settings import SettingsError

NOBODY = 65534


def test_a_new_file_is_the_persons_alone_and_has_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "file.json"
    assert replace(path, "", "new") is None
    assert (path.read_text(encoding="utf-8"), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o600)
    assert list(path.parent.iterdir()) == [path]


def test_every_change_has_a_backup_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("0", encoding="utf-8")
    backups = [replace(path, str(turn), str(turn + 1)) for turn in range(3)]
    assert backups == [tmp_path / "file.bak", tmp_path / "file.bak2", tmp_path / "file.bak3"]
    assert [backup.read_text(encoding="utf-8") for backup in backups if backup] == ["0", "1", "2"]
    assert path.read_text(encoding="utf-8") == "3"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "dotfiles" / "config", tmp_path / "config"
    target.parent.mkdir()
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    assert replace(link, "old", "new") == target.with_name("config.bak")
    assert (link.is_symlink(), target.read_text(encoding="utf-8")) == (True, "new")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_the_file_of_another_user_stays_theirs(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")
    os.chown(path, NOBODY, NOBODY)
    path.chmod(0o600)
    backup = replace(path, "old", "new")
    assert backup is not None
    for file in (path, backup):
        status = file.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (NOBODY, NOBODY, 0o600)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_the_file_of_another_user_is_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")
    os.chown(path, NOBODY, NOBODY)

    def refuse(*arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chown", refuse)
    with pytest.raises(SettingsError, match="belongs to another user"):
        replace(path, "old", "new")
    assert [(found.name, found.read_text(encoding="utf-8")) for found in tmp_path.iterdir()] == [("file", "old")]


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("theirs", encoding="utf-8")
    with pytest.raises(SettingsError, match="another program changed"):
        replace(path, "old", "new")
    assert [(found.name, found.read_text(encoding="utf-8")) for found in tmp_path.iterdir()] == [("file", "theirs")]


def test_line_ends_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\r\nb\n")
    assert read(tmp_path / "file") == "a\r\nb\n"


def test_a_file_that_is_missing_reads_as_empty(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == ""


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path in (tmp_path, tmp_path / "binary"):
        with pytest.raises(SettingsError, match="cannot read") as refused:
            read(path)
        assert "[Errno" not in str(refused.value)


@pytest.mark.parametrize("text", ["x", "\ud800"], ids=["parent-is-a-file", "not-utf-8"])
def test_what_cannot_be_written_is_refused_and_leaves_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("", encoding="utf-8")
    path = tmp_path / "plain" / "file" if text == "x" else tmp_path / "file"
    with pytest.raises(SettingsError, match="cannot write"):
        replace(path, "", text)
    assert os.listdir(tmp_path) == ["plain"]
