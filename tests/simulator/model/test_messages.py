"""A stored message knows its subject and about how large it is."""

from mailgun_mcp.simulator.model.messages import Attachment, StoredMessage, with_headers


def message(**more: object) -> StoredMessage:
    return StoredMessage("key", "id", "d.example", 0.0, "a@d.example", [], {"Subject": "Hi"}, **more)  # type: ignore[arg-type]  # each test passes its own fields


def test_the_size_grows_with_text_html_and_attachments() -> None:
    plain = message().size
    assert message(text="12345").size == plain + 5
    assert message(html="123").size == plain + 3
    assert message(attachments=[Attachment("a.txt", "text/plain", b"1234")]).size == plain + 4


def test_the_size_of_mime_is_exact() -> None:
    assert message(mime=b"From: a\r\n\r\nHi", text="ignored").size == 13


def test_a_message_without_a_subject_has_an_empty_one() -> None:
    assert message().subject == "Hi"
    assert StoredMessage("key", "id", "d.example", 0.0, "a@d.example", [], {}).subject == ""


def test_repeated_headers_stay_in_their_order() -> None:
    original = message(
        repeated_headers=[("Received", "one"), ("Subject", "Old"), ("received", "two"), ("Cc", "gone")],
    )
    original.headers = {"Received": "one", "received": "two", "Subject": "Hi", "To": "b"}
    assert original.header_lines == [("Received", "one"), ("Subject", "Hi"), ("received", "two"), ("To", "b")]


def test_without_repeated_headers_the_lines_are_the_headers() -> None:
    assert message().header_lines == [("Subject", "Hi")]


def test_changed_headers_replace_those_of_any_case() -> None:
    changed = with_headers({"reply-to": "a", "To": "b"}, {"Reply-To": "c"})
    assert changed == {"To": "b", "Reply-To": "c"}
