"""How a run is shown: text as it is written, one line for each call, and how it ended."""

import pytest

from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.usage import Limits
from tests.support.chats import CLEAR, LIST, Chat
from tests.support.fake_slack import FakeSlack
from tests.support.slack_chats import U_ANN, slack_chat

pytestmark = pytest.mark.anyio


def lines(slack: FakeSlack) -> list[tuple[str, str]]:
    chunks = [chunk for message in slack.messages.values() for chunk in message.get("chunks", ())]
    return [(chunk["title"], chunk["status"]) for chunk in chunks if chunk["type"] == "task_update"]


async def test_a_call_is_one_line_that_changes() -> None:
    async with slack_chat([LIST], ["Two."]) as slack:
        await slack.people.message("What bounced?", user=U_ANN)
        assert lines(slack.slack) == [("List bounces…", "in_progress"), ("List bounces: done", "complete")]


async def test_a_call_that_waits_is_made_and_can_be_undone_says_so_in_its_line() -> None:
    drop = ("delete_bounce", {"domain": "mail.example.com", "address": "nobody@novak.example"})
    async with slack_chat([drop], ["Removed."]) as slack:
        question = await slack.asked()
        await slack.people.press(question, "Allow", user=U_ANN, typed="nobody@novak.example")
        seen = lines(slack.slack)
        assert seen[1] == ("Remove a bounce: waits for a person", "pending")
        assert seen[-1][0].startswith("delete_bounce: done, undo: ")


async def test_a_message_ends_before_a_question_and_the_rest_is_in_the_next() -> None:
    async with slack_chat(["I will ask.", CLEAR], ["Cleared."]) as slack:
        question = await slack.asked()
        await slack.people.press(question, "Allow", user=U_ANN, typed="mail.example.com")
        assert [name for name, _ in slack.slack.calls if name == "chat.startStream"] == ["chat.startStream"] * 2
        assert not any(message.get("streaming") for message in slack.slack.messages.values())


async def test_the_reader_is_told_once_that_third_parties_wrote_what_the_model_reads_and_formatting_ends() -> None:
    async with slack_chat(["**Bold** ", LIST], ["*A* <!channel>"], [LIST], ["_B_"]) as slack:
        payload = await slack.people.message("What bounced?", user=U_ANN)
        await slack.people.message("And now?", user=U_ANN, thread=payload["event"]["ts"])
        shown = slack.slack.shown()
        assert shown.count("text that third parties wrote") == 1
        assert "**Bold**" in shown
        assert r"\*A\* &lt; !channel&gt;" in shown
        assert r"\_B\_" in shown


async def test_a_failure_and_a_limit_are_said() -> None:
    async with slack_chat(["Half ", ConnectionError("provider")]) as slack:
        await slack.people.message("Hi", user=U_ANN)
        assert "The model did not finish its answer" in slack.slack.shown()
    options = AgentOptions(limits=Limits(requests_per_turn=1))
    async with slack_chat(chat=Chat([LIST], options=options)) as slack:
        await slack.people.message("Hi", user=U_ANN)
        assert "Stopped after 1 requests" in slack.slack.shown()


async def test_a_chat_that_has_no_status_is_answered_all_the_same() -> None:
    async with slack_chat(["Hello."]) as slack:
        slack.slack.failures["assistant.threads.setStatus"] = ["not_allowed"]
        await slack.people.message("Hi", user=U_ANN)
        assert "Hello." in slack.slack.shown()


async def test_what_slack_does_not_take_does_not_stop_the_run() -> None:
    async with slack_chat(["Hello."], [CLEAR], ["Left."]) as slack:
        slack.slack.failures["chat.startStream"] = ["invalid_auth"]
        payload = await slack.people.message("Hi", user=U_ANN)
        assert "Hello." not in slack.slack.shown()
        question = await slack.asked(thread=payload["event"]["ts"])
        await slack.people.press(question, "Refuse", user=U_ANN)
        assert "Left." in slack.slack.shown()
