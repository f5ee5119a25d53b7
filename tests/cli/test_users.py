"""The users of this machine are known by name, and those that a directory service does not list are looked up."""

import pwd

import pytest

from mailgun_mcp.cli.users import principals_here
from mailgun_mcp.identity.principal import local_user


def test_users_of_the_machine_and_anonymous_can_call() -> None:
    here = principals_here([])
    assert here is not None
    assert {local_user().id, "anonymous"} <= set(here)


def test_a_user_who_is_not_listed_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    user = pwd.getpwall()[0].pw_name
    monkeypatch.setattr(pwd, "getpwall", list)
    here = principals_here([user, "no such user", "a\0b"])
    assert here is not None
    assert user in here
    assert "no such user" not in here
