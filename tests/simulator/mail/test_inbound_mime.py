"""Inbound MIME of every shape reaches an app with its text, its files, and its headers in their order."""

import json

import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.mail.inbound import deliver_inbound
from mailgun_mcp.simulator.model.routes import Route
from mailgun_mcp.simulator.model.webhooks import Posting

HEAD = "From: Ann <ann@x.example>\nTo: support@plain.example.com\nSubject: Help\nMessage-ID: <1@x.example>\nMIME-Version: 1.0\n"
TEXT = "Content-Type: text/plain; charset=utf-8\n\nPlease help\n"
HTML = "Content-Type: text/html; charset=utf-8\n\n<p>Please help</p>\n"
WITH_IMAGE = 'Content-Type: text/html\n\n<p>Please help <img src="cid:logo@x"></p>\n'
CSV = 'Content-Type: text/csv\nContent-Disposition: attachment; filename="a.csv"\n\n1,2\n'
IMAGE = (
    'Content-Type: image/png\nContent-Disposition: inline; filename="logo.png"\nContent-ID: <logo@x>\n'
    "Content-Transfer-Encoding: base64\n\naGVsbG8=\n"
)
FORWARDED = "From: bob@y.example\nSubject: Old\n\nThe old text\n"


def multipart(kind: str, *parts: str, boundary: str) -> str:
    inside = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n{inside}--{boundary}--\n'


def received(account: Account, mime: str) -> tuple[dict[str, str], Posting]:
    """Return what an app gets of the mail: the fields of the form, and its files."""
    account.routes.by_id.clear()
    account.webhooks.by_id.clear()
    account.webhooks.outbox.clear()
    account.routes.by_id["r"] = Route("r", 1, "catch_all()", 0.0, ['forward("https://x.example/in")'], 0)
    deliver_inbound(account, mime.replace("\n", "\r\n").encode())
    (posting,) = account.webhooks.outbox
    return dict(posting.data), posting


def files(posting: Posting) -> list[tuple[str, str, str, bytes]]:
    return [(one.name, one.filename, one.content_type, one.data) for one in posting.files]


ALTERNATIVE = multipart("alternative", TEXT, HTML, boundary="alt")
SHAPES = {
    "single text": (TEXT, "Please help", "", []),
    "single HTML": (HTML, "", "<p>Please help</p>", []),
    "alternative": (ALTERNATIVE, "Please help", "<p>Please help</p>", []),
    "mixed": (multipart("mixed", TEXT, CSV, boundary="mix"), "Please help", "", ["a.csv"]),
    "alternative in mixed": (
        multipart("mixed", ALTERNATIVE, CSV, boundary="mix"),
        "Please help",
        "<p>Please help</p>",
        ["a.csv"],
    ),
    "related in alternative in mixed": (
        multipart(
            "mixed",
            multipart("alternative", TEXT, multipart("related", WITH_IMAGE, IMAGE, boundary="rel"), boundary="alt"),
            CSV,
            boundary="mix",
        ),
        "Please help",
        '<p>Please help <img src="cid:logo@x"></p>',
        ["logo.png", "a.csv"],
    ),
    "multipart without a boundary": ("Content-Type: multipart/mixed\n\nPlease help\n", "Please help", "", []),
    "multipart without a boundary in mixed": (
        multipart("mixed", "Content-Type: multipart/alternative\n\nPlease help\n", CSV, boundary="mix"),
        "Please help",
        "",
        ["a.csv"],
    ),
    "only a file": (CSV, "", "", ["a.csv"]),
    "mixed in mixed": (
        multipart("mixed", multipart("mixed", TEXT, CSV, boundary="in"), CSV, boundary="mix"),
        "Please help",
        "",
        ["a.csv", "a.csv"],
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_text_the_html_and_the_files_are_found(account: Account, shape: str) -> None:
    body, text, html, names = SHAPES[shape]
    fields, posting = received(account, HEAD + body)
    assert (fields["body-plain"].strip(), fields.get("body-html", "").strip()) == (text, html)
    assert [one.filename for one in posting.files] == names
    assert fields["attachment-count"] == str(len(names))


def test_an_inline_image_is_named_by_its_content_id(account: Account) -> None:
    related = multipart("related", WITH_IMAGE, IMAGE, boundary="rel")
    fields, posting = received(account, HEAD + multipart("mixed", related, CSV, boundary="mix"))
    assert json.loads(fields["content-id-map"]) == {"<logo@x>": "attachment-1"}
    assert files(posting)[0] == ("attachment-1", "logo.png", "image/png", b"hello")


def test_a_forwarded_message_is_a_file_with_its_size(account: Account) -> None:
    part = f"Content-Type: message/rfc822\nContent-Disposition: attachment\n\n{FORWARDED}"
    fields, posting = received(account, HEAD + multipart("mixed", TEXT, part, boundary="mix"))
    ((_, name, kind, data),) = files(posting)
    assert (name, kind, fields["body-plain"].strip()) == ("forwarded.eml", "message/rfc822", "Please help")
    assert (b"Subject: Old" in data, b"The old text" in data) == (True, True)


def test_repeated_headers_keep_their_order(account: Account) -> None:
    mime = "Received: from a\nReceived: from b\nX-One: 1\nReceived: from c\n" + HEAD + TEXT
    fields, _ = received(account, mime)
    lines = json.loads(fields["message-headers"])
    names = [value for name, value in lines if name == "Received"]
    assert names == ["from a", "from b", "from c"]
    assert [name for name, _ in lines[:4]] == ["Received", "Received", "X-One", "Received"]


def test_the_quotation_and_the_signature_are_separate_fields(account: Account) -> None:
    quote = "On Mon, 3 Nov 2026 at 10:00, Bob <bob@x.example> wrote:\n> Shall we meet?\n> Bob"
    fields, _ = received(account, f"{HEAD}Content-Type: text/plain\n\nYes.\n\n-- \nAnn\n\n{quote}\n")
    assert (fields["stripped-text"], fields["stripped-signature"]) == ("Yes.", "-- \nAnn")
    assert "Shall we meet?" in fields["body-plain"]


@pytest.mark.parametrize(
    "mime",
    [
        "",
        "no headers at all",
        'Content-Type: multipart/mixed; boundary="never"\n\nnothing',
        "Content-Type: multipart/mixed\n\n--x\n",
        "Content-Type: text/plain; charset=unknown-99\n\n\u00e9",
        "Content-Type: message/rfc822\n\n",
        "Content-Transfer-Encoding: base64\nContent-Type: image/png\n\n!!!",
    ],
)
def test_broken_mime_is_received_without_an_error(account: Account, mime: str) -> None:
    fields, _ = received(account, HEAD + mime if mime else HEAD + "\n")
    assert fields["subject"] == "Help"
