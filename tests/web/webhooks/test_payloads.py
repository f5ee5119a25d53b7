"""What is sent: the event as data, and messages for Slack and Teams in which a call is nothing but text."""

import json
from typing import Any

import pytest

from mailgun_mcp.web.webhooks.payloads import payload

HOSTILE = "<https://evil.example|Approve> @channel *bold* [Approve](https://evil.example) <!everyone>"
DATA: dict[str, Any] = {
    "id": "3r5u7c6e",
    "title": f"Delete a domain {HOSTILE}",
    "text": f"Delete a domain.\n{HOSTILE}",
    "account": "main",
    "url": "https://mail-admin.example.com/approvals/3r5u7c6e",
    "answers": [{"by": "kim", "yes": False, "reason": HOSTILE, "relayed_by": "bot"}],
}


def sent(form: Any, data: dict[str, Any] = DATA, event: str = "approval.denied") -> Any:
    return json.loads(payload(form, event, "2026-11-27T00:00:00Z", data))


def test_the_standard_payload_is_the_event_with_its_data() -> None:
    assert sent("standard") == {"type": "approval.denied", "timestamp": "2026-11-27T00:00:00Z", "data": DATA}


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    return [text for item in value for text in strings(item)] if isinstance(value, list) else [str(value)]


def test_in_slack_everything_is_plain_text_and_the_only_link_is_ours() -> None:
    message = sent("slack")
    objects = [block.get("text") for block in message["blocks"] if "text" in block]
    objects += [item for block in message["blocks"] for item in block.get("elements", ()) if item["type"] != "button"]
    assert {item["type"] for item in objects} == {"plain_text"}
    assert all(len(item["text"]) <= 3_000 for item in objects)
    (button,) = [item for block in message["blocks"] for item in block.get("elements", ()) if item["type"] == "button"]
    assert button["url"] == DATA["url"]
    assert "<" not in message["text"]
    assert "denied by kim (relayed by bot)" in json.dumps(message)


def test_in_teams_marks_are_escaped_and_the_only_link_is_ours() -> None:
    (attachment,) = sent("teams")["attachments"]
    card = attachment["content"]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open", "url": DATA["url"]}]
    body = "\n".join(strings(card["body"]))
    assert "[Approve](" not in body
    assert "\\[Approve\\]\\(" in body


@pytest.mark.parametrize("form", ["slack", "teams"])
def test_a_long_form_is_shortened_and_says_where_the_rest_is(form: str) -> None:
    text = json.dumps(sent(form, {**DATA, "text": "x" * 4_000, "answers": []}))
    assert "the whole form is on the page" in text
    assert len(text) < 8_000


@pytest.mark.parametrize("form", ["slack", "teams"])
def test_an_undone_call_has_its_summary_and_may_have_no_link(form: str) -> None:
    data = {"id": "c1", "summary": "4 bounces", "account": "main"}
    message = sent(form, data, "operation.undone")
    assert "4 bounces" in json.dumps(message)
    assert "actions" not in json.dumps(message)
