"""`match_route` shows all routes that mail to an address runs through, although Mailgun names only one."""

import time
from typing import Any

import pytest

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.inbound_routes import PAGE, matches, matching_routes, stops
from mailgun_mcp.call.services import Services
from mailgun_mcp.settings import Settings
from tests.support.apps import opened, services_at
from tests.support.calls import run
from tests.support.operations import catalogue
from tests.support.upstream import Upstream, says

pytestmark = pytest.mark.anyio

ADDRESS = "help@mail.example.com"
OURS = 'match_recipient("help@.*")'
HEADER = 'match_header("subject", ".*urgent.*")'
HEADERS = "maybe: its expression also depends on the headers of the mail, on other routes, or cannot be read here"


def route(name: str, priority: int, expression: str, *actions: str) -> dict[str, Any]:
    return {"id": name, "priority": priority, "expression": expression, "actions": list(actions)}


def runs(*routes: dict[str, Any], named: str | None = None) -> dict[str, str]:
    return {one["id"]: one["runs"] for one in matching_routes(routes, ADDRESS, named)}


def test_every_route_that_matches_runs_in_order_and_the_others_are_left_out() -> None:
    shown = matching_routes(
        [route("b", 5, OURS), route("a", 1, OURS), route("c", 0, 'match_recipient("sales@.*")')], ADDRESS
    )
    assert shown == [
        {**route("a", 1, OURS), "runs": "yes"},
        {**route("b", 5, OURS), "runs": "yes"},
    ]


def test_a_route_behind_one_that_stops_does_not_run() -> None:
    shown = runs(route("a", 0, OURS, 'forward("a@b.example")', "stop()"), route("b", 1, OURS), route("c", 2, OURS))
    assert shown == dict.fromkeys("bc", "no: route a matches first and stops") | {"a": "yes"}


def test_what_depends_on_headers_is_open_and_so_is_what_comes_after_its_stop() -> None:
    shown = runs(
        route("a", 0, HEADER, "stop()"), route("b", 1, OURS), route("c", 2, OURS, "stop()"), route("d", 3, OURS)
    )
    later = "maybe: route a comes first, and stops if it matches"
    assert shown == {"a": HEADERS, "b": later, "c": later, "d": "no: route c matches first and stops"}


@pytest.mark.parametrize(("first", "caught"), [(OURS, None), (HEADER, HEADERS), ('match_recipient("sales@.*")', "yes")])
def test_a_route_for_the_rest_gets_what_no_route_before_it_took(first: str, caught: str | None) -> None:
    assert runs(route("a", 0, first), route("rest", 9, "catch_all()")).get("rest") == caught


def test_the_route_that_mailgun_names_matches_whatever_is_read_here() -> None:
    assert runs(route("a", 0, "match_all_of_it()"), named="a") == {"a": "yes"}
    assert runs(route("a", 0, "match_all_of_it()")) == {"a": HEADERS}


@pytest.mark.parametrize(
    ("expression", "match"),
    [
        (f"{OURS} and {HEADER}", None),
        (f"{OURS} or {HEADER}", True),
        (f'match_recipient("sales@.*") and {HEADER}', False),
        (f'match_recipient("sales@.*") or {HEADER}', None),
        ('match_recipient("sales@.*") or match_recipient("x")', False),
        (f"{OURS} and match_recipient('.*example.com')", True),
        (r'match_recipient("^(help|support)@(.*)\.example\.com$")', True),
        ('match_recipient("[a-z+*]+@mail")', True),
        ('match_recipient("(h|e|l|p)+@")', None),
        ("", None),
    ],
)
def test_an_expression_matches_or_not_or_it_is_left_open(expression: str, match: bool | None) -> None:
    assert matches(expression, ADDRESS, matched_before=False) is match


SLOW = ["(a+)+" * 20 + "b", "(a|a)" * 40 + "b", "a?" * 60 + "a" * 60, ".*" * 12 + "b", "(?:a{1,30}){1,30}b"]


