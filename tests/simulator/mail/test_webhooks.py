"""What is posted to a webhook or a route's URL, in bytes."""

from mailgun_mcp.simulator.http.body import File, parse_form
from mailgun_mcp.simulator.mail.webhooks import encode_posting
from mailgun_mcp.simulator.model.webhooks import PostedFile, Posting, WebhookSignature

SIGNATURE = WebhookSignature("1", "t", "s")


def test_a_mail_with_files_comes_out_of_its_form_as_it_went_in() -> None:
    files = (PostedFile('attach"ment', 'a"b\r\n.csv', "text/csv", b"1,2"),)
    posting = Posting(
        "1", "forward", "http://x", "d.example", "", 0.0, SIGNATURE, {"subject": "Hi \ud800"}, None, files
    )
    content_type, content = encode_posting(posting)
    assert parse_form(content, content_type) == {
        "subject": ["Hi ?"],
        "timestamp": ["1"],
        "token": ["t"],
        "signature": ["s"],
        'attach"ment': [File('a"b\r\n.csv', "text/csv", b"1,2")],
    }


def test_a_lone_surrogate_in_a_file_name_does_not_stop_the_posting() -> None:
    files = (PostedFile("attachment-1", "\udfff.csv", "text/csv", b"1"),)
    posting = Posting("1", "forward", "http://x", "d.example", "", 0.0, SIGNATURE, {}, None, files)
    content_type, content = encode_posting(posting)
    assert parse_form(content, content_type)["attachment-1"] == [File("?.csv", "text/csv", b"1")]
