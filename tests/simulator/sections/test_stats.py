"""The older totals, grouped totals and aggregates."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator.model.clock import DAY, ManualClock, mail_date
from mailgun_mcp.simulator.worlds.demo import NEWS, SHOP
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio


async def got(mailgun: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    answer = await mailgun.get(path, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
async def sent(mailgun: httpx.AsyncClient) -> None:
    recipients = ["ann@gmail.com", "click@x.example", "bounce@x.example", "defer@x.example", "complain@x.example"]
    for to, tag in ((recipients, "one"), (["bounce@x.example", "unsubscribe@gmail.com"], "two")):
        data = {"from": "a@x.example", "to": to, "text": "Hi", "o:tag": tag}
        assert (await mailgun.post(f"/v3/{PLAIN}/messages", data=data)).status_code == 200


@pytest.mark.usefixtures("sent")
async def test_totals_of_a_domain_have_the_older_shape(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    events = ["accepted", "delivered", "failed", "opened", "clicked", "unsubscribed", "complained", "stored"]
    body = await got(mailgun, f"/v3/{PLAIN}/stats/total", event=events, duration="1d")
    today = mail_date(clock.now() // DAY * DAY)
    assert (body["resolution"], body["end"], len(body["stats"])) == ("day", mail_date(clock.now()), 2)
    assert body["stats"][-1] == {
        "time": today,
        "accepted": {"incoming": 0, "outgoing": 7, "total": 7},
        "delivered": {"smtp": 4, "http": 0, "optimized": 0, "total": 4},
        "failed": {
            "temporary": {"espblock": 0, "total": 1},
            "permanent": {
                "suppress-bounce": 1,
                "suppress-unsubscribe": 0,
                "suppress-complaint": 0,
                "bounce": 1,
                "delayed-bounce": 0,
                "webhook": 0,
                "optimized": 0,
                "total": 2,
            },
        },
        "opened": {"total": 1, "unique": 1},
        "clicked": {"total": 1, "unique": 1},
        "unsubscribed": {"total": 1},
        "complained": {"total": 1},
        "stored": {"total": 0},
    }


async def test_totals_of_the_account_are_of_all_domains(mailgun: httpx.AsyncClient) -> None:
    body = await got(mailgun, "/v3/stats/total", event="accepted", resolution="month", duration="2m")
    assert sum(item["accepted"]["total"] for item in body["stats"]) == 40


@pytest.mark.usefixtures("sent")
async def test_totals_by_domain_are_of_one_step(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    query = {"event": "accepted", "resolution": "month", "timestamp": mail_date(clock.now(), "+0000")}
    body = await got(mailgun, "/v3/stats/total/domains", **query)
    assert {item["domain"]: item["accepted"]["total"] for item in body["stats"]} == {NEWS: 8, PLAIN: 7, SHOP: 32}
    assert len((await got(mailgun, "/v3/stats/total/domains", **query, limit=1))["stats"]) == 1


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(
    ("group", "counts"),
    [
        ("domain", {PLAIN: 4}),
        ("tag", {"one": 3, "two": 1}),
        ("provider", {"gmail.com": 2, "other": 2}),
        ("ip", {"192.0.2.10": 4}),
    ],
)
async def test_groups(mailgun: httpx.AsyncClient, group: str, counts: dict[str, int]) -> None:
    body = await got(mailgun, "/v3/stats/filter", event="delivered", group=group, filter=f"domain:{PLAIN}")
    assert {item[group]: item["delivered"]["total"] for item in body["stats"] if item["delivered"]["total"]} == counts


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(("group", "steps"), [("total", 1), ("time", 8), ("day", 8), ("month", 1), (None, 8)])
async def test_a_group_of_time_is_a_series(mailgun: httpx.AsyncClient, group: str | None, steps: int) -> None:
    query = {"group": group} if group else {}
    body = await got(mailgun, "/v3/stats/filter", event="delivered", filter=f"domain:{PLAIN}", **query)
    assert len(body["stats"]) == steps
    assert sum(item["delivered"]["total"] for item in body["stats"]) == 4


@pytest.mark.parametrize("text", ["domain", "test:x"])
async def test_a_filter_that_makes_no_sense_is_refused(mailgun: httpx.AsyncClient, text: str) -> None:
    answer = await mailgun.get("/v3/stats/filter", params={"event": "accepted", "filter": text})
    assert answer.status_code == 400


@pytest.mark.usefixtures("sent")
async def test_aggregates_are_by_provider_device_and_country(mailgun: httpx.AsyncClient) -> None:
    providers = (await got(mailgun, f"/v3/{PLAIN}/aggregates/providers"))["providers"]
    assert providers["gmail.com"] == {
        "accepted": 2,
        "delivered": 2,
        "opened": 0,
        "unique_opened": 0,
        "clicked": 0,
        "unique_clicked": 0,
        "unsubscribed": 1,
        "complained": 0,
    }
    devices = (await got(mailgun, f"/v3/{PLAIN}/aggregates/devices"))["devices"]
    assert {device: counts["clicked"] for device, counts in devices.items()} == {"desktop": 1}
    countries = (await got(mailgun, f"/v3/{PLAIN}/aggregates/countries"))["countries"]
    assert {country: counts["opened"] for country, counts in countries.items()} == {"us": 1}
