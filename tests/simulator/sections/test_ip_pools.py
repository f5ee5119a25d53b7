"""Dedicated IP pools: each IP in one of them, each domain sends from what its pool holds."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.ips import SHARED_IP
from mailgun_mcp.simulator.worlds.demo import NEWS, SHOP
from mailgun_mcp.simulator.worlds.demo_administration import FREE_IP, LABS, LABS_DOMAIN, POOL_ID, POOL_IP, WARMING_IP
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio
HEADER = "X-Mailgun-On-Behalf-Of"


async def pool(mailgun: httpx.AsyncClient, pool_id: str = POOL_ID, **headers: str) -> dict[str, Any]:
    details: dict[str, Any] = (await mailgun.get(f"/v3/ip_pools/{pool_id}", headers=headers)).json()["details"]
    return details


async def made(mailgun: httpx.AsyncClient, *ips: str) -> str:
    answer = await mailgun.post("/v3/ip_pools", data={"name": "new", "description": "of the test", "ip": list(ips)})
    assert answer.status_code == 200, answer.text
    pool_id: str = answer.json()["pool_id"]
    return pool_id


def sends_from(account: Account, name: str) -> list[str]:
    return account.domains[name].administration.sending.ips


async def test_a_new_pool_is_listed_and_takes_its_ips_from_those_that_are_free(mailgun: httpx.AsyncClient) -> None:
    pool_id = await made(mailgun, FREE_IP)
    pools = (await mailgun.get("/v3/ip_pools")).json()["ip_pools"]
    assert [item["pool_id"] for item in pools] == [POOL_ID, pool_id]
    assert (await mailgun.get("/v3/ips")).json()["assignable_to_pools"] == [WARMING_IP]
    assert await pool(mailgun, pool_id) == {
        "pool_id": pool_id,
        "name": "new",
        "description": "of the test",
        "ips": [FREE_IP],
        "is_linked": False,
        "is_inherited": False,
        "linked_domains": [],
    }


@pytest.mark.parametrize("ip", [POOL_IP, "203.0.113.21", SHARED_IP, "192.0.2.99"])
async def test_an_ip_that_is_not_free_goes_into_no_pool(mailgun: httpx.AsyncClient, ip: str) -> None:
    pool_id = await made(mailgun)
    for answer in (
        await mailgun.post("/v3/ip_pools", data={"name": "a", "description": "b", "ip": ip}),
        await mailgun.put(f"/v3/ip_pools/{pool_id}/ips/{ip}"),
        await mailgun.post(f"/v3/ip_pools/{pool_id}/ips.json", json={"ips": [FREE_IP, ip]}),
        await mailgun.patch(f"/v3/ip_pools/{pool_id}", data={"add_ip": ip}),
    ):
        assert answer.status_code == 400
    assert (await pool(mailgun, pool_id))["ips"] == []


async def test_an_unknown_pool_is_not_found(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.get("/v3/ip_pools/none")).status_code == 404


async def test_linked_domains_follow_the_ips_of_their_pool(mailgun: httpx.AsyncClient, account: Account) -> None:
    await mailgun.patch(f"/v3/ip_pools/{POOL_ID}", data={"link_domain": [PLAIN]})
    assert sends_from(account, PLAIN) == [POOL_IP]
    await mailgun.put(f"/v3/ip_pools/{POOL_ID}/ips/{FREE_IP}")
    await mailgun.post(f"/v3/ip_pools/{POOL_ID}/ips.json", json={"ips": [WARMING_IP]})
    assert sends_from(account, PLAIN) == sends_from(account, SHOP) == [POOL_IP, FREE_IP, WARMING_IP]
    await mailgun.delete(f"/v3/ip_pools/{POOL_ID}/ips/{POOL_IP}")
    assert sends_from(account, PLAIN) == [FREE_IP, WARMING_IP]
    await mailgun.patch(f"/v3/ip_pools/{POOL_ID}", data={"unlink_domain": [PLAIN]})
    assert sends_from(account, PLAIN) == [SHARED_IP]
    assert (await pool(mailgun))["linked_domains"] == [SHOP]


async def test_an_edit_that_changes_nothing_is_refused(mailgun: httpx.AsyncClient) -> None:
    for data in ({}, {"name": "transactional"}, {"link_domain": SHOP}):
        assert (await mailgun.patch(f"/v3/ip_pools/{POOL_ID}", data=data)).status_code == 400
    assert (await mailgun.patch(f"/v3/ip_pools/{POOL_ID}", data={"name": "orders"})).status_code == 200
    assert (await pool(mailgun))["name"] == "orders"


@pytest.mark.parametrize(
    ("data", "status"), [({"remove_ip": FREE_IP}, 400), ({"link_domain": "none.example.com"}, 404)]
)
async def test_an_edit_of_what_is_not_there_changes_nothing(
    mailgun: httpx.AsyncClient, data: dict[str, str], status: int
) -> None:
    before = await pool(mailgun)
    answer = await mailgun.patch(f"/v3/ip_pools/{POOL_ID}", data={"name": "other", **data})
    assert (answer.status_code, await pool(mailgun)) == (status, before)


async def test_a_pool_with_ips_is_deleted_only_for_a_replacement(mailgun: httpx.AsyncClient, account: Account) -> None:
    assert (await mailgun.delete(f"/v3/ip_pools/{POOL_ID}")).status_code == 400
    assert (await mailgun.delete(f"/v3/ip_pools/{POOL_ID}", params={"pool_id": POOL_ID})).status_code == 400
    empty, full = await made(mailgun), await made(mailgun, FREE_IP)
    assert (await mailgun.delete(f"/v3/ip_pools/{POOL_ID}", params={"pool_id": empty})).status_code == 400
    assert (await mailgun.delete(f"/v3/ip_pools/{POOL_ID}", params={"pool_id": full})).status_code == 200
    assert sends_from(account, SHOP) == [FREE_IP]
    assert (await pool(mailgun, full))["linked_domains"] == [SHOP]
    assert (await mailgun.get(f"/v3/ip_pools/{POOL_ID}")).status_code == 404
    assert (await mailgun.delete(f"/v3/ip_pools/{empty}")).status_code == 200


async def test_the_domains_of_a_pool_come_in_pages(mailgun: httpx.AsyncClient, account: Account) -> None:
    for number in range(25):
        await mailgun.post("/v4/domains", data={"name": f"d{number:02d}.example.com", "pool_id": POOL_ID})
    seen, url = [], f"/v3/ip_pools/{POOL_ID}/domains?limit=10"
    while items := (answer := (await mailgun.get(url)).json())["domains"]:
        seen += [item["name"] for item in items]
        url = answer["paging"]["next"]
    assert seen == sorted(domain.name for domain in account.domains.values() if POOL_IP in sends_from(account, domain.name))  # fmt: skip
    assert len(seen) == 26


async def test_a_lent_pool_is_inherited_below_and_cannot_be_changed_there(mailgun: httpx.AsyncClient) -> None:
    await mailgun.put(f"/v3/ip_pools/{POOL_ID}/ips/{FREE_IP}")
    lent = await pool(mailgun, **{HEADER: LABS})
    assert (lent["is_inherited"], lent["ips"]) == (True, [POOL_IP, FREE_IP])
    for method, path in (("DELETE", ""), ("PATCH", ""), ("DELETE", f"/ips/{FREE_IP}")):
        answer = await mailgun.request(method, f"/v3/ip_pools/{POOL_ID}{path}", headers={HEADER: LABS})
        assert answer.status_code == 403


async def test_lending_and_taking_back_reaches_the_domains_below(mailgun: httpx.AsyncClient, account: Account) -> None:
    labs = account.administration.subaccounts[LABS].account
    await mailgun.patch(f"/v3/ip_pools/{POOL_ID}", data={"name": "x"}, headers={HEADER: LABS})
    labs.domains[LABS_DOMAIN].administration.sending.pool_id = POOL_ID
    other = await made(mailgun, FREE_IP)
    path = f"/v5/accounts/subaccounts/{LABS}/ip_pool"
    assert (await mailgun.put(path, data={"pool_id": other})).json()["message"] == "started"
    assert sends_from(labs, LABS_DOMAIN) == [FREE_IP]
    listed = (await mailgun.get("/v5/accounts/subaccounts/ip_pools/all")).json()
    assert listed == {"items": [{"pool_id": other, "subaccount_id": LABS}], "total_count": 1}
    assert (await mailgun.delete(path, params={"pool_id": POOL_ID})).status_code == 400
    assert (await mailgun.delete(path, params={"pool_id": other})).status_code == 200
    assert sends_from(labs, LABS_DOMAIN) == [SHARED_IP]
    assert (await mailgun.get("/v3/ip_pools", headers={HEADER: LABS})).json()["ip_pools"] == []


async def test_deleting_a_lent_pool_takes_it_back(mailgun: httpx.AsyncClient) -> None:
    await mailgun.delete(f"/v3/ip_pools/{POOL_ID}", params={"ip": "shared"})
    assert (await mailgun.get("/v3/ip_pools", headers={HEADER: LABS})).json()["ip_pools"] == []


async def test_a_domain_leaves_its_pool_when_another_is_chosen(mailgun: httpx.AsyncClient) -> None:
    other = await made(mailgun, FREE_IP)
    await mailgun.patch(f"/v3/ip_pools/{other}", data={"link_domain": [SHOP, NEWS]})
    assert (await pool(mailgun))["is_linked"] is False
    assert (await pool(mailgun, other))["linked_domains"] == [SHOP, NEWS]
