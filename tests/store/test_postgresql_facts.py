"""What a database says of itself, without being changed."""

import pytest

from mailgun_mcp.call.call_tasks import CallTasks
from mailgun_mcp.call.reseal import SEALED
from mailgun_mcp.errors import StateError
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.migrations import MIGRATIONS
from mailgun_mcp.store.postgresql_facts import database_facts
from mailgun_mcp.store.shared_secrets import shared_secret
from tests.support.engines import on_postgresql
from tests.support.postgresql import Cluster
from tests.support.state import NOW

pytestmark = on_postgresql


def test_a_database_in_use_is_described(store: Store, state_url: str) -> None:
    shared_secret(store, "fingerprint.key")
    facts = database_facts(state_url, SEALED)
    assert facts.release >= 14
    assert not facts.is_read_only
    assert abs(facts.clock_ahead) < 5
    assert 1 <= facts.connections < facts.most_connections < 60
    assert facts.version == len(MIGRATIONS)
    assert len(facts.sealed) == 1


def test_sealed_values_of_every_table_are_read(store: Store, state_url: str) -> None:
    CallTasks(store).create("ann", "tests", "delete_bounce", {"address": "b@example.com"}, "a", now=NOW, ttl=60.0)
    assert len(database_facts(state_url, SEALED).sealed) == 2


def test_an_empty_database_stays_empty(postgresql: Cluster) -> None:
    url = postgresql.new_database()
    for _ in range(2):
        facts = database_facts(url, SEALED)
        assert (facts.version, facts.sealed) == (0, ())
    postgresql.drop(url)


def test_why_it_cannot_be_reached_is_said(state_url: str) -> None:
    with pytest.raises(StateError, match="does not exist"):
        database_facts(f"{state_url}none", SEALED)
