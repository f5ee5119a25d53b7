"""Clicks on questions: one decides, and only of a person who may."""

import asyncio
import json
from typing import Any

import pytest

from tests.support.chats import CLEAR, DOMAIN
from tests.support.fake_slack import text_of
from tests.support.slack_chats import APPROVERS, OFFICE, U_ANN, U_BEN, U_EVE, USERS, SlackChat, slack_chat

pytestmark = pytest.mark.anyio
DELETE = ("delete_bounce", {"domain": DOMAIN, "address": "nobody@novak.example"})
OTHERS = "confirmation: {level: approval}"
CAL = {"U0CAL": {"principal": "cal@example.com", "scopes": ["approve"]}}


def policy(slack_level: str, directory: Any) -> str:
    path = directory / "policy.yaml"
    rule = f"{{match: {{tool: delete_bounce}}, decision: confirm, level: {slack_level}}}"
    path.write_text(f"version: 1\nextends: guarded\nrules: [{rule}]\n", encoding="utf-8")
    return str(path)


def outcome(slack: SlackChat) -> list[tuple[str, ...]]:
    approvals = slack.chat.services.approvals.list(slack.chat.services.clock())
    return [(one.status, *(answer.by for answer in one.answers)) for one in approvals]


async def test_a_click_that_refuses_ends_the_question_and_the_assistant_is_told() -> None:
    async with slack_chat([CLEAR], ["Then I leave it."]) as slack:
        question = await slack.asked()
        await slack.people.press(question, "Refuse", user=U_ANN)
        shown = text_of(slack.slack.messages[question])
        assert "Refused by ann@example.com" in shown
        assert "<!date^" in shown
        assert "Then I leave it." in slack.slack.shown()
        assert await slack.chat.bounces() > 0


async def test_a_wrong_name_is_said_in_the_form_and_the_right_one_counts_then() -> None:
    async with slack_chat([CLEAR], ["Cleared."]) as slack:
        question = await slack.asked()
        answer = await slack.people.press(question, "Allow", user=U_ANN, typed="mail.example.org")
        assert answer.json()["response_action"] == "errors"
        assert "not the name" in answer.json()["errors"]["mailgun_typed"]
        assert outcome(slack) == [("pending",)]
        await slack.people.send(slack.people.submission(f" {DOMAIN} ", user=U_ANN))
        assert outcome(slack) == [("used", "ann@example.com")]


async def test_two_clicks_at_once_answer_once() -> None:
    async with slack_chat([CLEAR], ["Cleared."]) as slack:
        question = await slack.asked()
        await slack.people.send(slack.people.click(question, "Allow", user=U_ANN))
        await asyncio.gather(
            *(slack.people.deliver(slack.people.submission(DOMAIN, user=U_ANN)) for _ in range(2)),
            slack.people.deliver(slack.people.click(question, "Refuse", user=U_ANN)),
        )
        await slack.settled()
        assert len(outcome(slack)) == 1
        assert outcome(slack)[0][0] in ("used", "denied")
        assert slack.people.questions() == []


async def test_a_stale_click_is_told_what_became_of_the_call() -> None:
    async with slack_chat([CLEAR], ["Left."]) as slack:
        question = await slack.asked()
        button = slack.people.buttons(question)["Allow"]
        await slack.people.press(question, "Refuse", user=U_ANN)
        forms = len(slack.slack.views)
        await slack.people.press(question, "", user=U_ANN, button=button)
        assert len(slack.slack.views) == forms
        assert "Refused by ann@example.com" in text_of(slack.slack.messages[question])


@pytest.mark.parametrize("user", [U_BEN, U_EVE])
async def test_another_user_cannot_answer_in_the_thread_of_the_asker(user: str) -> None:
    async with slack_chat([CLEAR], channels=[OFFICE]) as slack:
        question = await slack.asked(channel=OFFICE)
        for label in ("Allow", "Refuse"):
            await slack.people.press(question, label, user=user)
        assert outcome(slack) == [("pending",)]
        told = slack.slack.last("chat.postEphemeral")
        assert told["user"] == user
        assert slack.slack.views == []


