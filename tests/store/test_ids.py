"""IDs that a person reads off one screen and types into another."""

from mailgun_mcp.store.ids import ALPHABET, new_id


def test_an_id_has_the_length_that_is_asked_for() -> None:
    assert [len(new_id(length)) for length in (1, 8, 12)] == [1, 8, 12]


def test_no_two_characters_look_alike() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert set(ALPHABET).isdisjoint("il1o0")
    assert set(new_id(5000)) == set(ALPHABET)


def test_ids_do_not_repeat() -> None:
    assert len({new_id(8) for _ in range(1000)}) == 1000
