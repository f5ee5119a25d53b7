"""Requests to arguments: the way back of `catalogue.request.build`."""

from typing import Any

import pytest

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files
from mailgun_mcp.request.multipart import Part, encode_multipart
from mailgun_mcp.simulator.http.body import File
from mailgun_mcp.simulator.http.decode import RawRequest, decode
from mailgun_mcp.simulator.http.router import RouteMatch, Router
from mailgun_mcp.simulator.replies.reply import ApiError
from tests.support.arguments import maximal
from tests.support.offenders import holds_for
from tests.support.operations import catalogue, find, with_body, with_query

ROUTER = Router(catalogue())
OBJECT = {"type": "object"}


def sent(operation: Operation, arguments: dict[str, Any]) -> tuple[dict[str, str], RawRequest]:
    request = build(operation, arguments, Files())
    match = ROUTER.match(request.method, request.path)
    headers = {name.lower(): value for name, value in request.headers}
    return (match.values if isinstance(match, RouteMatch) else {}), RawRequest(request.query, headers, request.content)


def refusal(operation: Operation, query: str = "", content: bytes = b"", content_type: str = "") -> str:
    with pytest.raises(ApiError) as refused:
        decode(operation, {}, RawRequest(query, {"content-type": content_type}, content))
    assert refused.value.reply.status_code == 400
    return str(refused.value)


def comparable(operation: Operation, name: str, value: Any) -> Any:
    """Return a value without what the wire cannot keep: files become parts, dates another notation."""
    argument = next(argument for argument in operation.arguments if argument.name == name)
    if argument.encode in ("file", "files", "rfc2822", "rfc3339", "epoch") or argument.nested:
        return type(value).__name__ if isinstance(value, list) else "one"
    if argument.encode == "family":
        return sorted(value)
    return value


@holds_for()
def test_what_the_catalogue_writes_is_read_back(operation: Operation) -> None:
    arguments = maximal(operation)
    if any(argument.location == "page_url" for argument in operation.arguments):
        # The next page's query stands alone.
        arguments = {"page": arguments["page"]}
    read = decode(operation, *sent(operation, arguments))
    # Where the request goes, and which part of the answer is wanted, are not on the wire.
    for argument in operation.arguments:
        if argument.location in ("host", "answer") or argument.wire == "Accept":
            arguments.pop(argument.name, None)
    written = {name: comparable(operation, name, value) for name, value in arguments.items()}
    assert {name: comparable(operation, name, value) for name, value in read.items()} == written


def test_files_keep_name_type_and_bytes() -> None:
    attachment = {"base64": "AAH/", "filename": 'a "b".bin', "content_type": "application/x-thing"}
    arguments = {"domain": "x.example", "to": ["a@x.example"], "attachments": [attachment]}
    read = decode(find("send_message"), *sent(find("send_message"), arguments))
    assert read["attachments"] == [File('a "b".bin', "application/x-thing", b"\0\1\xff")]


@pytest.mark.parametrize(
    ("schema", "query", "value"),
    [
        ({"type": "integer"}, "a=7", 7),
        ({"type": "integer"}, "a=%2B07", 7),
        ({"type": "number"}, "a=1.5", 1.5),
        ({"type": "boolean"}, "a=no", False),
        ({"type": "boolean"}, "a=TRUE", True),
        ({"type": "string"}, "a=", ""),
        ({"type": "string"}, "a=1&a=2", "2"),
        ({"type": "array", "items": {"type": "string"}}, "a=1&a=2", ["1", "2"]),
        ({"type": "string", "format": "date-time"}, "a=1795000000", "1795000000"),
        (
            {"type": "string", "format": "date-time"},
            "a=Thu, 13 Oct 2011 18:02:00 %2B0000",
            "Thu, 13 Oct 2011 18:02:00 +0000",
        ),
    ],
)
def test_query_values_have_the_types_of_the_schema(schema: dict[str, Any], query: str, value: Any) -> None:
    assert decode(with_query("a", schema), {}, RawRequest(query, {}, b"")) == {"a": value}


