"""Automatic sender security: two keys that take turns, by hand or as the clock moves."""

import httpx
import pytest

from mailgun_mcp.simulator.model.clock import DAY, ManualClock
from mailgun_mcp.simulator.worlds.demo import SHOP, STAGING

pytestmark = pytest.mark.anyio
PATH = f"/v1/dkim_management/domains/{SHOP}"


async def enable(mailgun: httpx.AsyncClient, **fields: str) -> httpx.Response:
    return await mailgun.put(f"{PATH}/rotation", data={"rotation_enabled": "true", **fields})


async def active(mailgun: httpx.AsyncClient) -> list[str]:
    items = (await mailgun.get(f"/v4/domains/{SHOP}/keys")).json()["items"]
    return [item["selector"] for item in items if item["selector"][:3] == "pdk" and item["dns_record"]["is_active"]]


async def test_the_keys_take_turns_as_the_clock_moves(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    shown = (await enable(mailgun, rotation_interval="10d")).json()["domain"]
    assert (shown["state"], shown["rotation_enabled"], shown["rotation_interval"]) == ("enabled", "true", "10d")
    assert [record["name"] for record in shown["records"]] == [f"pdk{n}._domainkey.{SHOP}" for n in (1, 2)]
    seen = []
    for _ in range(3):
        seen += await active(mailgun)
        clock.advance(10 * DAY)
    assert seen == ["pdk1", "pdk2", "pdk1"]


async def test_turning_it_off_keeps_the_key_that_is_active(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    await enable(mailgun, rotation_interval="10d")
    clock.advance(15 * DAY)
    shown = (await mailgun.put(f"{PATH}/rotation", data={"rotation_enabled": "false"})).json()["domain"]
    assert (shown["rotation_enabled"], shown["active_selector"]) == ("false", "pdk2")
    clock.advance(30 * DAY)
    assert (await enable(mailgun)).json()["domain"]["active_selector"] == "pdk2"


async def test_a_rotation_by_hand_restarts_the_interval(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    await enable(mailgun, rotation_interval="10d")
    clock.advance(9 * DAY)
    assert (await mailgun.post(f"{PATH}/rotate")).json() == {"message": "ok"}
    assert await active(mailgun) == ["pdk2"]
    clock.advance(9 * DAY)
    assert await active(mailgun) == ["pdk2"]
    clock.advance(DAY)
    assert await active(mailgun) == ["pdk1"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"rotation_enabled": "false", "rotation_interval": "10d"}, "rotation_interval is not allowed unless also enabling DKIM rotation"),
        ({"rotation_enabled": "true", "rotation_interval": "4d"}, "rotation_interval must be at least 5 days"),
        ({"rotation_enabled": "true", "rotation_interval": "often"}, "invalid rotation_interval: often"),
    ],
)  # fmt: skip
async def test_an_interval_that_does_not_fit_is_refused(
    mailgun: httpx.AsyncClient, fields: dict[str, str], text: str
) -> None:
    answer = await mailgun.put(f"{PATH}/rotation", data=fields)
    assert (answer.status_code, answer.json()) == (400, {"Reason": text})


async def test_an_unverified_domain_cannot_rotate(mailgun: httpx.AsyncClient) -> None:
    path = f"/v1/dkim_management/domains/{STAGING}/rotate"
    text = "only domains in enabled can rotate their keys. Current state: wait_verify"
    assert (await mailgun.post(path)).json() == {"Reason": text}
    await mailgun.put(f"/v4/domains/{STAGING}/verify")
    assert (await mailgun.post(path)).status_code == 200


async def test_an_unknown_domain_is_described(mailgun: httpx.AsyncClient) -> None:
    answer = await mailgun.post("/v1/dkim_management/domains/none.example.com/rotate")
    assert (answer.status_code, answer.json()) == (404, {"Description": "domain not found"})
