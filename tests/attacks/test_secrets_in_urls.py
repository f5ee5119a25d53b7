"""The attacker wants the key to another service: a webhook or route whose whole URL is the secret of a Slack channel."""

import json
from collections.abc import Callable

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


async def shown_urls(services: Services) -> list[str]:
    """Return the URLs with a withheld secret, as a model gets them."""
    outcome = await run(services, "list_domain_webhooks", {"domain": NAME})
    assert outcome.structured is not None, outcome.text
    urls = [url for webhook in outcome.structured["webhooks"].values() for url in webhook.get("urls", [])]
    return [url for url in urls if "withheld:" in url]


@pytest.mark.parametrize("url", [HOOK, KEYED], ids=["path", "user and query"])
async def test_a_webhook_is_deleted_and_changed_by_the_url_that_was_shown(url: str, account: Account) -> None:
    account.domains[NAME].webhooks = {"delivered": [url]}
    async with served(account) as services:
        (named,) = await shown_urls(services)
        assert "withheld:" in named
        arguments = {"domain": NAME, "url": named, "event_types": ["opened"]}
        changed = await run(services, "update_domain_webhook_url", arguments)
        assert not changed.is_error, changed.text
        assert {kind: urls for kind, urls in account.domains[NAME].webhooks.items() if urls} == {"opened": [url]}
        deleted = await run(services, "delete_domain_webhook_urls", {"domain": NAME, "url": [named]})
        assert not deleted.is_error, deleted.text
        assert not any(account.domains[NAME].webhooks.values())
        assert deleted.structured is not None
        back = await run(services, "undo_operation", {"id": deleted.structured["undo"]["id"]})
        assert account.domains[NAME].webhooks["opened"] == [url]
        services.recorder.close()
        entries = json.dumps([call.fields for call in services.audit_log.calls(CallFilter())])
        for text in (changed.text, deleted.text, back.text, entries):
            assert TOKEN not in text


async def test_a_person_is_asked_about_the_url_that_was_named_and_not_shown_its_secret(account: Account) -> None:
    async with served(account, profile("guarded")) as services:
        (named,) = await shown_urls(services)
        arguments = {"domain": NAME, "url": [named]}
        pending = await run(services, "delete_domain_webhook_urls", arguments)
        assert pending.approval is not None, pending.text
        (approval,) = services.approvals.list(services.clock())
        assert "hooks.slack.com/services/T024BE7LD/B01/…wert" in approval.text
        assert TOKEN not in approval.text + pending.text + str(approval) + json.dumps(approval.full_record)
        services.approvals.approve(approval.id, by="olga", now=services.clock(), typed=approval.typed)
        deleted = await run(services, "delete_domain_webhook_urls", arguments)
        assert not deleted.is_error, deleted.text
        assert HOOK not in account.domains[NAME].webhooks.get("delivered", [])


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("hooks.slack.com", "evil.example"),
        lambda url: url[:-10] + "aaaaaaaaaa",
        lambda url: f"{url}&more=1",
        lambda url: f"https://evil.example/?{url[-19:]}",
    ],
    ids=["another host", "a guessed reference", "more than the URL", "another URL"],
)
@pytest.mark.parametrize("tool", ["delete_domain_webhook_urls", "update_domain_webhook_url"])
async def test_a_reference_stands_for_its_secret_only_in_the_url_that_is_there(
    tool: str, change: Callable[[str], str], account: Account
) -> None:
    """Otherwise the model would have the secret sent to a host of its own choice."""
    async with served(account) as services:
        (named,) = await shown_urls(services)
        url = change(named)
        arguments = {"url": url, "event_types": ["opened"]} if tool.startswith("update") else {"url": [url]}
        before = account.domains[NAME].webhooks["delivered"][:]
        outcome = await run(services, tool, {"domain": NAME, **arguments})
        assert outcome.kind == "invalid", outcome.text
        assert "no webhook with that withheld secret" in outcome.text
        assert TOKEN not in outcome.text
        assert account.domains[NAME].webhooks["delivered"] == before


async def test_who_may_not_make_the_call_learns_nothing_of_what_is_there(account: Account) -> None:
    rules = policy("extends: unguarded\nrules:\n  - {match: {tool: delete_*}, decision: deny, reason: no}\n")
    async with served(account, rules) as services:
        (named,) = await shown_urls(services)
        answers = []
        for url in (named, named[:-10] + "aaaaaaaaaa"):
            outcome = await run(services, "delete_domain_webhook_urls", {"domain": NAME, "url": [url]})
            answers.append((outcome.kind, outcome.text.replace(url[-10:], "")))
        assert answers[0] == answers[1]
        assert answers[0][0] == "refused"


async def test_the_request_in_a_denial_does_not_show_it(account: Account) -> None:
    rules = policy("extends: unguarded\nrules:\n  - {match: {tool: delete_*}, decision: deny, reason: no}\n")
    async with served(account, rules) as services:
        outcome = await run(services, "delete_domain_webhook_urls", {"domain": NAME, "url": [KEYED, HOOK]})
        assert outcome.kind == "refused"
        assert TOKEN not in outcome.text


async def test_a_reference_of_another_account_stands_for_nothing(account: Account) -> None:
    async with served(account) as services:
        (named,) = await shown_urls(services)
        store = SecretStore(services.state)
        ref = store.keep(TOKEN, tool="list_domain_webhooks", place="url", account="another", now=services.clock())
        other = f"{named[:-10]}{ref}"
        outcome = await run(services, "delete_domain_webhook_urls", {"domain": NAME, "url": [other]})
        assert outcome.kind == "invalid", outcome.text
        assert account.domains[NAME].webhooks["delivered"] == [HOOK]
