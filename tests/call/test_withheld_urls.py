"""A URL that was shown with a withheld secret names the one that is there."""

import pytest

from mailgun_mcp.call.withheld_urls import LIST, NAMED_BY_URL
from tests.support.calls import run
from tests.support.operations import find
from tests.support.policies import policy
from tests.support.undoing import NAME, Mailgun, account_to_change, services_on

pytestmark = pytest.mark.anyio
URLS = ["https://robot:pa55word@hooks.example.com/in", "https://hooks.example.com/out?token=pa55word"]


def test_each_of_these_arguments_names_urls_of_a_domain() -> None:
    for tool, argument in NAMED_BY_URL.items():
        schema = find(tool).input_schema
        assert {"domain", argument} <= set(schema["required"])
        assert schema["properties"][argument]["type"] in ("string", "array")
    assert find(LIST).risk == "read"


async def test_several_urls_are_named_at_once_beside_plain_ones() -> None:
    account = account_to_change()
    plain = "https://hooks.example.com/plain"
    account.domains[NAME].webhooks = {"delivered": [*URLS, plain]}
    async with services_on(Mailgun(account), account, policy=policy("extends: unguarded\n")) as services:
        shown = await run(services, LIST, {"domain": NAME})
        assert shown.structured is not None
        named = shown.structured["webhooks"]["delivered"]["urls"]
        assert named != [*URLS, plain]
        outcome = await run(services, "delete_domain_webhook_urls", {"domain": NAME, "url": named})
        assert not outcome.is_error, outcome.text
        assert not any(account.domains[NAME].webhooks.values())


async def test_where_the_urls_cannot_be_read_nothing_is_deleted() -> None:
    account = account_to_change()
    account.domains[NAME].webhooks = {"delivered": [*URLS]}
    async with services_on(Mailgun(account), account, policy=policy("extends: unguarded\n")) as services:
        shown = await run(services, LIST, {"domain": NAME})
        assert shown.structured is not None
        named = shown.structured["webhooks"]["delivered"]["urls"]
        del account.domains[NAME]
        outcome = await run(services, "delete_domain_webhook_urls", {"domain": NAME, "url": named})
        assert outcome.is_error
        assert "no webhook with that withheld secret" in outcome.text
