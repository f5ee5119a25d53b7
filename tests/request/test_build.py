"""The exact request of a call: method, path, query, headers and body, or why there is none."""

import json
import math
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.catalogue.catalogue import SUBACCOUNT_HEADER
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import ArgumentError
from mailgun_mcp.request.build import Request, build
from mailgun_mcp.request.files import Files
from mailgun_mcp.request.multipart import Part
from mailgun_mcp.request.validate import validate
from tests.support.arguments import maximal, minimal
from tests.support.bodies import decode_multipart, form_of
from tests.support.offenders import holds_for
from tests.support.operations import catalogue, find, with_body, with_query

ALL = list(catalogue())
EVERY = [operation.name for operation in ALL]
MESSAGE: Arguments = {"domain": "mg.example.com", "to": ["ann@example.com"], "text": "Hi"}
FORM = "application/x-www-form-urlencoded"


def request_of(tool: str, **arguments: Any) -> Request:
    operation = find(tool)
    assert validate(operation, arguments) == []
    return build(operation, arguments, Files())


def refused(operation: Operation, arguments: Arguments, files: Files | None = None) -> list[str]:
    with pytest.raises(ArgumentError) as caught:
        build(operation, arguments, files or Files())
    return list(caught.value.faults)


@pytest.mark.parametrize(
    ("tool", "arguments", "line"),
    [
        ("list_domains", {}, "GET /v4/domains"),
        ("list_domains", {"limit": 5, "skip": 0, "search": "a b&c.d"}, "GET /v4/domains?limit=5&skip=0&search=a%20b%26c.d"),
        ("list_domains", {"limit": 10.0}, "GET /v4/domains?limit=10"),
        ("get_bounce", {"domain": "mg.example.com", "address": "ann+x@example.com"}, "GET /v3/mg.example.com/bounces/ann%2Bx%40example.com"),
        ("get_bounce", {"domain": "mg.example.com", "address": "50%off/x?#@example.com"}, "GET /v3/mg.example.com/bounces/50%25off%2Fx%3F%23%40example.com"),
        ("get_bounce", {"domain": "bücher.example", "address": "ü@example.com"}, "GET /v3/b%C3%BCcher.example/bounces/%C3%BC%40example.com"),
        ("get_template", {"domain": "a.b", "template_name": "x y{template_name}"}, "GET /v3/a.b/templates/x%20y%7Btemplate_name%7D"),
        ("get_template", {"domain": "a.b", "template_name": "t", "active": True}, "GET /v3/a.b/templates/t?active=yes"),
        ("get_template", {"domain": "a.b", "template_name": "t", "active": False}, "GET /v3/a.b/templates/t"),
        ("get_domain_stats", {"domain": "a.b", "event": ["failed", "opened"], "start": "2026-11-23"}, "GET /v3/a.b/stats/total?start=Mon%2C%2023%20Nov%202026%2000%3A00%3A00%20%2B0000&event=failed&event=opened"),
        ("list_events", {"domain": "a.b", "begin": "2026-11-23T09:00:00Z", "ascending": True, "message_id": "<x@y>"}, "GET /v3/a.b/events?begin=1795424400&ascending=yes&message-id=%3Cx%40y%3E"),
        ("list_events", {"domain": "a.b", "page": "W3siYSI=", "limit": 5}, "GET /v3/a.b/events/W3siYSI%3D?limit=5"),
        ("list_dynamic_pool_domains", {"page": "Limit=1&pivot=a%40b"}, "GET /v1/dynamic_pools/domains?Limit=1&pivot=a%40b"),
        ("remove_domain_ip", {"domain": "a.b", "ip": "192.0.2.1", "replacement_ip": "192.0.2.2"}, "DELETE /v3/domains/a.b/ips/192.0.2.1?ip=192.0.2.2"),
        ("delete_domain_webhook_urls", {"domain": "a.b", "url": ["https://x.y/1", "https://x.y/2"]}, "DELETE /v4/domains/a.b/webhooks?url=https%3A%2F%2Fx.y%2F1%2Chttps%3A%2F%2Fx.y%2F2"),
        ("bulk_delete_account_webhooks", {"webhook_ids": ["a", "b"]}, "DELETE /v1/webhooks?webhook_ids=a%2Cb"),
        ("add_sandbox_recipient", {"email": "a+b@c.de"}, "POST /v5/sandbox/auth_recipients?email=a%2Bb%40c.de"),
        ("set_account_sending_limit", {"limit": 1000}, "PUT /v5/accounts/limit/custom/monthly?limit=1000"),
        ("resend_message", {"domain": "a.b", "storage_key": "K=", "to": ["c@d.ef"], "storage_host": "https://sw.api.mailgun.net/v3/x"}, "POST sw.api.mailgun.net/v3/domains/a.b/messages/K%3D"),
    ],
)  # fmt: skip
def test_method_host_path_and_query_are_exact(tool: str, arguments: Arguments, line: str) -> None:
    assert request_of(tool, **arguments).line == line


