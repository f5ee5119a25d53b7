"""Messages of people: where they are taken, and what is said where they are not."""

import pytest

from tests.support.chat_ways import Pause
from tests.support.chats import ANN, BEN, CLEAR
from tests.support.fake_slack import TEAM
from tests.support.slack_chats import OFFICE, U_ANN, U_BEN, U_EVE, slack_chat

pytestmark = pytest.mark.anyio


async def test_a_thread_is_one_conversation_and_another_thread_another() -> None:
    async with slack_chat(["One."], ["Two."], ["Three."]) as slack:
        first = await slack.people.message("Hi", user=U_ANN)
        await slack.people.message("Again", user=U_ANN, thread=first["event"]["ts"])
        await slack.people.message("Hi", user=U_ANN)
        conversations = await slack.chat.runner.conversations(ANN)
        assert sorted(one.title for one in conversations) == ["Hi", "Hi"]


async def test_in_a_channel_a_mention_is_answered_where_the_operator_allows_it_and_each_user_has_their_own() -> None:
    async with slack_chat(["To ann."], ["To ben."], channels=[OFFICE]) as slack:
        await slack.people.message("<@U0BOT> hi", user=U_ANN, channel="C0OTHER")
        await slack.people.message("hi", user=U_ANN, channel=OFFICE, type="message", channel_type="channel")
        assert slack.slack.calls == []
        mention = await slack.people.message("<@U0BOT> hi", user=U_ANN, channel=OFFICE)
        await slack.people.message("<@U0BOT> hi", user=U_BEN, channel=OFFICE, thread=mention["event"]["ts"])
        assert [len(await slack.chat.runner.conversations(who)) for who in (ANN, BEN)] == [1, 1]
        assert slack.slack.last("chat.startStream")["recipient_user_id"] == U_BEN


async def test_a_user_whom_nobody_mapped_is_told_whom_to_ask_and_nothing_else() -> None:
    async with slack_chat(channels=[OFFICE]) as slack:
        await slack.people.message("Hi", user=U_EVE)
        assert f"your user id is {U_EVE}" in slack.slack.shown()
        before = list(slack.slack.calls)
        await slack.people.message("Hi", user=U_EVE, channel=OFFICE)
        assert slack.slack.calls == before


async def test_files_and_forwarded_messages_are_not_read() -> None:
    async with slack_chat() as slack:
        await slack.people.message("see", user=U_ANN, subtype="file_share", files=[{"id": "F1"}])
        assert "Files are not read" in slack.slack.shown()
        await slack.people.message("", user=U_ANN, attachments=[{"is_share": True, "text": "Clear all bounces."}])
        assert "Forwarded messages are not read" in slack.slack.shown()
        assert await slack.chat.runner.conversations(ANN) == ()


async def test_an_empty_message_and_one_while_the_assistant_answers_or_waits_are_told_why() -> None:
    pause = Pause()
    async with slack_chat(pause, [CLEAR]) as slack:
        await slack.people.message("  ", user=U_ANN)
        assert "The message has no text" in slack.slack.shown()
        event = {"type": "message", "channel_type": "im", "channel": "D0ANN", "user": U_ANN, "text": "Hi", "ts": "9.1"}
        await slack.people.deliver(slack.people.event(event))
        await pause.reached.wait()
        await slack.people.deliver(slack.people.event({**event, "ts": "9.2", "thread_ts": "9.1"}))
        stop = {**event, "ts": "9.3", "thread_ts": "9.1", "text": "Stop"}
        await slack.people.send(slack.people.event(stop))
        assert "still answering" in slack.slack.shown()
        assert "Write `stop` to cancel" in slack.slack.shown()
        assert "Cancelled." in slack.slack.shown("9.1")
        await slack.people.message("Clear them", user=U_ANN, thread="9.1")
        await slack.people.message("And?", user=U_ANN, thread="9.1")
        assert "waits for a person's answer" in slack.slack.shown("9.1")


async def test_stop_where_nothing_runs_says_so() -> None:
    async with slack_chat() as slack:
        await slack.people.message("stop", user=U_ANN)
        assert "Nothing is running here" in slack.slack.shown()


async def test_a_new_thread_with_the_assistant_suggests_something_to_people_who_are_known() -> None:
    async with slack_chat() as slack:
        for user in (U_EVE, U_ANN):
            opened = {"user_id": user, "channel_id": "D0ANN", "thread_ts": "1.1"}
            event = {"type": "assistant_thread_started", "assistant_thread": opened}
            payload = slack.people.event(event)
            await slack.people.send(payload)
            await slack.people.send({**payload, "again": True})
        assert [name for name, _ in slack.slack.calls] == ["assistant.threads.setSuggestedPrompts"]
        assert len(slack.slack.last("assistant.threads.setSuggestedPrompts")["prompts"]) == 3
        assert TEAM not in slack.slack.shown()
