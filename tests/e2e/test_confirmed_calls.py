"""A person's answer on every transport and in both eras, and one yes between processes."""

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from mcp import Client

from mailgun_mcp.confirm.asker import REFUSALS
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.server import server
from mailgun_mcp.server.server import create_server
from tests.e2e.conftest import ERAS, WAYS, connect
from tests.support import people
from tests.support.calls import LOCAL_USER
from tests.support.forked import forked
from tests.support.people import Desk
from tests.support.processes import PATIENCE, RawStdio, environment, pointed_at, raw_stdio
from tests.support.recorder import Recorder, recorded_services
from tests.support.requests import changing
from tests.support.upstream import Answer, Connection, Upstream, says, serve_upstream

pytestmark = pytest.mark.anyio

BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}
DOMAIN = {"name": "mg.example.com"}
LOOK = "GET /v3/mg.example.com/bounces/ann%40example.com"
DELETE = "DELETE /v3/mg.example.com/bounces/ann%40example.com"


@dataclass
class Seat:
    client: Client
    desk: Desk
    mailgun: Upstream


@pytest.fixture(scope="module", params=[(way, era) for way in WAYS for era in ERAS], ids="-".join)
async def open_seat(
    request: pytest.FixtureRequest, mailgun: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Seat]:
    way, era = request.param
    env, desk = environment(tmp_path_factory.mktemp("home"), pointed_at(mailgun.url)), Desk()
    async with connect(way, era, mailgun, env, desk) as client:
        yield Seat(client, desk, mailgun)


@pytest.fixture
def seat(open_seat: Seat) -> Seat:
    open_seat.mailgun.forget()
    open_seat.desk.asked.clear()
    return open_seat


def text(result: types.CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, types.TextContent)
    return content.text


async def test_a_yes_lets_the_call_through_once_and_the_person_saw_it(seat: Seat) -> None:
    seat.desk.person = people.accepts
    result = await seat.client.call_tool("delete_bounce", BOUNCE)
    assert (result.is_error, changing(seat.mailgun.lines)) == (False, [DELETE])
    assert seat.mailgun.lines[-2:] == [LOOK, DELETE]
    (shown,) = seat.desk.asked
    assert DELETE in shown.splitlines()


async def test_a_no_lets_nothing_through(seat: Seat) -> None:
    seat.desk.person = people.declines
    result = await seat.client.call_tool("delete_bounce", BOUNCE)
    assert (text(result).partition(".")[0], changing(seat.mailgun.lines)) == (f"Not made: {REFUSALS['declined']}", [])


async def test_the_model_is_told_why_a_person_said_no(seat: Seat) -> None:
    seat.desk.person = people.declines_with_a_reason
    refused = text(await seat.client.call_tool("delete_bounce", BOUNCE))
    assert re.search(rf"for this reason: ⟦(\w{{8}}) the person⟧ {people.REASON} ⟦\1⟧", refused), refused
    assert changing(seat.mailgun.lines) == []


async def test_what_was_typed_must_be_the_name(seat: Seat) -> None:
    seat.desk.person = people.answers_wrong
    result = await seat.client.call_tool("delete_domain", DOMAIN)
    assert (text(result).partition(".")[0], changing(seat.mailgun.lines)) == (f"Not made: {REFUSALS['wrong']}", [])
    seat.desk.person = people.accepts
    result = await seat.client.call_tool("delete_domain", DOMAIN)
    assert (result.is_error, changing(seat.mailgun.lines)) == (False, ["DELETE /v3/domains/mg.example.com"])


async def test_a_target_that_changed_is_asked_about_again(seat: Seat) -> None:
    seat.mailgun.then(*(says({"code": code}) for code in (1, 2, 2, 2)))
    seat.desk.person = people.accepts
    result = await seat.client.call_tool("delete_bounce", BOUNCE)
    assert (result.is_error, changing(seat.mailgun.lines)) == (False, [DELETE])
    assert [f"(code {code})" in asked for code, asked in zip((1, 2), seat.desk.asked, strict=True)] == [True, True]


