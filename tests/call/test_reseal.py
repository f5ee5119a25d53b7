"""After a rotation, everything that is sealed gets the new key, and the old one can go."""

from pathlib import Path

import pytest

from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.call.reseal import SEALED, Resealed, reseal
from mailgun_mcp.call.shared_secret_store import secrets_of
from mailgun_mcp.errors import StateError
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.opening import open_store
from mailgun_mcp.store.shared_secrets import shared_secret
from tests.support.engines import on_postgresql, on_sqlite
from tests.support.state import NOW, rows

pytestmark = on_postgresql

OLD, NEW = "o" * 40, "n" * 40


def opened(state_url: str, directory: Path, *keys: str) -> Store:
    file = directory / "-".join(key[0] for key in keys)
    file.write_text("\n".join(keys), encoding="ascii")
    return open_store(directory / "state", state_url, str(file))


def test_after_it_the_old_key_is_not_needed_for_anything(state_url: str, tmp_path: Path) -> None:
    old = opened(state_url, tmp_path, OLD)
    AuditLog(old).append([LogEntry("one", "intent", {})], NOW, durable=True)
    ref = secrets_of(old).keep("the value", tool="create_api_key", place="/key", account="main", now=NOW)
    fingerprints = shared_secret(old, "fingerprint.key")
    old.close()

    both = opened(state_url, tmp_path, NEW, OLD)
    late = secrets_of(both).keep("another", tool="create_api_key", place="/key", account="main", now=NOW)
    assert reseal(both) == Resealed(3, 4)
    assert reseal(both) == Resealed(0, 4)
    both.close()

    new = opened(state_url, tmp_path, NEW)
    assert [secrets_of(new).show(each) for each in (ref, late)] == ["the value", "another"]
    assert shared_secret(new, "fingerprint.key") == fingerprints
    AuditLog(new).append([LogEntry("two", "intent", {})], NOW, durable=True)
    assert AuditLog(new).verify().broken is None
    new.close()

    old = opened(state_url, tmp_path, OLD)
    with pytest.raises(StateError, match="sealed with a key that is not in"):
        secrets_of(old).show(ref)
    old.close()


def test_with_one_value_that_does_not_open_nothing_is_changed(state_url: str, tmp_path: Path) -> None:
    old = opened(state_url, tmp_path, OLD)
    shared_secret(old, "fingerprint.key")
    ref = secrets_of(old).keep("the value", tool="create_api_key", place="/key", account="main", now=NOW)
    with old.writing() as connection:
        connection.execute("UPDATE withheld_secrets SET ref = 'moved' WHERE ref = ?", (ref,))
    before = rows(old, "SELECT sealed FROM shared_secrets")
    old.close()
    both = opened(state_url, tmp_path, NEW, OLD)
    with pytest.raises(StateError, match="the secret moved in the database was changed"):
        reseal(both)
    assert rows(both, "SELECT sealed FROM shared_secrets") == before
    both.close()


def test_every_table_with_sealed_values_is_known(store: Store) -> None:
    sealed = rows(
        store,
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'sealed' AND table_schema = 'public'",
    )
    assert {table for (table,) in sealed} == {table for table, column in SEALED if column == "sealed"}


@on_sqlite
def test_a_state_in_files_has_nothing_that_is_sealed(store: Store) -> None:
    with pytest.raises(StateError, match="only a state in PostgreSQL has sealed values"):
        reseal(store)