@pytest.mark.parametrize("pattern", SLOW)
def test_a_pattern_that_could_take_long_is_not_tried(pattern: str) -> None:
    started = time.process_time()
    assert matches(f'match_recipient("{pattern}")', "a" * 60 + "@x.example", matched_before=False) is None
    assert time.process_time() - started < 1


def test_an_action_that_cannot_be_read_does_not_stop_the_mail() -> None:
    assert [stops({"actions": actions}) for actions in (["forward(", "stop()"], ["forward("], None)] == [
        True,
        False,
        False,
    ]


async def created(services: Services, expression: str, *actions: str, priority: int = 0) -> str:
    made = await run(
        services, "create_route", {"expression": expression, "action": list(actions), "priority": priority}
    )
    assert made.structured is not None, made.text
    return str(made.structured["route"]["id"])


@pytest.fixture
def services(tmp_path: Any) -> Services:
    return opened(create_services(Settings(simulator=True, state=str(tmp_path), policy="unguarded")))


async def test_a_call_shows_the_routes_after_the_first_with_their_actions(services: Services) -> None:
    first = await created(services, 'match_recipient("^ann@mail.example.com$")', 'forward("a@example.com")')
    second = await created(services, 'match_recipient("ann@.*")', 'forward("b@example.com")', priority=1)
    outcome = await run(services, "match_route", {"address": "ann@mail.example.com"})
    assert outcome.structured is not None, outcome.text
    assert (outcome.structured["matched"], outcome.structured["route"]["id"]) == (True, first)
    shown = outcome.structured["routes"]
    assert [(one["id"], one["actions"], one["runs"]) for one in shown] == [
        (first, ['forward("a@example.com")'], "yes"),
        (second, ['forward("b@example.com")'], "yes"),
    ]


async def test_no_route_is_an_answer_with_those_that_headers_may_select(upstream: Upstream) -> None:
    services = services_at(upstream.url)
    upstream.then(says({"message": "Route not found"}, 404))
    upstream.then(says({"total_count": 1, "items": [route("a", 0, HEADER)]}))
    outcome = await run(services, "match_route", {"address": ADDRESS})
    assert outcome.structured is not None, outcome.text
    assert outcome.structured["matched"] is False
    assert [one["id"] for one in outcome.structured["routes"]] == ["a"]


async def test_all_pages_of_the_list_are_read(upstream: Upstream) -> None:
    services = services_at(upstream.url)
    upstream.then(says({"route": route("a", 0, OURS)}))
    for first in (0, PAGE):
        count = PAGE if first == 0 else 1
        items = [route(f"r{first + index}", first + index, OURS) for index in range(count)]
        upstream.then(says({"total_count": PAGE + 1, "items": items}))
    outcome = await run(services, "match_route", {"address": ADDRESS})
    assert outcome.structured is not None, outcome.text
    assert len(outcome.structured["routes"]) == PAGE + 1


async def test_where_the_list_cannot_be_read_the_answer_says_that_more_may_match(upstream: Upstream) -> None:
    alone = services_at(upstream.url, catalogue=catalogue().select(tools=["match_route"]))
    many = services_at(upstream.url)
    upstream.then(says({"route": route("a", 0, OURS)}))
    upstream.then(says({"route": route("a", 0, OURS)}), says({"message": "Forbidden"}, 403))
    upstream.then(says({"route": route("a", 0, OURS)}))
    upstream.then(*(says({"total_count": 10**6, "items": [route("a", 0, OURS)] * PAGE}) for _ in range(10)))
    for services, why in ((alone, "does not offer list_routes"), (many, "HTTP 403"), (many, "has too many")):
        outcome = await run(services, "match_route", {"address": ADDRESS})
        assert outcome.structured is not None, outcome.text
        assert ("routes" in outcome.structured, outcome.structured["route"]["id"]) == (False, "a")
        assert why in outcome.structured["note"]
