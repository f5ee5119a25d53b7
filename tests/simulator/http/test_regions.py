"""Two regions: what is in one is not found in the other, and what is global is the same in both."""

from collections.abc import AsyncIterator

import httpx
import pytest

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.control.account_json import restored, snapshot
from mailgun_mcp.simulator.model.clock import ManualClock
from tests.simulator.conftest import DOMAIN
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio

US, EU = "https://api.mailgun.net", "https://api.eu.mailgun.net"


@pytest.fixture
async def both(account: Account) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_app(catalogue(), account=account))
    async with httpx.AsyncClient(transport=transport, auth=("api", "key-of-the-tests")) as connected:
        yield connected


async def test_a_domain_of_one_region_is_not_found_in_the_other(both: httpx.AsyncClient) -> None:
    assert (await both.get(f"{US}/v4/domains/{DOMAIN}")).status_code == 200
    there = await both.get(f"{EU}/v4/domains/{DOMAIN}")
    assert (there.status_code, there.json()) == (404, {"message": f"Domain not found: {DOMAIN}"})
    assert (await both.get(f"{EU}/v3/{DOMAIN}/bounces")).status_code == 404
    assert (await both.get(f"{EU}/v4/domains")).json()["items"] == []


async def test_a_domain_name_is_taken_in_both(both: httpx.AsyncClient) -> None:
    assert (await both.post(f"{EU}/v4/domains", data={"name": DOMAIN})).status_code == 409
    assert (await both.post(f"{EU}/v4/domains", data={"name": "eu.example.com"})).status_code == 200
    assert (await both.post(f"{US}/v4/domains", data={"name": "eu.example.com"})).status_code == 409
    assert (await both.post(f"{EU}/v4/domains", data={"name": "eu.example.com"})).status_code == 409


@pytest.mark.parametrize("path", ["/v3/routes", "/v3/lists/pages", "/v1/webhooks"])
async def test_routes_lists_and_webhooks_are_of_one_region(path: str, both: httpx.AsyncClient) -> None:
    here, there = (await both.get(f"{US}{path}")).json(), (await both.get(f"{EU}{path}")).json()
    assert (here.get("items") or here.get("webhooks") or []) != [] or path == "/v1/webhooks"
    assert not (there.get("items"))
    assert not (there.get("webhooks"))


@pytest.mark.parametrize(
    "path", ["/v5/users", "/v1/keys", "/v5/accounts/subaccounts", "/v5/accounts/limit/custom/monthly"]
)
async def test_users_keys_subaccounts_and_limits_are_the_same_in_both(path: str, both: httpx.AsyncClient) -> None:
    here, there = await both.get(f"{US}{path}"), await both.get(f"{EU}{path}")
    assert (here.status_code, here.json()) == (there.status_code, there.json())


async def test_stored_mail_is_on_the_storage_host_of_its_region(both: httpx.AsyncClient, account: Account) -> None:
    await both.post(f"{EU}/v4/domains", data={"name": "eu.example.com"})
    await both.put(f"{EU}/v4/domains/eu.example.com/verify")
    mail = {"from": "a@eu.example.com", "to": "b@x.example", "subject": "Hi", "text": "x"}
    assert (await both.post(f"{EU}/v3/eu.example.com/messages", data=mail)).status_code == 200
    events = (await both.get(f"{EU}/v3/eu.example.com/events")).json()["items"]
    urls = {event["storage"]["url"] for event in events if "storage" in event}
    assert [url.split("/v3/")[0] for url in urls] == ["https://storage-europe-west1.api.mailgun.net"]


async def test_another_host_is_in_the_simulators_own_region(account: Account) -> None:
    transport = httpx.ASGITransport(app=create_app(catalogue(), account=account, region="eu"))
    async with httpx.AsyncClient(transport=transport, auth=("api", "any")) as connected:
        found = [
            (await connected.get(f"{base}/v4/domains/{DOMAIN}")).status_code
            for base in ("http://127.0.0.1:8025", EU, US)
        ]
    assert found == [200, 200, 404]


async def test_both_regions_are_in_a_snapshot(both: httpx.AsyncClient, account: Account, clock: ManualClock) -> None:
    await both.post(f"{EU}/v4/domains", data={"name": "eu.example.com"})
    again = restored(snapshot(account), clock)
    assert again.other_region is not None
    assert list(again.other_region.domains) == ["eu.example.com"]
    assert {owner.clock for owner in again.with_subaccounts(all_regions=True)} == {clock}
    assert snapshot(again) == snapshot(account)
