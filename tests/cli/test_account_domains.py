"""The account's domains, as `policy check --account` asks for them."""

import pytest

from mailgun_mcp.cli.account_domains import domains
from mailgun_mcp.settings import Settings, SettingsError


def test_every_domain_of_the_account_is_named() -> None:
    assert "mail.example.com" in domains(Settings(simulator=True))


def test_an_account_that_cannot_be_read_is_an_error_that_says_why() -> None:
    unreachable = Settings(api_key="key-0123", url="http://127.0.0.1:9", timeout=0.1)
    with pytest.raises(SettingsError, match="the account's domains cannot be read: "):
        domains(unreachable)
