"""The operator sees whose keys are stored, removes one, and replaces the encryption key. No key is shown."""

import json
from pathlib import Path

import pytest

from mailgun_mcp.cli import exits, personal_keys
from mailgun_mcp.cli.main import run
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.personal_keys import PersonalKey, PersonalKeys
from mailgun_mcp.settings import Settings
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.given_keys import GivenKeys
from tests.support.own_keys import ANNS, NEWER, SECRET
from tests.support.state import NOW

VARIABLE = "MAILGUN_MCP_PERSONAL_KEYS_SECRET"


@pytest.fixture
def store(home: Path) -> Store:
    store = Store(home / ".local" / "state" / "mailgun-mcp")
    PersonalKeys(store, GivenKeys("tests", SECRET, None)).put(PersonalKey("ann", "eu", NOW, ANNS))
    return store


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = run(["accounts", *words])
    output = capsys.readouterr()
    return code, output.out + output.err


def test_people_with_keys_are_listed(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = ran(capsys, "list")
    assert "own key of ann" in text
    assert "cannot be decrypted with the keys of this environment" in text
    monkeypatch.setenv(VARIABLE, SECRET)
    _, text = ran(capsys, "list")
    assert ("region eu" in text, "decrypted" in text, ANNS in text) == (True, False, False)


def test_programs_are_told_whose_keys_are_stored(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    text = ran(capsys, "list", "--json")[1]
    record = next(one for one in json.loads(text) if "own_key" in one)
    assert (record["name"], record["id"], record["keys"]) == ("own key of ann", None, [])
    assert record["own_key"] == {"principal": "ann", "region": "eu", "encryption": "current"}
    assert ANNS not in text


def test_an_encryption_key_is_replaced(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ran(capsys, "encrypt-keys")[0] == exits.FAILED
    monkeypatch.setenv(VARIABLE, f"{NEWER},{SECRET}")
    assert "older key" in ran(capsys, "list")[1]
    assert "Encrypted again: 1" in ran(capsys, "encrypt-keys")[1]
    monkeypatch.setenv(VARIABLE, NEWER)
    assert "key of ann" in ran(capsys, "list")[1]
    found = PersonalKeys(store, GivenKeys("tests", NEWER, None)).find("ann")
    assert found is not None
    assert found.key == ANNS


def test_a_key_is_removed_even_without_the_secret(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = ran(capsys, "remove-key", "anne")
    assert (code, "did you mean 'ann'" in text) == (exits.USAGE, True)
    assert "Removed the Mailgun key of ann." in ran(capsys, "remove-key", "ann")[1]
    assert PersonalKeys(store, None).list() == ()


def test_what_the_operator_does_is_recorded(store: Store, capsys: pytest.CaptureFixture[str], home: Path) -> None:
    ran(capsys, "remove-key", "ann")
    run(["audit", "list", "--json"])
    assert "mailgun-mcp accounts remove-key" in json.dumps(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(
    ("secret", "state"), [(None, "failure"), (NEWER, "failure"), (f"{NEWER} {SECRET}", "warning"), (SECRET, "ok")]
)
def test_doctor_says_whether_the_keys_can_be_used(secret: str | None, state: str, store: Store) -> None:
    (check,) = personal_keys.check(Settings(state=str(store.directory), personal_keys_secret=secret))
    assert (check.state, bool(check.step)) == (state, state != "ok")


def test_doctor_says_nothing_where_nobody_stores_keys(tmp_path: Path) -> None:
    assert personal_keys.check(Settings(state=str(tmp_path))) == []
    assert not (tmp_path / "state.db").exists()


def test_doctor_reports_a_secret_or_a_state_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (check,) = personal_keys.check(Settings(state=str(tmp_path), personal_keys_secret="short"))
    assert (check.state, "shorter" in check.text) == ("failure", True)

    def broken(_: object) -> None:
        raise StateError("the disk is gone")

    monkeypatch.setattr(PersonalKeys, "list", broken)
    (check,) = personal_keys.check(Settings(state=str(tmp_path)))
    assert (check.state, check.text) == ("failure", "the disk is gone")
