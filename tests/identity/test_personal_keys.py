"""The table of people's own keys: encrypted, for one principal and one region, on both engines."""

import pytest

from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.personal_keys import PersonalKey, PersonalKeys
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.given_keys import GivenKeys
from tests.support.engines import on_both_engines
from tests.support.own_keys import NEWER, SECRET
from tests.support.state import NOW

pytestmark = on_both_engines

ANNS = PersonalKey("ann", "eu", NOW, "anns-own-key-0123")


def keys(store: Store, secret: str = SECRET) -> PersonalKeys:
    return PersonalKeys(store, GivenKeys("the secret", secret, None))


def test_a_key_is_stored_replaced_and_removed(store: Store) -> None:
    assert (keys(store).find("ann"), keys(store).list(), keys(store).version("ann")) == (None, (), None)
    assert not keys(store).remove("ann")
    keys(store).put(ANNS)
    first = keys(store).version("ann")
    assert keys(store.reopened()).find("ann") == ANNS
    assert keys(store).find("ANN") is None
    keys(store).put(ANNS)
    assert keys(store).version("ann") != first, "even the same key is another version"
    assert keys(store).remove("ann")
    assert keys(store).find("ann") is None


def test_what_is_stored_is_encrypted(store: Store) -> None:
    keys(store).put(ANNS)
    assert b"anns-own-key" not in (keys(store).version("ann") or b"")
    assert "anns-own-key" not in repr(keys(store).find("ann"))


@pytest.mark.parametrize("changed", ["principal = 'ben'", "region = 'us'", "encrypted = that_of_another"])
def test_a_row_that_was_changed_does_not_open(changed: str, store: Store) -> None:
    keys(store).put(ANNS)
    keys(store).put(PersonalKey("cat", "eu", NOW, "cats-own-key-4567"))
    other = keys(store).version("cat")
    with store.writing() as connection:
        if changed.startswith("encrypted"):
            connection.execute("UPDATE personal_keys SET encrypted = ? WHERE principal = 'ann'", (other,))
        else:
            connection.execute(f"UPDATE personal_keys SET {changed} WHERE principal = 'ann'")
    with pytest.raises(StateError, match="cannot be decrypted"):
        keys(store).find("ben" if "ben" in changed else "ann")


def test_an_encryption_key_is_replaced_while_servers_run(store: Store) -> None:
    keys(store).put(ANNS)
    both = keys(store, f"{NEWER}, {SECRET}")
    assert [key.encryption for key in both.list()] == ["older"]
    assert both.find("ann") == ANNS
    assert (both.encrypt_again(), both.encrypt_again()) == (1, 0)
    assert keys(store, NEWER).find("ann") == ANNS
    assert [key.encryption for key in keys(store).list()] == ["unknown"]
    with pytest.raises(StateError, match="not in the secret"):
        keys(store).find("ann")


def test_without_an_encryption_key_keys_are_listed_and_removed_and_not_read(store: Store) -> None:
    keys(store).put(ANNS)
    without = PersonalKeys(store, None)
    assert [(key.principal, key.region, key.encryption) for key in without.list()] == [("ann", "eu", "unknown")]
    with pytest.raises(StateError, match="no encryption key"):
        without.find("ann")
    assert without.remove("ann")
