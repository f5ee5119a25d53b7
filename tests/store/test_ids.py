"""IDs that a person reads off one screen and types into another."""

from collections import Counter

import pytest

from mailgun_mcp.store import ids
from mailgun_mcp.store.ids import ALPHABET, FAIR, new_id


def test_an_id_has_the_length_that_is_asked_for() -> None:
    assert [len(new_id(length)) for length in (1, 8, 12)] == [1, 8, 12]


def test_no_two_characters_look_alike() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert set(ALPHABET).isdisjoint("il1o0")
    assert set(new_id(5000)) == set(ALPHABET)


def test_every_character_is_equally_likely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "token_bytes", lambda _: bytes(range(256)))
    assert set(Counter(new_id(FAIR)).values()) == {FAIR // len(ALPHABET)}


def test_ids_do_not_repeat() -> None:
    assert len({new_id(8) for _ in range(1000)}) == 1000
