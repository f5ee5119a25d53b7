"""Where an account says that its stored messages are."""

import httpx
import pytest

from mailgun_mcp.simulator import create_app
from mailgun_mcp.simulator.model.account import STORAGE
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