@pytest.mark.parametrize(
    ("tool", "arguments", "content_type", "fields"),
    [
        (
            "create_route",
            {"priority": 0, "expression": 'match_recipient("a+b@c.d")', "action": ["forward(\"https://x.y/?a=1&b=2\")", "stop()"]},
            FORM,
            [("priority", "0"), ("expression", 'match_recipient("a+b@c.d")'), ("action", 'forward("https://x.y/?a=1&b=2")'), ("action", "stop()")],
        ),
        ("update_route", {"id": "4f3b", "description": ""}, FORM, [("description", "")]),
        (
            "update_subaccount_features",
            {"subaccount_id": "x", "sending": {"enabled": True}, "validations": {"enabled": False}},
            FORM,
            [("sending", '{"enabled":true}'), ("validations", '{"enabled":false}')],
        ),
        (
            "add_mailing_list_member",
            {"list_address": "a@b.cd", "address": "c@d.ef", "vars": {"näme": ["ü", 1, None]}, "subscribed": False, "upsert": True},
            "multipart",
            [("address", "c@d.ef"), ("vars", '{"näme":["ü",1,null]}'), ("subscribed", "no"), ("upsert", "yes")],
        ),
        (
            "bulk_add_mailing_list_members",
            {"list_address": "a@b.cd", "members": [{"address": "c@d.ef", "subscribed": True}], "upsert": False},
            "multipart",
            [("members", '[{"address":"c@d.ef","subscribed":true}]'), ("upsert", "no")],
        ),
        ("update_open_tracking", {"domain": "a.b", "active": True, "place_at_the_top": False}, "multipart", [("active", "yes"), ("place_at_the_top", "no")]),
        ("update_unsubscribe_tracking", {"domain": "a.b", "active": False}, "multipart", [("active", "false")]),
        ("create_domain", {"domain": "a.b", "ips": ["192.0.2.1", "192.0.2.2"], "wildcard": True}, "multipart", [("name", "a.b"), ("ips", "192.0.2.1,192.0.2.2"), ("wildcard", "true")]),
        ("create_account_webhook", {"event_types": ["opened", "clicked"], "url": "https://x.y"}, "multipart", [("event_types", "opened"), ("event_types", "clicked"), ("url", "https://x.y")]),
        ("update_mailing_list", {"list_address": "a@b.cd", "list_id": "L"}, "multipart", [("list-id", "L")]),
    ],
)  # fmt: skip
def test_form_fields_are_exact(
    tool: str, arguments: Arguments, content_type: str, fields: list[tuple[str, str]]
) -> None:
    request = request_of(tool, **arguments)
    assert form_of(request) == fields
    assert dict(request.headers)["Content-Type"].startswith(
        content_type if "/" in content_type else "multipart/form-data; boundary="
    )


