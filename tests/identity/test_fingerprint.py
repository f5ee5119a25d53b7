"""The fingerprint of a key tells keys apart, and neither gives the key away nor is the same elsewhere."""

import stat
from pathlib import Path

from mailgun_mcp.identity.fingerprint import FILE, LENGTH, fingerprint
from mailgun_mcp.store.database import Store
from tests.support.engines import on_both_engines

KEY = "key-0123456789abcdef0123456789abcdef"


@on_both_engines
def test_one_key_has_one_fingerprint_in_a_state(store: Store) -> None:
    first = fingerprint(KEY, store)
    assert len(first) == LENGTH
    other = store.reopened()
    assert fingerprint(KEY, other) == first
    assert fingerprint(KEY + "0", other) != first
    other.close()


def test_a_fingerprint_cannot_be_looked_up_in_another_state(tmp_path: Path) -> None:
    assert fingerprint(KEY, Store(tmp_path / "a")) != fingerprint(KEY, Store(tmp_path / "b"))


def test_the_file_beside_sqlite_is_its_owners_and_holds_nothing_of_the_key(store: Store) -> None:
    printed = fingerprint(KEY, store)
    path = store.directory / FILE
    content = path.read_text(encoding="ascii")
    assert KEY not in content
    assert printed not in content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
