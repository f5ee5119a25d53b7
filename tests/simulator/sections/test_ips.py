"""IPs: listed, ordered, put on domains and taken off, and seen in the mail that leaves."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.ips import SHARED_IP
from mailgun_mcp.simulator.worlds.demo import NEWS, SHOP, STAGING
from mailgun_mcp.simulator.worlds.demo_administration import FREE_IP, POOL_ID, POOL_IP, WARMING_IP
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio


async def ips_of(mailgun: httpx.AsyncClient, **query: Any) -> list[str]:
    items: list[str] = (await mailgun.get("/v3/ips", params=query)).json()["items"]
    return items


async def domains_of(mailgun: httpx.AsyncClient, ip: str, **query: Any) -> list[str]:
    items = (await mailgun.get(f"/v3/ips/{ip}/domains", params=query)).json()["items"]
    return sorted(item["domain"] for item in items)


async def test_they_are_listed_with_what_may_go_into_a_pool(mailgun: httpx.AsyncClient) -> None:
    answer = (await mailgun.get("/v3/ips", params={"dedicated": "true"})).json()
    assert answer["assignable_to_pools"] == [FREE_IP, WARMING_IP]
    assert answer["total_count"] == len(answer["items"]) == 6
    assert [item["ip"] for item in answer["details"] if item["is_on_warmup"]] == [WARMING_IP]
    assert await ips_of(mailgun, dedicated="false") == [SHARED_IP]
    assert await ips_of(mailgun, enabled="false") == []


async def test_one_is_shown_and_an_unknown_one_is_not_found(mailgun: httpx.AsyncClient) -> None:
    shown = (await mailgun.get(f"/v3/ips/{POOL_IP}")).json()
    assert shown == {"ip": POOL_IP, "dedicated": True, "rdns": "ip203-0-113-11.mailgun.net"}
    assert (await mailgun.get("/v3/ips/192.0.2.99")).status_code == 404


async def test_an_ordered_ip_belongs_to_the_account_while_billing_allows(mailgun: httpx.AsyncClient) -> None:
    before = await ips_of(mailgun)
    allowed = (await mailgun.get("/v3/ips/request/new")).json()["allowed"]["dedicated"]
    for _ in range(allowed):
        assert (await mailgun.post("/v3/ips/request/new")).status_code == 200
    assert len(await ips_of(mailgun)) == len(before) + allowed
    assert (await mailgun.post("/v3/ips/request/new")).status_code == 403
    assert (await mailgun.get("/v3/ips/request/new")).json()["allowed"]["dedicated"] == 0


async def test_an_ip_goes_on_all_domains_that_no_pool_decides_for(mailgun: httpx.AsyncClient) -> None:
    answer = (await mailgun.post(f"/v3/ips/{FREE_IP}/domains")).json()
    assert (answer["message"], len(answer["reference_id"])) == ("started", 24)
    found = await domains_of(mailgun, FREE_IP)
    assert NEWS in found
    assert not {SHOP, STAGING} & set(found)


async def test_the_domains_of_an_ip_are_searched_and_cut(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(f"/v3/ips/{FREE_IP}/domains")
    assert await domains_of(mailgun, FREE_IP, search="plain, nothing") == [PLAIN]
    answer = (await mailgun.get(f"/v3/ips/{FREE_IP}/domains", params={"limit": 1, "skip": 1})).json()
    assert (len(answer["items"]), answer["total_count"]) == (1, 3)


async def test_an_ip_taken_from_all_domains_is_replaced_by_the_alternative(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(f"/v3/ips/{FREE_IP}/domains")
    await mailgun.delete(f"/v3/ips/{FREE_IP}/domains", params={"alternative": WARMING_IP})
    assert await domains_of(mailgun, FREE_IP) == []
    assert PLAIN in await domains_of(mailgun, WARMING_IP)


async def test_mail_leaves_from_the_ip_of_its_domain(mailgun: httpx.AsyncClient, account: Account) -> None:
    await mailgun.post(f"/v3/ips/{FREE_IP}/domains")
    await mailgun.delete(f"/v3/domains/{PLAIN}/ips/{SHARED_IP}")
    mail = {"from": f"a@{PLAIN}", "to": "ada@x.example", "text": "Hi"}
    await mailgun.post(f"/v3/{PLAIN}/messages", data=mail)
    await mailgun.post(f"/v3/{PLAIN}/messages", data={**mail, "o:sending-ip": WARMING_IP})
    await mailgun.post(f"/v3/{PLAIN}/messages", data={**mail, "o:sending-ip-pool": POOL_ID})
    left = [event.record["envelope"]["sending-ip"] for event in account.domains[PLAIN].events if event.record["event"] == "delivered"]  # fmt: skip
    assert left == [FREE_IP, WARMING_IP, POOL_IP]


async def test_mail_cannot_leave_from_an_ip_of_others(mailgun: httpx.AsyncClient) -> None:
    mail = {"from": f"a@{PLAIN}", "to": "ada@x.example", "text": "Hi", "o:sending-ip": "192.0.2.99"}
    answer = await mailgun.post(f"/v3/{PLAIN}/messages", data=mail)
    text = "Rejected: IP 192.0.2.99 can't be used to send the message"
    assert (answer.status_code, answer.json()) == (403, {"message": text})


@pytest.mark.parametrize("place", ["ips", "pool"])
async def test_an_ip_is_taken_from_a_domain(mailgun: httpx.AsyncClient, place: str) -> None:
    await mailgun.post(f"/v3/ips/{FREE_IP}/domains")
    assert (await mailgun.delete(f"/v3/domains/{PLAIN}/{place}/{FREE_IP}")).json() == {"message": "success"}
    assert await domains_of(mailgun, FREE_IP, search="plain") == []
    assert (await mailgun.delete(f"/v3/domains/{PLAIN}/{place}/{FREE_IP}")).status_code == 404


async def test_a_linked_pool_is_only_left_for_something_else(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.delete(f"/v3/domains/{SHOP}/ips/{POOL_IP}")).status_code == 400
    assert (await mailgun.delete(f"/v3/domains/{SHOP}/ips/ip_pool")).status_code == 400
    assert (await mailgun.delete(f"/v3/domains/{SHOP}/ips/ip_pool", params={"ip": FREE_IP})).status_code == 200
    assert await domains_of(mailgun, FREE_IP) == [SHOP]
    assert (await mailgun.delete(f"/v3/domains/{SHOP}/ips/ip_pool", params={"ip": "shared"})).status_code == 400


async def test_a_replacement_must_be_free_and_dedicated(mailgun: httpx.AsyncClient) -> None:
    for address in (POOL_IP, SHARED_IP, "192.0.2.99"):
        answer = await mailgun.delete(f"/v3/domains/{SHOP}/ips/ip_pool", params={"ip": address})
        assert answer.status_code == 400


async def test_without_any_ip_a_domain_no_longer_exists(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.delete(f"/v3/domains/{PLAIN}/ips/all")).status_code == 200
    assert (await mailgun.get(f"/v4/domains/{PLAIN}")).status_code == 404


async def test_only_a_dedicated_ip_has_a_band(mailgun: httpx.AsyncClient, account: Account) -> None:
    assert (await mailgun.post(f"/v3/ips/{FREE_IP}/ip_band", data={"ip_band": "gold"})).status_code == 200
    assert account.administration.ips.ips[FREE_IP].band == "gold"
    assert (await mailgun.post(f"/v3/ips/{SHARED_IP}/ip_band", data={"ip_band": "gold"})).status_code == 400


@pytest.mark.parametrize(
    ("fields", "ips"),
    [({}, [FREE_IP, WARMING_IP]), ({"ips": FREE_IP}, [FREE_IP]), ({"pool_id": POOL_ID}, [POOL_IP])],
    ids=["all dedicated", "named", "pool"],
)
async def test_a_new_domain_sends_from_what_was_asked_for(
    mailgun: httpx.AsyncClient, account: Account, fields: dict[str, str], ips: list[str]
) -> None:
    await mailgun.post("/v4/domains", data={"name": "new.example.com", **fields})
    assert account.domains["new.example.com"].administration.sending.ips == ips


async def test_a_domain_with_an_ip_of_others_is_not_made(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post("/v4/domains", data={"name": "new.example.com", "ips": "192.0.2.99"})
    assert answer.status_code == 400
    assert (await mailgun.get("/v4/domains/new.example.com")).status_code == 404