@pytest.mark.parametrize(
    ("tool", "arguments", "body"),
    [
        ("query_logs", {}, {}),
        (
            "query_logs",
            {"start": "2026-11-23T09:00:00Z", "events": [], "include_totals": False, "pagination": {"limit": 5}},
            {"start": "Mon, 23 Nov 2026 09:00:00 +0000", "events": [], "include_totals": False, "pagination": {"limit": 5}},
        ),
        (
            "add_bounces",
            {"domain": "a.b", "bounces": [{"address": "ü@b.cd", "created_at": "2026-11-23"}, {"address": "e@f.gh", "code": "550"}]},
            [{"address": "ü@b.cd", "created_at": "Mon, 23 Nov 2026 00:00:00 +0000"}, {"address": "e@f.gh", "code": "550"}],
        ),
        (
            "add_unsubscribes",
            {"domain": "a.b", "unsubscribes": [{"address": "a@b.cd", "tags": ["*"]}]},
            [{"address": "a@b.cd", "tags": ["*"]}],
        ),
    ],
)  # fmt: skip
def test_json_bodies_are_exact(tool: str, arguments: Arguments, body: Any) -> None:
    request = request_of(tool, **arguments)
    assert json.loads(request.content) == body
    assert request.headers == (("Content-Type", "application/json"),)
    assert request.content == json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("schema", "value", "query"),
    [
        ({"type": "boolean"}, False, "a=false"),
        ({"type": "boolean", "x-mailgun-mcp": {"wire": "yes_no"}}, False, "a=no"),
        ({"type": "string", "format": "date-time", "x-mailgun-mcp": {"wire": "rfc3339"}}, "2026-11-23T10:00:00+01:00", "a=2026-11-23T09%3A00%3A00Z"),
        ({"type": "string", "format": "date-time", "x-mailgun-mcp": {"wire": "epoch"}}, "2026-11-23T10:00:00+01:00", "a=1795424400"),
        ({"type": "number"}, 0.5, "a=0.5"),
        ({"type": "number"}, 1e3, "a=1000"),
        ({"type": "array", "items": {"type": "integer"}}, [1, 2.0, 3], "a=1&a=2&a=3"),
        ({"type": "array", "items": {"type": "boolean"}}, [True, False], "a=true&a=false"),
        ({"type": "object"}, {"b": [1, "ü"]}, "a=%7B%22b%22%3A%5B1%2C%22%C3%BC%22%5D%7D"),
    ],
)  # fmt: skip
def test_each_encoding_writes_its_value(schema: dict[str, Any], value: Any, query: str) -> None:
    assert build(with_query("a", schema), {"a": value}, Files()).query == query


def test_an_item_with_a_comma_is_refused_where_commas_part_items() -> None:
    operation = find("delete_domain_webhook_urls")
    assert refused(operation, {"domain": "a.b", "url": ["https://x.y/1,2"]}) == [
        "url: 'https://x.y/1,2' contains a comma, which would split it in two"
    ]


def test_dates_and_flags_inside_json_are_written_as_mailgun_wants_them() -> None:
    item = {
        "type": "object",
        "properties": {
            "at": {"type": "string", "format": "date-time", "x-mailgun-mcp": {"wire": "rfc3339"}},
            "on": {"type": "boolean", "x-mailgun-mcp": {"wire": "yes_no"}},
        },
    }
    operation = with_body(
        "application/json", {"type": "object", "properties": {"items": {"type": "array", "items": item}}}
    )
    request = build(operation, {"items": [{"at": "2026-11-23", "on": True}, {"on": False}, {}]}, Files())
    assert json.loads(request.content) == {"items": [{"at": "2026-11-23T00:00:00Z", "on": "yes"}, {"on": "no"}, {}]}


def test_a_message_is_written_field_by_field() -> None:
    request = request_of(
        "send_message",
        **{
            **MESSAGE,
            "from": "Ann <ann@example.com>",
            "to": ["b@example.com", "c@example.com"],
            "subject": "Grüße",
            "amp_html": "<html ⚡4email>",
            "tags": ["one", "two"],
            "dkim": True,
            "tracking": "no",
            "tracking_clicks": "htmlonly",
            "test_mode": True,
            "deliverytime": "2026-11-23T09:00:00Z",
            "suppress_headers": ["X-Mailgun-Sid", "X-Mailgun-Tag"],
            "template_variables": {"a": {"b": 1}},
            "recipient_variables": {"b@example.com": {"n": 1}},
            "headers": {"Reply-To": "d@example.com", "X-Any-Thing": "ü"},
            "variables": {"plain": "text", "object": {"k": [1, True, None]}, "number": 5, "flag": False},
        },
    )
    assert request.line == "POST /v3/mg.example.com/messages"
    assert form_of(request) == [
        ("from", "Ann <ann@example.com>"),
        ("to", "b@example.com"),
        ("to", "c@example.com"),
        ("subject", "Grüße"),
        ("text", "Hi"),
        ("amp-html", "<html ⚡4email>"),
        ("t:variables", '{"a":{"b":1}}'),
        ("o:tag", "one"),
        ("o:tag", "two"),
        ("o:dkim", "yes"),
        ("o:deliverytime", "Mon, 23 Nov 2026 09:00:00 +0000"),
        ("o:testmode", "yes"),
        ("o:tracking", "no"),
        ("o:tracking-clicks", "htmlonly"),
        ("o:suppress-headers", "X-Mailgun-Sid,X-Mailgun-Tag"),
        ("recipient-variables", '{"b@example.com":{"n":1}}'),
        ("h:Reply-To", "d@example.com"),
        ("h:X-Any-Thing", "ü"),
        ("v:plain", "text"),
        ("v:object", '{"k":[1,true,null]}'),
        ("v:number", "5"),
        ("v:flag", "false"),
    ]


