"""What a person is asked about is read at the question and once more before the call is made."""

import pytest

from mailgun_mcp.call.prepare import build_request, gather_facts
from mailgun_mcp.call.read_target import TargetReader
from mailgun_mcp.errors import DeniedError
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.simulator.model.lists import MailingList, Member
from tests.support.calls import begun
from tests.support.policies import policy
from tests.support.undoing import NAME, Mailgun, account_to_change, services_on

pytestmark = pytest.mark.anyio

TEAM = f"team@{NAME}"
MAIL = {"domain": NAME, "from": f"me@{NAME}", "to": [TEAM], "subject": "Hi", "text": "Hello"}


async def test_a_list_is_read_again_and_the_call_is_decided_on_once_more() -> None:
    account = account_to_change()
    account.lists[TEAM] = MailingList(TEAM, account.clock.now(), "A list")
    members = account.lists[TEAM].members
    members |= {f"p{number}@x.example": Member(f"p{number}@x.example") for number in range(20)}
    rules = policy("extends: guarded\nsend: {recipients_per_call: 30}\n")
    mailgun = Mailgun(account)
    async with services_on(mailgun, account, policy=rules) as services:
        call = begun(services, "send_message", MAIL)
        request = build_request(call, MAIL)
        facts = await gather_facts(call, request)
        reader = TargetReader(call, request, facts, decide(rules, facts))
        read = len(mailgun.lines)
        assert (await reader()).facts is facts
        assert [line for line in mailgun.lines[read:] if "/lists" in line] == []
        members["q@x.example"] = Member("q@x.example")
        assert ((await reader()).facts.recipient_count, reader.facts.recipient_count) == (21, 21)
        members |= {f"q{number}@x.example": Member(f"q{number}@x.example") for number in range(20)}
        with pytest.raises(DeniedError, match="recipients_per_call is 30"):
            await reader()
