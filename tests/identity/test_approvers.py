"""An approver proves with a secret who they are; nobody can read the secret again."""

import pytest

from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.identity.approvers import Approvers
from mailgun_mcp.store.database import Store
from tests.support.engines import on_both_engines, on_sqlite
from tests.support.state import NOW, rows

pytestmark = on_both_engines


def test_only_their_own_secret_proves_who_somebody_is(store: Store) -> None:
    olga, ben = (Approvers(store).add(name, NOW) for name in ("Olga", "ben"))
    assert Approvers(store).prove("olga", olga) == "olga"
    for name, secret in (("olga", ben), ("ben", olga), ("olga", ""), ("nobody", olga), ("olga", f"{olga}\udc80")):
        with pytest.raises(StateError, match=f"not the secret of {name}"):
            Approvers(store).prove(name, secret)


def test_the_secret_is_not_kept(store: Store) -> None:
    secret = Approvers(store).add("olga", NOW)
    (row,) = rows(store, "SELECT * FROM approvers")
    assert secret not in str(row)


def test_a_name_has_one_secret_however_it_is_written(store: Store) -> None:
    Approvers(store).add("olga", NOW)
    with pytest.raises(StateError, match="remove the approver first"):
        Approvers(store).add("OLGA", NOW)
    assert "Olga" in Approvers(store)
    Approvers(store).remove("oLga")
    assert Approvers(store).list() == ()
    with pytest.raises(UnknownNameError):
        Approvers(store).remove("olga")


@pytest.mark.parametrize("name", ["", "a b", "ann and bob", "\u202eann", "a" * 64])
def test_a_name_that_could_be_read_as_another_is_refused(store: Store, name: str) -> None:
    with pytest.raises(StateError, match="not the name of an approver"):
        Approvers(store).add(name, NOW)


@on_sqlite
def test_before_anything_is_stored_there_are_none(store: Store) -> None:
    assert Approvers(store).list() == ()
    assert "olga" not in Approvers(store)
    assert not store.exists
