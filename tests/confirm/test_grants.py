"""What a person allows for a while, and how that ends."""

from typing import Any

import pytest

from mailgun_mcp.confirm import grants as module
from mailgun_mcp.confirm.grants import LONGEST, Grant, Grants
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.store.database import MONTHS, Store
from tests.support.engines import on_both_engines, on_postgresql, on_sqlite
from tests.support.state import NOW, rows

pytestmark = on_both_engines

MATCH: dict[str, Any] = {"tool": "delete_*", "domain": ["staging.*", "dev.*"], "bulk": False}


def test_an_grant_lasts_until_its_end(store: Store) -> None:
    assert Grants(store).active(NOW) == ()
    grant = Grants(store).add(MATCH, account="main", until=NOW + 900, by="ann", now=NOW)
    assert grant == Grant(grant.id, NOW + 900, MATCH, "ann", "main")
    assert Grants(store).active(NOW + 899) == (grant,)
    assert Grants(store).active(NOW + 900) == ()


def test_grants_outlive_the_process_that_gave_them(store: Store) -> None:
    given = tuple(
        Grants(store).add(MATCH, account="main", until=NOW + 900, by=by, now=NOW + at) for at, by in enumerate("ab")
    )
    store.close()
    other = store.reopened()
    assert Grants(other).active(NOW) == given
    other.close()


def test_a_revoked_grant_is_over(store: Store) -> None:
    first, second = (Grants(store).add(MATCH, account="main", until=NOW + 900, by=by, now=NOW) for by in ("ann", "bob"))
    Grants(store).revoke(first.id, NOW + 1)
    assert Grants(store).active(NOW + 1) == (second,)


@pytest.mark.parametrize("later", [0, 900], ids=["unknown", "over"])
def test_what_does_not_last_cannot_be_revoked(store: Store, later: float) -> None:
    grant = Grants(store).add(MATCH, account="main", until=NOW + 900, by="ann", now=NOW)
    name = grant.id if later else f"{grant.id}0"
    hint = "" if later else f": did you mean '{grant.id}'"
    with pytest.raises(UnknownNameError, match=f"unknown grant '{name}'{hint}"):
        Grants(store).revoke(name, NOW + later)


@pytest.mark.parametrize(
    ("match", "until", "by"),
    [
        pytest.param({}, NOW + 900, "ann", id="everything"),
        pytest.param(MATCH, NOW, "ann", id="no time"),
        pytest.param(MATCH, NOW + LONGEST + 1, "ann", id="too long"),
        pytest.param(MATCH, float("nan"), "ann", id="no number"),
        pytest.param(MATCH, float("inf"), "ann", id="for ever"),
        pytest.param(MATCH, NOW + 900, " ", id="nobody"),
    ],
)
def test_what_is_no_grant_is_refused(store: Store, match: dict[str, Any], until: float, by: str) -> None:
    with pytest.raises(StateError, match="within a day"):
        Grants(store).add(match, account="main", until=until, by=by, now=NOW)
    assert Grants(store).active(NOW) == ()


def test_grants_long_over_are_forgotten(store: Store) -> None:
    Grants(store).add(MATCH, account="main", until=NOW + 900, by="ann", now=NOW)
    later = NOW + MONTHS + 901
    new = Grants(store).add(MATCH, account="main", until=later + 900, by="ann", now=later)
    assert rows(store, "SELECT id FROM grants") == [(new.id,)]


@pytest.mark.parametrize("match", ["no JSON", "[]"])
def test_a_damaged_grant_is_refused(store: Store, match: str) -> None:
    Grants(store).add(MATCH, account="main", until=NOW + 900, by="ann", now=NOW)
    with store.writing() as connection:
        connection.execute("UPDATE grants SET match = ?", (match,))
    with pytest.raises(StateError, match="damaged"):
        Grants(store).active(NOW)


@on_postgresql
def test_for_records_grants_are_read_once_a_second(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, grants = 0.0, Grants(store)
    monkeypatch.setattr(module, "monotonic", lambda: seconds)
    assert grants.recently_active(NOW, "main") == ()
    grant = Grants(store).add(MATCH, account="main", until=NOW + 900, by="ann", now=NOW)
    assert (grants.recently_active(NOW, "main"), grants.active(NOW, "main")) == ((), (grant,))
    seconds = module.RECENT
    assert grants.recently_active(NOW, "main") == (grant,)
    assert grants.recently_active(NOW + 900, "main") == ()


@on_sqlite
def test_from_sqlite_grants_are_always_read(store: Store) -> None:
    grants = Grants(store)
    assert grants.recently_active(NOW, "main") == ()
    grant = Grants(store).add(MATCH, account="main", until=NOW + 900, by="ann", now=NOW)
    assert grants.recently_active(NOW, "main") == (grant,)
