"""Mail that is sent with an API key that nobody knows."""

from pathlib import Path

import pytest

from mailgun_mcp.call.workflows.api_keys import accepted
from tests.support.workflows import account_of, ask

pytestmark = pytest.mark.anyio


def test_only_what_is_necessary_of_the_newest_mail_is_read() -> None:
    tool, arguments = accepted(3, None)
    assert (tool, arguments["fields"]) == ("query_logs", ["api-key-id", "originating-ip"])
    assert "filter" not in arguments


async def test_each_key_is_described_with_the_addresses_that_use_it(tmp_path: Path) -> None:
    async with account_of("leaked-key", str(tmp_path)) as account:
        answer = await ask(account, "check_domain_health", {"domain": "mail.example.com"})
    uses = answer.structured["findings"][0]["evidence"]
    assert {"key": "9b1de77a-0c4e51f2", "description": "CI of the old shop", "originating_ip": "203.0.113.200"} in uses
