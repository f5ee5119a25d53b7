"""What is wrong with arguments, in Mailgun's words."""

from typing import Any

import pytest

from mailgun_mcp.request.formats import FORMATS
from mailgun_mcp.simulator.http import checks
from mailgun_mcp.simulator.http.body import File
from mailgun_mcp.simulator.http.checks import check
from mailgun_mcp.simulator.replies.reply import ApiError
from tests.support.operations import catalogue, find, with_query

LIST = {"list_address": "list@x.example"}
SEND = {"domain": "x.example", "from": "a@x.example", "to": ["b@x.example"], "text": "Hi"}


def refusal(operation: Any, arguments: dict[str, Any]) -> tuple[int, str]:
    with pytest.raises(ApiError) as refused:
        check(operation, arguments)
    return refused.value.reply.status_code, str(refused.value)


@pytest.mark.parametrize(
    ("schema", "value", "text"),
    [
        ({"type": "string", "enum": ["readonly", "members"]}, "x", "Invalid access level 'x'. It can be any of: 'readonly', 'members'."),
        ({"type": "integer", "maximum": 1000}, 1001, "The 'access_level' parameter can't be larger than 1000"),
        ({"type": "integer", "minimum": 1}, 0, "The 'access_level' parameter can't be smaller than 1"),
        ({"type": "string", "minLength": 5}, "abc", "access_level is too short. It must be at least 5 characters."),
        ({"type": "string", "maxLength": 2}, "abc", "access_level is too long. It must be at most 2 characters."),
        ({"type": "string", "pattern": "^a$"}, "b", "Invalid value 'b' for parameter 'access_level'"),
        ({"type": "string"}, 1, "'access_level' parameter is not a string"),
        ({"type": "integer"}, True, "'access_level' parameter is not an integer"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, [], "Need at least 1 of 'access_level'"),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 1}, ["a", "b"], "Too many 'access_level', max is 1"),
        ({"type": "array", "items": {"type": "string"}}, [1], "'access_level' parameter is not a string"),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {"b": 1}, "Unknown parameter 'access_level.b'"),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": 1}, "'access_level.a' parameter is not a string"),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, {}, "a parameter is missing"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"b": 1}, "'access_level.b' parameter is not a string"),
        ({"type": "string", "format": "ip"}, "1.2.3", "'access_level' parameter is not a valid IP address"),
        ({"type": "string", "format": "uri"}, "ftp://x", "'access_level' parameter is not a valid url"),
        ({"type": "array", "items": {"type": "string", "format": "ip"}}, ["1.2.3.4", "x"], "'access_level' parameter is not a valid IP address"),
        ({"type": "string", "format": "email"}, "x", "'access_level' parameter is not a valid address. please check documentation"),
    ],
)  # fmt: skip
def test_a_value_that_the_schema_forbids_is_refused(schema: dict[str, Any], value: Any, text: str) -> None:
    assert refusal(with_query("access_level", schema), {"access_level": value}) == (400, text)


def test_right_values_pass() -> None:
    check(with_query("a", {"type": "object", "properties": {"b": {"type": "number"}}}), {"a": {"b": 1}})
    check(find("send_message"), {**SEND, "attachments": [File("a", "text/plain", b"")], "headers": {"X-A": "b"}})


def test_what_is_required_is_missed_by_its_wire_name() -> None:
    arguments = {name: value for name, value in SEND.items() if name != "to"}
    assert refusal(find("send_message"), arguments) == (400, "to parameter is missing")


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"text": ""}, 200, ""),
        ({"text": None}, 400, "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified"),
        ({"html": "a", "template": "b"}, 400, "Only one parameters 'html' or 'template' is allowed"),
        ({"version": "v1"}, 400, "template parameter is missing"),
        ({"to": [f"{n}@x.example" for n in range(1000)], "cc": ["c@x.example"]}, 400, "Too many recipients, max is 1000"),
        ({"variables": {"a": "x" * 17_000}}, 400, "Send options (parameters starting with o:, h:, v:, or t:) are limited to 16 kB total"),
        ({"attachments": [File("a", "b", b"x" * 26_214_401)]}, 413, "request size exceeds 25.0MiB"),
    ],
)  # fmt: skip
def test_rules_of_a_message(change: dict[str, Any], status: int, text: str) -> None:
    arguments = {name: value for name, value in {**SEND, **change}.items() if value is not None}
    if status == 200:
        check(find("send_message"), arguments)
    else:
        assert refusal(find("send_message"), arguments) == (status, text)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "Need at least one of 'address' or 'domain' parameters specified"),
        (
            {"address": "a@x.example", "allowed_domain": "x.example"},
            "Only one parameters 'address' or 'domain' is allowed",
        ),
    ],
)
def test_exactly_one_of_two(arguments: dict[str, Any], text: str) -> None:
    assert refusal(find("add_allowlist_entry"), {"domain": "x.example", **arguments}) == (400, text)


def test_a_batch_has_a_size() -> None:
    bounces = [{"address": "a@x.example"}] * 1001
    arguments = {"domain": "x.example", "bounces": bounces}
    assert refusal(find("add_bounces"), arguments) == (400, "Batch size should be less than 1000")


def test_every_checked_format_has_words() -> None:
    # Mailgun finds nothing for a word that is no event, and does not refuse it.
    assert checks.KINDS.keys() == FORMATS.keys() - {"event-filter"}


def test_every_rule_of_the_catalogue_is_known() -> None:
    kinds = [set(rule) & set(checks.RULES) for operation in catalogue() for rule in operation.rules]
    assert all(len(kind) == 1 for kind in kinds)
