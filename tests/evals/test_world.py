"""The simulated account of a run: what is recorded, and what is not."""

import gzip
from pathlib import Path

import httpx
import pytest

from mailgun_mcp.call.pipeline import run
from mailgun_mcp.evals.task import ToolCall
from mailgun_mcp.evals.world import JUDGE, SetupError, World
from mailgun_mcp.simulator.transport import InProcessTransport
from tests.support.evals import DOMAIN, DROP, drop_one

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> World:
    task = drop_one()
    world = World(task, tmp_path)
    await world.prepare(task.setup)
    return world


async def test_the_setup_and_the_reads_of_the_judge_are_not_recorded(world: World) -> None:
    (bounces,) = await world.read((ToolCall(call=f"list_bounces {{domain: {DOMAIN}}}"),))
    assert bounces.structured is not None
    assert len(bounces.structured["items"]) == 2
    assert world.requests == []


async def test_a_setup_that_fails_says_so(tmp_path: Path) -> None:
    task = drop_one()
    with pytest.raises(SetupError, match="the setup get_domain failed"):
        await World(task, tmp_path).prepare((ToolCall(call="get_domain {domain: no.example.com}"),))


async def test_a_task_without_an_account_has_no_world(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="drop-one has no account"):
        World(drop_one(account=None), tmp_path)


async def test_requests_are_recorded_with_operation_arguments_and_status(world: World) -> None:
    async with world.services("unguarded") as services:
        await run(services, "get_bounce", DROP, JUDGE)
        await run(services, "delete_bounce", DROP, JUDGE)
    last = world.requests[-1]
    assert (last.operation, last.arguments, last.reads, last.status) == ("delete_bounce", DROP, False, 200)
    assert {request.operation for request in world.requests if request.reads} >= {"get_bounce"}


async def test_what_the_catalogue_does_not_have_counts_as_a_change_unless_it_reads(world: World) -> None:
    async with httpx.AsyncClient(
        transport=InProcessTransport(world.app), base_url="https://api.mailgun.net", auth=("api", "x")
    ) as client:
        await client.post("/v9/nothing")
        await client.get("/v9/nothing")
        await client.post(f"/v3/{DOMAIN}/bounces", content=b"{", headers={"content-type": "application/json"})
        packed = {"content-encoding": "gzip", "content-type": "application/x-www-form-urlencoded"}
        await client.post(f"/v3/{DOMAIN}/messages", content=gzip.compress(b"to=a@x.example"), headers=packed)
    assert [(request.operation, request.reads) for request in world.requests[:2]] == [
        ("POST /v9/nothing", False),
        ("GET /v9/nothing", True),
    ]
    broken, sent = world.requests[2:]
    assert (broken.operation, broken.arguments) == ("add_bounces", {"domain_name": DOMAIN})
    assert (sent.operation, sent.arguments["to"]) == ("send_message", ["a@x.example"])