@pytest.mark.parametrize(
    ("schema", "query", "text"),
    [
        ({"type": "integer"}, "a=x", "'a' parameter is not an integer"),
        ({"type": "integer"}, "a=1_000", "'a' parameter is not an integer"),
        ({"type": "number"}, "a=1_0.5", "'a' parameter is not a number"),
        ({"type": "number"}, "a=nan", "'a' parameter is not a number"),
        ({"type": "boolean"}, "a=maybe", "'a' parameter is not a boolean"),
        ({"type": "string"}, "b=1", "Unknown parameter 'b'"),
        (
            {"type": "string", "format": "date-time"},
            "a=2026-11-23T09:00:00Z",
            "2026-11-23T09:00:00Z is not an RFC-2822 compliant date",
        ),
        ({"type": "string", "format": "date-time"}, "a=soon", "soon is not an RFC-2822 compliant date"),
        (
            {"type": "string", "format": "date-time", "x-mailgun-mcp": {"wire": "rfc3339"}},
            "a=2026-11-23T09:00:00",
            "2026-11-23T09:00:00 is not an RFC-3339 compliant date",
        ),
    ],
)
def test_query_values_that_cannot_be_read_are_refused(schema: dict[str, Any], query: str, text: str) -> None:
    assert refusal(with_query("a", schema), query) == text


FORM = {
    "type": "object",
    "properties": {
        "vars": {"type": "object"},
        "ips": {"type": "array", "items": {"type": "string"}},
        "file": {"type": "string", "format": "binary"},
    },
}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ([Part("vars", b"{")], "'vars' parameter is not a valid JSON"),
        ([Part("vars", b"[" * 100_000)], "'vars' parameter is not a valid JSON"),
        ([Part("file", b"text")], "'file' parameter is not a file"),
        ([Part("vars", b"{}", "a.json")], "'vars' parameter is a file"),
        ([Part("other", b"")], "Unknown parameter 'other'"),
    ],
)
def test_form_fields_that_cannot_be_read_are_refused(fields: list[Part], text: str) -> None:
    content, content_type = encode_multipart(fields)
    assert refusal(with_body("multipart/form-data", FORM), "", content, content_type) == text


def test_forms_are_taken_urlencoded_as_well() -> None:
    operation = with_body("multipart/form-data", FORM, {"ips": {"explode": False}})
    form = RawRequest(
        "", {"content-type": "application/x-www-form-urlencoded"}, b"vars=%7B%22a%22%3A1%7D&ips=1.2.3.4%2C+5.6.7.8"
    )
    assert decode(operation, {}, form) == {"vars": {"a": 1}, "ips": ["1.2.3.4", "5.6.7.8"]}


@pytest.mark.parametrize(
    ("media", "content_type", "content", "text"),
    [
        ("multipart/form-data", "application/json", b"{}", "Invalid request content type. Expecting 'multipart/form-data' but got 'application/json'"),
        ("application/json", "text/plain", b"{}", "Invalid request content type. Expecting 'application/json' but got 'text/plain'"),
        ("application/json", "application/json", b"{", "Invalid JSON in the request body"),
        ("application/json", "application/json", b"[]", "The request body is not an object"),
        ("application/json", "application/json", b'{"x": 1}', "Unknown parameter 'x'"),
        ("multipart/form-data", "multipart/form-data; boundary=b", b"no parts", "Invalid multipart form data"),
        ("multipart/form-data", "multipart/form-data", b"no boundary", "Invalid multipart form data"),
    ],
)  # fmt: skip
def test_bodies_of_another_kind_are_refused(media: str, content_type: str, content: bytes, text: str) -> None:
    operation = with_body(media, {"type": "object", "properties": {"a": {"type": "string"}}})
    assert refusal(operation, "", content, content_type) == text


def test_mime_messages_come_as_multipart_only() -> None:
    text = refusal(find("send_mime_message"), "", b"to=a", "application/x-www-form-urlencoded")
    assert text.startswith("Invalid request content type. Expecting 'multipart/form-data'")


