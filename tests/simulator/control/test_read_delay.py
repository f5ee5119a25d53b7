"""Reads that see writes only after a while."""

from collections.abc import AsyncIterator

import httpx
import pytest

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.control.harness import Environment
from mailgun_mcp.simulator.model.clock import ManualClock
from tests.simulator.conftest import PLAIN, client
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio


@pytest.fixture
async def late(account: Account) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(catalogue(), account=account, environment=Environment(visible_after=10.0))
    async with client(app) as connected:
        yield connected


async def bounces(mailgun: httpx.AsyncClient) -> list[str]:
    return [item["address"] for item in (await mailgun.get(f"/v3/{PLAIN}/bounces")).json()["items"]]


async def test_a_write_is_visible_after_the_delay_and_not_before(late: httpx.AsyncClient, clock: ManualClock) -> None:
    await late.post(f"/v3/{PLAIN}/bounces", json=[{"address": "a@x.example"}])
    assert await bounces(late) == []
    clock.advance(9)
    assert await bounces(late) == []
    clock.advance(1)
    assert await bounces(late) == ["a@x.example"]


async def test_both_copies_draw_the_same_ids(late: httpx.AsyncClient, clock: ManualClock) -> None:
    made = (await late.post("/v3/routes", data={"expression": "catch_all()", "action": "stop()"})).json()["route"]
    await late.post("/v3/routes", data={"expression": "catch_all()", "action": "stop()"})
    clock.advance(10)
    assert (await late.get(f"/v3/routes/{made['id']}")).json()["route"] == made
