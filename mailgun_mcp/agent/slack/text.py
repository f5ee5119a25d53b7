"""Texts on their way from and to Slack. Nothing that a model or a third party wrote becomes a mention, a link or an image."""

import re
from html import unescape
from typing import Any

REFERENCE = re.compile(r"<(?P<target>[^<>|]*)(?:\|(?P<label>[^<>]*))?>")
MENTION_AT_START = re.compile(r"^(?:\s*<@[A-Z0-9]+(?:\|[^<>]*)?>)+\s*")
EVERYBODY = re.compile(r"@(?=(?:channel|here|everyone)\b)", re.IGNORECASE)
MARKDOWN = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|[\\`*~\[|]")
"""What makes text bold, code, a link or a table. An underscore within a word does not."""
LINE_START = re.compile(r"^(?=[-+#=\d\t ])", re.MULTILINE)
EMOJI = re.compile(r":(?=[a-z0-9_+'-]+:)", re.IGNORECASE)
WORD_JOINER = "\u2060"
LONGEST_SHOWN = 3_000
"""Characters of a text in a message: Slack shows no more in one block."""
SHOWN_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def from_slack(text: str) -> str:
    """Return what a person wrote, without the links and entities that Slack makes of it."""
    return unescape(REFERENCE.sub(_written, MENTION_AT_START.sub("", text)))


def _written(match: re.Match[str]) -> str:
    target, label = match["target"], match["label"]
    if target.startswith("mailto:"):
        return target.removeprefix("mailto:")
    if label and target in (f"http://{label}", f"https://{label}"):
        return str(label)
    return target


def escaped(text: str) -> str:
    """Return a text in which Slack sees no mention and no link, for its Markdown and its own markup."""
    for character, entity in SHOWN_TEXT.items():
        text = text.replace(character, entity)
    return EVERYBODY.sub(f"@{WORD_JOINER}", text)


def literal(text: str) -> str:
    """Return a text of which Slack's Markdown shows every character, and nothing as bold, a heading, a list or an emoji."""
    text = LINE_START.sub(WORD_JOINER, MARKDOWN.sub(r"\\\g<0>", text))
    return escaped(EMOJI.sub(f":{WORD_JOINER}", text))


def as_written(text: str) -> dict[str, Any]:
    """Return a block that shows a text character by character: nothing in it is markup."""
    element = {"type": "text", "text": text[:LONGEST_SHOWN] or " "}
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [element]}]}


def plain(text: str) -> dict[str, Any]:
    """Return a text of a button or a title."""
    return {"type": "plain_text", "text": text, "emoji": False}