def test_a_yes_or_absent_flag_that_is_false_is_left_out() -> None:
    assert form_of(request_of("send_message", **MESSAGE, test_mode=False)) == form_of(
        request_of("send_message", **MESSAGE)
    )


def test_files_of_a_message_become_parts(tmp_path: Path) -> None:
    (tmp_path / "year.pdf").write_bytes(b"%PDF\x00\r\n--")
    operation = find("send_message")
    arguments = {
        **MESSAGE,
        "attachments": [{"path": "year.pdf"}, {"text": "a,b", "filename": "l.csv"}],
        "inline": [{"base64": "iVBORw==", "filename": "logo.png"}],
    }
    request = build(operation, arguments, Files((tmp_path,)))
    parts = decode_multipart(request.content, dict(request.headers)["Content-Type"])
    assert parts == [
        Part("to", b"ann@example.com"),
        Part("text", b"Hi"),
        Part("attachment", b"%PDF\x00\r\n--", "year.pdf", "application/pdf"),
        Part("attachment", b"a,b", "l.csv", "text/csv"),
        Part("inline", b"\x89PNG", "logo.png", "image/png"),
    ]


def test_a_mime_message_and_a_csv_import_are_file_parts() -> None:
    mime = request_of("send_mime_message", domain="a.b", to=["c@d.ef"], message={"text": "From: a@b.c\r\n\r\nHi"})
    assert decode_multipart(mime.content, dict(mime.headers)["Content-Type"])[1] == Part(
        "message", b"From: a@b.c\r\n\r\nHi", "message", "application/octet-stream"
    )
    imported = request_of("import_bounces", domain="a.b", file={"text": "address\na@b.c\n", "filename": "b.csv"})
    assert decode_multipart(imported.content, dict(imported.headers)["Content-Type"]) == [
        Part("file", b"address\na@b.c\n", "b.csv", "text/csv")
    ]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"headers": {"": "x"}}, "headers: '' is not a valid name"),
        ({"headers": {"X Y": "x"}}, "headers: 'X Y' is not a valid name"),
        ({"headers": {"X:Y": "x"}}, "headers: 'X:Y' is not a valid name"),
        ({"headers": {"X\r\nBcc": "x"}}, "headers: 'X\\r\\nBcc' is not a valid name"),
        ({"headers": {"Ü": "x"}}, "headers: 'Ü' is not a valid name"),
        ({"headers": {"X": "a\r\nBcc: b@c.d"}}, "headers: X contains a line break"),
        ({"variables": {'a"b': "x"}}, "variables: 'a\"b' is not a valid name"),
        ({"attachments": [{"text": "a", "base64": "YQ=="}]}, "attachments: needs exactly one of text, base64, path, not 2"),
        ({"attachments": [{"path": "a.txt"}]}, "attachments: path: the server is not allowed to read files; start it with --files DIR, or give text or base64"),
        ({"deliverytime": "soon"}, "deliverytime: 'soon' is not a time: use ISO 8601, such as 2026-11-23T09:00:00Z"),
    ],
)  # fmt: skip
def test_a_message_that_makes_no_request_says_why(changes: Arguments, fault: str) -> None:
    assert refused(find("send_message"), {**MESSAGE, **changes}) == [fault]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_know_makes_no_request(number: float) -> None:
    for tool, name in (("send_message", "variables"), ("query_metrics", "filter"), ("query_metrics", "pagination")):
        operation = find(tool)
        (fault,) = refused(operation, {**minimal(operation), name: {"a": number}})
        assert fault.startswith(f"{name}: ")


