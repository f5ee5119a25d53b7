"""Questions: where they are asked, how long they may be, and that they are closed wherever they were answered."""

from typing import Any

import pytest

from mailgun_mcp.agent.slack import blocks
from tests.support.chats import ANN, CLEAR, DOMAIN
from tests.support.fake_slack import text_of
from tests.support.slack_chats import APPROVERS, PAGE, U_ANN, SlackChat, slack_chat

pytestmark = pytest.mark.anyio


def approval(slack: SlackChat) -> str:
    (pending,) = slack.chat.services.approvals.list(slack.chat.services.clock(), "pending")
    return pending.id


async def test_a_question_has_the_whole_form_and_fetches_nothing() -> None:
    async with slack_chat([CLEAR]) as slack:
        question = await slack.asked()
        message = slack.slack.messages[question]
        form = slack.chat.services.approvals.get(approval(slack), slack.chat.services.clock()).text
        assert all(line in text_of(message) for line in form.splitlines())
        posted = slack.slack.last("chat.postMessage")
        assert (posted["unfurl_links"], posted["unfurl_media"]) in ((False, False), ("0", "0"))


async def test_a_yes_given_elsewhere_closes_the_question_and_the_thread_goes_on() -> None:
    async with slack_chat([CLEAR], ["Cleared."], approvers_channel=APPROVERS) as slack:
        question = await slack.asked()
        approvals = slack.chat.services.approvals
        approvals.approve(approval(slack), by="olga", now=slack.chat.services.clock(), typed=DOMAIN)
        await slack.chat.runner.continue_answered()
        await slack.settled()
        assert "Approved by olga" in text_of(slack.slack.messages[question])
        assert "Cleared." in slack.slack.shown(slack.slack.messages[question]["thread_ts"])


async def test_a_question_that_nobody_answered_in_time_says_so() -> None:
    async with slack_chat([CLEAR], ["Nobody answered."]) as slack:
        question = await slack.asked()
        with slack.chat.services.store.writing() as connection:
            connection.execute("UPDATE approvals SET expires = 1")
        await slack.chat.runner.continue_answered()
        await slack.settled()
        assert "Nobody answered in time" in text_of(slack.slack.messages[question])
        assert slack.people.questions() == []


@pytest.mark.parametrize(("page", "said"), [(PAGE, "on the approvals page"), (None, "approvals approve")])
async def test_a_form_that_slack_cannot_show_whole_is_answered_elsewhere(
    page: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LONGEST_SHOWN", 250)
    monkeypatch.setattr(blocks, "SHORT", 60)
    async with slack_chat([CLEAR], ["Left."], page=page) as slack:
        question = await slack.asked()
        assert ("Open the approvals page" in slack.people.buttons(question)) is (page is not None)
        assert "Allow" not in slack.people.buttons(question)
        shown = text_of(slack.slack.messages[question])
        assert "longer than Slack can show" in shown
        assert said in shown
        await slack.people.press(question, "Refuse", user=U_ANN)
        assert "Left." in slack.slack.shown()


async def test_a_question_that_cannot_be_changed_any_more_stops_nothing() -> None:
    async with slack_chat([CLEAR], ["Left."]) as slack:
        question = await slack.asked()
        slack.slack.failures["chat.update"] = ["message_not_found"] * 2
        await slack.people.press(question, "Refuse", user=U_ANN)
        assert "Left." in slack.slack.shown()


async def test_while_the_file_cannot_be_read_nobody_is_asked() -> None:
    async with slack_chat([CLEAR], approvers_channel=APPROVERS) as slack:
        slack.file.write_text("team: [", encoding="utf-8")
        run = await slack.chat.runner.start(ANN, "slack:T0TEAM:D0ANN:1.1:U0ANN", "Clear.", run="r", client="chat:slack")
        assert run.id == "r"
        await slack.settled()
        assert slack.people.questions() == []


async def test_a_call_of_another_chat_is_not_shown_in_slack() -> None:
    async with slack_chat([CLEAR]) as slack:
        await slack.chat.runner.start(ANN, "slack:T0TEAM:C0OFFICE:1.1:U0ANN", "Clear.", run="r", client="chat:agui")
        await slack.settled()
        calls: list[Any] = slack.slack.calls
        assert calls == []
