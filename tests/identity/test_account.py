"""An account is written as the operator named it."""

from mailgun_mcp.identity.account import Account


def test_an_account_is_written_as_its_name() -> None:
    assert str(Account("main", "https://api.mailgun.net", "us")) == "main"


def test_accounts_of_one_name_at_two_endpoints_differ() -> None:
    assert Account("main", "https://api.mailgun.net") != Account("main", "https://api.eu.mailgun.net")
    assert Account("main", "https://example.com").region is None
