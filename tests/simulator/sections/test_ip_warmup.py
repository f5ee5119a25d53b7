"""IP warm-up: the clock takes a plan from stage to stage, and ends it."""

import httpx
import pytest

from mailgun_mcp.simulator.model.clock import DAY, ManualClock
from mailgun_mcp.simulator.model.ips import SHARED_IP, STAGES
from mailgun_mcp.simulator.worlds.demo_administration import FREE_IP, WARMING_IP
from tests.simulator.conftest import PLAIN

pytestmark = pytest.mark.anyio


async def warming(mailgun: httpx.AsyncClient) -> list[str]:
    return [item["ip"] for item in (await mailgun.get("/v3/ip_warmups")).json()["items"]]


async def test_a_plan_moves_on_with_the_days(mailgun: httpx.AsyncClient, clock: ManualClock) -> None:
    assert (await mailgun.post(f"/v3/ip_warmups/{FREE_IP}")).json() == {"message": "success"}
    stages = []
    for _ in STAGES:
        details = (await mailgun.get(f"/v3/ip_warmups/{FREE_IP}")).json()["details"]
        stages.append((details["stage"], details["stage_limit"], len(details["stage_history"])))
        clock.advance(DAY)
    assert stages == [(place + 1, limit, place) for place, limit in enumerate(STAGES)]
    assert (await mailgun.get(f"/v3/ip_warmups/{FREE_IP}")).status_code == 404
    assert FREE_IP not in await warming(mailgun)


async def test_what_was_sent_in_the_stage_is_counted(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(f"/v3/ip_warmups/{FREE_IP}")
    people = [f"a{number}@x.example" for number in range(250)]
    mail = {"from": f"a@{PLAIN}", "to": people, "text": "Hi", "o:sending-ip": FREE_IP}
    await mailgun.post(f"/v3/{PLAIN}/messages", data=mail)
    details = (await mailgun.get(f"/v3/ip_warmups/{FREE_IP}")).json()["details"]
    assert details["sent_within_stage"] == "25%"


async def test_a_plan_is_made_once_and_cancelled_once(mailgun: httpx.AsyncClient) -> None:
    assert (await mailgun.post(f"/v3/ip_warmups/{WARMING_IP}")).status_code == 400
    assert (await mailgun.delete(f"/v3/ip_warmups/{WARMING_IP}")).json() == {"message": "success"}
    assert await warming(mailgun) == []
    assert (await mailgun.delete(f"/v3/ip_warmups/{WARMING_IP}")).status_code == 404


@pytest.mark.parametrize("ip", [SHARED_IP, "192.0.2.99"])
async def test_only_dedicated_ips_are_warmed_up(mailgun: httpx.AsyncClient, ip: str) -> None:
    assert (await mailgun.post(f"/v3/ip_warmups/{ip}")).status_code == 400


async def test_the_plans_come_in_pages(mailgun: httpx.AsyncClient) -> None:
    await mailgun.post(f"/v3/ip_warmups/{FREE_IP}")
    seen, url = [], "/v3/ip_warmups?limit=1"
    while items := (answer := (await mailgun.get(url)).json())["items"]:
        seen += [item["ip"] for item in items]
        url = answer["paging"]["next"]
    assert seen == [FREE_IP, WARMING_IP]
    assert (await mailgun.get("/v3/ip_warmups?page=nonsense")).status_code == 400
