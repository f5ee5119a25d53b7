"""Withheld secrets in a database that servers share: sealed, kept once, shown to the owner only."""

import pytest

from mailgun_mcp.call.secret_store import SecretStore
from mailgun_mcp.call.shared_secret_store import SharedSecretStore, secrets_of
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.store.database import Store
from tests.support.engines import on_postgresql, on_sqlite
from tests.support.state import NOW, rows

pytestmark = on_postgresql
VALUE = "key-0123456789abcdef"
WHERE = {"tool": "create_api_key", "place": "/key/secret", "account": "main"}


@pytest.fixture
def secrets(store: Store) -> SharedSecretStore:
    found = secrets_of(store)
    assert isinstance(found, SharedSecretStore)
    found.prepare()
    return found


def test_what_one_server_keeps_another_shows(secrets: SharedSecretStore, store: Store) -> None:
    ref = secrets.keep(VALUE, **WHERE, now=NOW)
    other = store.reopened()
    again = secrets_of(other)
    assert again.show(ref) == VALUE
    assert again.keep(VALUE, **WHERE, now=NOW + 1) == ref
    assert again.keep(VALUE + "0", **WHERE, now=NOW + 1) != ref
    other.close()


def test_the_database_does_not_hold_the_value(secrets: SharedSecretStore, store: Store) -> None:
    secrets.keep(VALUE, **WHERE, now=NOW)
    ((sealed,),) = rows(store, "SELECT sealed FROM withheld_secrets")
    assert VALUE.encode() not in bytes(sealed)
    ((listed),) = secrets.list()
    assert (listed.value, listed.kept_in, listed.tool, listed.created) == (None, "database", "create_api_key", NOW)


def test_one_that_does_not_open_is_refused_and_keeps_no_other_from_being_kept(
    secrets: SharedSecretStore, store: Store
) -> None:
    ref = secrets.keep(VALUE, **WHERE, now=NOW)
    with store.writing() as connection:
        connection.execute("UPDATE withheld_secrets SET sealed = ?", (b"x" * 60,))
    with pytest.raises(StateError, match=f"the secret {ref} in the database was sealed with a key"):
        secrets.show(ref)
    assert secrets.show(secrets.keep(VALUE, **WHERE, now=NOW)) == VALUE


def test_a_deleted_secret_is_gone(secrets: SharedSecretStore) -> None:
    ref = secrets.keep(VALUE, **WHERE, now=NOW)
    secrets.forget(ref)
    assert secrets.list() == ()
    with pytest.raises(UnknownNameError, match="no secrets are stored"):
        secrets.forget(ref)
    kept = secrets.keep(VALUE, **WHERE, now=NOW)
    with pytest.raises(UnknownNameError, match=f"unknown secret .*{kept}"):
        secrets.show(f"{kept[:-1]}_")


@on_sqlite
def test_beside_sqlite_they_are_files(store: Store) -> None:
    assert isinstance(secrets_of(store), SecretStore)
