"""The headers with which frameworks set options in MIME are honoured."""

from mailgun_mcp.simulator.mail.composing import from_mime
from mailgun_mcp.simulator.mail.mime_options import apply_mime_options
from mailgun_mcp.simulator.model.messages import StoredMessage

HEADERS = b"""From: a@x.example
X-Mailgun-Tag: one
x-mailgun-tag: two
X-Mailgun-Variables: {"order": 7, "mine": 1}
X-Mailgun-Recipient-Variables: {"b@x.example": {"code": 1}}
X-Mailgun-Drop-Message: yes
X-Mailgun-Track: no

Hi
"""


def message() -> StoredMessage:
    return StoredMessage("key", "id", "d.example", 0.0, "a@x.example", [], {}, tags=["zero"], variables={"mine": 2})


def test_the_options_of_the_headers_are_set() -> None:
    stored = message()
    assert apply_mime_options(stored, from_mime(HEADERS)) == {"b@x.example": {"code": 1}}
    assert stored.tags == ["zero", "one", "two"]
    assert stored.variables == {"order": 7, "mine": 2}
    assert (stored.test_mode, stored.untracked) == (True, {"opened", "clicked"})


def test_headers_that_cannot_be_read_are_ignored() -> None:
    stored = message()
    text = b"X-Mailgun-Variables: {\nX-Mailgun-Recipient-Variables: []\nX-Mailgun-Track: perhaps\n\nHi"
    assert apply_mime_options(stored, from_mime(text)) == {}
    assert (stored.variables, stored.test_mode, stored.untracked) == ({"mine": 2}, False, set())
