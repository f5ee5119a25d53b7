"""What happened to mail, and whether more would arrive."""

from pathlib import Path

import pytest

from tests.support.workflows import account_of, ask

pytestmark = pytest.mark.anyio
LEA = "lea@berg.example"


async def test_the_events_of_a_recipient_are_shown_the_newest_first(tmp_path: Path) -> None:
    async with account_of("unsubscribed-customer", str(tmp_path)) as account:
        answer = await ask(account, "explain_delivery", {"domain": "mail.example.com", "recipient": LEA})
    events = answer.structured["facts"]["events"]
    assert (events[0]["reason"], events[0]["recipient"]) == ("suppress-unsubscribe", LEA)
    assert [event["at"] for event in events] == sorted((event["at"] for event in events), reverse=True)


async def test_a_mail_with_other_tags_reaches_who_unsubscribed_from_all_no_more_than_any(tmp_path: Path) -> None:
    async with account_of("unsubscribed-customer", str(tmp_path)) as account:
        answer = await ask(account, "find_recipient", {"address": LEA, "tags": ["receipt"]})
        stranger = await ask(account, "find_recipient", {"address": "new@example.net"})
    assert answer.structured["facts"]["would_reach"] == {"mail.example.com": False}
    assert stranger.structured["facts"]["would_reach"] == {"mail.example.com": True}
    assert stranger.structured["facts"]["events"] == []


async def test_a_message_of_its_own_is_not_explained_by_the_failures_of_others(tmp_path: Path) -> None:
    async with account_of("throttling", str(tmp_path)) as account:
        about = {"domain": "mail.example.com", "recipient": "new@example.net"}
        answer = await ask(account, "explain_delivery", about)
    assert answer.causes == []
