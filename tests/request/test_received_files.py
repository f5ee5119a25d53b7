"""Files that came in large messages are found by their name alone, while their call runs."""

import pytest

from mailgun_mcp.request import received_files
from mailgun_mcp.request.files import FileError, Files
from mailgun_mcp.request.received_files import MARK, ReceivedFiles, names_in


def test_a_file_is_found_by_its_name_until_its_call_is_over() -> None:
    files = ReceivedFiles()
    name = files.keep(b"content")
    assert name.endswith(": 7 bytes, SHA-256 ed7002b439e9")
    assert files.find(name) == b"content"
    files.discard([name, "unknown"])
    assert files.find(name) is None


def test_the_same_file_has_another_name_in_another_call() -> None:
    files = ReceivedFiles()
    assert files.keep(b"content") != files.keep(b"content")


def test_the_oldest_files_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received_files, "MOST", 10)
    files = ReceivedFiles()
    names = [files.keep(b"12345678"), files.keep(b"12"), files.keep(b"1234")]
    assert [files.find(name) is not None for name in names] == [False, True, True]
    huge = files.keep(b"1" * 100)
    assert files.find(huge) is not None


def test_a_file_that_is_gone_is_a_fault_and_not_sent_as_text() -> None:
    files = Files()
    name = files.received.keep(b"content")
    assert files.part("attachment", {"base64": name}).data == b"content"
    files.received.discard([name])
    with pytest.raises(FileError, match="no longer here"):
        files.part("attachment", {"base64": name})
    with pytest.raises(FileError, match="no longer here"):
        files.part("attachment", {"base64": f"{MARK}{'0' * 32}: 7 bytes"})


def test_names_are_read_from_arguments_that_are_files() -> None:
    arguments = {"a": {"base64": f"{MARK}1"}, "b": [{"base64": f"{MARK}2"}, {"text": "x"}, 1], "c": f"{MARK}3"}
    assert list(names_in(arguments)) == [f"{MARK}1", f"{MARK}2"]
