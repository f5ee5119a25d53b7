"""Variables in raw MIME: found where the text is encoded, and nothing else is touched."""

import base64
from email import message_from_bytes, policy

import pytest

from mailgun_mcp.simulator.mail.composing import decoded_words
from mailgun_mcp.simulator.mail.raw_mime import filled_in_mime

BINARY = base64.encodebytes(bytes(range(256)))
REST = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + BINARY


def filled(mime: bytes) -> bytes:
    return filled_in_mime(mime, lambda text: text.replace("%recipient.name%", "Zo\u00eb \u2709"), decoded_words)


def text_of(mime: bytes) -> str:
    body = message_from_bytes(mime, policy=policy.default).get_body(("plain", "html"))
    assert body
    return str(body.get_content())


def part(encoding: bytes, content: bytes) -> bytes:
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n"
    return head + content


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        (b"8bit", "Gr\u00fc\u00dfe %recipient.name%\r\n".encode()),
        (b"base64", base64.encodebytes("Gr\u00fc\u00dfe %recipient.name%\r\n".encode())),
        (b"BASE64", base64.b64encode("Gr\u00fc\u00dfe %recipient.name%\r\n".encode())),
        (b"quoted-printable", b"Gr=C3=BC=C3=9Fe %recipient.na=\r\nme%\r\n"),
        (b"Quoted-Printable", b"Gr=C3=BC=C3=9Fe =25recipient.name=25\r\n"),
    ],
)
def test_a_variable_is_filled_in_however_the_text_is_encoded(encoding: bytes, content: bytes) -> None:
    mime = filled(b"From: a@x.example\r\n" + part(encoding, content))
    assert text_of(mime).replace("\r\n", "\n") == "Gr\u00fc\u00dfe Zo\u00eb \u2709\n"


def test_only_the_parts_with_the_variable_change() -> None:
    boundary = b"\r\n--b\r\n"
    other = part(b"quoted-printable", b"odd =\r\n  spacing=20\r\n")
    mime = b"Subject: Hi\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + boundary.join(
        [part(b"base64", base64.b64encode(b"Dear %recipient.name%")), other, REST]
    )
    mime += b"\r\n--b--\r\n"
    result = filled(mime)
    assert text_of(result) == "Dear Zo\u00eb \u2709"
    unchanged = [before == after for before, after in zip(mime.split(boundary), result.split(boundary), strict=True)]
    assert unchanged == [True, False, True, True]


def test_a_variable_in_an_encoded_header_is_filled_in() -> None:
    mime = filled(
        b"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe=2C_=25recipient=2Ename=25?=\r\nX-Other: =?utf-8?q?a_b?=\r\n\r\nHi\r\n"
    )
    assert message_from_bytes(mime, policy=policy.default)["Subject"] == "Gr\u00fc\u00dfe, Zo\u00eb \u2709"
    assert b"\r\nX-Other: =?utf-8?q?a_b?=\r\n\r\nHi\r\n" in mime


def test_an_address_beside_an_encoded_name_stays_one() -> None:
    mime = filled(b"To: =?utf-8?q?Dr=2E?=\r\n =?utf-8?q?_=25recipient=2Ename=25?= <ann@x.example>\r\n\r\nHi\r\n")
    to = message_from_bytes(mime, policy=policy.default)["To"].addresses[0]
    assert (to.display_name, to.addr_spec) == ("Dr. Zo\u00eb \u2709", "ann@x.example")


def test_a_long_header_is_folded_with_the_line_ends_of_the_message() -> None:
    mime = filled_in_mime(
        b"Subject: =?utf-8?q?X?=\r\n\r\nHi\r\n", lambda text: text.replace("X", "long " * 40), decoded_words
    )
    assert mime.count(b"\n") == mime.count(b"\r\n") > 3


@pytest.mark.parametrize("value", ["token=41bc", "Zo\u00eb \u2709", "a b?="])
def test_a_value_in_encoded_text_is_read_as_it_was_given(value: str) -> None:
    mime = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_X?=\r\n" + part(b"quoted-printable", b"Gr=C3=BC=C3=9Fe X\r\n")
    mime = filled_in_mime(mime, lambda text: text.replace("X", value), decoded_words)
    assert message_from_bytes(mime, policy=policy.default)["Subject"] == f"Gr\u00fc\u00dfe {value}"
    assert text_of(mime).strip() == f"Gr\u00fc\u00dfe {value}"


@pytest.mark.parametrize("charset", [b"no-such-charset", b"us-ascii"])
def test_text_that_cannot_be_decoded_stays(charset: bytes) -> None:
    head = b"Content-Type: text/plain; charset=" + charset + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    mime = head + base64.b64encode("\u00e9 %recipient.name%".encode())
    assert filled(mime) == mime


def test_half_a_character_in_a_value_is_replaced() -> None:
    header = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_=58?=\r\n\r\n"
    mime = filled_in_mime(header, lambda text: text.replace("X", "\ud800"), decoded_words)
    assert decoded_words(str(message_from_bytes(mime)["Subject"])).startswith("Gr\u00fc\u00dfe ")
    assert filled_in_mime(b"\r\nHi X", lambda text: text.replace("X", "\ud800"), decoded_words) == b"\r\nHi ?"
