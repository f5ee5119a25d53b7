"""Listings leave `additionalProperties` out; a call is checked as if they had it."""

import json

import pytest

from mailgun_mcp.catalogue.builtin_tools import OWN_TOOLS, builtin_operation
from mailgun_mcp.catalogue.call_schema import call_schema, closed
from mailgun_mcp.request.validate import validate
from tests.support.operations import find


def test_every_object_is_closed_except_those_that_mailgun_leaves_open() -> None:
    inner = {"type": "object", "properties": {"vars": {"type": "object", "properties": {}}}}
    listed = {"type": "object", "properties": {"members": {"type": "array", "items": inner}}}
    schema = closed(listed, {"members/*/vars": True})
    item = schema["properties"]["members"]["items"]
    assert schema["additionalProperties"] is False
    assert item["additionalProperties"] is False
    assert item["properties"]["vars"]["additionalProperties"] is True
    assert "additionalProperties" not in listed


def test_other_properties_keep_their_schema() -> None:
    headers = call_schema(find("send_message"))["properties"]["headers"]
    assert headers["additionalProperties"] == {"type": "string"}


@pytest.mark.parametrize(
    ("tool", "arguments", "fault"),
    [
        ("list_ip_pools", {"unknown": 1}, "unknown: unknown argument"),
        ("query_logs", {"filter": {"AND": [], "OR": []}}, "filter.OR: unknown argument"),
    ],
)
def test_an_argument_that_no_listing_names_is_refused(tool: str, arguments: dict[str, object], fault: str) -> None:
    assert any(sentence.startswith(fault) for sentence in validate(find(tool), arguments))


@pytest.mark.parametrize(
    ("tool", "arguments", "fault"),
    [
        ("list_bounces", {"domain": "a.example", "limit": 1001}, "limit: 1001 is more than 1000"),
        ("query_logs", {"pagination": {"limit": 101}}, "pagination.limit: 101 is more than 100"),
        (
            "query_logs",
            {"metric_events": ["bouncd"]},
            "metric_events[0]: 'bouncd' is not allowed; did you mean 'bounced'?",
        ),
        ("update_send_alert", {"name": "a", "metric": "x"}, "metric: 'x' is not allowed"),
        ("update_domain_webhook", {"webhook_name": "bounced"}, "webhook_name: 'bounced' is not allowed"),
        ("get_domain_stats", {"event": ["sent"]}, "event[0]: 'sent' is not allowed"),
        ("query_metrics", {"filter": {}}, "filter.AND: is required"),
    ],
)
def test_a_limit_that_no_listing_names_is_checked(tool: str, arguments: dict[str, object], fault: str) -> None:
    assert any(sentence.startswith(fault) for sentence in validate(find(tool), arguments))


def test_no_listing_has_a_limit_and_each_schema_of_a_call_has_its_own() -> None:
    operation = find("query_logs")
    limit = {"type": "integer"}
    assert operation.input_schema["properties"]["pagination"]["properties"]["limit"] == limit
    assert call_schema(operation)["properties"]["pagination"]["properties"]["limit"] == {
        **limit,
        "default": 20,
        "maximum": 100,
    }


@pytest.mark.parametrize(
    ("tool", "arguments", "fault"),
    [
        ("read_result", {"result": "a", "offset": -1}, "offset: -1 is less than 0"),
        ("list_undoable", {"limit": 101}, "limit: 101 is more than 100"),
        ("explain_delivery", {"domain": "a.example", "days": 31}, "days: 31 is more than 30"),
        ("compare_domains", {"domains": ["a.example"]}, "domains: "),
    ],
)
def test_a_limit_of_the_servers_own_tools_is_checked(tool: str, arguments: dict[str, object], fault: str) -> None:
    assert any(sentence.startswith(fault) for sentence in validate(builtin_operation(tool), arguments))


def test_no_listing_of_the_servers_own_tools_has_a_limit() -> None:
    listings = json.dumps([builtin_operation(name).input_schema for name in OWN_TOOLS])
    assert [key for key in ("minimum", "maximum", "minItems", "maxItems") if f'"{key}"' in listings] == []
