"""The attacker wants the key to another service: a webhook or route whose whole URL is the secret of a Slack channel."""

import json

import pytest

from mailgun_mcp.audit.log import CallFilter
from mailgun_mcp.call.secret_store import SecretStore
from mailgun_mcp.call.services import Services
from mailgun_mcp.policy.model import Policy
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.simulator.model.account import Account
from tests.support.calls import run
from tests.support.policies import policy
from tests.support.undoing import NAME, Mailgun, account_to_change, services_on

pytestmark = pytest.mark.anyio

TOKEN = "a2Xk39fkkq9Zx8L0p2wert"
HOOK = f"https://hooks.slack.com/services/T024BE7LD/B01/{TOKEN}"
KEYED = f"https://robot:{TOKEN}@hooks.example.com/in?token={TOKEN}"
ANY = policy("extends: unguarded\n")


@pytest.fixture
def account() -> Account:
    account = account_to_change()
    account.domains[NAME].webhooks["delivered"] = [HOOK]
    for route in account.routes.by_id.values():
        route.actions = [f'forward("{KEYED}")']
    return account


def served(account: Account, rules: Policy = ANY) -> Services:
    return services_on(Mailgun(account), account, policy=rules)


@pytest.mark.parametrize(
    ("tool", "arguments", "host"),
    [
        ("list_domain_webhooks", {"domain": NAME}, "https://hooks.slack.com/services/T024BE7LD/B01/withheld:"),
        ("get_domain_webhook", {"domain": NAME, "webhook_name": "delivered"}, "https://hooks.slack.com/services/"),
        ("list_routes", {}, "@hooks.example.com/in?token=withheld:"),
    ],
)
async def test_no_result_shows_it_and_its_owner_finds_it(
    tool: str, arguments: dict[str, object], host: str, account: Account
) -> None:
    async with served(account) as services:
        outcome = await run(services, tool, arguments)
        assert outcome.structured is not None, outcome.text
        assert TOKEN not in outcome.text + json.dumps(outcome.structured)
        assert host in outcome.text
        secrets = SecretStore(services.state)
        assert TOKEN in [
            value.partition(":")[2] or value for value in map(secrets.show, [one.ref for one in secrets.list()])
        ]


async def test_neither_the_form_nor_the_log_shows_it_and_mailgun_gets_it(account: Account) -> None:
    async with served(account, profile("strict")) as services:
        arguments = {"domain": NAME, "id": "opened", "url": [HOOK]}
        outcome = await run(services, "create_domain_webhook", arguments)
        assert outcome.approval is not None, outcome.text
        (pending,) = services.approvals.list(services.clock())
        for shown in (outcome.text, json.dumps(outcome.approval), pending.text, str(pending)):
            assert TOKEN not in shown
        assert "https://hooks.slack.com/services/T024BE7LD/B01/…wert" in pending.text
        services.recorder.close()
        entries = [call.fields for call in services.audit_log.calls(CallFilter())]
        assert TOKEN not in json.dumps(entries)
        assert "https://hooks.slack.com/services/T024BE7LD/B01/[redacted]" in json.dumps(entries)
    async with served(account) as services:
        assert not (await run(services, "create_domain_webhook", arguments)).is_error
        assert account.domains[NAME].webhooks["opened"] == [HOOK]


async def test_an_undo_puts_the_real_url_back_and_does_not_show_it(account: Account) -> None:
    async with served(account) as services:
        removed = await run(services, "delete_domain_webhook", {"domain": NAME, "webhook_name": "delivered"})
        assert removed.structured is not None, removed.text
        name = removed.structured["undo"]["id"]
        for tool, arguments in (
            ("list_undoable", {}),
            ("undo_operation", {"id": name, "dry_run": True}),
            ("undo_operation", {"id": name}),
        ):
            outcome = await run(services, tool, arguments)
            assert not outcome.is_error, outcome.text
            assert TOKEN not in outcome.text
        assert account.domains[NAME].webhooks["delivered"] == [HOOK]


async def test_a_conflict_does_not_show_it(account: Account) -> None:
    async with served(account) as services:
        removed = await run(services, "delete_domain_webhook", {"domain": NAME, "webhook_name": "delivered"})
        assert removed.structured is not None
        account.domains[NAME].webhooks["delivered"] = [KEYED]
        outcome = await run(services, "undo_operation", {"id": removed.structured["undo"]["id"]})
        assert outcome.text.startswith("Not undone")
        assert TOKEN not in outcome.text


async def test_what_stands_for_it_is_never_written_over_it(account: Account) -> None:
    async with served(account) as services:
        shown = await run(services, "get_domain_webhook", {"domain": NAME, "webhook_name": "delivered"})
        assert shown.structured is not None, shown.text
        url = shown.text[shown.text.index("https://") :].partition('"')[0]
        outcome = await run(services, "create_domain_webhook", {"domain": NAME, "id": "opened", "url": [url]})
        assert outcome.kind == "invalid"
        assert "withheld secret" in outcome.text
        assert "opened" not in account.domains[NAME].webhooks


async def test_a_policy_can_reveal_it(account: Account) -> None:
    async with served(account, policy("extends: unguarded\nsecrets: reveal\n")) as services:
        assert HOOK in (await run(services, "list_domain_webhooks", {"domain": NAME})).text