def test_every_fault_of_a_request_is_said_at_once() -> None:
    found = refused(find("send_message"), {"domain": "../x", "headers": {"": "a"}, "deliverytime": "soon"})
    assert [fault.partition(":")[0] for fault in found] == ["to", "domain", "deliverytime", "headers"]


TRAVERSALS = [
    *("", ".", "..", "../x", "x/..", "a/b", "/", "a//b", "..\\x", "a\\b", "%2e%2e", "%2E%2e", "..%2fx", "%2e%2e%2fx", "..%5cx"),
    *("%252e%252e", "%252e%252e%252fx", "%25252e%25252e", "a%2fb", "a%252fb", "a\0b", "a%00b", "a\r\nb", "a%0d%0ab", "a\nb"),
]  # fmt: skip


@holds_for(ALL)
def test_no_path_argument_of_any_operation_reaches_another(operation: Operation) -> None:
    for argument in operation.arguments:
        if argument.location in ("path", "page_path"):
            for value in TRAVERSALS:
                check_refused_in_path(operation, argument.name, value)


def test_a_page_of_events_is_asked_for_by_mailguns_token_without_the_page_size() -> None:
    events = find("list_events")
    assert build(events, {"domain": "mg.example.com", "page": "20:W3si=="}, Files()).path.endswith("/events/W3si%3D%3D")
    for value in TRAVERSALS:
        assert refused(events, {"domain": "mg.example.com", "page": f"20:{value}"}), value


def check_refused_in_path(operation: Operation, name: str, value: str) -> None:
    arguments = {**minimal(operation), name: value}
    assert validate(operation, arguments), f"{name} {value!r}"
    is_address = "@" in str(minimal(operation).get(name, ""))
    if not (is_address and value in ("a/b", "a\\b", "a%2fb", "a%252fb")):
        assert refused(operation, arguments), f"{name} {value!r}"


@holds_for(
    operation
    for operation in ALL
    if any(argument.format == "email" and argument.location == "path" for argument in operation.arguments)
)
def test_an_address_in_a_path_reaches_no_other_operation(operation: Operation) -> None:
    name = next(argument.name for argument in operation.arguments if argument.format == "email")
    for address in ("x/../../domains@b.cd", "../x@b.cd", "a%2f..%2fb@b.cd", "a@b.cd/members/e@f.gh"):
        assert validate(operation, {**minimal(operation), name: address}), address


def reaches(template: str, path: str) -> bool:
    """Whether a router that decodes the path once would take it for `template`."""
    pattern = re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(template))
    return re.fullmatch(pattern, unquote(path)) is not None


@holds_for()
def test_every_operation_builds_a_request_to_its_own_path(operation: Operation) -> None:
    check_request(operation, minimal(operation))
    check_request(operation, maximal(operation))


def check_request(operation: Operation, arguments: Arguments) -> None:
    request = build(operation, arguments, Files())
    path = request.path.rpartition("/")[0] if "page" in arguments and has_page_path(operation) else request.path
    assert request.method == operation.method
    assert reaches(operation.path, path)
    assert request.path.isascii()
    assert not re.search(r"[{}\s]", request.target)
    query = {argument.wire for argument in operation.arguments if argument.location == "query"}
    opaque = any(argument.location == "page_url" for argument in operation.arguments)
    assert opaque or {name for name, _ in parse_qsl(request.query)} <= query
    check_body(operation, request)


def has_page_path(operation: Operation) -> bool:
    return any(argument.location == "page_path" for argument in operation.arguments)


def check_body(operation: Operation, request: Request) -> None:
    content_type = dict(request.headers).get("Content-Type", "")
    if not request.content:
        assert not content_type or operation.body == "urlencoded"
    elif operation.body == "json":
        json.loads(request.content)
    elif operation.body == "urlencoded":
        assert set(dict(form_of(request))) <= form_fields(operation)
    else:
        names = {part.name for part in decode_multipart(request.content, content_type)}
        assert {re.sub(r"^([hv]:).*", r"\1", name) for name in names} <= form_fields(operation)


