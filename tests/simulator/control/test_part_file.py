"""Lines of a file, and parts of them that are read later."""

from copy import deepcopy
from pathlib import Path

import pytest

from mailgun_mcp.simulator.control.part_file import PartFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "lines"
    path.write_bytes(b"one\ntwo\r\nthree")
    return path


def test_lines_come_with_their_offset(path: Path) -> None:
    file = PartFile(path)
    assert list(file.lines()) == [(0, b"one\n"), (4, b"two\r\n"), (9, b"three")]
    assert next(iter(file.lines())) == (0, b"one\n")


def test_a_part_is_read_also_when_the_file_is_gone(path: Path) -> None:
    part = PartFile(path).part(9, 1, 3)
    path.unlink()
    assert (part.read(), deepcopy(part).read()) == (b"hre", b"hre")


def test_a_file_that_became_shorter_is_an_error(path: Path) -> None:
    part = PartFile(path).part(9, 0, 5)
    path.write_bytes(b"one")
    with pytest.raises(ValueError, match="became shorter"):
        part.read()


def test_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PartFile(tmp_path / "none")