async def test_in_a_channel_only_the_asker_sees_the_question_and_its_outcome_replaces_it() -> None:
    async with slack_chat([CLEAR], ["Left."], channels=[OFFICE]) as slack:
        question = await slack.asked(channel=OFFICE)
        asked = slack.slack.messages[question]
        assert (asked["user"], asked["channel"]) == (U_ANN, OFFICE)
        await slack.people.press(question, "Refuse", user=U_ANN)
        assert slack.slack.messages[question]["replace_original"] is True
        assert slack.people.questions() == []


async def approvals_chat(tmp_path: Any, level: str, *responses: Any, **content: Any) -> Any:
    from tests.support.chats import Chat

    chat = Chat(*responses, policy=policy(level, tmp_path))
    return slack_chat(chat=chat, users={**USERS, **CAL}, **content)


async def test_at_the_level_approval_somebody_else_answers_in_the_approvers_channel(tmp_path: Any) -> None:
    async with await approvals_chat(tmp_path, "approval", [DELETE], ["Removed."], approvers_channel=APPROVERS) as slack:
        await slack.people.message("Remove it.", user=U_ANN)
        own, asked = slack.people.questions(channel="D0ANN"), slack.people.questions(channel=APPROVERS)
        assert "Allow" not in slack.people.buttons(own[0])
        assert "in the approvers' channel" in text_of(slack.slack.messages[own[0]])
        button = slack.people.buttons(asked[0])["Allow"]
        await slack.people.press(
            own[0],
            "",
            user=U_ANN,
            button={**button, "value": slack.people.buttons(own[0])["Refuse"]["value"]},
            typed="nobody@novak.example",
        )
        await slack.people.press(asked[0], "Allow", user=U_ANN, typed="nobody@novak.example")
        await slack.people.press(asked[0], "Allow", user=U_EVE, typed="nobody@novak.example")
        assert outcome(slack) == [("pending",)]
        await slack.people.press(asked[0], "Allow", user=U_BEN, typed="nobody@novak.example")
        await slack.chat.runner.continue_answered()
        await slack.settled()
        assert outcome(slack) == [("used", "ben@example.com")]
        assert "Removed." in slack.slack.shown(slack.slack.messages[own[0]]["thread_ts"])
        for ts in (own[0], asked[0]):
            assert "Approved by ben@example.com" in text_of(slack.slack.messages[ts])


async def test_an_asker_with_the_scope_approve_cannot_answer_their_own_call_there(tmp_path: Any) -> None:
    async with await approvals_chat(tmp_path, "approval", [DELETE], approvers_channel=APPROVERS) as slack:
        await slack.people.message("Remove it.", user=U_BEN, channel="D0BEN")
        (asked,) = slack.people.questions(channel=APPROVERS)
        await slack.people.press(asked, "Allow", user=U_BEN, typed="nobody@novak.example")
        assert outcome(slack) == [("pending",)]
        assert "somebody else must approve it" in slack.slack.shown()


async def test_two_people_approve_and_the_message_says_who_is_missing(tmp_path: Any) -> None:
    async with await approvals_chat(
        tmp_path, "two_people", [DELETE], ["Removed."], approvers_channel=APPROVERS
    ) as slack:
        await slack.people.message("Remove it.", user=U_ANN)
        (asked,) = slack.people.questions(channel=APPROVERS)
        await slack.people.press(asked, "Allow", user=U_BEN, typed="nobody@novak.example")
        assert "A second person must approve it too" in text_of(slack.slack.messages[asked])
        await slack.people.press(asked, "Allow", user=U_BEN, typed="nobody@novak.example")
        assert outcome(slack) == [("pending", "ben@example.com")]
        await slack.people.press(asked, "Allow", user="U0CAL", typed="nobody@novak.example")
        await slack.chat.runner.continue_answered()
        await slack.settled()
        assert outcome(slack) == [("used", "ben@example.com", "cal@example.com")]
        assert "Approved by ben@example.com and cal@example.com" in text_of(slack.slack.messages[asked])


