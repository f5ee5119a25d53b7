"""The token of an HTTP server: one for a state directory, for its owner alone."""

import stat
from pathlib import Path

from mailgun_mcp.identity.start_token import FILE, start_token


def test_the_token_stays_until_its_file_is_deleted(tmp_path: Path) -> None:
    state = tmp_path / "state"
    token = start_token(state)
    assert start_token(state) == token
    assert stat.S_IMODE((state / FILE).stat().st_mode) == 0o600
    (state / FILE).unlink()
    assert start_token(state) != token
