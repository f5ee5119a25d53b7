"""Subaccounts: made, disabled, closed, limited, and each with an account of its own."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.clock import DAY, ManualClock
from mailgun_mcp.simulator.model.ips import SHARED_IP
from mailgun_mcp.simulator.worlds.demo_administration import ARCHIVE, FREE_IP, LABS, LABS_DOMAIN, POOL_ID

pytestmark = pytest.mark.anyio
ROOT = "/v5/accounts/subaccounts"
HEADER = "X-Mailgun-On-Behalf-Of"


async def made(mailgun: httpx.AsyncClient, name: str) -> str:
    answer = await mailgun.post(ROOT, params={"name": name})
    assert answer.status_code == 200, answer.text
    identity: str = answer.json()["subaccount"]["id"]
    return identity


async def names(mailgun: httpx.AsyncClient, **query: Any) -> list[str]:
    return [child["name"] for child in (await mailgun.get(ROOT, params=query)).json()["subaccounts"]]


async def test_a_new_one_is_open_and_starts_with_nothing(mailgun: httpx.AsyncClient) -> None:
    identity = await made(mailgun, "New")
    shown = (await mailgun.get(f"{ROOT}/{identity}")).json()["subaccount"]
    assert (shown["name"], shown["status"], len(identity)) == ("New", "open", 24)
    assert (await mailgun.get("/v4/domains", headers={HEADER: identity})).json()["items"] == []


async def test_its_name_may_come_as_a_form_field_too(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.post(ROOT, data={"name": "By form"})).json()["subaccount"]["name"] == "By form"
    assert (await mailgun.post(ROOT, params={"name": " "})).json() == {"message": "Bad request"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["Example Labs", "Example Archive", "New"]),
        ({"sort": "asc"}, ["Example Archive", "Example Labs", "New"]),
        ({"sort": "desc", "limit": 1, "skip": 1}, ["Example Labs"]),
        ({"filter": "example"}, ["Example Labs", "Example Archive"]),
        ({"enabled": "true"}, ["Example Labs", "New"]),
        ({"enabled": "false"}, ["Example Archive"]),
    ],
)
async def test_lists_are_filtered_sorted_and_cut(
    mailgun: httpx.AsyncClient, query: dict[str, Any], found: list[str]
) -> None:
    await made(mailgun, "New")
    assert await names(mailgun, **query) == found


async def test_a_disabled_one_is_shut_until_it_is_enabled(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    clock.advance(DAY)
    answer = (await mailgun.post(f"{ROOT}/{LABS}/disable", params={"reason": "abuse"})).json()["subaccount"]
    assert (answer["status"], answer["updated_at"]) == ("disabled", "Thu, 19 Nov 2026 11:06:40 GMT")
    again = await mailgun.post(f"{ROOT}/{LABS}/disable")
    assert (again.status_code, again.json()) == (400, {"message": "subaccount is already disabled"})
    assert (await mailgun.get("/v4/domains", headers={HEADER: LABS})).status_code == 403
    assert (await mailgun.post(f"{ROOT}/{LABS}/enable")).json()["subaccount"]["status"] == "open"
    assert (await mailgun.get("/v4/domains", headers={HEADER: LABS})).status_code == 200
    assert (await mailgun.post(f"{ROOT}/{LABS}/enable")).status_code == 400


async def test_no_more_are_open_than_the_parent_is_allotted(mailgun: httpx.AsyncClient, account: Account) -> None:
    account.administration.child_limit = 2
    await made(mailgun, "New")
    text = {"message": "Parent account has reached its allotted child limit"}
    enabled = await mailgun.post(f"{ROOT}/{ARCHIVE}/enable")
    assert (enabled.status_code, enabled.json()) == (400, text)
    assert (await mailgun.post(ROOT, params={"name": "One more"})).json() == text


async def test_a_deleted_one_is_closed_and_reached_no_more(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.delete(ROOT, headers={HEADER: LABS})
    assert answer.json() == {"message": "Subaccount successfully deleted"}
    assert await names(mailgun) == ["Example Archive"]
    assert await names(mailgun, closed="true") == ["Example Labs", "Example Archive"]
    assert (await mailgun.get(f"{ROOT}/{LABS}")).json() == {"message": "Not Found"}
    assert (await mailgun.get("/v4/domains", headers={HEADER: LABS})).status_code == 403
    assert (await mailgun.delete(ROOT, headers={HEADER: LABS})).json() == {"message": "Forbidden"}
    assert (await mailgun.get(f"{ROOT}/ip_pools/all")).json() == {"items": [], "total_count": 0}


async def test_without_the_header_none_is_deleted(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.delete(ROOT)).status_code == 400
    assert len(await names(mailgun)) == 2


async def test_one_below_has_none_below_itself(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.post(ROOT, params={"name": "x"}, headers={HEADER: LABS})).status_code == 403
    assert (await mailgun.get(ROOT, headers={HEADER: LABS})).status_code == 403


async def test_a_feature_that_is_switched_off_stops_sending(mailgun: httpx.AsyncClient) -> None:
    path = f"{ROOT}/{LABS}/features"
    assert (await mailgun.put(path, data={})).json() == {"message": "No valid updates provided"}
    assert (await mailgun.put(path, data={"sending": "{}"})).json() == {"message": "No valid updates provided"}
    features = (await mailgun.put(path, data={"sending": '{"enabled": false}'})).json()["features"]
    assert (features["sending"], features["validations"]) == ({"enabled": False}, {"enabled": True})
    mail = {"from": f"a@{LABS_DOMAIN}", "to": "ada@x.example", "text": "Hi"}
    answer = await mailgun.post(f"/v3/{LABS_DOMAIN}/messages", data=mail, headers={HEADER: LABS})
    assert answer.status_code == 403
    assert (await mailgun.get(f"{ROOT}/{LABS}")).json()["subaccount"]["features"]["sending"] == {"enabled": False}


async def test_a_linked_ip_is_the_subaccounts_too(mailgun: httpx.AsyncClient, account: Account) -> None:
    path = f"{ROOT}/{LABS}/ip"
    assert (await mailgun.put(path, data={"ip": FREE_IP})).json() == {"message": "success"}
    assert FREE_IP in (await mailgun.get("/v3/ips", headers={HEADER: LABS})).json()["items"]
    labs = account.administration.subaccounts[LABS].account
    assert labs.domains[LABS_DOMAIN].administration.sending.ips == [FREE_IP]
    assert (await mailgun.put(path, data={"ip": SHARED_IP})).status_code == 400


async def test_pools_are_lent_only_to_those_that_exist(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.put(f"{ROOT}/none/ip_pool", data={"pool_id": POOL_ID})
    assert (answer.status_code, answer.json()) == (404, {"message": "account not found"})
    assert (await mailgun.put(f"{ROOT}/{LABS}/ip_pool", data={"pool_id": "none"})).status_code == 404
    lent = {HEADER: LABS}
    assert (await mailgun.put(f"{ROOT}/{LABS}/ip_pool", data={"pool_id": POOL_ID}, headers=lent)).status_code == 403