async def test_of_two_people_who_click_at_once_the_first_decides(tmp_path: Any) -> None:
    async with await approvals_chat(
        tmp_path, "approval", [DELETE], ["So be it."], approvers_channel=APPROVERS
    ) as slack:
        await slack.people.message("Remove it.", user=U_ANN)
        (asked,) = slack.people.questions(channel=APPROVERS)
        await slack.people.send(slack.people.click(asked, "Allow", user=U_BEN))
        await asyncio.gather(
            slack.people.deliver(slack.people.submission("nobody@novak.example", user=U_BEN)),
            slack.people.deliver(slack.people.click(asked, "Refuse", user="U0CAL")),
        )
        await slack.settled()
        ((status, *by),) = outcome(slack)
        if status == "denied":
            # A no also counts after a yes, as long as the call was not made.
            assert by[-1] == "cal@example.com"
            assert "Refused by cal@example.com" in text_of(slack.slack.messages[asked])
        else:
            assert by == ["ben@example.com"]
            assert "Approved by ben@example.com" in text_of(slack.slack.messages[asked])


async def test_where_all_is_approved_in_the_channel_the_asker_cannot_in_the_thread(tmp_path: Any) -> None:
    async with slack_chat([CLEAR], approvers_channel=APPROVERS, approve_in="channel") as slack:
        await slack.people.message("Clear them.", user=U_ANN)
        (own,), (asked,) = (slack.people.questions(channel=name) for name in ("D0ANN", APPROVERS))
        forged = {**slack.people.buttons(asked)["Allow"], "value": slack.people.buttons(own)["Refuse"]["value"]}
        await slack.people.press(own, "", user=U_ANN, button=forged, typed=DOMAIN)
        assert outcome(slack) == [("pending",)]
        assert "approvers' channel" in slack.slack.shown()
        await slack.people.press(own, "Refuse", user=U_ANN)
        assert outcome(slack) == [("denied", "ann@example.com")]


async def test_who_was_removed_after_the_form_opened_and_what_no_longer_exists_do_not_count() -> None:
    async with slack_chat([CLEAR]) as slack:
        question = await slack.asked()
        await slack.people.send(slack.people.click(question, "Allow", user=U_ANN))
        await slack.people.send(slack.people.submission(DOMAIN, user=U_EVE))
        await slack.people.send(slack.people.submission(DOMAIN, user=U_BEN))
        view = slack.slack.views[-1]
        metadata = {**json.loads(view["private_metadata"]), "approval": "zz9zz9zz"}
        gone = slack.people.submission(DOMAIN, user=U_ANN, view={**view, "private_metadata": json.dumps(metadata)})
        answer = await slack.people.send(gone)
        assert "no longer exists" in answer.json()["errors"]["mailgun_typed"]  # type: ignore[union-attr] # it answers over HTTP
        assert outcome(slack) == [("pending",)]


async def test_the_button_to_the_approvals_page_does_nothing_here() -> None:
    async with slack_chat([CLEAR]) as slack:
        question = await slack.asked()
        button = slack.people.buttons(question)["Open the approvals page"]
        assert button["url"].startswith("https://mail-admin.example.com/approvals/")
        before = list(slack.slack.calls)
        await slack.people.press(question, "", user=U_ANN, button=button)
        assert slack.slack.calls == before


async def test_a_message_that_slack_does_not_change_is_no_reason_to_lose_the_answer() -> None:
    async with slack_chat([CLEAR], ["Left."], channels=[OFFICE]) as slack:
        question = await slack.asked(channel=OFFICE)
        click = slack.people.click(question, "Refuse", user=U_ANN)
        await slack.people.send({**click, "response_url": "http://127.0.0.1:9/"})
        assert outcome(slack) == [("denied", "ann@example.com")]
        assert "Left." in slack.slack.shown()
