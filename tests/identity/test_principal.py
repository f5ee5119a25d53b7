"""Who calls is what the system says, and not what the environment says."""

import os
from pathlib import Path

import pytest

from mailgun_mcp.identity import principal
from mailgun_mcp.identity.principal import ANONYMOUS, Principal, local_user, login_user


def test_a_principal_is_written_as_its_id() -> None:
    assert str(Principal("ann")) == "ann"
    assert (Principal("ann").authenticated, ANONYMOUS.authenticated) == (True, False)


def test_the_id_alone_tells_principals_apart() -> None:
    assert {Principal("ann"), Principal("ann"), Principal("ben")} == {Principal("ann"), Principal("ben")}


def test_the_environment_does_not_say_who_somebody_is(monkeypatch: pytest.MonkeyPatch) -> None:
    user, login = local_user(), login_user()
    for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER", "HOME"):
        monkeypatch.setenv(name, "mallory")
    assert (local_user(), login_user()) == (user, login)


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    assert local_user().id == "uid 54321"


@pytest.mark.parametrize(
    ("content", "user"),
    [("54321", "uid 54321"), ("4294967295\n", None), ("", None), ("nonsense", None)],
    ids=["login", "none", "empty", "nonsense"],
)
def test_who_logged_in_counts_where_the_system_tells(
    content: str, user: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loginuid").write_text(content, encoding="ascii")
    monkeypatch.setattr(principal, "LOGIN_ID", tmp_path / "loginuid")
    assert login_user().id == (user or local_user().id)
    monkeypatch.setattr(principal, "LOGIN_ID", tmp_path / "missing")
    assert login_user() == local_user()
