"""A random secret in a file of its owner: made once, the same for all processes, and refused when others can read it."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailgun_mcp.errors import StateError
from mailgun_mcp.store.owner_file import SECRET, read_or_create_secret


def test_it_is_made_for_its_owner_alone_and_stays(tmp_path: Path) -> None:
    state = tmp_path / "state"
    secret = read_or_create_secret(state, "one")
    assert SECRET.fullmatch(secret)
    assert (stat.S_IMODE((state / "one").stat().st_mode), stat.S_IMODE(state.stat().st_mode)) == (0o600, 0o700)
    assert read_or_create_secret(state, "one") == secret
    assert read_or_create_secret(state, "two") != secret


def test_all_who_start_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        secrets = set(threads.map(lambda _: read_or_create_secret(tmp_path / "state", "one"), range(32)))
    assert len(secrets) == 1
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["one"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_one_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    read_or_create_secret(tmp_path / "state", "one")
    (tmp_path / "state" / "one").chmod(mode)
    with pytest.raises(StateError, match="open to other users"):
        read_or_create_secret(tmp_path / "state", "one")


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 43, b"x" * 100_000])
def test_one_that_was_written_by_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    read_or_create_secret(tmp_path / "state", "one")
    (tmp_path / "state" / "one").write_bytes(content)
    with pytest.raises(StateError, match=r"damaged|cannot be used"):
        read_or_create_secret(tmp_path / "state", "one")


def test_a_directory_in_its_place_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "one").mkdir(mode=0o700)
    with pytest.raises(StateError, match="cannot be used: Is a directory"):
        read_or_create_secret(state, "one")
