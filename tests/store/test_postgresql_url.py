"""The URL of a database is checked without repeating it, and shown without its password."""

import pytest

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.store.postgresql_url import check_url, password_in, shown_url

URL = "postgresql://ann:pa%40ss@db.example.com:6432/mail?sslmode=require"


@pytest.mark.parametrize(
    ("url", "shown", "password"),
    [
        (URL, "postgresql://db.example.com:6432/mail", "pa@ss"),
        ("postgres://localhost/mail", "postgresql://localhost/mail", None),
        ("postgresql:///mail?host=/run/postgresql", "postgresql:///run/postgresql/mail", None),
        ("postgresql://db/mail?user=ann&password=secret", "postgresql://db/mail", "secret"),
        ("postgresql://[::1]:5432/mail", "postgresql://[::1]:5432/mail", None),
    ],
)
def test_it_is_shown_without_user_password_and_parameters(url: str, shown: str, password: str | None) -> None:
    assert check_url(url) == url
    assert (shown_url(url), password_in(url)) == (shown, password)


@pytest.mark.parametrize(
    "url",
    [
        *("mysql://ann:secret@db/mail", "db.example.com", "", "postgresql://ann:secret@x@db/mail"),
        *("postgresql://ann:sec/ret@db/mail", "postgresql://ann:sec#ret@db/mail", "postgresql://ann:secret@db:port/x"),
        "postgresql://[::1/secret",
    ],
)
def test_what_is_no_url_of_postgresql_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match="state-url: it is not the URL of a PostgreSQL database") as refused:
        check_url(url)
    assert "sec" not in str(refused.value)
