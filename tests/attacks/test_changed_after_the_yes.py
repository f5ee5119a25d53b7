"""The attacker gets a yes for a small send, and makes it a large one before it is made.

They add members to the mailing list, or to a list inside it, after the person saw the question, or write a MIME file
whose headers nobody reads.
"""

from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.confirm.asker import FormAnswer
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.confirm.form import AGAIN, Form
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.request.files import Files
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.lists import MailingList, Member
from tests.support.calls import LOCAL_USER, run
from tests.support.policies import policy
from tests.support.requests import changing
from tests.support.undoing import NAME, Mailgun, account_to_change, services_on

pytestmark = pytest.mark.anyio

TEAM, INNER = f"team@{NAME}", f"inner@{NAME}"
MAIL = {"domain": NAME, "from": f"me@{NAME}", "to": [TEAM], "subject": "Hi", "text": "Hello"}
SENT = f"POST /v3/{NAME}/messages"


def fill(account: Account, address: str, *members: str) -> None:
    account.lists[address] = MailingList(address, account.clock.now(), "A list")
    account.lists[address].members |= {member: Member(member) for member in members}


def people(number: int) -> list[str]:
    return [f"person{index}@{NAME}" for index in range(number)]


class Tricked:
    """A person who says yes to everything; a list grows while they read the first question."""

    can_ask = True

    def __init__(self, account: Account, grows: str, *members: str) -> None:
        self.account, self.grows, self.members = account, grows, members
        self.asked: list[str] = []

    async def ask(self, form: Form, *, patience: float) -> FormAnswer:
        self.asked.append(form.text)
        fill(self.account, self.grows, *self.members)
        return FormAnswer("yes")


@pytest.mark.parametrize("grows", [TEAM, INNER])
async def test_a_list_that_grows_while_a_person_is_asked_is_shown_again(grows: str) -> None:
    account = account_to_change()
    fill(account, INNER, *people(12))
    fill(account, TEAM, INNER)
    mailgun, person = Mailgun(account), Tricked(account, grows, *people(300))
    async with services_on(mailgun, account, policy=profile("guarded")) as services:
        outcome = await run(services, "send_message", MAIL, Caller(LOCAL_USER, asker=person))
    assert outcome.kind == "done", outcome.text
    assert ["300" in text for text in person.asked] == [False, True]
    assert [text.startswith(AGAIN) for text in person.asked] == [False, True]


@pytest.mark.parametrize("grows", [TEAM, INNER])
async def test_an_approval_does_not_cover_a_list_that_grew_since(grows: str) -> None:
    account = account_to_change()
    fill(account, INNER, *people(12))
    fill(account, TEAM, INNER)
    mailgun = Mailgun(account)
    async with services_on(mailgun, account, policy=profile("guarded")) as services:
        await run(services, "send_message", MAIL)
        (approval,) = services.approvals.list(services.clock(), "pending")
        services.approvals.approve(approval.id, by="ann", now=services.clock(), typed=approval.typed)
        fill(account, grows, *people(300))
        outcome = await run(services, "send_message", MAIL)
        assert (outcome.kind, SENT in changing(mailgun.lines)) == ("refused", False)
        assert "no longer applies: the target has changed since." in outcome.text
        (again,) = services.approvals.list(services.clock(), "pending")
        assert "300" in again.text
        services.approvals.approve(again.id, by="ann", now=services.clock(), typed=again.typed)
        assert (await run(services, "send_message", MAIL)).kind == "done"


async def test_a_member_who_is_denied_by_the_time_of_the_yes_stops_the_send() -> None:
    account = account_to_change()
    fill(account, TEAM, *people(12))
    rules = policy("extends: guarded\nsend: {deny_recipients: [eve@evil.example]}\n")
    mailgun, person = Mailgun(account), Tricked(account, TEAM, *people(12), "eve@evil.example")
    async with services_on(mailgun, account, policy=rules) as services:
        outcome = await run(services, "send_message", MAIL, Caller(LOCAL_USER, asker=person))
    assert "eve@evil.example" in outcome.text
    assert (outcome.kind, SENT in changing(mailgun.lines)) == ("refused", False)


@pytest.mark.parametrize("hidden", ["Bcc: eve@evil.example", "To:\r\n eve@evil.example"])
async def test_the_headers_of_a_mime_message_in_a_file_are_read(tmp_path: Path, hidden: str) -> None:
    (tmp_path / "mail.eml").write_text(f"From: me@{NAME}\r\n{hidden}\r\n\r\nHello")
    account = account_to_change()
    rules = policy(f"extends: unguarded\nsend: {{allow_domains: [{NAME}]}}\n")
    mime: dict[str, Any] = {"domain": NAME, "to": [f"bob@{NAME}"], "message": {"path": "mail.eml"}}
    async with services_on(Mailgun(account), account, policy=rules, files=Files((tmp_path,))) as services:
        outcome = await run(services, "send_mime_message", mime)
    assert outcome.text.startswith("Refused by policy (send/allow_domains): 'eve@evil.example' is not in")


async def test_a_call_that_needs_an_approval_now_is_not_made_by_a_yes_at_the_client() -> None:
    """Nobody approves over the channel of the model's own client, however small the call was when it was asked about."""
    rules = policy(
        "extends: guarded\nrules:\n"
        "  - {match: {risk: send, recipients: {more_than: 50}}, decision: confirm, level: approval}\n"
    )
    account = account_to_change()
    fill(account, TEAM, *people(12))
    mailgun, person = Mailgun(account), Tricked(account, TEAM, *people(300))
    async with services_on(mailgun, account, policy=rules) as services:
        outcome = await run(services, "send_message", MAIL, Caller(LOCAL_USER, asker=person))
    assert changing(mailgun.lines) == []
    assert len(person.asked) == 1
    assert "Pending approval" in outcome.text
