"""New files that calls write: inside the directory, under a plain name, and never in place of another."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailgun_mcp.request.files import MAX_FILE, FileError
from mailgun_mcp.request.new_files import NewFiles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory that calls may write into, beside one that they may not."""
    inside = tmp_path / "allowed"
    (inside / "sub").mkdir(parents=True)
    (inside / "there.pdf").write_bytes(b"old")
    (tmp_path / "outside").mkdir()
    (inside / "link").symlink_to(tmp_path / "outside")
    (inside / "dangling").symlink_to(tmp_path / "outside" / "new.txt")
    (inside / "loop").symlink_to(inside / "loop")
    return inside


def files_below(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


@pytest.mark.parametrize("name", ["invoice.pdf", "sub/Rechnung März 2026 (2).pdf", "no ending", "a" * 200])
def test_a_new_file_is_written_for_its_owner_alone(folder: Path, name: str) -> None:
    path = NewFiles((folder,)).write(name, b"%PDF\0")
    assert (path, path.read_bytes(), path.stat().st_mode & 0o777) == (folder / name, b"%PDF\0", 0o600)


def test_an_absolute_path_names_its_directory(folder: Path, tmp_path: Path) -> None:
    files = NewFiles((tmp_path / "outside", folder))
    assert files.write(f"{folder}/a.txt", b"a") == folder / "a.txt"
    assert files.write("a.txt", b"a") == tmp_path / "outside" / "a.txt"


REFUSED = {
    "": "must be the name of a file",
    "/etc/cron.d/x": "must be the name of a file",
    "../outside/x.txt": "must be the name of a file",
    "sub/../../outside/x.txt": "must be the name of a file",
    "sub/": "must be the name of a file",
    ".": "must be the name of a file",
    "sub//x": "must be the name of a file",
    ".bashrc": "begins with a dot",
    "sub/.git/hooks": "begins with a dot",
    " x": "begins with a dot or a space",
    "x.": "ends with one",
    "there.pdf": "already exists",
    "dangling": "already exists",
    "loop/x": "cannot be used as a path",
    "link/x.txt": "is outside the directory",
    "new/x.txt": "its directory does not exist",
    "there.pdf/x": "its directory does not exist",
    "a\nb": "invisible or control",
    "a\tb": "invisible or control",
    "a\0b": "invisible or control",
    "a\u202etxt.exe": "invisible or control",
    "a\u200bb": "invisible or control",
    "a\udcff": "in",
    "C:\\x.txt": "not allowed in the name",
    "x.txt:stream": "not allowed in the name",
    "nul": "not allowed in the name",
    "COM1.txt": "not allowed in the name",
    "a" * 201: "more than 200 bytes",
    "ü" * 101: "more than 200 bytes",
}


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_any_other_name_is_refused_and_nothing_is_written(folder: Path, tmp_path: Path, name: str) -> None:
    before = files_below(tmp_path)
    with pytest.raises(FileError, match=REFUSED[name]):
        NewFiles((folder,)).write(name, b"new")
    assert files_below(tmp_path) == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    name=st.lists(
        st.sampled_from(["a", ".", "..", "/", "\\", "sub", "link", "~", " ", "\0", "%2e", "é"]), max_size=6
    ).map("".join)
)
def test_no_name_leads_out_of_the_directory(folder: Path, tmp_path: Path, name: str) -> None:
    try:
        path = NewFiles((folder,)).write(name, b"x")
    except FileError:
        path = None
    assert files_below(tmp_path / "outside") == {}
    assert (folder / "there.pdf").read_bytes() == b"old"
    if path is not None:
        assert path.resolve().is_relative_to(folder)
        path.unlink()


def test_without_a_directory_nothing_is_written() -> None:
    with pytest.raises(FileError, match="start it with --files DIR"):
        NewFiles().write("x.txt", b"x")


def test_a_file_larger_than_a_mail_is_refused(folder: Path) -> None:
    with pytest.raises(FileError, match="more than the limit of 26,214,400"):
        NewFiles((folder,)).write("x", bytes(MAX_FILE + 1))
    assert not (folder / "x").exists()


def test_a_directory_that_cannot_be_written_is_named_as_the_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(FileError, match="cannot be written: Permission denied"):
        NewFiles((folder,)).write("x", b"x")


def test_half_a_file_does_not_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *_: object) -> None:
            """Close nothing."""

        def write(self, _: bytes) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("builtins.open", lambda *_: Full())
    with pytest.raises(FileError, match="No space left"):
        NewFiles((folder,)).write("x", b"x")
    assert not (folder / "x").exists()
