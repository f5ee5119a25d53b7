"""The body of a webhook: the event as data, or formatted for Slack and Teams. The call is always plain text."""

import json
from collections.abc import Mapping
from typing import Any

from mailgun_mcp.confirm.bounded_text import shorten
from mailgun_mcp.policy.model import WebhookFormat

LONGEST = 2_800
"""Maximum characters of a form in a message; Slack takes 3,000 in a block. The link leads to the whole form."""
TITLES = {
    "approval.pending": "A call waits for approval",
    "approval.approved": "Approved",
    "approval.denied": "Denied",
    "approval.expired": "Nobody answered in time",
    "approval.withdrawn": "Withdrawn by the client that asked",
    "approval.used": "The approved call was made",
    "operation.undone": "A call was undone",
}


def payload(form: WebhookFormat, event: str, at: str, data: Mapping[str, Any]) -> bytes:
    """Return the body in the endpoint's format."""
    match form:
        case "slack":
            message = _slack(event, data)
        case "teams":
            message = _teams(event, data)
        case _:
            message = {"type": event, "timestamp": at, "data": dict(data)}
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")


def _slack(event: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Plain text in every block, so that nothing in a call can become a link, a mention or a button."""
    title = f"{TITLES[event]}: {data.get('title') or data.get('summary', '')}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": shorten(title, 140), "emoji": False}},
        {"type": "section", "text": {"type": "plain_text", "text": _text(data), "emoji": False}},
        {"type": "context", "elements": [{"type": "plain_text", "text": shorten(_footer(data), 500), "emoji": False}]},
    ]
    if link := data.get("url"):
        button = {"type": "button", "url": link, "text": {"type": "plain_text", "text": "Open", "emoji": False}}
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": shorten(_unlinked(title), 300), "blocks": blocks}


def _teams(event: str, data: Mapping[str, Any]) -> dict[str, Any]:
    body = [
        {"type": "TextBlock", "text": _plain(TITLES[event]), "weight": "Bolder", "size": "Medium", "wrap": True},
        *(
            {"type": "TextBlock", "text": _plain(line), "wrap": True, "spacing": "Small"}
            for line in _text(data).split("\n")
        ),
        {"type": "TextBlock", "text": _plain(_footer(data)), "isSubtle": True, "wrap": True},
    ]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if link := data.get("url"):
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _text(data: Mapping[str, Any]) -> str:
    text = str(data.get("text") or data.get("summary") or "-")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n(shortened: the whole form is on the page)"


def _footer(data: Mapping[str, Any]) -> str:
    answers = data.get("answers") or []
    given = "; ".join(
        f"{'approved' if answer['yes'] else 'denied'} by {answer['by']}"
        + (f" (relayed by {answer['relayed_by']})" if "relayed_by" in answer else "")
        + (f": {answer['reason']}" if answer.get("reason") else "")
        for answer in answers
    )
    who = f"{data['id']}, account {data.get('account', '')}"
    return f"{who}, {given}" if given else who


def _unlinked(text: str) -> str:
    """Return the text escaped for Slack's notification, where `<`, `>` and `&` have a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    """Return the text without the characters that an adaptive card would turn into links or emphasis."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]()#!<>~|" else sign for sign in text)
