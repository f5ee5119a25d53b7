"""Files in a call: text, base64, or a path that the operator allowed."""

import os
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.request.files import MAX_FILE, FileError, Files
from mailgun_mcp.request.multipart import Part


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    """A directory that calls may read, beside one that they may not."""
    folder = tmp_path / "allowed"
    (folder / "sub").mkdir(parents=True)
    (folder / "report.pdf").write_bytes(b"%PDF")
    (folder / "sub" / "list.csv").write_bytes(b"a@b.c\n")
    (tmp_path / "secret.txt").write_bytes(b"key")
    return folder


def refused(files: Files, given: dict[str, Any]) -> str:
    with pytest.raises(FileError) as caught:
        files.part("file", given)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"text": "a,b\r\nü"}, Part("file", "a,b\r\nü".encode(), "file", "application/octet-stream")),
        ({"text": ""}, Part("file", b"", "file", "application/octet-stream")),
        ({"text": "x", "filename": "list.csv"}, Part("file", b"x", "list.csv", "text/csv")),
        ({"base64": "AP8="}, Part("file", b"\x00\xff", "file", "application/octet-stream")),
        ({"base64": "AP\n8=\r\n"}, Part("file", b"\x00\xff", "file", "application/octet-stream")),
        ({"text": "x", "filename": "a.png", "content_type": "image/webp"}, Part("file", b"x", "a.png", "image/webp")),
        ({"text": "x", "content_type": "text/plain; charset=utf-8"}, Part("file", b"x", "file", "text/plain; charset=utf-8")),
        ({"text": "x", "filename": 'q"ü.txt'}, Part("file", b"x", 'q"ü.txt', "text/plain")),
    ],
)  # fmt: skip
def test_a_file_is_given_as_text_or_base64(given: dict[str, Any], part: Part) -> None:
    assert Files().part("file", given) == part


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "needs exactly one of text, base64, path"),
        ({"filename": "a"}, "needs exactly one of text, base64, path"),
        ({"text": "a", "base64": "YQ=="}, "needs exactly one of text, base64, path, not 2"),
        ({"base64": "not base64!"}, "base64 is not valid"),
        ({"base64": "YQ"}, "base64 is not valid"),
        ({"base64": "ü"}, "base64 is not valid"),
        ({"text": "a", "filename": "a\r\nb"}, "filename contains a control character or invalid text"),
        ({"text": "a", "filename": "\udcff"}, "filename contains a control character or invalid text"),
        ({"text": "a", "content_type": "text"}, "content_type 'text' is not a media type"),
        (
            {"text": "a", "content_type": "text/plain\r\nX: y"},
            "content_type 'text/plain\\r\\nX: y' is not a media type",
        ),
        ({"text": "a", "content_type": ""}, "content_type '' is not a media type"),
    ],
)
def test_what_is_not_one_valid_file_is_refused(given: dict[str, Any], message: str) -> None:
    assert refused(Files(), given) == message


def test_no_path_is_read_when_no_directory_is_allowed(allowed: Path) -> None:
    message = "path: the server is not allowed to read files; start it with --files DIR, or give text or base64"
    assert refused(Files(), {"path": str(allowed / "report.pdf")}) == message


@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
def test_a_path_inside_the_directory_is_read(allowed: Path, absolute: bool) -> None:
    files = Files((allowed,))
    path = str(allowed / "sub" / "list.csv") if absolute else "sub/list.csv"
    assert files.part("file", {"path": path}) == Part("file", b"a@b.c\n", "list.csv", "text/csv")


def test_the_given_name_wins_over_the_files_own(allowed: Path) -> None:
    part = Files((allowed,)).part("file", {"path": "report.pdf", "filename": "year.pdf"})
    assert part == Part("file", b"%PDF", "year.pdf", "application/pdf")


def test_each_allowed_directory_is_searched(allowed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert Files((other, allowed)).part("file", {"path": "report.pdf"}).data == b"%PDF"


def test_a_directory_given_by_a_link_is_allowed_itself(allowed: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(allowed, target_is_directory=True)
    assert Files((link,)).part("file", {"path": str(link / "report.pdf")}).data == b"%PDF"


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "sub/../../secret.txt", "{outside}/secret.txt", "escape", "chain", "door/secret.txt", "sub", ".", "", "gone.txt", "~/secret.txt", "report.pdf/x"],
)  # fmt: skip
def test_nothing_outside_the_directory_and_no_directory_is_read(allowed: Path, tmp_path: Path, path: str) -> None:
    (allowed / "escape").symlink_to(tmp_path / "secret.txt")
    (allowed / "chain").symlink_to(allowed / "escape")
    (allowed / "door").symlink_to(tmp_path, target_is_directory=True)
    message = refused(Files((allowed,)), {"path": path.format(outside=tmp_path)})
    assert message == "path: no such file inside the directories given with --files"


def test_a_directory_whose_name_only_starts_the_same_is_outside(allowed: Path, tmp_path: Path) -> None:
    twin = tmp_path / "allowed-not"
    twin.mkdir()
    (twin / "a.txt").write_text("x", encoding="utf-8")
    assert refused(Files((allowed,)), {"path": str(twin / "a.txt")}).startswith("path: no such file")


def test_a_loop_of_links_is_refused(allowed: Path) -> None:
    (allowed / "loop").symlink_to(allowed / "loop")
    assert refused(Files((allowed,)), {"path": "loop"}).startswith("path: ")


def test_a_pipe_is_no_file(allowed: Path) -> None:
    os.mkfifo(allowed / "pipe")
    assert refused(Files((allowed,)), {"path": "pipe"}).startswith("path: no such file")


@pytest.mark.parametrize("path", ["a\0b", "x" * 10_000], ids=["NUL", "too long"])
def test_a_path_that_no_system_takes_is_refused(allowed: Path, path: str) -> None:
    assert refused(Files((allowed,)), {"path": path}).startswith("path: ")


def test_a_name_on_disk_that_is_no_text_is_refused(allowed: Path) -> None:
    odd = os.fsencode(allowed) + b"/\xff.txt"
    with open(odd, "wb") as file:
        file.write(b"x")
    os.symlink(odd, os.fsencode(allowed / "link.txt"))
    assert refused(Files((allowed,)), {"path": "link.txt"}) == "filename contains a control character or invalid text"


def test_a_file_over_the_limit_is_refused_without_reading_it(allowed: Path) -> None:
    with open(allowed / "big.bin", "wb") as file:
        file.truncate(MAX_FILE + 1)
    message = "26,214,401 bytes is more than the limit of 26,214,400"
    assert refused(Files((allowed,)), {"path": "big.bin"}) == message
    assert refused(Files(), {"text": "a" * (MAX_FILE + 1)}) == message
    with open(allowed / "big.bin", "wb") as file:
        file.truncate(MAX_FILE)
    assert len(Files((allowed,)).part("file", {"path": "big.bin"}).data) == MAX_FILE
