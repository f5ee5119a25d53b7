"""An account is written as the operator named it, and bound to its endpoint and key."""

from dataclasses import replace

from mailgun_mcp.identity.account import Account

MAIN = Account("main", "https://api.mailgun.net", "us", "3f9c", "abc")


def test_an_account_is_written_as_its_name() -> None:
    assert str(MAIN) == "main"


def test_accounts_of_one_name_at_two_endpoints_differ() -> None:
    assert Account("main", "https://example.com") != Account("main", "https://api.eu.mailgun.net")
    assert Account("main", "https://example.com").region is None


def test_another_account_endpoint_or_key_is_another_binding_and_another_name_is_not() -> None:
    others = [
        replace(MAIN, id="abd"),
        replace(MAIN, endpoint="https://api.eu.mailgun.net"),
        replace(MAIN, fingerprint=""),
    ]
    assert len({MAIN.binding, *(other.binding for other in others)}) == 4
    assert replace(MAIN, name="production").binding == MAIN.binding
    assert (MAIN.key, Account("main", "").key) == ("abc", "main")