async def test_a_yes_under_another_policy_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two servers that share the keys of sealed state, as replicas do, but not the policy."""
    monkeypatch.setattr(server, "token_bytes", lambda size: b"k" * size)
    mailgun = Recorder()
    apps = [recorded_services(mailgun, policy=profile(name)) for name in ("guarded", "strict")]
    async with AsyncExitStack() as stack:
        guarded, strict = [
            await stack.enter_async_context(Client(create_server(services, LOCAL_USER), elicitation_callback=Desk()))
            for services in apps
        ]
        question = await guarded.session.call_tool("delete_bounce", BOUNCE, allow_input_required=True)
        assert isinstance(question, types.InputRequiredResult)
        given: Any = {"input_responses": YES, "request_state": question.request_state, "allow_input_required": True}
        refused = await strict.session.call_tool("delete_bounce", BOUNCE, **given)
        assert isinstance(refused, types.CallToolResult)
        assert (text(refused).partition(".")[0], mailgun.changes) == (f"Not made: {REFUSALS['other']}", [])


YES: types.InputResponses = {"confirmation": types.ElicitResult(action="accept", content={"confirm": True})}


async def test_of_many_that_answer_with_one_state_at_once_one_is_heard() -> None:
    mailgun = Recorder()
    async with Client(create_server(recorded_services(mailgun), LOCAL_USER), elicitation_callback=Desk()) as client:
        question = await client.session.call_tool("delete_bounce", BOUNCE, allow_input_required=True)
        assert isinstance(question, types.InputRequiredResult)
        given: Any = {"input_responses": YES, "request_state": question.request_state}
        calls = [client.session.call_tool("delete_bounce", BOUNCE, **given) for _ in range(16)]
        results = await asyncio.gather(*calls)
    assert sorted(result.is_error for result in results) == [False] + [True] * 15
    assert {text(result).partition(".")[0] for result in results if result.is_error} == {
        f"Not made: {REFUSALS['replay']}"
    }
    assert len(mailgun.changes) == 1


class Gate:
    """Answers the first of each group only when the last has come."""

    def __init__(self, size: int, answer: Answer) -> None:
        self.barrier, self.answer = asyncio.Barrier(size), answer

    async def __call__(self, connection: Connection) -> None:
        await self.barrier.wait()
        await self.answer(connection)


async def called(server: RawStdio) -> tuple[bool, str]:
    answer = await server.request("tools/call", {"name": "delete_bounce", "arguments": BOUNCE})
    return answer["result"]["isError"], answer["result"]["content"][0]["text"]


@pytest.mark.parametrize("round_", range(3))
async def test_of_two_processes_with_one_approval_one_makes_the_call(round_: int, tmp_path: Path) -> None:
    async with serve_upstream() as mailgun, AsyncExitStack() as stack:
        env = environment(tmp_path, pointed_at(mailgun.url))
        servers = [await stack.enter_async_context(raw_stdio([], env, start=forked)) for _ in range(2)]
        bounce = says({"address": "ann@example.com", "code": "550", "error": "the mail server's own words"})
        mailgun.then(bounce)
        answer = await servers[0].request("tools/call", {"name": "delete_bounce", "arguments": BOUNCE})
        pending = answer["result"]["_meta"]["mailgun-mcp/approval"]
        assert {"id", "level", "expires", "form", "untrusted_text"} == set(pending)
        assert DELETE in pending["form"]
        name = pending["id"]
        approve = forked("approvals", "approve", name, "--by", "ann", "--typed", "ann@example.com")
        done = await asyncio.to_thread(
            subprocess.run, approve, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stderr
        gate = Gate(2, bounce)
        mailgun.then(gate, gate)
        results = await asyncio.gather(*map(called, servers))
    assert sorted(is_error for is_error, _ in results) == [False, True]
    (refused,) = [told for is_error, told in results if is_error]
    assert refused.startswith("Pending approval ")
    assert changing(mailgun.lines) == [DELETE]
    assert json.loads(next(told for is_error, told in results if not is_error))["message"] == "stub"
