"""Texts from and to Slack."""

import pytest

from mailgun_mcp.agent.slack.text import as_written, escaped, from_slack, literal

TYPED = {
    "<@U0BOT> what <@U0BOT|bot> bounced?": "what @U0BOT bounced?",
    "remove <mailto:kim@example.org|kim@example.org>": "remove kim@example.org",
    "of <http://mail.example.com|mail.example.com>": "of mail.example.com",
    "see <https://example.com/a|the page>": "see https://example.com/a",
    "see <https://example.com/a>": "see https://example.com/a",
    "a &lt;b&gt; &amp; c": "a <b> & c",
    "&lt;@U0ANN&gt;": "<@U0ANN>",
}


@pytest.mark.parametrize("text", TYPED)
def test_what_a_person_typed_comes_back_as_they_typed_it(text: str) -> None:
    assert from_slack(text) == TYPED[text]


def test_no_text_of_the_app_is_a_mention_or_a_link() -> None:
    text = escaped("<!channel> <@U0ANN> <#C1> <https://x|y> & @here @Everyone @ann")
    assert "<" not in text
    assert "@here" not in text.casefold()
    assert "@everyone" not in text.casefold()
    assert "@ann" in text


def test_a_literal_text_has_no_markup() -> None:
    text = literal("**bold** _it_ `code` ~no~ [a](b)\n# head\n- item\n1. one\n    code\n:bug: a_b|c \\")
    assert text.count("\\*") == 4
    assert "a_b" in text
    lines = text.split("\n")
    assert all(line.startswith("\u2060") for line in lines[1:5])
    assert ":bug:" not in text
    for mark in ("`", "~", "[", "|"):
        assert all(text[at - 1] == "\\" for at, character in enumerate(text) if character == mark)


def test_a_text_is_shown_as_written_and_no_longer_than_slack_shows() -> None:
    (part,) = as_written("<!channel> *x*" + "x" * 4000)["elements"]
    assert part["type"] == "rich_text_preformatted"
    assert part["elements"][0]["text"].startswith("<!channel> *x*")
    assert len(part["elements"][0]["text"]) == 3000
    assert as_written("")["elements"][0]["elements"][0]["text"] == " "
