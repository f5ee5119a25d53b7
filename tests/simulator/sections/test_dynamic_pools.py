"""Dynamic IP pools: configured, domains enrolled and moved between them, each move on record."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.clock import ManualClock, mail_date
from mailgun_mcp.simulator.model.ips import GOOD, NEW, POOR, SHARED_IP
from mailgun_mcp.simulator.sections.dynamic_pools import NEW_BELOW
from mailgun_mcp.simulator.worlds.demo import NEWS, SHOP, STAGING
from mailgun_mcp.simulator.worlds.demo_administration import DYNAMIC, FREE_IP, LABS, LABS_DOMAIN, POOL_IP, WARMING_IP
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio


async def enrolled(mailgun: httpx.AsyncClient, **query: Any) -> list[tuple[str, str]]:
    answer = (await mailgun.get("/v1/dynamic_pools/domains", params=query)).json()
    return [(item["name"], item["pool"]) for item in answer["items"]]


async def send(mailgun: httpx.AsyncClient, count: int, local: str) -> None:
    people = [f"{local}{number}@x.example" for number in range(count)]
    for start in range(0, count, 500):
        mail = {"from": f"a@{PLAIN}", "to": people[start : start + 500], "text": "Hi"}
        assert (await mailgun.post(f"/v3/{PLAIN}/messages", data=mail)).status_code == 200


async def preview(mailgun: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await mailgun.get(f"/v1/dynamic_pools/domains/{PLAIN}/preview")).json()
    return found


async def test_the_pools_show_their_ips(mailgun: httpx.AsyncClient) -> None:
    answer = (await mailgun.get("/v3/dynamic_pools")).json()
    assert {pool["name"]: pool["ips"] for pool in answer["pools"]} == DYNAMIC
    assert answer["new_senders"] == DYNAMIC[NEW]


async def test_health_decides_the_pool(mailgun: httpx.AsyncClient) -> None:
    assert (await preview(mailgun))["pool"] == NEW
    await send(mailgun, NEW_BELOW, "ada")
    assert (await preview(mailgun))["pool"] == GOOD
    await send(mailgun, 100, "bounce")
    found = await preview(mailgun)
    assert found["pool"] == POOR
    assert found["results"]["bounce_rate"] == {"value": round(100 / 1100, 6), "band": POOR}
    assert found["results"]["processed_count"] == {"value": 1100, "band": GOOD}


async def test_enrolling_places_the_domain_and_lists_it(mailgun: httpx.AsyncClient, account: Account) -> None:
    path = f"/v3/domains/{PLAIN}/dynamic_pools"
    assert (await mailgun.post(path, params={"replacement_ip": "shared"})).json() == {"message": "success"}
    assert (PLAIN, NEW) in await enrolled(mailgun)
    assert account.domains[PLAIN].administration.sending.ips == DYNAMIC[NEW]
    assert (await mailgun.post(path, params={"replacement_ip": "shared"})).status_code == 400
    assignable = (await mailgun.get("/v3/domains/dynamic_pools/assignable", params={"domain": "plain"})).json()
    assert assignable == {"items": []}


async def test_a_domain_leaves_for_ips_or_a_pool(mailgun: httpx.AsyncClient, account: Account) -> None:
    path = f"/v3/domains/{STAGING}/dynamic_pools"
    assert (await mailgun.delete(path)).status_code == 400
    assert (await mailgun.delete(path, params={"replacement_ip": POOL_IP})).status_code == 400
    assert (await mailgun.delete(path, params={"replacement_ip": [FREE_IP, WARMING_IP]})).status_code == 200
    assert account.domains[STAGING].administration.sending.ips == [FREE_IP, WARMING_IP]
    assert (await mailgun.delete(path, params={"replacement_ip": "shared"})).status_code == 400
    moves = (await mailgun.get("/v1/dynamic_pools/history", params={"domain": STAGING})).json()["items"]
    assert [(move["prev_band"], move["new_band"]) for move in moves] == [(NEW, ""), ("", NEW)]


@pytest.mark.parametrize("below", ["true", "false"])
async def test_all_domains_are_enrolled_those_below_only_if_asked(mailgun: httpx.AsyncClient, below: str) -> None:
    path = "/v3/domains/all/dynamic_pools/enroll"
    assert (await mailgun.post(path, params={"include_subaccounts": below})).json() == {"message": "started"}
    names = {name for name, _ in await enrolled(mailgun)}
    assert names == {SHOP, NEWS, STAGING, PLAIN} | ({LABS_DOMAIN} if below == "true" else set())
    moves = (await mailgun.get("/v1/dynamic_pools/history")).json()["items"]
    assert LABS_DOMAIN not in {move["domain_name"] for move in moves}
    accounts = await enrolled(mailgun, account=LABS)
    assert accounts == ([(LABS_DOMAIN, NEW)] if below == "true" else [])


async def test_an_override_holds_until_it_is_removed(mailgun: httpx.AsyncClient, account: Account) -> None:
    path = f"/v1/dynamic_pools/domains/{STAGING}/override"
    assert (await mailgun.delete(path)).status_code == 404
    assert (await mailgun.put(path, data={"pool": POOR})).json() == {"message": "success"}
    assert await enrolled(mailgun, pool=POOR) == [(STAGING, POOR)]
    assert account.domains[STAGING].administration.sending.ips == DYNAMIC[POOR]
    assert (await mailgun.delete(path)).json() == {"message": "success"}
    assert await enrolled(mailgun) == [(STAGING, NEW)]
    last = (await mailgun.get(f"/v1/dynamic_pools/domains/{STAGING}/history")).json()
    assert (last["prev_band"], last["new_band"], last["reason"]) == (POOR, NEW, "Override removed")


async def test_an_override_of_what_is_not_there_is_refused(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.put(f"/v1/dynamic_pools/domains/{STAGING}/override", data={"pool": "best"})
    assert (answer.status_code, answer.json()) == (400, {"Field": "pool", "Value": "best"})
    assert (await mailgun.put(f"/v1/dynamic_pools/domains/{PLAIN}/override", data={"pool": POOR})).status_code == 404
    assert (await mailgun.get(f"/v1/dynamic_pools/domains/{PLAIN}/history")).status_code == 404


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"good_reputation": SHARED_IP}, "not a dedicated IP"),
        ({"good_reputation": POOL_IP}, "already belongs"),
        ({"good_reputation": WARMING_IP}, "not warming"),
        ({"good_reputation": DYNAMIC[POOR]}, "multiple"),
    ],
)
async def test_pools_are_replaced_only_by_what_they_can_hold(
    mailgun: httpx.AsyncClient, change: dict[str, str], why: str
) -> None:
    before = (await mailgun.get("/v3/dynamic_pools")).json()
    whole = {"good_reputation": DYNAMIC[GOOD], "poor_reputation": DYNAMIC[POOR], "new_senders": DYNAMIC[NEW], **change}
    answer = await mailgun.post("/v3/dynamic_pools/all", data=whole)
    assert answer.status_code == 400
    assert why in answer.json()["message"]
    assert (await mailgun.get("/v3/dynamic_pools")).json() == before


async def test_enrolled_domains_follow_the_ips_of_their_pool(mailgun: httpx.AsyncClient, account: Account) -> None:
    assert (await mailgun.post(f"/v3/dynamic_pools/{NEW}/{FREE_IP}")).status_code == 200
    answer = await mailgun.patch(f"/v3/dynamic_pools/{NEW}", data={"add_ip": WARMING_IP, "remove_ip": DYNAMIC[NEW]})
    assert answer.status_code == 200
    assert account.domains[STAGING].administration.sending.ips == [FREE_IP, WARMING_IP]
    assert (await mailgun.patch(f"/v3/dynamic_pools/{NEW}", data={"remove_ip": FREE_IP})).status_code == 400
    assert (await mailgun.patch(f"/v3/dynamic_pools/{NEW}", data={"remove_ip": POOL_IP})).status_code == 400


async def test_pools_go_only_when_no_domain_is_enrolled(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.delete("/v3/dynamic_pools/all")).status_code == 400
    await mailgun.delete(f"/v3/domains/{STAGING}/dynamic_pools", params={"replacement_ip": "shared"})
    assert (await mailgun.delete("/v3/dynamic_pools/all")).json() == {"message": "success"}
    assert (await mailgun.get("/v3/dynamic_pools")).json()["pools"] == []
    for method, path in (
        ("POST", f"/v3/domains/{PLAIN}/dynamic_pools?replacement_ip=shared"),
        ("POST", "/v3/domains/all/dynamic_pools/enroll"),
        ("POST", f"/v3/dynamic_pools/{NEW}/{FREE_IP}"),
    ):
        assert (await mailgun.request(method, path)).status_code == 400


async def test_the_history_is_newest_first_and_cut_by_time(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    path = f"/v1/dynamic_pools/domains/{STAGING}/override"
    for pool in (POOR, GOOD):
        clock.advance(3600)
        await mailgun.put(path, data={"pool": pool})
    at = mail_date(clock.now(), "+0000")

    async def bands(**query: str) -> list[str]:
        items = (await mailgun.get("/v1/dynamic_pools/history", params=query)).json()["items"]
        return [item["new_band"] for item in items]

    assert await bands() == [GOOD, POOR, NEW]
    assert await bands(before=at) == [POOR, NEW]
    assert await bands(after=at) == [GOOD]
    assert await bands(moved_from=NEW) == [POOR]
    assert await bands(moved_to=NEW) == [NEW]


@pytest.mark.parametrize("path", ["/v1/dynamic_pools/history?Limit=2", "/v1/dynamic_pools/domains?limit=2"])
async def test_the_lists_come_in_pages(mailgun: httpx.AsyncClient, path: str) -> None:
    await mailgun.post("/v3/domains/all/dynamic_pools/enroll", params={"include_subaccounts": "true"})
    url = f"{path}&include_subaccounts=true" if "history" in path else f"{path}&sort_order=descending"
    seen: list[str] = []
    while True:
        answer = (await mailgun.get(url)).json()
        seen += [item["id"] for item in answer["items"]]
        if answer["paging"]["Next"] == url or len(seen) >= answer["total_items"]:
            break
        url = answer["paging"]["Next"]
    assert len(seen) == len(set(seen)) == answer["total_items"] >= 5


async def test_domains_are_sorted_as_asked(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post("/v3/domains/all/dynamic_pools/enroll")
    names = [name for name, _ in await enrolled(mailgun)]
    assert names == sorted(names)
    rates = (await mailgun.get("/v1/dynamic_pools/domains", params={"sort_by": "bounce_rate"})).json()["items"]
    found = [item["bounce_rate"] for item in rates]
    assert found == sorted(found)
    assert found[-1] > 0


async def test_a_pattern_that_is_none_is_refused(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.get("/v3/domains/dynamic_pools/assignable", params={"domain": "("})).status_code == 400
    items = (await mailgun.get("/v3/domains/dynamic_pools/assignable", params={"subaccount_id": LABS})).json()["items"]
    assert [item["name"] for item in items] == [LABS_DOMAIN]
