"""The risk of a call depends on its arguments where the catalogue says so, and never gets better."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.markdown import condition, raise_sentences
from mailgun_mcp.catalogue.operation import Operation, Raise
from mailgun_mcp.catalogue.raised_risk import as_called, raised
from mailgun_mcp.catalogue.types import RISKS, Arguments
from mailgun_mcp.request.validate import validate
from tests.support.arguments import maximal, minimal
from tests.support.json_values import JSON
from tests.support.operations import REVIEWED, catalogue, described, find, made

RAISED = [(operation, item) for operation in catalogue() for item in operation.raises]


@pytest.mark.parametrize(
    ("tool", "arguments", "risk"),
    [
        ("create_template_version", {"active": True}, "destructive"),
        ("create_template_version", {"active": "TRUE"}, "destructive"),
        ("create_template_version", {"active": False}, "write"),
        ("create_template_version", {"active": None}, "write"),
        ("create_template_version", {}, "write"),
        ("update_route", {"action": []}, "destructive"),
        ("create_route", {"action": ["forward('a@b.example')", "Stop ( )"]}, "destructive"),
        ("create_route", {"action": "\uff33top()"}, "destructive"),
        ("add_bounces", {"bounces": [{}] * 11}, "destructive"),
        ("add_bounces", {"bounces": [{}] * 10}, "write"),
        ("add_bounces", {"bounces": "x" * 11}, "write"),
        ("update_account_settings", {"logout_redirect_url": "x", "absolute_session_timeout": 1}, "credential"),
        ("delete_domain", {"active": True}, "destructive"),
    ],
)
def test_arguments_raise_the_risk(tool: str, arguments: dict[str, Any], risk: str) -> None:
    assert as_called(find(tool), arguments).risk == risk


@given(JSON)
def test_no_value_of_any_kind_breaks_it_or_makes_the_risk_better(value: Any) -> None:
    for operation in {operation for operation, _ in RAISED}:
        called = as_called(operation, {name: value for item in operation.raises for name in item.when})
        assert RISKS.index(called.risk) >= RISKS.index(operation.risk)


def test_a_raised_operation_says_why_and_is_the_same_each_time() -> None:
    called = as_called(find("update_mailing_list"), {"access_level": "everyone", "address": "new@mg.example.com"})
    assert called.risk_reason == (
        "it lets more people send mail to everyone on the list; mail to the former address no longer reaches the list"
    )
    assert called is as_called(find("update_mailing_list"), {"address": "x@y.example", "access_level": "members"})
    assert (called.name, called.tool) == ("update_mailing_list", find("update_mailing_list").tool)


def test_a_reason_with_a_better_risk_changes_nothing() -> None:
    operation = find("delete_domain")
    assert raised(operation, (Raise({"x": []}, None, "write", "it writes something"),)) is operation


@pytest.mark.parametrize(
    ("raises", "fault"),
    [
        ({"when": {"colour": []}}, "unknown arguments: colour"),
        ({"when": {"active": ["yes"]}}, "active can never be"),
        ({"when": {"kind": ["c"]}}, "kind can never be"),
        ({"when": {"free": ["c"]}}, "free can never be"),
        ({"when": {"free": {"more_than": 3}}}, "free is not a list"),
        ({"when": {"active": [True]}, "risk": "write"}, "raises must name a worse risk than write"),
        ({}, "either when or narrows"),
        ({"when": {"active": [True]}, "narrows": {"resource": "x", "field": "y"}}, "either when or narrows"),
        ({"narrows": {"resource": "x", "field": "y"}}, "it does not change a x that its arguments name"),
        ({"when": {"active": [True]}, "reason": "risky"}, "at least 10 characters"),
    ],
)
def test_a_condition_that_no_call_can_meet_stops_the_compile(raises: dict[str, Any], fault: str) -> None:
    item = {"risk": "destructive", "reason": "it stops something", **raises}
    parameters = [
        {"name": "active", "in": "query", "schema": {"type": "boolean"}},
        {"name": "kind", "in": "query", "schema": {"type": "string", "enum": ["a", "b"]}},
        {"name": "free", "in": "query", "schema": {"type": "string"}},
    ]
    with pytest.raises(CatalogueError, match=fault):
        made(described(parameters=parameters, **{"x-mailgun-mcp": {**REVIEWED, "raises": [item]}}))


def test_each_condition_reads_as_a_sentence() -> None:
    assert raise_sentences(find("create_template_version")) == [
        "Risk `destructive` with `active` of `true`, because it changes what customers read in mail from now on."
    ]
    conditions = {condition(item) for _, item in RAISED}
    assert "where it leaves an existing unsubscribe with fewer tags" in conditions
    assert "with more than 10 `bounces`" in conditions
    assert "with `stop` in `action`" in conditions
    assert "with `priority` or `expression` or `action`" in conditions


def test_an_operation_has_the_risk_to_which_each_of_its_calls_would_be_raised() -> None:
    """Where no valid call keeps the risk of its operation, lists and searches would show a better risk than there is."""
    offenders = [
        operation.name
        for operation in {operation for operation, _ in RAISED}
        if not any(as_called(operation, arguments) is operation for arguments in small_calls(operation))
    ]
    assert offenders == []


def small_calls(operation: Operation) -> Iterator[Arguments]:
    """Yield valid calls: with the required arguments only, and with each other argument in addition."""
    required, most = minimal(operation), maximal(operation)
    calls = [required, *({**required, name: value} for name, value in most.items() if name not in required)]
    calls += [{**call, name: False} for call in calls for name, value in call.items() if value is True]
    yield from (call for call in calls if not validate(operation, call))


def test_an_operation_that_every_call_raises_is_found() -> None:
    operation = find("update_route")
    always = replace(operation, raises=(Raise({"id": []}, None, "destructive", "it names a route"),))

    assert not any(as_called(always, arguments) is always for arguments in small_calls(always))
    assert any(as_called(operation, arguments) is operation for arguments in small_calls(operation))
