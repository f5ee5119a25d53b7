"""The next page as plain arguments, for each of Mailgun's styles; no walk ever loops."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.pagination import next_page, page_after, plain_token
from mailgun_mcp.catalogue.types import Arguments
from tests.support.offenders import holds_for
from tests.support.operations import catalogue, find

BASE = "https://api.mailgun.net"


def bounces(url: str, last: str = f"{BASE}/v3/a.b/bounces?page=last", count: int = 1) -> dict[str, Any]:
    return {"items": [{"address": "x"}] * count, "paging": {"next": url, "last": last}}


@pytest.mark.parametrize(
    ("tool", "arguments", "body", "following"),
    [
        ("list_domains", {}, {"items": [1] * 100, "total_count": 250}, {"skip": 100}),
        ("list_domains", {"skip": 100, "limit": 100}, {"items": [1] * 100, "total_count": 250}, {"skip": 200}),
        ("list_domains", {"skip": 200}, {"items": [1] * 50, "total_count": 250}, None),
        ("list_domains", {"limit": 50}, {"items": [1] * 50, "total_count": 50}, {"skip": 50}),
        ("list_domains", {}, {"items": [1] * 3, "total_count": 3}, None),
        ("list_domains", {"skip": 50}, {"items": [], "total_count": 50}, None),
        ("list_domains", {}, {"items": [1] * 100}, {"skip": 100}),
        ("list_users", {}, {"users": [1, 2], "total": 2}, None),
        ("list_users", {}, {"users": [1, 2], "total": 3}, {"skip": 2}),
        ("list_users", {}, {"users": [1, 2]}, {"skip": 2}),
        ("list_subaccounts", {"limit": 2}, {"subaccounts": [1, 2], "total": 9}, {"skip": 2}),
        ("query_metrics", {"pagination": {"limit": 2}}, {"items": [1, 2], "pagination": {"total": 5}}, {"pagination": {"limit": 2, "skip": 2}}),
        ("query_metrics", {"pagination": {"limit": 2, "skip": 4}}, {"items": [1], "pagination": {"total": 5}}, None),
        ("query_metrics", {}, {"items": [1], "pagination": {"skip": 0, "limit": 10, "total": 1}}, None),
        ("query_metrics", {}, {"items": [1], "pagination": {"skip": 0, "limit": 1, "total": 2}}, {"pagination": {"skip": 1}}),
        ("query_metrics", {"pagination": {"limit": 2}}, {"items": [1, 2], "pagination": {"total": 2}}, None),
        ("query_logs", {"start": "x"}, {"items": [1], "pagination": {"next": "tok", "last": "z"}}, {"pagination": {"token": "tok"}}),
        ("query_logs", {"pagination": {"limit": 9, "token": "a"}}, {"items": [1], "pagination": {"next": "b"}}, {"pagination": {"limit": 9, "token": "b"}}),
        ("query_logs", {"pagination": {"token": "a"}}, {"items": [1], "pagination": {"next": "a"}}, None),
        ("query_logs", {}, {"items": [1], "pagination": {"next": ""}}, None),
        ("list_bounces", {"limit": 1}, bounces(f"{BASE}/v3/a.b/bounces?page=next&address=x%2Bz%40c.d&limit=1"), {"page": "next", "address": "x+z@c.d"}),
        ("list_bounces", {}, bounces(f"{BASE}/v3/a.b/bounces?page=next&address=x&unknown=1"), {"page": "next", "address": "x"}),
        ("list_bounces", {}, bounces(f"{BASE}/v3/a.b/bounces?page=last"), None),
        ("list_bounces", {}, bounces(f"{BASE}/v3/a.b/bounces?page=next&address="), None),
        ("list_bounces", {}, bounces(f"{BASE}/v3/a.b/bounces?page=next"), None),
        ("list_bounces", {}, bounces(f"{BASE}/v3/a.b/bounces?page=next&address=x", count=0), None),
        ("list_bounces", {"page": "next", "address": "x"}, bounces(f"{BASE}/v3/a.b/bounces?page=next&address=x"), None),
        ("list_templates", {}, {"items": [1], "paging": {"next": f"{BASE}/v3/a.b/templates?page=next&p=welcome&limit=10"}}, {"page": "next", "p": "welcome", "limit": 10}),
        ("list_template_versions", {}, {"template": {"versions": [1]}, "paging": {"next": f"{BASE}/v3/a.b/templates/t/versions?page=next&p=v1"}}, {"page": "next", "p": "v1"}),
        ("list_events", {"limit": 5}, {"items": [1], "paging": {"next": f"{BASE}/v3/a.b/events/W3siYSI6ICJiIn0%3D"}}, {"page": "5:W3siYSI6ICJiIn0="}),
        ("list_events", {"page": "x"}, {"items": [1], "paging": {"next": f"{BASE}/v3/a.b/events/x"}}, None),
        ("list_events", {"page": "5:x"}, {"items": [1], "paging": {"next": f"{BASE}/v3/a.b/events/x"}}, None),
        ("list_events", {"page": "x"}, {"items": [1], "paging": {"next": f"{BASE}/v3/a.b/events/y"}}, {"page": "y"}),
        ("list_events", {}, {"items": [], "paging": {"next": f"{BASE}/v3/a.b/events/x"}}, None),
        ("list_dynamic_pool_domains", {}, {"items": [1], "total_items": 9, "paging": {"Next": f"{BASE}/v1/dynamic_pools/domains?Limit=1&pivot=a%40", "Last": f"{BASE}/v1/x"}}, {"page": "Limit=1&pivot=a%40"}),
        ("list_dynamic_pool_domains", {}, {"items": [1], "paging": {"Next": f"{BASE}/v1/x?a=1", "Last": f"{BASE}/v1/x?a=1"}}, None),
        ("list_dynamic_pool_domains", {"page": "a=1"}, {"items": [1], "paging": {"Next": f"{BASE}/v1/x?a=1"}}, None),
        ("list_dynamic_pool_domains", {}, {"items": [1], "paging": {"Next": ""}}, None),
    ],
)  # fmt: skip
def test_the_next_page_is_said_as_arguments_of_the_same_tool(
    tool: str, arguments: Arguments, body: Any, following: Arguments | None
) -> None:
    assert next_page(find(tool), arguments, body) == following


def test_a_tool_without_pages_has_no_next() -> None:
    assert next_page(find("get_domain"), {}, {"items": [1], "paging": {"next": f"{BASE}/v3/x?page=2"}}) is None


ODD: list[Any] = [
    *(None, [], "text", 7, {}, {"items": None}, {"items": 7}, {"items": {"a": 1}}, {"items": [1], "paging": []}),
    *({"items": [1], "paging": {"next": 7}}, {"items": [1], "paging": {"next": "http://[::1"}}, {"items": [1], "pagination": "x"}),
    *({"items": [1], "total_count": "many", "total": []}, {"items": [1], "paging": {"next": "?page=²&limit=²&skip=--5"}}),
    *({"items": [1], "pagination": {"next": 7, "total": None}}, {"template": 7}, {"subaccounts": "x", "users": 0, "domains": None}),
]  # fmt: skip


@holds_for(operation for operation in catalogue() if operation.pages)
def test_a_response_of_another_shape_never_raises(operation: Operation) -> None:
    for body in ODD:
        following = next_page(operation, {}, body)
        assert following is None or set(following) <= set(operation.input_schema["properties"]), body


Server = Callable[[list[int], Arguments, int], dict[str, Any]]


def skipping(items: list[int], arguments: Arguments, size: int) -> dict[str, Any]:
    start = arguments.get("skip", 0)
    return {"items": items[start : start + arguments["limit"]], "total_count": len(items)}


def skipping_with_a_total_of_the_page(items: list[int], arguments: Arguments, size: int) -> dict[str, Any]:
    body = skipping(items, arguments, size)
    return {**body, "total_count": len(body["items"])}


def skipping_in_the_body(items: list[int], arguments: Arguments, size: int) -> dict[str, Any]:
    asked = arguments["pagination"]
    start = asked.get("skip", 0)
    return {"items": items[start : start + asked["limit"]], "pagination": {**asked, "total": len(items)}}


def with_a_token_in_the_body(items: list[int], arguments: Arguments, size: int) -> dict[str, Any]:
    start = int(arguments.get("pagination", {}).get("token", 0))
    page = items[start : start + size]
    return {"items": page, "pagination": {"next": str(start + len(page))}}


def with_a_token_in_the_path(items: list[int], arguments: Arguments, size: int) -> dict[str, Any]:
    start = int(plain_token(arguments.get("page", "t 0")).removeprefix("t "))
    page = items[start : start + size]
    return {"items": page, "paging": {"next": f"{BASE}/v3/a.b/events/{quote(f't {start + len(page)}')}"}}


def with_a_pivot(items: list[int], arguments: Arguments, size: int) -> dict[str, Any]:
    start = int(arguments.get("address", "-1")) + 1
    page = items[start : start + size]
    pivot = {"page": "next", "address": page[-1] if page else ""}
    return {
        "items": page,
        "paging": {"next": f"{BASE}/v3/a.b/bounces?{urlencode(pivot)}", "last": f"{BASE}/v3/a.b/bounces?page=last"},
    }


def with_an_opaque_query(items: list[int], arguments: Arguments, size: int) -> dict[str, Any]:
    query = dict(parse_qsl(arguments.get("page", "")))
    start = int(query.get("from", 0))
    page = items[start : start + size]
    return {"items": page, "paging": {"Next": f"{BASE}/v1/dynamic_pools/domains?from={start + len(page)}&Limit={size}"}}


WALKS: list[tuple[str, Server, Callable[[int], Arguments]]] = [
    ("list_domains", skipping, lambda size: {"limit": size}),
    ("list_domains", skipping_with_a_total_of_the_page, lambda size: {"limit": size}),
    ("query_metrics", skipping_in_the_body, lambda size: {"pagination": {"limit": size}}),
    ("query_logs", with_a_token_in_the_body, lambda size: {}),
    ("list_events", with_a_token_in_the_path, lambda size: {}),
    ("list_bounces", with_a_pivot, lambda size: {}),
    ("list_dynamic_pool_domains", with_an_opaque_query, lambda size: {}),
]


@pytest.mark.parametrize(("tool", "serve", "first"), WALKS, ids=[serve.__name__ for _, serve, _ in WALKS])
@given(count=st.integers(0, 30), size=st.integers(1, 7))
def test_a_walk_visits_everything_once_and_ends(
    tool: str, serve: Server, first: Callable[[int], Arguments], count: int, size: int
) -> None:
    operation: Operation = find(tool)
    items = list(range(count))
    visited: list[int] = []
    arguments: Arguments | None = first(size)
    for _ in range(count + 2):
        assert arguments is not None
        body = serve(items, arguments, size)
        visited += body["items"]
        following = next_page(operation, arguments, body)
        if following is None:
            break
        arguments = {**arguments, **following}
    else:
        pytest.fail("the walk does not end")
    assert visited == items


def test_a_page_with_fewer_items_than_its_link_asks_for_is_the_last_for_a_model() -> None:
    tags = find("list_domain_tags")
    link = "https://api.mailgun.net/v3/mg.example.com/tags?page=next&tag=b&limit=3"
    body = {"items": [{"tag": "a"}, {"tag": "b"}], "paging": {"next": link}}
    assert page_after(tags, {"domain": "mg.example.com"}, body) is None
    full = {**body, "items": [*body["items"], {"tag": "c"}]}
    assert page_after(tags, {"domain": "mg.example.com"}, full) == {"page": "next", "tag": "b", "limit": 3}


@pytest.mark.parametrize(("page", "token"), [("25:abc", "abc"), ("abc", "abc"), ("25:a1:b", "a1:b"), ("a1:b", "a1:b")])
def test_only_the_page_size_in_front_of_a_token_is_removed(page: str, token: str) -> None:
    assert plain_token(page) == token


@pytest.mark.parametrize(
    ("arguments", "count", "following"),
    [
        ({"limit": 3}, 2, None),
        ({"limit": 3}, 3, "3:y"),
        ({"limit": 3, "page": "3:x"}, 2, None),
        ({"limit": 3, "page": "3:x"}, 3, "3:y"),
        # Mailgun may keep to the size of the token, or of the call.
        ({"limit": 20, "page": "3:x"}, 3, "3:y"),
        ({"limit": 2, "page": "3:x"}, 2, "2:y"),
        # Nobody knows the size of a token that was copied from Mailgun's own link.
        ({"limit": 20, "page": "x"}, 2, "y"),
    ],
)
def test_a_page_of_events_that_is_not_full_is_the_last_for_a_model(
    arguments: Arguments, count: int, following: str | None
) -> None:
    body = {"items": [1] * count, "paging": {"next": f"{BASE}/v3/a.b/events/y"}}
    assert page_after(find("list_events"), arguments, body) == (following and {"page": following})


def test_a_token_ends_where_its_link_says_how_many_items_a_page_has() -> None:
    link = f"{BASE}/v1/dkim/keys?page=y&limit=2"
    body = {"items": [1], "paging": {"next": link}}
    keys = find("list_account_domain_keys")
    assert page_after(keys, {"page": "x", "limit": 2}, body) is None
    assert page_after(keys, {"page": "x", "limit": 2}, {**body, "items": [1, 2]}) == {"page": "y"}
