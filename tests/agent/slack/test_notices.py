"""Sentences to one person: in a channel nobody else sees them."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from mailgun_mcp.agent.slack.notices import tell
from tests.support.fake_slack import fake_slack

pytestmark = pytest.mark.anyio


async def test_a_sentence_reaches_the_user_alone() -> None:
    async with fake_slack() as slack:
        client = AsyncWebClient("xoxb-tests", base_url=f"{slack.url}/api/")
        await tell(client, "D0ANN", "U0ANN", "One.", thread="1.1")
        await tell(client, "C0OFFICE", "U0ANN", "Two.")
        assert [name for name, _ in slack.calls] == ["chat.postMessage", "chat.postEphemeral"]
        assert slack.last("chat.postEphemeral")["user"] == "U0ANN"
        assert slack.last("chat.postMessage")["thread_ts"] == "1.1"
