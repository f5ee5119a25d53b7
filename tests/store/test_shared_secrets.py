"""Secrets that all who share the state have: made once, and never readable in the database."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from mailgun_mcp.errors import StateError
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.shared_secrets import SINGLE, add_shared_secret, shared_secret, shared_secrets
from tests.support.engines import on_both_engines, on_postgresql, on_sqlite
from tests.support.state import NOW, rows

pytestmark = on_both_engines


def test_it_is_made_once_and_the_same_for_all(store: Store) -> None:
    others = [store.reopened() for _ in range(3)]
    with ThreadPoolExecutor(4) as threads:
        secrets = set(threads.map(lambda one: shared_secret(one, "session.key"), [store, *others] * 3))
    assert len(secrets) == 1
    assert len(secrets.pop()) == 43
    assert shared_secret(store, "other.key") != shared_secret(store, "session.key")
    for other in others:
        other.close()


@on_postgresql
def test_the_database_holds_it_sealed_under_its_name(store: Store) -> None:
    secret = shared_secret(store, "session.key")
    shared_secret(store, "other.key")
    assert secret.encode() not in b"".join(bytes(row[0]) for row in rows(store, "SELECT sealed FROM shared_secrets"))
    with store.writing() as connection:
        connection.execute(
            "UPDATE shared_secrets SET sealed = (SELECT sealed FROM shared_secrets WHERE name = 'other.key')"
        )
    with pytest.raises(StateError, match=r"single session\.key in the database was changed"):
        shared_secret(store, "session.key")


@on_postgresql
def test_one_of_a_name_is_not_replaced(store: Store) -> None:
    add_shared_secret(store, SINGLE, "key", b"first", NOW)
    add_shared_secret(store, SINGLE, "key", b"second", NOW)
    assert [secret.value for secret in shared_secrets(store, SINGLE)] == [b"first"]


@on_sqlite
def test_sqlite_has_files_instead(store: Store) -> None:
    shared_secret(store, "session.key")
    assert (store.directory / "session.key").exists()
    with pytest.raises(StateError, match="only a state in PostgreSQL"):
        add_shared_secret(store, SINGLE, "key", b"x", NOW)
