"""The attacker wants mail to many people, or to outsiders, and hides them behind the address of a mailing list."""

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any, Protocol

import httpx
import pytest

from mailgun_mcp.call.mailing_lists import MAX_MEMBERS
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.policy.conditions import compile_match
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.model import Policy
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.lists import MailingList, Member
from tests.support.calls import run
from tests.support.policies import policy, rule, send
from tests.support.recorder import Recorder, recorded_services
from tests.support.undoing import NAME, Mailgun, account_to_change, services_on

pytestmark = pytest.mark.anyio

TEAM, INNER = f"team@{NAME}", f"inner@{NAME}"
OWN = policy(f"extends: unguarded\nsend: {{allow_domains: [{NAME}]}}\n")
NOT_EVE = policy("extends: unguarded\nsend: {deny_recipients: [eve@evil.example]}\n")


def fill(account: Account, address: str, *members: str) -> None:
    account.lists[address] = MailingList(address, account.clock.now(), "A list")
    account.lists[address].members |= {member: Member(member) for member in members}


def people(number: int) -> list[str]:
    return [f"person{index}@{NAME}" for index in range(number)]


@pytest.fixture
def account() -> Account:
    return account_to_change()


class SendTo(Protocol):
    async def __call__(self, *to: str, rules: Policy | None = None) -> CallResult: ...


@pytest.fixture
async def send_to(account: Account) -> AsyncIterator[SendTo]:
    opened = []

    async def sent(*to: str, rules: Policy | None = None) -> CallResult:
        services = services_on(Mailgun(account), account, policy=rules or profile("guarded"))
        opened.append(services)
        mail = {"domain": NAME, "from": f"me@{NAME}", "to": list(to), "subject": "Hi", "text": "Hello"}
        return await run(services, "send_message", mail)

    yield sent
    for services in opened:
        await services.aclose()


async def test_a_list_that_grew_since_the_last_send_is_counted_again(account: Account) -> None:
    fill(account, TEAM, *people(1))
    async with services_on(Mailgun(account), account, policy=profile("guarded")) as services:
        mail = {"domain": NAME, "from": f"me@{NAME}", "to": [TEAM], "subject": "Hi", "text": "Hello"}
        outcome = await run(services, "send_message", mail)
        assert outcome.kind == "done", outcome.text
        fill(account, TEAM, *people(300))
        outcome = await run(services, "send_message", mail)
        assert outcome.kind == "refused"
        assert "Pending approval" in outcome.text


async def test_a_list_inside_a_list_counts_as_its_members(account: Account, send_to: SendTo) -> None:
    fill(account, INNER, *people(300))
    fill(account, TEAM, INNER)
    assert (await send_to(TEAM)).kind == "refused"


async def test_lists_that_hold_each_other_are_read_once(account: Account, send_to: SendTo) -> None:
    fill(account, INNER, TEAM, *people(1))
    fill(account, TEAM, INNER)
    assert (await send_to(TEAM)).kind == "done"


async def test_an_outsider_on_a_list_is_not_an_allowed_recipient(account: Account, send_to: SendTo) -> None:
    fill(account, TEAM, *people(2))
    assert (await send_to(TEAM, rules=OWN)).kind == "done"
    fill(account, TEAM, *people(2), "eve@evil.example")
    outcome = await send_to(TEAM, rules=OWN)
    assert f"'eve@evil.example', a member of the mailing list '{TEAM}', is not in allow_domains" in outcome.text


async def test_an_outsider_on_a_list_inside_a_list_is_a_denied_recipient(account: Account, send_to: SendTo) -> None:
    fill(account, INNER, "eve@evil.example")
    fill(account, TEAM, INNER)
    outcome = await send_to(TEAM, rules=NOT_EVE)
    assert f"'eve@evil.example', a member of the mailing list '{TEAM}', is in deny_recipients" in outcome.text


async def test_a_list_too_large_to_match_is_asked_about_or_denied(account: Account, send_to: SendTo) -> None:
    fill(account, TEAM, *people(MAX_MEMBERS + 1))
    outcome = await send_to(TEAM, rules=OWN)
    assert (outcome.kind, "Pending approval" in outcome.text) == ("refused", True)
    outcome = await send_to(TEAM, rules=NOT_EVE)
    assert outcome.text.startswith("Refused by policy (send/deny_recipients): ")
    assert "so deny_recipients cannot be checked" in outcome.text


