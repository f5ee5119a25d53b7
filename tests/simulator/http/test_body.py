"""The bodies of requests."""

import gzip

import pytest

from mailgun_mcp.request.multipart import Part, encode_multipart
from mailgun_mcp.simulator.http.body import File, decompress, media_type, parse_form, parse_json, parse_query
from mailgun_mcp.simulator.replies.reply import ApiError


def test_a_media_type_has_neither_parameters_nor_case() -> None:
    assert media_type("Multipart/Form-Data; boundary=X") == "multipart/form-data"


def test_a_field_keeps_all_its_values_in_order() -> None:
    assert parse_query("a=1&b=&a=2") == {"a": ["1", "2"], "b": [""]}
    assert parse_form(b"a=1&a=%C3%A9", "application/x-www-form-urlencoded; charset=utf-8") == {"a": ["1", "é"]}


def test_a_multipart_form_comes_back_as_it_was_encoded() -> None:
    names = 'a"b\r\n.csv'
    content, content_type = encode_multipart(
        [Part("to", b"x"), Part("to", "é".encode()), Part('at"t', b"\0\xff", names, "text/csv"), Part("none", b"", "n")]
    )
    assert parse_form(content, content_type) == {
        "to": ["x", "é"],
        'at"t': [File(names, "text/csv", b"\0\xff")],
        "none": [File("n", "application/octet-stream", b"")],
    }


def test_an_empty_body_has_no_fields() -> None:
    assert parse_form(b"", "multipart/form-data") == {}


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=other"])
def test_a_body_that_is_not_a_form_is_refused(content_type: str) -> None:
    with pytest.raises(ApiError, match="Invalid multipart form data"):
        parse_form(b"--b\r\nno form", content_type)


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000], ids=["half", "deep"])
def test_what_is_not_json_is_refused(content: bytes) -> None:
    with pytest.raises(ApiError, match="Invalid JSON"):
        parse_json(content)


def test_an_empty_body_is_an_empty_object() -> None:
    assert parse_json(b"") == {}


@pytest.mark.parametrize("encoding", ["GZIP", "x-gzip"])
def test_a_gzip_body_is_read(encoding: str) -> None:
    assert decompress(gzip.compress(b"a=1"), encoding, 3) == b"a=1"
    assert (decompress(b"a=1", "", 9), decompress(b"a=1", "identity", 9)) == (b"a=1", b"a=1")


@pytest.mark.parametrize(
    ("content", "encoding", "status"),
    [
        pytest.param(b"a=1", "gzip", 400, id="not gzip"),
        pytest.param(gzip.compress(b"a=1")[:-4], "gzip", 400, id="cut off"),
        pytest.param(gzip.compress(b"x" * 1000), "gzip", 413, id="too large"),
        pytest.param(b"a=1", "br", 415, id="another encoding"),
    ],
)
def test_a_body_that_cannot_be_decompressed_is_refused(content: bytes, encoding: str, status: int) -> None:
    with pytest.raises(ApiError) as caught:
        decompress(content, encoding, 999)
    assert caught.value.reply.status_code == status
