"""Metrics: computed from the events that follow from what was sent."""

import tracemalloc
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.analytics.metrics import COUNTS, METRICS, RATES
from mailgun_mcp.simulator.mail.record_events import record_event
from mailgun_mcp.simulator.model.clock import DAY, HOUR, ManualClock, mail_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.worlds.demo import NEWS, SHOP
from tests.simulator.conftest import PLAIN
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio
URL = "/v1/analytics/metrics"
USAGE = "/v1/analytics/usage/metrics"
HERE = {"attribute": "domain", "comparator": "=", "values": [{"value": PLAIN}]}
ZONE = "+0000"


async def asked(mailgun: httpx.AsyncClient, url: str = URL, **query: Any) -> dict[str, Any]:
    answer = await mailgun.post(url, json=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def total(mailgun: httpx.AsyncClient, *metrics: str, **query: Any) -> dict[str, Any]:
    """The metrics of the domain that only this test sends from."""
    body = await asked(mailgun, metrics=list(metrics), **{"filter": {"AND": [HERE]}, **query})
    (item,) = body["items"]
    found: dict[str, Any] = item["metrics"]
    return found


async def by(mailgun: httpx.AsyncClient, dimension: str, metric: str, **query: Any) -> dict[str, Any]:
    body = await asked(mailgun, metrics=[metric], dimensions=[dimension], **{"filter": {"AND": [HERE]}, **query})
    return {item["dimensions"][0]["value"]: item["metrics"][metric] for item in body["items"]}


async def send(
    mailgun: httpx.AsyncClient, *to: str, tags: tuple[str, ...] = (), options: Mapping[str, str] | None = None
) -> None:
    data = {"from": "a@x.example", "to": list(to), "text": "Hi", "o:tag": list(tags), **(options or {})}
    assert (await mailgun.post(f"/v3/{PLAIN}/messages", data=data)).status_code == 200


async def test_what_was_sent_is_counted(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "ann@x.example", "click@x.example", "bounce@x.example", "defer@x.example", "complain@x.example")
    await send(mailgun, "bounce@x.example", "complain@x.example")
    found = await total(mailgun)
    assert {metric: found[metric] for metric in COUNTS.keys() & METRICS} == {
        **dict.fromkeys(COUNTS.keys() & METRICS, 0),
        "accepted_count": 7,
        "accepted_outgoing_count": 7,
        "bounced_count": 1,
        "clicked_count": 1,
        "complained_count": 1,
        "delayed_first_attempt_count": 1,
        "delivered_count": 3,
        "delivered_first_attempt_count": 3,
        "delivered_smtp_count": 3,
        "failed_count": 4,
        "hard_bounces_count": 1,
        "opened_count": 1,
        "permanent_failed_count": 3,
        "processed_count": 7,
        "sent_count": 5,
        "suppressed_bounces_count": 1,
        "suppressed_complaints_count": 1,
        "temporary_failed_count": 1,
        "unique_clicked_count": 1,
        "unique_opened_count": 1,
    }


async def test_rates_are_percentages_in_strings(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "ann@x.example", "click@x.example", "complain@x.example", "bounce@x.example")
    assert await total(mailgun, "delivered_rate", "opened_rate", "complained_rate", "bounce_rate", "delayed_rate") == {
        "delivered_rate": "75.0000",
        "opened_rate": "33.3333",
        "complained_rate": "33.3333",
        "bounce_rate": "25.0000",
        "delayed_rate": "0.0000",
    }


async def test_of_nothing_a_rate_is_zero(mailgun: httpx.AsyncClient) -> None:
    found = await total(mailgun)
    assert {found[rate] for rate in RATES.keys() & METRICS} == {"0.0000"}


async def test_every_metric_of_the_catalogue_is_known() -> None:
    schema = catalogue().find("query_metrics").input_schema["properties"]["metrics"]["items"]
    assert set(schema["enum"]) <= METRICS


@pytest.mark.parametrize(("days", "unique"), [(6.9, 1), (7.1, 2)])
async def test_opens_are_unique_for_seven_days(
    mailgun: httpx.AsyncClient, account: Account, plain: Domain, clock: ManualClock, days: float, unique: int
) -> None:
    await send(mailgun, "open@x.example")
    (message,) = plain.messages.values()
    clock.advance(days * DAY)
    record_event(account, plain, "opened", message, "open@x.example", clock.now())
    assert await total(mailgun, "opened_count", "unique_opened_count", duration="30d") == {
        "opened_count": 2,
        "unique_opened_count": unique,
    }


async def test_unique_is_of_each_recipient_and_message(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "open@x.example", "open2@x.example")
    await send(mailgun, "open@x.example")
    assert (await total(mailgun, "unique_opened_count"))["unique_opened_count"] == 3


async def test_a_test_is_accepted_and_no_more(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "ann@x.example", options={"o:testmode": "yes"})
    assert await total(mailgun, "accepted_count", "processed_count") == {"accepted_count": 1, "processed_count": 0}


async def test_later_attempts_are_told_from_first_ones(
    account: Account, plain: Domain, mailgun: httpx.AsyncClient
) -> None:
    now = account.clock.now()
    message = StoredMessage("1", "1@x.example", PLAIN, now, "a@x.example", ["b@x.example"], {})
    status = {"attempt-no": 1, "code": 452}
    record_event(
        account,
        plain,
        "failed",
        message,
        "b@x.example",
        now,
        severity="temporary",
        reason="espblock",
        delivery_status=status,
    )
    record_event(account, plain, "delivered", message, "b@x.example", now + 1, delivery_status={"attempt-no": 2})
    record_event(
        account,
        plain,
        "failed",
        message,
        "c@x.example",
        now,
        severity="permanent",
        reason="old",
        delivery_status={"attempt-no": 9},
    )
    names = (
        "processed_count",
        "delivered_two_plus_attempts_count",
        "temporary_failed_esp_block_count",
        "permanent_failed_old_count",
        "soft_bounces_count",
        "delayed_rate",
        "delayed_first_attempt_rate",
    )
    assert list((await total(mailgun, *names)).values()) == [1, 1, 1, 1, 1, "100.0000", "100.0000"]


async def test_each_tag_of_a_message_counts_it(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "ann@x.example", tags=("One", "two"))
    await send(mailgun, "ann@x.example", tags=("one",))
    await send(mailgun, "ann@x.example")
    assert await by(mailgun, "tag", "accepted_count") == {"one": 2, "two": 1}
    assert (await total(mailgun, "accepted_count"))["accepted_count"] == 3


@pytest.mark.parametrize(
    ("dimension", "metric", "counts"),
    [
        ("domain", "delivered_count", {PLAIN: 3}),
        ("ip", "delivered_count", {"192.0.2.10": 3}),
        ("ip", "accepted_count", {}),
        ("recipient_domain", "delivered_count", {"gmail.com": 2, "x.example": 1}),
        ("recipient_provider", "delivered_count", {"Gmail": 2, "Other": 1}),
        ("country", "opened_count", {"US": 1}),
        ("device", "opened_count", {"desktop": 1}),
        ("subaccount", "delivered_count", {"5f3b1e9a7c2d4f6081a3b5c7": 3}),
    ],
)
async def test_dimensions(mailgun: httpx.AsyncClient, dimension: str, metric: str, counts: dict[str, int]) -> None:
    await send(mailgun, "ann@gmail.com", "bela@gmail.com", "open@x.example")
    found = await by(mailgun, dimension, metric)
    assert {value: count for value, count in found.items() if count} == counts


async def test_two_dimensions_make_a_row_of_each_pair(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "ann@gmail.com", "open@x.example", tags=("one",))
    body = await asked(
        mailgun, metrics=["delivered_count"], dimensions=["tag", "recipient_domain"], filter={"AND": [HERE]}
    )
    rows = {
        tuple(part["value"] for part in item["dimensions"]): item["metrics"]["delivered_count"]
        for item in body["items"]
    }
    assert rows == {("one", "gmail.com"): 1, ("one", "x.example"): 1}


@pytest.mark.parametrize(
    ("attribute", "comparator", "values", "count"),
    [
        ("domain", "=", [SHOP], 0),
        ("domain", "!=", [SHOP, NEWS], 2),
        ("recipient_domain", "contains", ["mail"], 1),
        ("recipient_domain", "not contains", ["gmail"], 1),
        ("tag", "=", ["ONE"], 1),
        ("tag", "!=", ["one"], 1),
        ("country", "=", ["US"], 0),
    ],
)
async def test_comparators(
    mailgun: httpx.AsyncClient, attribute: str, comparator: str, values: list[str], count: int
) -> None:
    await send(mailgun, "ann@gmail.com", tags=("one",))
    await send(mailgun, "ann@x.example")
    condition = {"attribute": attribute, "comparator": comparator, "values": [{"value": value} for value in values]}
    found = await total(mailgun, "delivered_count", filter={"AND": [HERE, condition]})
    assert found == {"delivered_count": count}


async def test_a_series_has_every_step_of_its_time(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    await send(mailgun, "ann@x.example")
    clock.advance(2 * DAY)
    await send(mailgun, "ann@x.example", "bela@x.example")
    counts = await by(mailgun, "time", "delivered_count", duration="3d")
    days = [mail_date((clock.now() + day * DAY) // DAY * DAY, ZONE) for day in (-3, -2, -1, 0)]
    assert counts == dict(zip(days, [0, 1, 0, 2], strict=True))


@pytest.mark.parametrize(("resolution", "steps"), [("hour", 25), ("day", 2), ("month", 1)])
async def test_resolutions(mailgun: httpx.AsyncClient, resolution: str, steps: int) -> None:
    body = await asked(mailgun, metrics=["sent_count"], dimensions=["time"], duration="24h", resolution=resolution)
    assert (len(body["items"]), body["resolution"]) == (steps, resolution)


async def test_hours_are_kept_sixty_days_and_days_a_year(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    await send(mailgun, "ann@x.example")
    for days, kept in ((50, {"hour", "day", "month"}), (70, {"day", "month"}), (400, {"month"})):
        clock.advance(days * DAY)
        found = {
            resolution
            for resolution in ("hour", "day", "month")
            if (await total(mailgun, "sent_count", resolution=resolution, duration="900d"))["sent_count"]
        }
        assert found == kept


async def test_rows_are_sorted_and_cut_into_pages(mailgun: httpx.AsyncClient) -> None:
    for number in range(12):
        await send(mailgun, *(f"person{other}@host{number:02}.example" for other in range(number + 1)))
    query: dict[str, Any] = {
        "metrics": ["delivered_count"],
        "dimensions": ["recipient_domain"],
        "filter": {"AND": [HERE]},
    }
    body = await asked(mailgun, **query)
    assert body["pagination"] == {"sort": "delivered_count:desc", "skip": 0, "limit": 10, "total": 12}
    assert [item["metrics"]["delivered_count"] for item in body["items"]] == list(range(12, 2, -1))
    body = await asked(mailgun, **query, pagination={"sort": "recipient_domain:asc", "skip": 10, "limit": 5})
    assert [item["dimensions"][0]["value"] for item in body["items"]] == ["host10.example", "host11.example"]


async def test_aggregates_are_of_all_rows(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "ann@x.example", "bela@gmail.com", tags=("one", "two"))
    query: dict[str, Any] = {
        "metrics": ["delivered_count"],
        "dimensions": ["tag"],
        "filter": {"AND": [HERE]},
        "pagination": {"limit": 1},
    }
    assert (await asked(mailgun, **query))["aggregates"] == {"metrics": {}}
    body = await asked(mailgun, **query, include_aggregates=True)
    assert body["aggregates"] == {"metrics": {"delivered_count": 2}}


async def test_metrics_outlive_the_domain(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "ann@x.example")
    await mailgun.delete(f"/v3/domains/{PLAIN}")
    assert (await total(mailgun, "delivered_count")) == {"delivered_count": 1}


async def test_the_range_is_told(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    body = await asked(mailgun, metrics=["sent_count"], resolution="hour", duration="6h")
    assert (body["start"], body["end"], body["duration"]) == (
        mail_date((clock.now() - 6 * HOUR) // HOUR * HOUR, ZONE),
        mail_date(clock.now(), ZONE),
        "6h",
    )


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"duration": "soon"}, "'duration' attribute is invalid"),
        ({"start": "soon"}, "soon is not an RFC-2822 compliant date"),
        ({"start": "2000000000", "end": "1000000000"}, "'start' should be before 'end'"),
        ({"pagination": {"sort": "subject:asc"}}, "'sort' attribute is invalid"),
        ({"pagination": {"limit": 1001}}, "The 'pagination.limit' parameter can't be larger than 1000"),
        ({"pagination": {"skip": -1}}, "The 'pagination' parameters can't be negative"),
    ],
)
@pytest.mark.parametrize("url", [URL, USAGE])
async def test_a_query_that_makes_no_sense_is_refused(
    mailgun: httpx.AsyncClient, url: str, query: dict[str, Any], text: str
) -> None:
    answer = await mailgun.post(url, json={"dimensions": ["subaccount"], **query})
    assert (answer.status_code, answer.json()) == (400, {"message": text})


async def test_usage_counts_what_was_used(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.get("/v4/address/validate", params={"address": "ann@x.example"})
    assert answer.status_code == 200
    before = (await asked(mailgun, USAGE, metrics=["processed_count"]))["items"][0]["metrics"]["processed_count"]
    await send(mailgun, "ann@x.example", options={"o:archive-to": "https://archive.example.com/in"})
    body = await asked(
        mailgun, USAGE, metrics=["email_validation_count", "processed_count", "archived_count", "seed_test_count"]
    )
    assert body["items"] == [
        {
            "dimensions": [],
            "metrics": {
                "email_validation_count": 1,
                "processed_count": before + 1,
                "archived_count": 1,
                "seed_test_count": 0,
            },
        }
    ]


async def test_usage_is_not_filtered_by_domain(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post(USAGE, json={"filter": {"AND": [HERE]}})
    assert answer.json() == {"message": "'domain' is not a valid filter predicate attribute"}


async def test_a_report_of_very_many_rows_needs_little_memory(mailgun: httpx.AsyncClient, account: Account) -> None:
    hours, names = 400, 100
    now = account.clock.now()
    for hour in range(hours):
        for name in range(names):
            cell = (PLAIN, "", "", f"host{name}.example", "", (), "", "", "", "delivered_smtp")
            account.analytics.mail.add(now - hour * HOUR, cell)
    query: dict[str, Any] = {
        "duration": f"{hours}h",
        "resolution": "hour",
        "metrics": ["delivered_count"],
        "dimensions": ["time", "recipient_domain"],
        "filter": {"AND": [HERE]},
    }
    await asked(mailgun, **query)
    tracemalloc.start()
    try:
        body = await asked(mailgun, **query, pagination={"limit": 10})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (body["pagination"]["total"], len(body["items"])) == (hours * names, 10)
    # All rows together would take 13 MB.
    assert peak < 3_000_000
