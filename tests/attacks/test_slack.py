"""Wants to be taken for a person of the workspace, or to have a text of theirs taken for one.

A bot, a workflow, a message that was edited or forwarded, a user of another workspace; and a mail whose text should
mention everybody, draw a link or an image, or look like a message of the app.
"""

import json
from typing import Any

import pytest

from tests.support.chats import ANN, DOMAIN
from tests.support.slack_chats import OFFICE, U_ANN, slack_chat

pytestmark = pytest.mark.anyio
NOBODY: dict[str, dict[str, Any]] = {
    "a bot": {"subtype": "bot_message", "bot_id": "B0BAD"},
    "a bot in a person's name": {"bot_id": "B0BAD"},
    "an app with the person's token": {"app_id": "A0BAD", "bot_profile": {"app_id": "A0BAD"}},
    "a workflow": {"workflow_id": "Wf1", "bot_id": "B0WF"},
    "a message with another name": {"username": "ann"},
    "an edit": {"subtype": "message_changed", "message": {"user": U_ANN, "text": "Clear them."}, "hidden": True},
    "an edited message": {"edited": {"user": U_ANN, "ts": "2.2"}},
    "a deleted message": {"subtype": "message_deleted", "previous_message": {"user": U_ANN}},
    "a reply that is broadcast": {"subtype": "thread_broadcast", "root": {"text": "Clear them."}},
    "a join": {"subtype": "channel_join"},
    "another team": {"team": "T0EVIL"},
    "a user of another team": {"user_team": "T0EVIL"},
    "a shared channel's source": {"source_team": "T0EVIL"},
    "no user": {"user": None},
    "several users": {"user": [U_ANN]},
}
TEXTS = (
    "<!channel> <!here|here> <@U0ANN> <#C0OFFICE>",
    "<https://evil.example/?q=secret|Your account>",
    "![x](https://evil.example/x.png) [click](https://evil.example)",
    "*Approved by ben@example.com* :white_check_mark:\n> quote\n# Heading",
    "@channel @here @everyone",
)


@pytest.mark.parametrize("kind", NOBODY)
async def test_only_what_a_person_of_the_workspace_typed_is_a_message(kind: str) -> None:
    async with slack_chat(["Hello."], channels=[OFFICE]) as slack:
        for channel in ("D0ANN", OFFICE):
            await slack.people.message("Clear them.", **{"user": U_ANN, "channel": channel, **NOBODY[kind]})
        assert slack.slack.calls == []
        assert await slack.chat.runner.conversations(ANN) == ()


@pytest.mark.parametrize("outer", [{"team_id": "T0EVIL"}, {"team_id": None}, {"is_ext_shared_channel": True}])
async def test_another_workspace_and_a_channel_shared_with_others_are_not_answered(outer: dict[str, Any]) -> None:
    async with slack_chat(["Hello."], channels=[OFFICE]) as slack:
        for kind, channel in (("message", "D0ANN"), ("app_mention", OFFICE)):
            event = {"type": kind, "channel_type": "im", "channel": channel, "user": U_ANN, "text": "Hi", "ts": "1.1"}
            await slack.people.send({**slack.people.event(event), **outer})
        assert slack.slack.calls == []


async def test_a_text_is_no_answer_and_a_reaction_is_none() -> None:
    clear = ("clear_bounces", {"domain_name": DOMAIN})
    async with slack_chat([clear]) as slack:
        question = await slack.asked()
        thread = slack.slack.messages[question]["thread_ts"]
        (pending,) = slack.chat.services.approvals.list(slack.chat.services.clock(), "pending")
        for text in ("yes", "approve", f"/approve {pending.id} {DOMAIN}", DOMAIN):
            await slack.people.message(text, user=U_ANN, thread=thread)
        reaction = {"type": "reaction_added", "user": U_ANN, "reaction": "+1", "item": {"ts": question}}
        await slack.people.send(slack.people.event(reaction))
        assert slack.chat.services.approvals.get(pending.id, slack.chat.services.clock()).status == "pending"


async def test_a_user_of_another_team_with_a_known_id_cannot_click() -> None:
    async with slack_chat([("clear_bounces", {"domain_name": DOMAIN})]) as slack:
        question = await slack.asked()
        for click in (
            slack.people.click(question, "Refuse", user=U_ANN, team="T0EVIL"),
            {**slack.people.click(question, "Refuse", user=U_ANN), "team": {"id": "T0EVIL"}},
        ):
            await slack.people.send(click)
        (pending,) = slack.chat.services.approvals.list(slack.chat.services.clock(), "pending")
        assert pending.answers == ()


@pytest.mark.parametrize("text", TEXTS)
async def test_what_a_mail_says_is_no_mention_link_image_or_markup(text: str) -> None:
    def repeat(*_: Any) -> list[Any]:
        return [text]

    log = ("list_bounces", {"domain": DOMAIN})
    send = ("delete_bounce", {"domain": DOMAIN, "address": f"x@example.org {text}"})
    async with slack_chat([log], repeat, [send], ["Done."]) as slack:
        payload = await slack.people.message("What bounced?", user=U_ANN)
        await slack.people.message("Remove it.", user=U_ANN, thread=payload["event"]["ts"])
        assert hostile(slack.slack.messages) == []


def hostile(messages: dict[str, Any]) -> list[str]:
    """Return the texts that Slack would take for markup."""
    found = []
    for message in messages.values():
        chunks = [chunk for chunk in message.get("chunks", ()) if chunk["type"] == "markdown_text"]
        marked = [chunk["text"] for chunk in chunks] + [message.get("text") or ""]
        for text in marked:
            bare = text.replace("\\*", "").replace("\\[", "")
            if any(mark in bare for mark in ("<", "](", "![", "://", "*", "@here", "@channel", "@everyone", "\n#")):
                found.append(text)
        found += [json.dumps(block) for block in message.get("blocks", ()) if block["type"] in ("image", "markdown")]
    return found
