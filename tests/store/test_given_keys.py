"""Encryption keys that the operator gives, in a variable or a file."""

from pathlib import Path

import pytest

from mailgun_mcp.errors import SettingsError, StateError
from mailgun_mcp.store.given_keys import GivenKeys

FIRST, SECOND = "1" * 32, "2" * 32


def given(text: str | None = None, file: str | None = None) -> GivenKeys:
    return GivenKeys("the option", text, file)


@pytest.mark.parametrize("text", [f"{FIRST},{SECOND}", f" {FIRST}\n{SECOND}\n", f"{FIRST} {SECOND}"])
def test_the_first_key_seals_and_all_open(text: str) -> None:
    keys = given(text)
    assert keys.values == (FIRST, SECOND)
    assert keys.unseal(given(SECOND).seal(b"value", "name"), "name") == b"value"
    assert given(FIRST).unseal(keys.seal(b"value", "name"), "name") == b"value"
    assert keys.is_current(keys.seal(b"", "name"))
    assert not keys.is_current(given(SECOND).seal(b"", "name"))


def test_a_file_has_one_key_a_line_and_comments(tmp_path: Path) -> None:
    (file := tmp_path / "keys").write_text(f"# since May\n{FIRST}\n\n{SECOND}\n", encoding="utf-8")
    assert given(file=str(file)).values == (FIRST, SECOND)


@pytest.mark.parametrize(("text", "why"), [("", "no key"), ("# comment", "shorter"), ("short", "key 1 is shorter")])
def test_what_is_no_key_stops_the_start(text: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        given(text)
    assert "openssl rand -hex 32" in str(caught.value)


def test_a_file_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read"):
        given(file=str(tmp_path / "none"))


def test_a_value_of_an_unknown_key_says_what_to_add() -> None:
    with pytest.raises(StateError, match="add that key after the first"):
        given(FIRST).unseal(given(SECOND).seal(b"value", "name"), "name")
