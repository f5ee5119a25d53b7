"""A conversation in Slack, from the first message to a change that somebody approved."""

import pytest

from tests.support.chats import CLEAR, DOMAIN, LIST
from tests.support.slack_chats import U_ANN, slack_chat

pytestmark = pytest.mark.anyio


async def test_a_message_in_a_direct_message_is_answered_in_its_thread() -> None:
    async with slack_chat([LIST], ["Two mails ", "bounced."]) as slack:
        payload = await slack.people.message("What bounced?", user=U_ANN)
        thread = payload["event"]["ts"]
        shown = slack.slack.shown(thread)
        assert "List bounces: done" in shown
        assert "Two mails bounced" in shown
        assert not any(message.get("streaming") for message in slack.slack.messages.values())


async def test_a_call_that_needs_a_yes_is_made_after_the_name_was_typed() -> None:
    async with slack_chat([CLEAR], ["Cleared."]) as slack:
        question = await slack.asked()
        await slack.people.press(question, "Allow", user=U_ANN, typed=DOMAIN)
        assert await slack.chat.bounces() == 0
        assert "Approved by ann@example.com" in slack.slack.shown()
        assert "Cleared." in slack.slack.shown()
        assert slack.people.questions() == []