def test_yes_and_comma_lists_inside_json_become_the_catalogues_types() -> None:
    yes = {"type": "boolean", "x-mailgun-mcp": {"wire": "yes_no"}}
    names = {"type": "array", "items": {"type": "string"}, "x-mailgun-mcp": {"wire": "comma"}}
    item = {"type": "object", "properties": {"on": yes, "names": names}}
    operation = with_body(
        "application/json",
        {"type": "object", "properties": {"on": yes, "items": {"type": "array", "items": item}}},
    )
    body = b'{"on": "yes", "items": [{"on": "no", "names": "a,b"}, {"names": ["c"]}, 7]}'
    read = decode(operation, {}, RawRequest("", {"content-type": "application/json"}, body))
    assert read == {"on": True, "items": [{"on": False, "names": ["a", "b"]}, {"names": ["c"]}, 7]}


@pytest.mark.parametrize("content", [b"", b"{}"])
def test_an_empty_json_body_is_an_empty_object(content: bytes) -> None:
    assert (
        decode(with_body("application/json", OBJECT), {}, RawRequest("", {"content-type": "application/json"}, content))
        == {}
    )


def test_a_single_entry_of_a_batch_comes_as_a_form() -> None:
    form = RawRequest(
        "", {"content-type": "application/x-www-form-urlencoded"}, b"address=a%40x.example&tag=one&tag=two"
    )
    read = decode(find("add_unsubscribes"), {"domain_name": "x.example"}, form)
    assert read["unsubscribes"] == [{"address": "a@x.example", "tags": ["one", "two"]}]


def test_an_unknown_field_of_a_single_entry_is_refused() -> None:
    with pytest.raises(ApiError, match="Unknown parameter 'colour'"):
        decode(
            find("add_bounces"),
            {"domain_name": "x.example"},
            RawRequest("", {"content-type": "application/x-www-form-urlencoded"}, b"address=a&colour=red"),
        )


def test_numbers_in_a_batch_are_taken_for_the_text_that_the_catalogue_has() -> None:
    sent = RawRequest("", {"content-type": "application/json"}, b'[{"address": "a@b.example", "code": 550}]')
    arguments = decode(find("add_bounces"), {"domain_name": "x.example"}, sent)
    assert arguments["bounces"] == [{"address": "a@b.example", "code": "550"}]


def test_what_is_called_a_form_but_is_json_is_read_as_json() -> None:
    sent = RawRequest("", {"content-type": "application/x-www-form-urlencoded"}, b'{"tag": "news"}')
    assert decode(find("delete_account_tag"), {}, sent) == {"tag": "news"}


def test_a_field_of_a_form_may_stand_in_the_query() -> None:
    sent = RawRequest("dkim_selector=third", {}, b"")
    arguments = decode(find("update_dkim_selector"), {"name": "x.example"}, sent)
    assert arguments["dkim_selector"] == "third"


def test_a_flag_that_is_left_blank_in_a_form_is_not_there() -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    content = b"from=a%40x.example&to=b%40x.example&o%3Atestmode=&subject="
    arguments = decode(find("send_message"), {}, RawRequest("", form, content))
    assert "test_mode" not in arguments
    assert arguments["subject"] == ""


def test_a_number_that_is_left_blank_in_the_query_is_not_there() -> None:
    assert "limit" not in decode(find("list_account_domain_keys"), {}, RawRequest("limit=&selector=s", {}, b""))


@pytest.mark.parametrize(("text", "option"), [("False", "no"), ("true", "yes"), ("htmlonly", "htmlonly")])
def test_a_flag_among_words_is_one_of_the_words(text: str, option: str) -> None:
    sent = RawRequest("", {"content-type": "application/x-www-form-urlencoded"}, f"o:tracking={text}".encode())
    assert decode(find("send_message"), {"domain_name": "x.example"}, sent)["tracking"] == option
