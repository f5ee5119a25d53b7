"""Composing: batches, MIME in and out, unsubscribe links."""

from email import message_from_string

import pytest

from mailgun_mcp.simulator.mail.composing import (
    copies_with_unsubscribe_links,
    decoded_words,
    from_mime,
    parse_addresses,
    recipient_copies,
    to_mime,
)
from mailgun_mcp.simulator.model.messages import Attachment, StoredMessage
from mailgun_mcp.simulator.replies.reply import ApiError

NESTED = b"""From: a@x.example
to: b@d.example
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=mixed

--mixed
Content-Type: multipart/related; boundary=related

--related
Content-Type: multipart/alternative; boundary=alternative

--alternative
Content-Type: text/plain

Hello
--alternative
Content-Type: text/html

<img src="cid:logo">
--alternative--
--related
Content-Type: image/png; name=logo.png
Content-Disposition: inline; filename=logo.png
Content-Id: <logo>
Content-Transfer-Encoding: base64

iVBORw==
--related--
--mixed
Content-Type: message/rfc822

From: c@y.example
Subject: Forwarded

Old text
--mixed--
"""


def message(**more: object) -> StoredMessage:
    details = {"sender": "a@d.example", "recipients": ["ann@x.example"], "headers": {"Subject": "Hi"}, **more}
    return StoredMessage("key", "id@d.example", "d.example", 0.0, **details)  # type: ignore[arg-type]  # each test passes its own fields


def test_the_parts_of_nested_mime_are_found() -> None:
    mail = from_mime(NESTED)
    assert (mail.text.strip(), mail.html.strip()) == ("Hello", '<img src="cid:logo">')
    logo, forwarded = mail.attachments
    assert logo == Attachment("logo.png", "image/png", b"\x89PNG", inline=True, content_id="logo")
    assert (forwarded.content_type, b"Old text" in forwarded.data) == ("message/rfc822", True)


def test_inline_files_are_written_with_a_content_id_beside_the_html() -> None:
    files = [Attachment("a.txt", "text/plain", b"abc"), Attachment("b.png", "image/png", b"x", True, "b.png")]
    mime = message_from_string(to_mime(message(text="Hi", html="<img src='cid:b.png'>", attachments=files)))
    found = [
        (part.get_content_type(), part.get_content_disposition(), part["Content-Id"])
        for part in mime.walk()
        if part.get_filename()
    ]
    assert found == [("image/png", "inline", "<b.png>"), ("text/plain", "attachment", None)]


def test_an_inline_file_without_html_is_written_as_well() -> None:
    files = [Attachment("b.png", "image/png", b"x", True, "b.png")]
    mime = message_from_string(to_mime(message(text="Hi", attachments=files)))
    assert [part["Content-Id"] for part in mime.walk() if part.get_filename()] == ["<b.png>"]


@pytest.mark.parametrize("name", ["", "X Y", "X:Y", "X\n\nY", "X-\u00e9", "X-\u202e", "\ud800"])
def test_what_cannot_name_a_header_is_left_out(name: str) -> None:
    mime = to_mime(message(text="Hi", headers={"Subject": "Hi", name: "left out", "X-Other": "kept"}))
    assert "left out" not in mime
    assert "X-Other: kept" in mime
    assert str(message_from_string(mime).get_payload()).strip() == "Hi"


def test_recipient_variables_are_filled_in_everywhere() -> None:
    original = message(
        headers={"Subject": "For %recipient_fname%", "To": "x"},
        text="%recipient.v:order% %recipient.code% %recipient.unknown%",
        html="<b>%recipient%</b>",
        variables={"order": "%recipient.v:order%", "list": [{"code": "%recipient.code%"}]},
    )
    variables = {"ANN@x.example": {"v:order": "A1", "code": 7}}
    (copy,) = recipient_copies(original, [("Lee, Ann", "ann@x.example")], variables, ["key-1"])
    assert copy.text == "A1 7 %recipient.unknown%"
    assert copy.variables == {"order": "A1", "list": [{"code": "7"}]}
    assert copy.headers == {"Subject": "For Lee,", "To": '"Lee, Ann" <ann@x.example>'}
    assert copy.html == '<b>"Lee, Ann" <ann@x.example></b>'
    assert (copy.key, copy.recipients) == ("key-1", ["ann@x.example"])


def test_recipient_variables_are_filled_into_mime() -> None:
    original = message(mime="Subject: H\u00e9 %recipient.code%\r\n\r\nHi".encode())
    (copy,) = recipient_copies(original, [("", "ann@x.example")], {"ann@x.example": {"code": "7"}}, ["1"])
    assert copy.mime == "Subject: H\u00e9 7\r\n\r\nHi".encode()


def test_unsubscribe_links_are_the_recipients_own() -> None:
    text = "%unsubscribe_url% %tag_unsubscribe_url% %unsubscribe_email%"
    original = message(text=text, mime=b"Hi\r\n%unsubscribe_url%", recipients=["ann@x.example", "bob@x.example"])
    one, other = copies_with_unsubscribe_links(original, lambda size: "k" * size)
    assert (one.key, one.recipients, other.key, other.recipients) == (
        original.key,
        ["ann@x.example"],
        "k" * 30,
        ["bob@x.example"],
    )
    assert one.mime == b"Hi\r\n" + one.text.split()[0].encode()
    url, tag_url, email = one.text.split()
    assert url.startswith("https://email.d.example/u/")
    assert tag_url == f"{url}/tag"
    assert email.endswith("@d.example")
    assert one.text != other.text


def test_an_invalid_address_is_refused_with_its_field() -> None:
    assert parse_addresses("to", ["Ann <a@x.example>, b@x.example"]) == [("Ann", "a@x.example"), ("", "b@x.example")]
    with pytest.raises(ApiError, match="'cc' parameter is not a valid address"):
        parse_addresses("cc", ["nobody"])


def test_amp_is_written_between_the_text_and_the_html_and_read_from_there() -> None:
    message = StoredMessage(
        "k", "1@d", "d", 0.0, "a@d", ["b@x"], {}, text="Hi", html="<p>Hi</p>", amp="<html amp4email>%recipient%</html>"
    )
    (copy,) = recipient_copies(message, [("", "b@x")], {}, ["k"])
    mime = to_mime(copy)
    kinds = [part.get_content_type() for part in message_from_string(mime).walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/x-amp-html", "text/html"]
    parsed = from_mime(mime.encode())
    assert (parsed.text, parsed.html, parsed.amp) == ("Hi\n", "<p>Hi</p>\n", "<html amp4email>b@x</html>\n")
    assert parsed.attachments == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?Q?Gr=C3=B6=C3=9Fe?= =?utf-8?B?IDE=?=", "Größe 1"),
        ("plain", "plain"),
        ("=?x-none?Q?a?=", "=?x-none?Q?a?="),
        ("=?utf-8?B?/w==?=", "=?utf-8?B?/w==?="),
    ],
)
def test_encoded_words_are_read_as_text(value: str, text: str) -> None:
    assert decoded_words(value) == text
