"""Whatever Mailgun answers, the result satisfies the tool's output schema, and nothing of it is lost."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.shape_result import shape
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.errors import MailgunError
from mailgun_mcp.mailgun.response import Response
from mailgun_mcp.settings import Settings
from mailgun_mcp.simulator.worlds.demo import SHOP as DOMAIN
from tests.support.calls import run
from tests.support.operations import REVIEWED, catalogue, described, find, made

TYPES = ("string", "integer", "number", "boolean", "object", "array")
PAGED = {operation.pages.style: operation.name for operation in catalogue() if operation.pages}
SOME = [*PAGED.values(), "get_domain", "send_message", "query_metrics", "get_stored_message"]


def answered(content: bytes, *, status: int = 200, content_type: str = "application/json") -> Response:
    return Response(status, {"content-type": content_type}, content)


def said_json(value: Any) -> Response:
    return answered(json.dumps(value).encode())


def responding(schema: dict[str, Any], **reviewed: Any) -> Operation:
    """Return an operation whose answer has this schema."""
    content = {"200": {"description": "Yes", "content": {"application/json": {"schema": schema}}}}
    return made(described(responses=content, **{"x-mailgun-mcp": {**REVIEWED, **reviewed}}))


def field(kind: str) -> Operation:
    return responding({"type": "object", "properties": {"field": {"type": kind}}})


def plain_json(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5), max_leaves=25
    )


def keys_of(schema: dict[str, Any]) -> set[str]:
    """Return every property name of a schema: what an answer must use to meet the schema at all."""
    found = set(schema.get("properties", {}))
    for inner in [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]:
        found |= keys_of(inner) if isinstance(inner, dict) else set()
    return found


def assert_valid(result: dict[str, Any], operation: Operation) -> None:
    Draft202012Validator(operation.output_schema).validate(result)
    assert json.loads(json.dumps(result, allow_nan=False)) == result


@pytest.mark.parametrize("name", SOME)
@given(data=st.data())
def test_any_json_becomes_a_result_that_satisfies_the_output_schema(name: str, data: st.DataObject) -> None:
    operation = find(name)
    keys = st.sampled_from(sorted(keys_of(operation.output_schema) | {"other", "paging", "pagination", "next", "last"}))
    value = data.draw(plain_json(keys | st.text(max_size=3)))
    assert_valid(shape(operation, {}, said_json(value)), operation)


@given(data=st.data())
def test_an_answer_that_fits_its_schema_stays_as_it_is(data: st.DataObject) -> None:
    operation = responding({"type": "object", "properties": {kind: {"type": kind} for kind in TYPES}})
    fitting = {
        "string": st.text(),
        "integer": st.integers(),
        "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
        "object": st.dictionaries(st.text(), plain_json(st.text()), max_size=3),
        "array": st.lists(plain_json(st.text()), max_size=3),
    }
    value = data.draw(st.fixed_dictionaries({}, optional=fitting))
    assert shape(operation, {}, said_json(value)) == value


@given(value=plain_json(st.text()), kind=st.sampled_from(TYPES))
def test_a_value_is_kept_converted_or_moved_but_never_lost(value: Any, kind: str) -> None:
    result = shape(field(kind), {}, said_json({"field": value}))
    kept = result["field"]
    moved = result.get("unexpected", {}).get("/field")
    scalar = json.dumps(value) if isinstance(value, bool) else str(value)
    assert value in (kept, moved) or str(kept) == scalar or json.dumps(kept) == scalar or float(kept) == float(value)


@pytest.mark.parametrize(
    ("kind", "given_value", "kept"),
    [
        ("string", 550, "550"),
        ("string", 1.5, "1.5"),
        ("string", True, "true"),
        ("integer", "42", 42),
        ("integer", "-3", -3),
        ("integer", 7.0, 7),
        ("number", "1.5", 1.5),
        ("number", 3, 3),
        ("boolean", "yes", True),
        ("boolean", "false", False),
        ("array", None, None),
    ],
)
def test_a_scalar_of_another_type_is_converted_where_nothing_is_lost(kind: str, given_value: Any, kept: Any) -> None:
    result = shape(field(kind), {}, said_json({"field": given_value}))
    assert result == {"field": kept}
    assert type(result["field"]) is type(kept)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "007"),
        ("integer", "²"),
        ("integer", "--5"),
        ("integer", "1" * 5000),
        ("integer", 1.5),
        ("integer", True),
        ("number", "nan"),
        ("number", "1_000"),
        ("number", "1e999"),
        ("boolean", 1),
        ("boolean", "maybe"),
        ("string", {"a": 1}),
        ("string", ["a"]),
        ("object", [1]),
        ("array", {"0": 1}),
        ("array", "one"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_misfit_is_kept_under_unexpected_with_its_place(kind: str, value: Any) -> None:
    assert shape(field(kind), {}, said_json({"field": value})) == {"field": None, "unexpected": {"/field": value}}


def test_the_place_of_a_misfit_leads_through_lists() -> None:
    schema = {"type": "object", "properties": {"items": {"type": "array", "items": {"type": "integer"}}}}
    assert shape(responding(schema), {}, said_json({"items": [1, "x"]})) == {
        "items": [1, None],
        "unexpected": {"/items/1": "x"},
    }


def test_an_empty_answer_says_that_it_is_done() -> None:
    assert shape(find("delete_bounce"), {}, answered(b"", status=204)) == {
        "message": "Done (HTTP 204, empty response)."
    }


@pytest.mark.parametrize("content_type", ["text/plain", "text/html", ""])
def test_a_text_answer_becomes_the_message(content_type: str) -> None:
    assert shape(find("delete_bounce"), {}, answered(b" all\n gone ", content_type=content_type)) == {
        "message": "all gone"
    }


@pytest.mark.parametrize("value", [None, [], [1, "x"], "text", 3], ids=repr)
def test_an_answer_that_is_no_object_becomes_its_result(value: Any) -> None:
    assert shape(find("delete_bounce"), {}, said_json(value)) == {"result": value}


def test_the_router_that_knows_no_such_path_is_a_fault_about_the_base_url() -> None:
    with pytest.raises(MailgunError) as caught:
        shape(find("list_domains"), {}, answered(b"Mailgun Magnificent API", content_type="text/plain"))
    assert (str(caught.value), caught.value.next_step) == (
        'Mailgun\'s router did not know the path (HTTP 200): "Mailgun Magnificent API"',
        "Check the base URL (MAILGUN_API_URL): it is the API's root, without a version.",
    )


BROKEN = {
    "truncated": b'{"items": [{"addr',
    "NaN": b'{"count": NaN}',
    "not UTF-8": b'{"name": "\xff"}',
    "a web page": b"<html><body>Sign in</body></html>",
    "endless nesting": b"[" * 100_000,
    "deep nesting": b'{"a":' * 300 + b"1" + b"}" * 300,
    "a number of 5,000 digits": b"[" + b"9" * 5000 + b"]",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_a_fault_of_a_read_that_may_be_repeated(content: bytes) -> None:
    with pytest.raises(MailgunError) as caught:
        shape(find("list_domains"), {}, answered(content))
    assert (caught.value.next_step, caught.value.reached) == ("Try again.", True)


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_after_a_write_leaves_the_outcome_unknown(content: bytes) -> None:
    with pytest.raises(MailgunError, match="the call most likely took effect") as caught:
        shape(find("send_message"), {}, answered(content))
    assert (caught.value.next_step, caught.value.reached) == (
        "Check whether it took effect before you try again.",
        True,
    )


def test_a_number_too_large_for_a_float_is_kept_as_text() -> None:
    assert shape(field("number"), {}, answered(b'{"field": 1e400}')) == {
        "field": None,
        "unexpected": {"/field": "1e400"},
    }


@pytest.mark.parametrize("content", [rb'{"m": "\ud83d!"}', rb'{"m": "\uDE00!"}'], ids=["high", "low"])
def test_a_lone_surrogate_becomes_the_replacement_character(content: bytes) -> None:
    assert shape(field("string"), {}, answered(content)) == {"m": "\N{REPLACEMENT CHARACTER}!"}


def test_an_escaped_pair_of_surrogates_is_one_character() -> None:
    assert shape(field("string"), {}, answered(rb'{"m": "\ud83d\ude00"}')) == {"m": "\N{GRINNING FACE}"}


def test_a_list_result_names_the_next_page_as_arguments() -> None:
    body = {"items": [{"name": f"d{number}.example.com"} for number in range(2)], "total_count": 5}
    result = shape(find("list_domains"), {"limit": 2}, said_json(body))
    assert result == {**body, "next": {"skip": 2}}


def test_the_last_page_names_no_next_one() -> None:
    body = {"items": [{"name": "d4.example.com"}], "total_count": 5}
    assert shape(find("list_domains"), {"limit": 2, "skip": 4}, said_json(body)) == body


@pytest.mark.parametrize(
    ("content", "result"),
    [
        (b"name,price\r\n", {"size": 12, "text": "name,price\r\n"}),
        (b"\xff\xd8\x00", {"size": 3, "base64": "/9gA"}),
        (b'{"a": 1}', {"size": 8, "text": '{"a": 1}'}),
        (b"", {"size": 0, "text": ""}),
    ],
)
def test_a_file_is_text_or_base64(content: bytes, result: dict[str, object]) -> None:
    answer = answered(content, content_type="application/x-thing")
    assert shape(find("get_stored_attachment"), {}, answer) == {"content_type": "application/x-thing", **result}


@pytest.mark.anyio
async def test_a_stored_message_is_read_as_mime_and_its_attachments_as_files(tmp_path: Path) -> None:
    services = create_services(Settings(simulator=True, state=str(tmp_path), policy="unguarded"))
    mail = {"from": f"a@{DOMAIN}", "to": ["ann@example.org"], "subject": "Hi", "text": "Hello"}
    files = [{"text": "name,price", "filename": "a.csv"}, {"base64": "/9gA", "filename": "b.jpg"}]
    sent = await run(services, "send_message", {"domain": DOMAIN, **mail, "attachments": files})
    assert sent.structured is not None, sent.text
    events = await run(services, "list_events", {"domain": DOMAIN, "message_id": sent.structured["id"], "full": True})
    assert events.structured is not None
    message = {"domain": DOMAIN, "storage_key": events.structured["items"][0]["storage"]["key"]}
    mime = await run(services, "get_stored_message", {**message, "accept": "message/rfc2822"})
    assert mime.structured is not None
    assert "Subject: Hi" in mime.structured["body-mime"]
    assert "body-plain" not in mime.structured
    first, second = [
        (await run(services, "get_stored_attachment", {**message, "index": index})).structured for index in (0, 1)
    ]
    assert first is not None
    assert second is not None
    assert (first["size"], "name,price" in first["text"], "untrusted_text" in first) == (
        10,
        True,
        "untrusted_text" in mime.structured,
    )
    assert "/9gA" in second["base64"]
    missing = await run(services, "get_stored_attachment", {**message, "index": 2})
    assert "Attachment not found" in missing.text
