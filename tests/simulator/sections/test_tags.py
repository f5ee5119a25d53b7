"""Tags: they come by sending, go by deletion, and come back with the next mail."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.clock import DAY, ManualClock, iso_date
from tests.simulator.conftest import DOMAIN, PLAIN

pytestmark = pytest.mark.anyio
URL = "/v1/analytics/tags"
SEEDED = {"order", "shipping", "newsletter", "password-reset", "invoice"}


async def send(mailgun: httpx.AsyncClient, *tags: str, domain: str = PLAIN, to: str = "ann@x.example") -> None:
    data = {"from": "a@x.example", "to": to, "text": "Hi", "o:tag": list(tags)}
    assert (await mailgun.post(f"/v3/{domain}/messages", data=data)).status_code == 200


async def listed(mailgun: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await mailgun.post(URL, json=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_tag_comes_by_sending(mailgun: httpx.AsyncClient, account: Account, clock: ManualClock) -> None:
    first = clock.now()
    await send(mailgun, "Autumn")
    clock.advance(DAY)
    await send(mailgun, "autumn", domain=DOMAIN)
    assert (await listed(mailgun, tag="aut")) == [
        {
            "account_id": account.id,
            "parent_account_id": "",
            "account_name": account.id,
            "tag": "Autumn",
            "description": "",
            "first_seen": iso_date(first),
            "last_seen": iso_date(clock.now()),
        }
    ]


async def test_the_demo_account_has_the_tags_of_its_mail(mailgun: httpx.AsyncClient) -> None:
    assert {item["tag"] for item in await listed(mailgun)} == SEEDED


async def test_what_is_not_ascii_is_left_out(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "Grüße")
    assert [item["tag"] for item in await listed(mailgun, tag="gre")] == ["Gre"]


async def test_tags_are_sorted_and_cut_into_pages(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post(
        URL, json={"pagination": {"sort": "tag:asc", "skip": 1, "limit": 2, "include_total": True}}
    )
    assert [item["tag"] for item in answer.json()["items"]] == sorted(SEEDED)[1:3]
    assert answer.json()["pagination"] == {"sort": "tag:asc", "skip": 1, "limit": 2, "total": 5}


async def test_metrics_come_with_at_most_twenty_tags(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "autumn", to="open@x.example")
    (item,) = await listed(mailgun, tag="autumn", include_metrics=True)
    assert (item["metrics"]["delivered_count"], item["metrics"]["opened_rate"]) == (1, "100.0000")
    answer = await mailgun.post(URL, json={"include_metrics": True, "pagination": {"limit": 21}})
    assert answer.json() == {"message": "The 'pagination.limit' parameter can't be larger than 20"}


async def test_a_description_stays_when_more_is_sent(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "autumn")
    answer = await mailgun.put(URL, json={"tag": "AUTUMN", "description": "The autumn sale"})
    assert answer.json() == {"message": "Tag updated"}
    await send(mailgun, "autumn")
    assert [item["description"] for item in await listed(mailgun, tag="autumn")] == ["The autumn sale"]
    assert (await mailgun.get(f"/v3/{PLAIN}/tag", params={"tag": "autumn"})).json()["description"] == "The autumn sale"


async def test_a_deleted_tag_is_gone_until_mail_is_sent_with_it(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.request("DELETE", URL, json={"tag": "order"})
    assert answer.json() == {"message": "Tag deleted"}
    assert {item["tag"] for item in await listed(mailgun)} == SEEDED - {"order"}
    await send(mailgun, "order")
    assert {item["tag"] for item in await listed(mailgun)} == SEEDED


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", URL, {"tag": "nope", "description": "x"}),
        ("DELETE", URL, {"tag": "nope"}),
        ("GET", f"/v3/{PLAIN}/tag?tag=nope", None),
        ("PUT", f"/v3/{PLAIN}/tag?tag=nope&description=x", None),
        ("DELETE", f"/v3/{PLAIN}/tag?tag=nope", None),
        ("GET", f"/v3/{PLAIN}/tag/stats?tag=nope&event=accepted", None),
        ("GET", f"/v3/{PLAIN}/tag/stats/aggregates?tag=nope&type=device", None),
    ],
)
async def test_an_unknown_tag_is_not_found(mailgun: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    answer = await mailgun.request(method, path, json=body) if body else await mailgun.request(method, path)
    assert (answer.status_code, answer.json()) == (404, {"message": "Tag not found"})


async def test_past_the_limit_mail_goes_but_its_tag_is_not_kept(mailgun: httpx.AsyncClient, account: Account) -> None:
    account.analytics.tag_limit = 6
    await send(mailgun, "sixth")
    await send(mailgun, "seventh")
    await send(mailgun, "sixth", domain=DOMAIN)
    assert {item["tag"] for item in await listed(mailgun)} == SEEDED | {"sixth"}
    assert (await mailgun.get(f"{URL}/limits")).json() == {"limit": 6, "count": 6, "limit_reached": True}


async def test_domain_tags_page_by_name(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "d", "b", "a", "c", "other")
    page = (await mailgun.get(f"/v3/{PLAIN}/tags", params={"limit": 2})).json()
    seen = []
    while True:
        seen += [item["tag"] for item in page["items"]]
        if page["paging"]["next"] == page["paging"]["last"]:
            break
        page = (await mailgun.get(page["paging"]["next"])).json()
    assert seen == ["a", "b", "c", "d", "other"]
    assert page["items"] == []
    back = (await mailgun.get(page["paging"]["previous"])).json()
    assert [item["tag"] for item in back["items"]] == ["d", "other"]
    back = (await mailgun.get(back["paging"]["previous"])).json()
    assert [item["tag"] for item in back["items"]] == ["b", "c"]
    assert [item["tag"] for item in (await mailgun.get(f"/v3/{PLAIN}/tags?prefix=O")).json()["items"]] == ["other"]


async def test_a_domains_tag_is_deleted_there_only(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "order")
    assert (await mailgun.delete(f"/v3/{PLAIN}/tag?tag=order")).json() == {"message": "Tag deleted"}
    assert (await mailgun.get(f"/v3/{PLAIN}/tags")).json()["items"] == []
    assert (await mailgun.get(f"/v3/{DOMAIN}/tag?tag=order")).status_code == 200
    limits = (await mailgun.get(f"/v3/domains/{PLAIN}/limits/tag")).json()
    assert limits == {"id": PLAIN, "limit": 4000, "count": 0}


async def test_stats_of_a_tag_count_its_mail_alone(mailgun: httpx.AsyncClient) -> None:
    await send(mailgun, "one", to="open@gmail.com")
    await send(mailgun, "one", to="ann@x.example")
    await send(mailgun, "two")
    query = {"tag": "one", "event": "delivered", "duration": "1d"}
    body = (await mailgun.get(f"/v3/{PLAIN}/tag/stats", params=query)).json()
    assert (body["tag"], sum(item["delivered"]["total"] for item in body["stats"])) == ("one", 2)
    body = (await mailgun.get(f"/v3/{PLAIN}/tag/stats", params={**query, "provider": "gmail.com"})).json()
    assert sum(item["delivered"]["total"] for item in body["stats"]) == 1
    body = (await mailgun.get(f"/v3/{PLAIN}/tag/stats/aggregates?tag=one&type=provider")).json()
    assert {name: counts["delivered"] for name, counts in body["provider"].items()} == {"gmail.com": 1, "other": 1}


@pytest.mark.parametrize(("kind", "value"), [("devices", "tablet"), ("providers", "gmail.com"), ("countries", "de")])
async def test_what_stats_can_be_filtered_by_is_listed(mailgun: httpx.AsyncClient, kind: str, value: str) -> None:
    items = (await mailgun.get(f"/v3/domains/{PLAIN}/tag/{kind}")).json()["items"]
    assert value in items
    assert len(items) == len(set(items))
