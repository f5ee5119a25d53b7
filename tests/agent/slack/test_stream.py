"""A message that grows: as long as Slack lets it, and in others after that."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from mailgun_mcp.agent.slack.stream import MessageStream, task_chunk, text_chunks
from mailgun_mcp.agent.slack.thread import Thread
from tests.support.fake_slack import FakeSlack, fake_slack

pytestmark = pytest.mark.anyio
THREAD = Thread("T0TEAM", "D0ANN", "1.1", "U0ANN")


def stream_to(slack: FakeSlack) -> MessageStream:
    return MessageStream(AsyncWebClient("xoxb-tests", base_url=f"{slack.url}/api/"), THREAD)


async def test_a_message_is_begun_continued_and_ended() -> None:
    async with fake_slack() as slack:
        stream = stream_to(slack)
        await stream.add(text_chunks("One "))
        await stream.add([*text_chunks("two"), task_chunk("c1", "List bounces", "in_progress")])
        await stream.stop()
        await stream.stop()
        (message,) = slack.messages.values()
        assert [chunk.get("text") for chunk in message["chunks"]] == ["One ", "two", None]
        assert (message["thread_ts"], message["recipient_user_id"], message["recipient_team_id"]) == (
            *("1.1", "U0ANN"),
            "T0TEAM",
        )
        assert message["streaming"] is False


async def test_what_follows_a_message_that_slack_has_ended_stands_in_the_next() -> None:
    async with fake_slack() as slack:
        stream = stream_to(slack)
        for error in ("message_not_in_streaming_state", "msg_too_long"):
            await stream.add(text_chunks(f"before {error}. "))
            slack.failures["chat.appendStream"] = [error]
            await stream.add(text_chunks(f"after {error}. "))
        slack.failures["chat.stopStream"] = ["message_not_in_streaming_state"]
        await stream.stop()
        assert len(slack.messages) == 3
        assert all(f"{word} {error}" in slack.shown() for word in ("before", "after") for error in ("msg_too_long",))


async def test_where_there_are_no_streams_the_text_is_a_message_that_fetches_nothing() -> None:
    async with fake_slack() as slack:
        stream = stream_to(slack)
        slack.failures["chat.startStream"] = ["channel_type_not_supported"]
        await stream.add([*text_chunks("Hello"), task_chunk("c1", "List bounces", "complete")])
        posted = slack.last("chat.postMessage")
        assert posted["markdown_text"] == "Hello\nList bounces: complete"
        assert (posted["unfurl_links"], posted["unfurl_media"]) in ((False, False), ("0", "0"))


async def test_other_errors_are_raised() -> None:
    async with fake_slack() as slack:
        stream = stream_to(slack)
        slack.failures["chat.startStream"] = ["token_revoked"]
        with pytest.raises(SlackApiError):
            await stream.add(text_chunks("Hello"))
        await stream.add(text_chunks("Hello"))
        for method in ("chat.appendStream", "chat.stopStream"):
            slack.failures[method] = ["internal_error"]
        with pytest.raises(SlackApiError):
            await stream.add(text_chunks("Hello"))
        with pytest.raises(SlackApiError):
            await stream.stop()


def test_a_long_text_is_cut_in_pieces_and_nothing_is_lost() -> None:
    pieces = text_chunks("x" * 25_000)
    assert [len(piece["text"]) for piece in pieces] == [10_000, 10_000, 5_000]
    assert text_chunks("") == []
