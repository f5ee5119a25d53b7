"""The token of an HTTP server: one for a state directory, for its owner alone, and matched exactly."""

import stat
from pathlib import Path

import pytest

from mailgun_mcp.identity.start_token import FILE, start_token, token_matches


def test_the_token_stays_until_its_file_is_deleted(tmp_path: Path) -> None:
    state = tmp_path / "state"
    token = start_token(state)
    assert start_token(state) == token
    assert stat.S_IMODE((state / FILE).stat().st_mode) == 0o600
    (state / FILE).unlink()
    assert start_token(state) != token


@pytest.mark.parametrize("value", ["Bearer abc", "bearer abc", "BEARER  abc "])
def test_the_token_matches_however_the_scheme_is_written(value: str) -> None:
    assert token_matches(value, "abc")


@pytest.mark.parametrize(
    "value",
    ["", "abc", "Bearer", "Bearer ", "Bearer ab", "Bearer abcd", "Bearer ABC", "Basic abc", "Bearer abc, Bearer abc"],
)
def test_nothing_else_matches(value: str) -> None:
    assert not token_matches(value, "abc")
    assert not token_matches(f"{value}\u00e9\udc80", "abc")
