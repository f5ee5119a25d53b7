"""Texts to and from Slack. Text by a model or a third party never becomes a mention, a link or an image."""

import re
from html import unescape
from typing import Any

REFERENCE = re.compile(r"<(?P<target>[^<>|]*)(?:\|(?P<label>[^<>]*))?>")
MENTION_AT_START = re.compile(r"^(?:\s*<@[A-Z0-9]+(?:\|[^<>]*)?>)+\s*")
EVERYBODY = re.compile(r"@(?=(?:channel|here|everyone)\b)", re.IGNORECASE)
MARKDOWN = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|[\\`*~\[|]")
"""Characters that make text bold, code, a link or a table. An underscore inside a word does not."""
LINE_START = re.compile(r"^(?=[-+#=\d\t ])", re.MULTILINE)
EMOJI = re.compile(r":(?=[a-z0-9_+'-]+:)", re.IGNORECASE)
WORD_JOINER = "\u2060"
LONGEST_SHOWN = 3_000
"""Maximum characters of a text in a message: Slack shows no more in one block."""
SHOWN_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def from_slack(text: str) -> str:
    """Return what a person wrote, without the links and entities that Slack puts into it."""
    return unescape(REFERENCE.sub(_written, MENTION_AT_START.sub("", text)))


def _written(match: re.Match[str]) -> str:
    target, label = match["target"], match["label"]
    if target.startswith("mailto:"):
        return target.removeprefix("mailto:")
    if label and target in (f"http://{label}", f"https://{label}"):
        return str(label)
    return target


def escaped(text: str) -> str:
    """Return a text in which neither Slack's Markdown nor its own markup finds a mention or a link."""
    for character, entity in SHOWN_TEXT.items():
        text = text.replace(character, entity)
    return EVERYBODY.sub(f"@{WORD_JOINER}", text)


def literal(text: str) -> str:
    """Return a text that Slack's Markdown shows literally: nothing becomes bold, a heading, a list or an emoji."""
    text = LINE_START.sub(WORD_JOINER, MARKDOWN.sub(r"\\\g<0>", text))
    return escaped(EMOJI.sub(f":{WORD_JOINER}", text))


def as_written(text: str) -> dict[str, Any]:
    """Return a block that shows a text literally, without any markup."""
    element = {"type": "text", "text": text[:LONGEST_SHOWN] or " "}
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [element]}]}


def plain(text: str) -> dict[str, Any]:
    """Return the text object of a button or a title."""
    return {"type": "plain_text", "text": text, "emoji": False}
