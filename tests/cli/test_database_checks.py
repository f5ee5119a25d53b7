"""What `doctor` says of the database of several servers."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mailgun_mcp.cli import doctor
from mailgun_mcp.cli.database_checks import database
from mailgun_mcp.settings import Settings
from mailgun_mcp.store import postgresql_facts
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.migrations import MIGRATIONS
from mailgun_mcp.store.opening import open_store
from mailgun_mcp.store.postgresql_facts import DatabaseFacts
from mailgun_mcp.store.shared_secrets import shared_secret
from tests.support.engines import on_postgresql

pytestmark = on_postgresql

HEALTHY = DatabaseFacts(16, False, 0.1, 97, 12, len(MIGRATIONS))


@pytest.fixture
def settings(state_url: str, tmp_path: Path) -> Settings:
    keys = tmp_path / "keys"
    keys.write_text("n" * 40 + "\n" + "o" * 40, encoding="ascii")
    return Settings(state=str(tmp_path / "state"), state_url=state_url, seal_keys=str(keys))


def said(settings: Settings) -> dict[str, tuple[str, str, str]]:
    return {check.name: (check.state, check.text, check.step) for check in database(settings)}


def stored(settings: Settings, name: str) -> None:
    store = open_store(Path(str(settings.state)), settings.state_url, settings.seal_keys)
    shared_secret(store, name)
    store.close()


def test_a_database_in_order_passes(settings: Settings) -> None:
    stored(settings, "one")
    found = said(settings)
    assert list(found) == ["database", "tables", "database clock", "connections", "seal keys"]
    assert {state for state, *_ in found.values()} == {"ok"}
    assert found["tables"][1] == f"version {len(MIGRATIONS)}"
    assert found["seal keys"][1] == "1 sealed value, all with the first key"
    assert "secret" not in repr(found)


def test_a_state_in_a_file_has_no_database(tmp_path: Path) -> None:
    assert database(Settings(state=str(tmp_path))) == []


@pytest.mark.parametrize(
    ("change", "check", "state", "words"),
    [
        ({"release": 13}, "database", "failure", "PostgreSQL 13 Use PostgreSQL 14 or later"),
        ({"is_read_only": True}, "database", "failure", "a standby"),
        ({"version": 0}, "tables", "ok", "none yet: the first server to start"),
        ({"version": 7}, "tables", "ok", "version 7, older than this program"),
        ({"version": 999}, "tables", "failure", "version 999; this program knows up to"),
        ({"clock_ahead": 75.0}, "database clock", "warning", "75 s ahead of this computer's Run NTP"),
        ({"clock_ahead": -75.0}, "database clock", "warning", "75 s behind this computer's"),
        ({"connections": 90}, "connections", "warning", "90 of 97 in use; a server opens up to 11 Raise"),
        (
            {"sealed": (b"1234" * 9,)},
            "seal keys",
            "failure",
            "1 of 1 sealed values were sealed with a key that is not in",
        ),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
    check: str,
    state: str,
    words: str,
) -> None:
    monkeypatch.setattr(postgresql_facts, "database_facts", lambda *_: replace(HEALTHY, **change))  # type: ignore[arg-type]
    found = said(settings)[check]
    assert found[0] == state
    assert words in f"{found[1]} {found[2]}"


def test_values_with_an_older_key_are_counted(settings: Settings, tmp_path: Path) -> None:
    older = tmp_path / "older"
    older.write_text("o" * 40, encoding="ascii")
    stored(replace(settings, seal_keys=str(older)), "one")
    stored(settings, "two")
    state, text, step = said(settings)["seal keys"]
    assert (state, text) == ("warning", "1 of 2 sealed values have a key that is no longer the first")
    assert "mailgun-mcp secrets reseal" in step


def test_keys_that_cannot_be_read_are_a_failure(settings: Settings, store: Store) -> None:
    stored(settings, "one")
    state, text, _ = said(replace(settings, seal_keys="/nowhere/keys"))["seal keys"]
    assert (state, text.startswith("seal-keys: cannot read /nowhere/keys")) == ("failure", True)


def test_a_database_that_cannot_be_reached_is_named_without_its_password(settings: Settings) -> None:
    wrong = str(settings.state_url).replace("tests:secret@", "tests:wr0ng-w0rd@")
    found = said(replace(settings, state_url=wrong))
    assert found.keys() == {"database"}
    assert found["database"][0] == "failure"
    assert "password authentication failed" in found["database"][1]
    assert "wr0ng" not in repr(found)


def test_without_the_extra_it_says_which_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mailgun_mcp.store.postgresql_facts", None)
    assert said(settings)["database"][:2] == ("failure", "PostgreSQL needs the extra `postgres`")


def test_a_url_that_is_none_is_refused(settings: Settings) -> None:
    assert said(replace(settings, state_url="mysql://localhost/a"))["database"][0] == "failure"


def test_doctor_has_these_checks(settings: Settings, home: Path) -> None:
    flags = {"state": settings.state, "state_url": settings.state_url, "seal_keys": settings.seal_keys}
    names = [check.name for check in doctor.examine({**flags, "simulator": True})]
    assert names[4:9] == ["database", "tables", "database clock", "connections", "seal keys"]
