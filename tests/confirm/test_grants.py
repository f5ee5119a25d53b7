"""What a person allows for a while, and how that ends."""

from typing import Any

import pytest

from mailgun_mcp.confirm.grants import LONGEST, Elevation
from mailgun_mcp.store.database import MONTHS, StateError, Store, UnknownName
from tests.support.state import NOW, rows

MATCH: dict[str, Any] = {"tool": "delete_*", "domain": ["staging.*", "dev.*"], "bulk": False}


def test_an_elevation_lasts_until_its_end(store: Store) -> None:
    assert store.elevations.active(NOW) == ()
    elevation = store.elevations.add(MATCH, until=NOW + 900, by="ann", now=NOW)
    assert elevation == Elevation(elevation.id, NOW + 900, MATCH, "ann")
    assert store.elevations.active(NOW + 899) == (elevation,)
    assert store.elevations.active(NOW + 900) == ()


def test_elevations_outlive_the_process_that_gave_them(store: Store) -> None:
    given = tuple(store.elevations.add(MATCH, until=NOW + 900, by=by, now=NOW + at) for at, by in enumerate("ab"))
    store.close()
    other = Store(store.directory)
    assert other.elevations.active(NOW) == given
    other.close()


def test_a_revoked_elevation_is_over(store: Store) -> None:
    first, second = (store.elevations.add(MATCH, until=NOW + 900, by=by, now=NOW) for by in ("ann", "bob"))
    store.elevations.revoke(first.id, NOW + 1)
    assert store.elevations.active(NOW + 1) == (second,)


@pytest.mark.parametrize("later", [0, 900], ids=["unknown", "over"])
def test_what_does_not_last_cannot_be_revoked(store: Store, later: float) -> None:
    elevation = store.elevations.add(MATCH, until=NOW + 900, by="ann", now=NOW)
    name = elevation.id if later else f"{elevation.id}0"
    hint = "" if later else f": did you mean '{elevation.id}'"
    with pytest.raises(UnknownName, match=f"unknown elevation '{name}'{hint}"):
        store.elevations.revoke(name, NOW + later)


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
def test_what_is_no_elevation_is_refused(store: Store, match: dict[str, Any], until: float, by: str) -> None:
    with pytest.raises(StateError, match="within a day"):
        store.elevations.add(match, until=until, by=by, now=NOW)
    assert store.elevations.active(NOW) == ()


def test_elevations_long_over_are_forgotten(store: Store) -> None:
    store.elevations.add(MATCH, until=NOW + 900, by="ann", now=NOW)
    later = NOW + MONTHS + 901
    new = store.elevations.add(MATCH, until=later + 900, by="ann", now=later)
    assert rows(store, "SELECT id FROM elevations") == [(new.id,)]


@pytest.mark.parametrize("match", ["no JSON", "[]"])
def test_a_damaged_elevation_is_refused(store: Store, match: str) -> None:
    store.elevations.add(MATCH, until=NOW + 900, by="ann", now=NOW)
    with store.writing() as connection:
        connection.execute("UPDATE elevations SET match = ?", (match,))
    with pytest.raises(StateError, match="damaged"):
        store.elevations.active(NOW)