def form_fields(operation: Operation) -> set[str]:
    return {argument.wire for argument in operation.arguments if argument.location == "form"}


@holds_for()
def test_all_arguments_of_a_call_are_in_its_request(operation: Operation) -> None:
    whole = build(operation, maximal(operation), Files())
    of_the_answer = {argument.name for argument in operation.arguments if argument.location == "answer"}
    for name in set(maximal(operation)) - set(minimal(operation)) - of_the_answer:
        left = {key: value for key, value in maximal(operation).items() if key != name}
        if any(argument.location == "page_url" for argument in operation.arguments) and name != "page":
            continue
        assert build(operation, left, Files()).digest != whole.digest, name


def test_no_id_in_a_path_reaches_an_operation_that_does_more_than_read() -> None:
    """Literal paths that an argument of another operation could spell: `/v3/routes/match` as route `match`."""
    found = set()
    for operation in ALL:
        for other in ALL:
            if operation is other or operation.method != other.method:
                continue
            pattern = re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(operation.path))
            if re.fullmatch(pattern, other.path) and spelled(operation, other):
                found.add((operation.name, other.name))
    assert {other for _, other in found if find(other).risk != "read"} == set()
    assert ("get_route", "match_route") in found


def spelled(operation: Operation, other: Operation) -> bool:
    """Whether right arguments of `operation` can spell the path of `other`."""
    values = dict(zip(operation.path.split("/"), other.path.split("/"), strict=True))
    words = {part[1:-1]: word for part, word in values.items() if part.startswith("{")}
    named = {a.name: words[a.wire] for a in operation.arguments if a.wire in words and "{" not in words[a.wire]}
    return bool(named) and not validate(operation, {**minimal(operation), **named})


@pytest.mark.parametrize(
    "host",
    [
        *("https://api.mailgun.net.evil.com/v3", "https://user@evil.com/", "https://api.mailgun.net@evil.com/"),
        *("http://api.mailgun.net/", "https://api.mailgun.net:8443/", "evil.com", ""),
    ],
)
@pytest.mark.parametrize("tool", ["get_stored_message", "resend_message", "clear_message_queue"])
def test_a_storage_host_that_is_not_mailguns_makes_no_request(tool: str, host: str) -> None:
    operation = find(tool)
    arguments = {**minimal(operation), "storage_host": host}
    (fault,) = refused(operation, arguments)
    assert fault.startswith("storage_host: is not a Mailgun host")
    assert fault.endswith("so the API key is not sent there")
    assert validate(operation, arguments)


@pytest.mark.parametrize("page", ["a b", "a\r\nb", "ü", 'a"b', "a#b", "a\0"])
def test_a_page_that_no_result_named_makes_no_request(page: str) -> None:
    assert refused(find("list_dynamic_pool_domains"), {"page": page}) == [
        "page: is not a page token from an earlier result"
    ]


def test_the_configured_subaccount_is_named_in_a_header() -> None:
    request = build(find("list_domains"), {}, Files(), subaccount="sub1")
    assert request.headers == ((SUBACCOUNT_HEADER, "sub1"),)
    assert build(find("list_domains"), {}, Files()).headers == ()


def test_an_argument_that_names_a_subaccount_goes_before_the_configured_one() -> None:
    operation = catalogue().with_subaccount_argument().find("list_domains")
    request = build(operation, {"on_behalf_of": "sub2"}, Files(), subaccount="sub1")
    assert request.headers == ((SUBACCOUNT_HEADER, "sub2"),)


@pytest.mark.parametrize("arguments", [{}, {"subaccount_id": None}, {"subaccount_id": ""}, {"subaccount_id": " "}])
def test_a_subaccount_is_only_deleted_when_the_call_names_it(arguments: Arguments) -> None:
    operation = find("delete_subaccount")
    (fault,) = refused_with_subaccount(operation, arguments)
    assert fault.startswith("subaccount_id: is ")
    assert validate(operation, arguments)


def refused_with_subaccount(operation: Operation, arguments: Arguments) -> list[str]:
    with pytest.raises(ArgumentError) as caught:
        build(operation, arguments, Files(), subaccount="configured")
    return list(caught.value.faults)


