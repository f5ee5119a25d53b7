"""The fingerprint of a key tells keys apart, and neither gives the key away nor is the same elsewhere."""

import stat
from pathlib import Path

from mailgun_mcp.identity.fingerprint import FILE, LENGTH, fingerprint

KEY = "key-0123456789abcdef0123456789abcdef"


def test_one_key_has_one_fingerprint_in_a_state_directory(tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = fingerprint(KEY, state)
    assert len(first) == LENGTH
    assert fingerprint(KEY, state) == first
    assert fingerprint(KEY + "0", state) != first
    assert stat.S_IMODE((state / FILE).stat().st_mode) == 0o600


def test_a_fingerprint_cannot_be_looked_up_in_another_state_directory(tmp_path: Path) -> None:
    assert fingerprint(KEY, tmp_path / "a") != fingerprint(KEY, tmp_path / "b")


def test_the_file_holds_nothing_of_the_key(tmp_path: Path) -> None:
    printed = fingerprint(KEY, tmp_path / "state")
    content = (tmp_path / "state" / FILE).read_text(encoding="ascii")
    assert KEY not in content
    assert printed not in content