async def test_a_list_among_thousands_is_found(account: Account, send_to: SendTo) -> None:
    for number in range(150):
        fill(account, f"a{number:03}@{NAME}")
    fill(account, TEAM, *people(300))
    assert (await send_to(TEAM)).kind == "refused"
    assert (await send_to(*people(1))).kind == "done"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_may_not_read_lists_makes_every_send_a_question(status: int) -> None:
    mailgun = Recorder(lambda line: httpx.Response(status if "/v3/lists" in line else 200, json={}))
    mail = {"domain": NAME, "from": f"me@{NAME}", "to": [TEAM], "subject": "Hi", "text": "Hello"}
    for rules, kind, why in (
        ("extends: unguarded\n", "refused", "Pending approval"),
        ("extends: unguarded\nsend: {recipients_per_hour: 100}\n", "refused", "recipients_per_hour cannot be checked"),
        ("extends: unguarded\nsend: {unknown_lists: allow}\n", "done", ""),
    ):
        async with recorded_services(mailgun, policy=policy(rules)) as services:
            outcome = await run(services, "send_message", mail)
            assert (outcome.kind, why in outcome.text) == (kind, True), outcome.text


def test_a_batch_counts_each_copy() -> None:
    to = people(5)
    cc = [f"copy{index}@x.example" for index in range(5)]
    assert send(*to, cc=cc).recipient_count == 10
    assert send(*to, cc=cc, recipient_variables={person: {} for person in to}).recipient_count == 30
    header = {"X-Mailgun-Recipient-Variables": "{}"}
    assert send(*to, cc=cc, headers=header).recipient_count == 30
    assert send(TEAM, bcc=[INNER], recipient_variables={}, list_members={TEAM: 10, INNER: 3}).recipient_count == 40


@pytest.mark.parametrize("condition", [f"outside: {NAME}", "domains: evil.example", "addresses: eve@evil.example"])
async def test_a_rule_about_recipients_sees_the_members_of_a_list(
    account: Account, send_to: SendTo, condition: str
) -> None:
    rules = policy(f"extends: unguarded\n{rule(f'{{risk: send, recipients: {{{condition}}}}}')}")
    fill(account, TEAM, *people(2))
    assert (await send_to(TEAM, rules=rules)).kind == "done"
    fill(account, INNER, "eve@evil.example")
    fill(account, TEAM, *people(2), INNER)
    assert "Refused by policy" in (await send_to(TEAM, rules=rules)).text


async def test_a_rule_that_allows_colleagues_allows_no_list_with_an_outsider(account: Account, send_to: SendTo) -> None:
    colleagues = policy(f"extends: strict\n{rule(f'{{risk: send, recipients: {{domains: {NAME}}}}}', 'allow')}")
    fill(account, TEAM, *people(2))
    assert (await send_to(TEAM, rules=colleagues)).kind == "done"
    fill(account, TEAM, *people(2), "eve@evil.example")
    assert "Pending approval" in (await send_to(TEAM, rules=colleagues)).text


@pytest.mark.parametrize("condition", ["outside: mg.example.com", "domains: evil.example", "more_than: 50"])
def test_a_list_that_nobody_can_read_is_the_worst_for_a_rule_about_recipients(condition: str) -> None:
    match = f"{{risk: send, recipients: {{{condition}}}}}"
    unread: dict[str, Any] = {"unknown_lists": {TEAM: "the API key may not read mailing lists"}}
    assert decide(policy(f"extends: unguarded\n{rule(match)}"), send(TEAM, **unread)).effect == "deny"
    known = send(TEAM, list_members={TEAM: 1}, list_addresses={TEAM: (f"ann@{NAME}",)})
    assert decide(policy(f"extends: unguarded\n{rule(match)}"), known).effect == "allow"


@pytest.mark.parametrize("condition", [f"domains: {NAME}", "at_most: 10", "less_than: 10"])
def test_no_grant_covers_a_list_that_nobody_can_read(condition: str) -> None:
    name, _, value = condition.partition(": ")
    grant = compile_match(
        {"risk": "send", "recipients": {name: int(value) if value.isdigit() else value}}, "allow", UTC
    )
    assert grant.holds(send(TEAM, list_members={TEAM: 1}, list_addresses={TEAM: (f"ann@{NAME}",)}))
    assert not grant.holds(send(TEAM, unknown_lists={TEAM: "the API key may not read mailing lists"}))
    assert not grant.holds(send(TEAM, list_members={TEAM: 11}))


def test_an_operator_can_let_sends_to_unknown_lists_through() -> None:
    match = "{risk: send, recipients: {outside: mg.example.com}}"
    rules = policy(f"extends: unguarded\nsend: {{unknown_lists: allow}}\n{rule(match)}")
    facts = send(TEAM, unknown_lists={TEAM: "the API key may not read mailing lists"}, unknown_lists_allowed=True)
    assert decide(rules, facts).effect == "allow"