def test_the_subaccount_to_delete_is_the_calls_own() -> None:
    request = build(find("delete_subaccount"), {"subaccount_id": "646d00a1"}, Files(), subaccount="configured")
    assert request == Request("DELETE", "/v5/accounts/subaccounts", "", ((SUBACCOUNT_HEADER, "646d00a1"),))


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "ü", "", "\0"])
def test_a_header_that_could_end_early_makes_no_request(value: str) -> None:
    (fault,) = refused(find("delete_subaccount"), {"subaccount_id": value})
    assert fault == "subaccount_id: is empty or contains a character not allowed in a header"


def test_more_options_than_mailgun_takes_are_refused_before_sending() -> None:
    operation = find("send_message")
    room = 16 * 1024 - len("v:data")
    assert build(operation, {**MESSAGE, "variables": {"data": "x" * room}}, Files())
    (fault,) = refused(operation, {**MESSAGE, "variables": {"data": "x" * (room + 1)}})
    assert fault.endswith("variables: 16,385 bytes is more than Mailgun's limit of 16,384")
    (fault,) = refused(operation, {**MESSAGE, "variables": {"data": "x" * (room // 2)}, "headers": {"X-A": "ü" * 5000}})
    assert "more than Mailgun's limit of 16,384" in fault


def test_a_message_over_25_megabytes_is_refused_before_sending() -> None:
    operation = find("send_message")
    assert build(operation, {**MESSAGE, "text": "x" * (25 * 1024 * 1024 - 1000)}, Files())
    (fault,) = refused(operation, {**MESSAGE, "text": "x" * (25 * 1024 * 1024)})
    assert re.fullmatch(r"the whole request: 26,21\d,\d{3} bytes is more than Mailgun's limit of 26,214,400", fault)


def test_the_parts_of_a_request_read_as_a_line_and_hide_the_body() -> None:
    request = Request("GET", "/v3/x", "a=1", (("A", "b"),), b"secret", "sw.api.mailgun.net")
    assert request.target == "/v3/x?a=1"
    assert request.line == "GET sw.api.mailgun.net/v3/x?a=1"
    assert "secret" not in repr(request)


REQUESTS = st.builds(
    Request,
    st.sampled_from(["GET", "POST"]),
    st.text("/ab?\0", max_size=4),
    st.text("a=&?", max_size=4),
    st.lists(st.tuples(st.text("AB", max_size=2), st.text("ab\0", max_size=2)), max_size=2).map(tuple),
    st.binary(max_size=4),
    st.none() | st.sampled_from(["a.api.mailgun.net", "b.api.mailgun.net"]),
).filter(lambda request: "?" not in request.path)


@given(REQUESTS, REQUESTS)
def test_digests_are_equal_exactly_when_the_requests_are(one: Request, other: Request) -> None:
    assert (one.digest == other.digest) == (one == other)


@holds_for()
def test_the_same_call_gives_the_same_request(operation: Operation) -> None:
    assert build(operation, maximal(operation), Files()) == build(operation, maximal(operation), Files())


@given(
    st.dictionaries(st.sampled_from(["text", "html", "subject"]), st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8")), max_size=3),
    st.lists(st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), min_size=1), min_size=1, max_size=3),
    st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True), st.text(st.characters(exclude_characters="\0", codec="utf-8")), max_size=3),
)  # fmt: skip
def test_any_text_arrives_as_it_was_written(fields: dict[str, str], to: list[str], variables: dict[str, str]) -> None:
    request = build(find("send_message"), {**MESSAGE, **fields, "to": to, "variables": variables}, Files())
    expected = {"text": "Hi", **fields, **{f"v:{name}": value for name, value in variables.items()}}
    sent = form_of(request)
    assert [value for name, value in sent if name == "to"] == to
    assert {name: value for name, value in sent if name != "to"} == expected


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_any_text_arrives_in_an_urlencoded_body_and_a_query(text: str) -> None:
    assert form_of(build(find("create_route"), {"expression": text, "action": [text]}, Files())) == [
        ("expression", text),
        ("action", text),
    ]
    assert parse_qsl(build(find("list_domains"), {"search": text}, Files()).query, keep_blank_values=True) == [
        ("search", text)
    ]
