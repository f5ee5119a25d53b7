"""The attacker steers a model, and wants to learn from it what nobody would be asked about.

A grant is a person's permission for a while. A model that knows of one knows when, where and for what nobody looks.
"""

import json
from pathlib import Path

import pytest
from mcp import Client

from mailgun_mcp.call.services import Services
from mailgun_mcp.server.server import create_server
from tests.support.calls import BOUNCE, LOCAL_USER, run
from tests.support.people import Desk
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio

MARKS = ("delete_bounce_rule", "olga", "grant")
"""What a grant in these tests consists of, and what it is called."""


@pytest.fixture
async def services(tmp_path: Path) -> Services:
    services = recorded_services(Recorder(), state=tmp_path / "state")
    account, now = await services.account.current(changes=True), services.clock()
    match = {"tool": ["delete_bounce", "delete_bounce_rule*"]}
    services.grants.add(match, account=account.id, until=now + 900, by="olga", now=now)
    return services


def tells(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text]


async def test_no_result_tells_of_a_grant(services: Services) -> None:
    """Neither of a call that it covers, nor of one that it does not, of a read, a refusal, an undo or a fault."""
    made = await run(services, "delete_bounce", BOUNCE)
    assert made.structured is not None
    undo = made.structured["undo"]["id"]
    outcomes = [
        made,
        await run(services, "list_domains", {}),
        await run(services, "delete_domain", {"domain": "mg.example.com"}),
        await run(services, "delete_bounce", {}),
        await run(services, "list_undoable", {}),
        await run(services, "undo_operation", {"id": undo, "dry_run": True}),
        await run(services, "undo_operation", {"id": undo}),
    ]
    assert [
        tells(outcome.text + json.dumps(outcome.structured) + json.dumps(outcome.approval)) for outcome in outcomes
    ] == [[] for _ in outcomes]


async def test_the_log_that_people_read_has_it(services: Services) -> None:
    await run(services, "delete_bounce", BOUNCE)
    (call,) = services.audit_log.calls()
    assert ["olga" in grant for grant in call.fields["grants"]] == [True]


async def test_nothing_else_that_a_client_can_ask_for_tells_of_it(services: Services) -> None:
    async with Client(create_server(services, LOCAL_USER), elicitation_callback=Desk()) as client:
        told = [
            *[tool.model_dump_json() for tool in (await client.list_tools()).tools if "grant" in tool.name],
            *[resource.model_dump_json() for resource in (await client.list_resources()).resources],
            *[prompt.model_dump_json() for prompt in (await client.list_prompts()).prompts if "grant" in prompt.name],
            str(await client.read_resource("mailgun-mcp://domains")),
        ]
    assert [tells(text) for text in told] == [[] for _ in told]
