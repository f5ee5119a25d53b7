"""Where an account says that its stored messages are."""

import httpx
import pytest

from mailgun_mcp.simulator import create_app
from mailgun_mcp.simulator.http.regions import STORAGE as REGIONS
from mailgun_mcp.simulator.http.regions import serve_storage_at
from mailgun_mcp.simulator.model.account import STORAGE, Account
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.worlds.demo import demo_account
from tests.simulator.conftest import DOMAIN, client
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio
SELF = "https://api.mailgun.net"


async def urls(mailgun: httpx.AsyncClient) -> set[str]:
    items = (await mailgun.get(f"/v3/{DOMAIN}/events", params={"limit": 300})).json()["items"]
    return {item["storage"]["url"].partition("/v3/")[0] for item in items if "storage" in item}


async def test_it_is_mailguns_own_host_unless_told(mailgun: httpx.AsyncClient) -> None:
    assert await urls(mailgun) == {STORAGE}


async def test_it_can_be_where_the_simulator_itself_is() -> None:
    async with client(create_app(catalogue(), account=demo_account(ManualClock(), storage_url=SELF))) as mailgun:
        assert await urls(mailgun) == {SELF}
        items = (await mailgun.get(f"/v3/{DOMAIN}/events", params={"event": "accepted"})).json()["items"]
        copy = (await mailgun.get(items[0]["storage"]["url"])).json()
        assert copy["subject"] == items[0]["message"]["headers"]["subject"]


async def test_a_subaccount_has_its_own_there_too() -> None:
    account = demo_account(ManualClock(), storage_url=SELF)
    async with client(create_app(catalogue(), account=account)) as mailgun:
        await mailgun.post("/v5/accounts/subaccounts", params={"name": "below"})
    children = account.administration.subaccounts.values()
    assert {child.account.storage_url for child in children} == {SELF}


async def test_the_other_region_has_its_own_there_too() -> None:
    account = demo_account(ManualClock(), storage_url="http://127.0.0.1:8025")
    async with client(create_app(catalogue(), account=account)) as mailgun:
        await mailgun.get("https://api.eu.mailgun.net/v4/domains")
    assert account.other_region
    assert account.other_region.storage_url == "http://127.0.0.1:8025"


async def test_events_of_earlier_runs_lead_to_where_it_is_now() -> None:
    account = demo_account(ManualClock(), storage_url="http://127.0.0.1:8025")
    serve_storage_at(account, SELF)
    async with client(create_app(catalogue(), account=account)) as mailgun:
        assert await urls(mailgun) == {SELF}
        logged = (await mailgun.post("/v1/analytics/logs", json={"duration": "30d"})).json()["items"]
        assert {url.partition("/v3/")[0] for item in logged for url in item.get("storage", {}).get("url", ())} == {SELF}


@pytest.mark.parametrize(
    ("url", "other"), [(SELF, SELF), (REGIONS["us"], REGIONS["eu"]), (REGIONS["eu"], REGIONS["us"])]
)
def test_both_regions_are_served_at_one_place_but_mailgun_has_two(url: str, other: str) -> None:
    account = Account(ManualClock(), storage_url=SELF, other_region=Account(ManualClock(), storage_url=SELF))
    serve_storage_at(account, url)
    assert account.other_region
    assert (account.storage_url, account.other_region.storage_url) == (url, other)
