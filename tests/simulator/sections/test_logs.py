"""Logs: the events of all domains in the form of analytics."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.clock import DAY, ManualClock, mail_date
from mailgun_mcp.simulator.worlds.demo import NEWS, SHOP
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio
URL = "/v1/analytics/logs"


async def asked(mailgun: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await mailgun.post(URL, json=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def condition(attribute: str, comparator: str, *values: str) -> dict[str, Any]:
    return {"attribute": attribute, "comparator": comparator, "values": [{"value": value} for value in values]}


async def found(mailgun: httpx.AsyncClient, *conditions: dict[str, Any]) -> list[dict[str, Any]]:
    body = await asked(mailgun, duration="7d", filter={"AND": list(conditions)})
    items: list[dict[str, Any]] = body["items"]
    return items


async def test_the_last_day_of_all_domains_comes_newest_first(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    body = await asked(mailgun)
    moments = [item["@timestamp"] for item in body["items"]]
    assert moments == sorted(moments, reverse=True)
    assert {item["domain"]["name"] for item in body["items"]} == {SHOP, NEWS}
    assert (body["start"], body["end"]) == (mail_date(clock.now() - DAY, "+0000"), mail_date(clock.now(), "+0000"))


async def test_an_entry_has_the_form_of_the_logs(mailgun: httpx.AsyncClient, account: Account) -> None:
    await mailgun.post(
        f"/v3/{PLAIN}/messages",
        data={"from": "a@x.example", "to": "b@x.example", "text": "Hi", "v:order": "7"},
    )
    entry = (await asked(mailgun, pagination={"limit": 1}))["items"][0]
    assert entry["account"] == {"id": account.id}
    assert (entry["event"], entry["user-variables"], entry["tags"]) == ("delivered", '{"order": "7"}', [])
    assert entry["storage"]["url"] == [
        f"https://storage-us-east4.api.mailgun.net/v3/domains/{PLAIN}/messages/{entry['storage']['key']}"
    ]
    assert "timestamp" not in entry


async def test_sort_turns_the_order(mailgun: httpx.AsyncClient) -> None:
    body = await asked(mailgun, duration="7d", pagination={"sort": "timestamp:asc"})
    moments = [item["@timestamp"] for item in body["items"]]
    assert moments == sorted(moments)


@pytest.mark.parametrize("limit", [7, 50, 100])
async def test_following_the_token_shows_every_event_once(
    mailgun: httpx.AsyncClient, account: Account, limit: int
) -> None:
    query: dict[str, Any] = {"duration": "7d", "include_totals": True, "pagination": {"limit": limit}}
    seen: list[str] = []
    while True:
        body = await asked(mailgun, **query)
        seen += [item["id"] for item in body["items"]]
        if not body["pagination"]["next"]:
            break
        query["pagination"] = {"limit": limit, "token": body["pagination"]["next"]}
    events = [event for domain in account.domains.values() for event in domain.events]
    assert sorted(seen) == sorted(event.record["id"] for event in events)
    assert body["pagination"]["total"] == len(events)


async def test_the_first_page_has_none_before_it(mailgun: httpx.AsyncClient) -> None:
    body = await asked(mailgun, duration="7d", pagination={"limit": 5})
    assert body["pagination"]["previous"] == ""
    second = await asked(mailgun, duration="7d", pagination={"limit": 5, "token": body["pagination"]["next"]})
    back = await asked(mailgun, duration="7d", pagination={"limit": 5, "token": second["pagination"]["previous"]})
    assert back["items"] == body["items"]


async def test_start_and_end_bound_the_range(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    start, end = clock.now() - 2 * DAY, clock.now() - DAY
    body = await asked(mailgun, start=mail_date(start, "+0000"), end=mail_date(end, "+0000"))
    assert 0 < len(body["items"]) < 60
    assert body["end"] == mail_date(end, "+0000")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"duration": "soon"}, "'duration' attribute is invalid"),
        ({"start": "soon"}, "soon is not an RFC-2822 compliant date"),
        ({"pagination": {"limit": 101}}, "The 'pagination.limit' parameter can't be larger than 100"),
        (
            {"filter": {"AND": [condition("event", "~", "x")]}},
            "Invalid filter.AND.comparator '~'. It can be any of: '=', '!=', 'contains', 'not contains', '<', '>'.",
        ),
        ({"filter": {"AND": [condition("size", ">", "big")]}}, "'big' is not a valid number"),
        ({"filter": {"AND": [condition("size", "=", "1")]}}, "'=' is not a valid comparator for the 'size' attribute"),
        (
            {"filter": {"AND": [condition("recipients", "=", "a")]}},
            "'=' is not a valid comparator for the 'recipients' attribute",
        ),
        (
            {"filter": {"AND": [condition("subject", "<", "a")]}},
            "'<' is not a valid comparator for the 'subject' attribute",
        ),
        ({"filter": {"AND": [condition("delivered_at", "<", "soon")]}}, "soon is not an RFC-2822 compliant date"),
        ({"pagination": {"sort": "subject:asc"}}, "'sort' attribute is invalid"),
        ({"pagination": {"limit": -1}}, "The 'pagination.limit' parameter can't be smaller than 1"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(
    mailgun: httpx.AsyncClient, query: dict[str, Any], text: str
) -> None:
    answer = await mailgun.post(URL, json=query)
    assert (answer.status_code, answer.json()) == (400, {"message": text})


@pytest.mark.parametrize(
    ("names", "kinds"), [(["failed"], {"failed"}), (["unique_opened", "clicked"], {"opened", "clicked"})]
)
async def test_events_are_chosen_by_name(mailgun: httpx.AsyncClient, names: list[str], kinds: set[str]) -> None:
    body = await asked(mailgun, duration="7d", events=names)
    assert {item["event"] for item in body["items"]} == kinds


@pytest.mark.parametrize(
    ("metric", "count"),
    [
        ("temporary_failed", 1),
        ("permanent_failed", 4),
        ("bounced", 4),
        ("hard_bounces", 3),
        ("soft_bounces", 1),
        ("esp_block", 1),
        ("failed", 5),
        ("complained", 1),
        ("accepted", 40),
        ("suppressed_bounces", 0),
        ("webhook_failure", 0),
        ("sent", 40),
        ("unique_opened", 12),
        ("processed", 40),
        ("delivered_two_plus_attempts", 0),
    ],
)
async def test_events_are_chosen_by_metric(mailgun: httpx.AsyncClient, metric: str, count: int) -> None:
    body = await asked(mailgun, duration="7d", metric_events=[metric])
    assert len(body["items"]) == count


@pytest.mark.parametrize(
    ("conditions", "kinds"),
    [
        ([condition("event", "=", "Complained")], {"complained"}),
        ([condition("event", "=", "complained", "unsubscribed")], {"complained", "unsubscribed"}),
        ([condition("event", "!=", "accepted", "delivered", "opened", "clicked", "failed")], {"complained", "unsubscribed", "stored"}),
        ([condition("subject", "contains", "bank details")], {"stored"}),
        ([condition("delivery_status_message", "contains", "5.1.1")], {"failed"}),
        ([condition("delivery_status_code", "=", "452")], {"failed"}),
        ([condition("severity", "=", "temporary"), condition("event", "=", "accepted")], set()),
        ([condition("country", "=", "us"), condition("event", "not contains", "open")], {"clicked", "unsubscribed"}),
        ([condition("size", ">", "800")], {"stored"}),
        ([condition("size", "<", "1")], set()),
        ([condition("domain", "=", "elsewhere.example")], set()),
        ([condition("mailing_list_address", "=", "a")], set()),
        ([condition("attachment_filename", "=", "a")], set()),
        ([condition("user_variables", "contains", "a")], set()),
        ([condition("is_routed", "=", "true")], set()),
        ([condition("ip_pool", "=", "a")], set()),
        ([condition("subaccount", "=", "5f3b1e9a7c2d4f6081a3b5c7"), condition("event", "=", "stored")], {"stored"}),
        ([condition("i_classification_group_id", "=", "invalid-recipient")], {"failed"}),
        ([condition("i_classification_rule_id", "!=", "a"), condition("severity", "=", "temporary")], {"failed"}),
        ([condition("delivered_at", "<", "2026-11-18T12:00:00Z")], {"delivered"}),
        ([condition("delivered_at", "<", "Mon, 01 Jan 2001 00:00:00 +0000")], set()),
        ([condition("recipients", "contains", "support@")], {"stored"}),
    ],
)  # fmt: skip
async def test_filters(mailgun: httpx.AsyncClient, conditions: list[dict[str, Any]], kinds: set[str]) -> None:
    assert {item["event"] for item in await found(mailgun, *conditions)} == kinds
