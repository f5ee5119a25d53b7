"""A wrong value or name leads to the right one, in the words that people use."""

import json
from typing import Any

import pytest

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.request.hints import NAMES, VALUES, allowed_values, intended_name, intended_value
from mailgun_mcp.request.validate import validate
from tests.support.arguments import minimal
from tests.support.operations import catalogue, find


def options_of(tool: str, *path: str) -> list[str]:
    schema: dict[str, Any] = call_schema(find(tool))
    for name in path:
        schema = schema["properties"][name]
    enum: list[str] = schema.get("items", schema)["enum"]
    return enum


@pytest.mark.parametrize(
    ("tool", "argument", "value", "meant"),
    [
        ("query_logs", "events", "bounced", "failed"),
        ("query_logs", "events", "Spam", "complained"),
        ("query_logs", "events", "sent", "accepted"),
        ("query_logs", "events", "opens", "opened"),
        ("create_domain_webhook", "id", "bounced", "permanent_fail"),
        ("create_domain_webhook", "id", "soft bounce", "temporary_fail"),
        ("create_domain_webhook", "id", "failed", "permanent_fail"),
        ("query_metrics", "metrics", "delivered", "delivered_count"),
        ("query_metrics", "metrics", "bounced", "bounced_count"),
        ("query_metrics", "metrics", "open-rate", "opened_rate"),
        ("query_metrics", "metrics", "complaints", "complained_count"),
        ("query_metrics", "dimensions", "provider", "recipient_provider"),
        ("create_send_alert", "comparator", "gte", ">="),
        ("create_api_key", "role", "analyst", "basic"),
        ("list_bounces", "page", "prev", "previous"),
        ("list_domain_tags", "page", "previous", "prev"),
    ],
)
def test_what_people_say_leads_to_the_value_that_mailgun_has(tool: str, argument: str, value: str, meant: str) -> None:
    assert intended_value(value, options_of(tool, argument)) == meant


@pytest.mark.parametrize(
    ("tool", "argument", "value", "told"),
    [
        ("query_metrics", "metrics", "delivered,bounces", '["delivered_count", "bounced_count"]'),
        ("query_logs", "events", "bounced, opened", '["failed", "opened"]'),
        ("query_logs", "events", "bounced,qqqq", "must be one of accepted"),
    ],
)
def test_several_values_in_one_text_are_told_apart(tool: str, argument: str, value: str, told: str) -> None:
    assert told in allowed_values(value, options_of(tool, argument))


def test_a_value_like_none_of_them_suggests_nothing() -> None:
    assert intended_value("qqqq", ["failed", "opened"]) is None
    assert intended_value(5, ["failed"]) is None


@pytest.mark.parametrize(
    ("tool", "name", "meant"),
    [
        ("list_bounces", "name", "domain"),
        ("get_domain_stats", "sending_domain", "domain"),
        ("get_bounce", "email", "address"),
        ("send_message", "body", "text"),
        ("create_template", "text", "template"),
        ("create_template", "html", "template"),
        ("list_bounces", "page_size", "limit"),
        ("query_logs", "since", "start"),
        ("send_message", "subjekt", "subject"),
    ],
)
def test_another_word_for_an_argument_leads_to_its_name(tool: str, name: str, meant: str) -> None:
    operation = find(tool)
    arguments = {key: value for key, value in minimal(operation).items() if key != meant}
    assert intended_name(name, operation.input_schema["properties"], arguments) == meant
    faults = validate(operation, {**arguments, name: "x"})
    assert f"{name}: unknown argument; did you mean {meant}?" in faults


@pytest.mark.parametrize(
    ("tool", "name", "attribute"),
    [
        ("query_logs", "domain", "domain"),
        ("query_logs", "email", "recipient"),
        ("query_metrics", "tags", "tag"),
        ("query_metrics", "domain_name", "domain"),
    ],
)
def test_what_is_a_condition_of_a_filter_is_shown_as_one(tool: str, name: str, attribute: str) -> None:
    (fault,) = validate(find(tool), {name: "x.example"})
    path, _, example = fault.partition("; filter by it with filter=")
    assert path == f"{name}: unknown argument"
    condition = json.loads(example)
    assert condition == {"AND": [{"attribute": attribute, "comparator": "=", "values": [{"value": "x.example"}]}]}
    assert validate(find(tool), {"filter": condition}) == []
    assert "filter=" not in validate(find(tool), {"colour": "red"})[0]


def test_a_general_name_means_the_one_argument_that_is_missing() -> None:
    webhook, given = find("get_domain_webhook"), {"domain": "a.example"}
    assert "id: unknown argument; did you mean webhook_name?" in validate(webhook, {**given, "id": "x"})
    assert "did you mean webhook_name" not in str(validate(webhook, {**given, "id": "x", "key": "y"}))
    assert "did you mean webhook_name" not in str(validate(webhook, {**given, "colour": "x"}))


def test_a_long_name_or_value_suggests_nothing() -> None:
    assert intended_name("to" * 1_000, ["to"], []) is None
    assert intended_value("yes" * 1_000, ["yes"]) is None


def test_an_argument_that_was_given_is_not_suggested_for_another() -> None:
    assert intended_name("recipient", ["address", "to"], ["address"]) == "to"


def test_the_allowed_values_are_listed_beside_the_suggestion() -> None:
    assert allowed_values("a", ["yes", "no"]) == "must be one of yes, no"
    assert allowed_values("yess", ["yes", "no"]) == "did you mean 'yes'? Allowed: yes, no"
    many = [f"value_{number}" for number in range(60)]
    assert allowed_values("value_1x", many).endswith("value_15 and 44 more")
    assert allowed_values("qqqq", many).endswith("value_47 and 12 more")


def test_every_hint_leads_to_something_that_exists() -> None:
    names: set[str] = set()
    values: set[str] = set()

    def read(schema: dict[str, Any]) -> None:
        values.update(str(value) for value in schema.get("enum", ()))
        names.update(schema.get("properties", {}))
        for part in [*schema.get("properties", {}).values(), schema.get("items")]:
            if isinstance(part, dict):
                read(part)

    for operation in catalogue():
        read(call_schema(operation))
    assert {meant for said in VALUES.values() for meant in said} - values == set()
    assert {meant for said in NAMES.values() for meant in said} - names == set()


@pytest.mark.parametrize(
    ("tool", "arguments", "hint"),
    [
        (
            "add_unsubscribes",
            {"address": "a@b.example"},
            'it belongs inside unsubscribes: unsubscribes=[{"address": ...}]',
        ),
        ("query_logs", {"limit": 5}, 'it belongs inside pagination: pagination={"limit": ...}'),
        ("send_message", {"recipients": ["a@b.example"]}, "did you mean to?"),
        ("create_template", {"template_name": "x"}, "did you mean name?"),
        ("create_domain_webhook", {"event": "opened"}, "did you mean id?"),
        ("update_click_tracking", {"enabled": True}, "did you mean active?"),
        ("get_route", {"route_id": "x"}, "did you mean id?"),
        ("update_click_tracking", {"active": "on"}, "did you mean 'yes'?"),
        ("list_domains", {"state": "verified"}, "did you mean 'active'?"),
    ],
    ids=str,
)
def test_near_misses_lead_to_what_was_meant(tool: str, arguments: dict[str, Any], hint: str) -> None:
    assert hint in "\n".join(validate(find(tool), arguments))
