"""The tokens of one run are what the conversation used since it began."""

import pytest

from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.http.run_usage import RunUsage, usage_before
from mailgun_mcp.agent.usage import Usage
from tests.support.chats import ANN, Chat

pytestmark = pytest.mark.anyio


def test_only_what_a_run_used_is_counted() -> None:
    usage = RunUsage(Usage(input_tokens=100, output_tokens=10))
    assert usage.as_completion["total_tokens"] == 0
    usage.see(Event(1, "t", 0.0, "text", {"message": "m", "text": "Hi"}))
    usage.see(Event(2, "t", 0.0, "usage", Usage(1, 150, 12).record))
    usage.see(Event(3, "t", 0.0, "usage", Usage(2, 210, 15).record))
    assert usage.as_completion == {"prompt_tokens": 110, "completion_tokens": 5, "total_tokens": 115}
    assert usage.as_response["total_tokens"] == 115


async def test_a_conversation_that_does_not_exist_has_used_nothing() -> None:
    async with Chat(["Hi."]) as chat:
        assert await usage_before(chat.runner, ANN, "c") == Usage()
        await chat.say("Hello.")
        assert (await usage_before(chat.runner, ANN, "c")).requests == 1
