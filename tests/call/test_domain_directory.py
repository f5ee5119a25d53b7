"""Which account has which domain; the cases of calls are in test_account_choice."""

import pytest

from mailgun_mcp.call.domain_directory import DomainDirectory, ReadDomains, domain_names
from tests.support.several_accounts import two_accounts

pytestmark = pytest.mark.anyio


async def test_all_pages_are_read() -> None:
    services = two_accounts().of_accounts["staging"]
    names = await domain_names(services.all_tools, services.client, None)
    assert "mail.example.com" in names


async def test_only_the_accounts_of_the_caller_are_read_and_once() -> None:
    asked: list[str] = []

    def reader(name: str) -> ReadDomains:
        async def read() -> list[str]:
            asked.append(name)
            return ["Mail.example.com"]

        return read

    directory = DomainDirectory({name: reader(name) for name in ("production", "staging")}, clock=lambda: 0.0)
    for _ in range(3):
        assert await directory.accounts_with("mail.example.com", ["production"]) == ["production"]
    assert await directory.accounts_with("missing.example.com", ["production"]) == []
    assert asked == ["production"]
