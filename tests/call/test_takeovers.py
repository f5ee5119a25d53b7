"""What cannot be read about what exists counts as the worst."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.call.prepare import TAKING_OVER
from mailgun_mcp.call.takeovers import CHECKS, MOST_ROUTES
from mailgun_mcp.policy.profiles import profile
from tests.support.calls import run
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio

CALLS: dict[str, dict[str, Any]] = {
    "create_route": {"expression": 'match_recipient("ann@mg.example.com")', "action": ["store()"], "priority": 9},
    "update_route": {"id": "1", "action": ['forward("ann@example.org")']},
    "create_template": {"domain": "mg.example.com", "name": "receipt"},
    "create_template_version": {
        "domain": "mg.example.com",
        "template_name": "receipt",
        "version": "v1",
        "template": "Hi",
    },
    "create_domain": {"domain": "mail.example.com"},
    "create_mailing_list": {"address": "news@mg.example.com"},
}


async def outcome(tool: str, read: httpx.Response) -> tuple[str, list[str]]:
    recorder = Recorder(lambda line: read if line.startswith("GET") else httpx.Response(200, json={}))
    async with recorded_services(recorder, policy=profile("guarded")) as services:
        result = await run(services, tool, CALLS[tool])
    return (result.approval or {}).get("form", result.text), recorder.changes


def test_every_check_is_tried_here() -> None:
    assert CALLS.keys() == CHECKS.keys() == TAKING_OVER


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("tool", CALLS)
async def test_a_key_that_may_not_read_what_exists_has_to_ask(tool: str, status: int) -> None:
    text, changes = await outcome(tool, httpx.Response(status, json={"message": "no"}))
    assert "read" in text
    assert changes == []


@pytest.mark.parametrize("tool", CALLS)
async def test_a_read_that_fails_stops_the_call(tool: str) -> None:
    text, changes = await outcome(tool, httpx.Response(400, json={"message": "no"}))
    assert f"{tool} was not called: what exists in the account cannot be read." in text
    assert changes == []


@pytest.mark.parametrize("tool", ["create_route", "create_mailing_list"])
async def test_more_routes_than_are_read_count_as_the_worst(tool: str) -> None:
    item = {"expression": 'match_recipient("ben@mg.example.com")', "actions": ["stop()"], "priority": None}
    text, changes = await outcome(tool, httpx.Response(200, json={"items": [item] * (MOST_ROUTES + 1)}))
    assert "cannot all be read" in text
    assert changes == []


async def test_a_catch_all_route_whose_priority_cannot_be_read_may_lose_its_mail() -> None:
    item = {"expression": "catch_all()", "actions": ["store()"], "priority": "10"}
    text, changes = await outcome("create_route", httpx.Response(200, json={"total_count": 1, "items": [item]}))
    assert "no longer reaches the catch_all() route" in text
    assert changes == []


async def test_a_route_that_the_list_does_not_have_yet_is_asked_about() -> None:
    item = {"id": "2", "name": "x.example", "expression": "catch_all()", "actions": ["store()"], "priority": 10}
    text, changes = await outcome("update_route", httpx.Response(200, json={"total_count": 1, "items": [item]}))
    assert "it may take mail from other routes" in text
    assert changes == []


LISTING = sorted(CALLS.keys() - {"create_template", "create_template_version"})


@pytest.mark.parametrize("answer", [{}, {"message": "ok"}, [], {"items": "none"}, {"items": [None, "x"]}], ids=str)
@pytest.mark.parametrize("tool", LISTING)
async def test_an_answer_without_the_list_is_not_an_empty_account(tool: str, answer: Any) -> None:
    text, changes = await outcome(tool, httpx.Response(200, json=answer))
    assert f"{tool} was not called: what exists in the account cannot be read." in text
    assert changes == []


@pytest.mark.parametrize("wildcard", [{}, {"wildcard": None}, {"wildcard": "false"}], ids=str)
async def test_a_domain_above_that_may_receive_for_its_subdomains_is_asked_about(wildcard: dict[str, Any]) -> None:
    domains = {"total_count": 1, "items": [{"name": "example.com", **wildcard}]}
    text, changes = await outcome("create_domain", httpx.Response(200, json=domains))
    assert "It may get mail of the domain above it" in text
    assert changes == []
