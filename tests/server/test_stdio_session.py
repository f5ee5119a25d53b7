"""A session on stdio: who answers which message, that each is answered once, and as the SDK answers it."""

import asyncio
import json
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.services import Services
from mailgun_mcp.server.early_answers import EarlyAnswers
from mailgun_mcp.server.stdio_session import Session
from mailgun_mcp.settings import Settings
from tests.support.processes import PATIENCE, environment
from tests.support.stdio_clients import CALLS, CHANGES, LEGACY, MODERN, call, in_session
from tests.support.stdio_sessions import ENVELOPE, Lines, answers_of_the_sdk, frame, opened
from tests.support.upstream import Upstream, hangs, says

pytestmark = pytest.mark.anyio

META: list[dict[str, Any]] = [
    {},
    {"progressToken": 3},
    {"progressToken": "three", "client.example/use": {"id": 1}},
    {"progressToken": []},
    {"io.modelcontextprotocol/logLevel": "debug"},
]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Services:
    return create_services(Settings(simulator=True, state=str(tmp_path_factory.mktemp("state"))))


def frames(era: str) -> list[bytes]:
    envelope = ENVELOPE if era == MODERN else {}
    calls = [
        frame("tools/call", {**params, **({"_meta": {**envelope, **meta}} if envelope or meta else {})}, number)
        for number, (params, meta) in enumerate(product(CALLS.values(), META), 10)
    ]
    if era == MODERN:
        broken = [{}, {**ENVELOPE, "io.modelcontextprotocol/protocolVersion": LEGACY}]
        more = [frame("tools/call", {**CALLS["a read"], "_meta": meta}, "broken") for meta in broken]
        return [frame("tools/list", {"_meta": ENVELOPE}, 1), *calls, *more]
    mixed = frame("tools/call", {**CALLS["a read"], "_meta": ENVELOPE}, "mixed")
    numbers = [frame("tools/call", CALLS["a read"], identifier) for identifier in ("7", -7, 1.5, None, True, 10**20)]
    return [*opened(era), *calls, mixed, *numbers]


@pytest.mark.parametrize("era", ["2025-06-18", LEGACY, MODERN])
async def test_every_call_has_the_answer_of_the_sdk(era: str, services: Services) -> None:
    lines = frames(era)
    client = Lines(lines)
    with anyio.fail_after(PATIENCE):
        await Session(services, client, EarlyAnswers(services)).run()
    expected = await answers_of_the_sdk(services, lines)
    assert [CHANGES.sub(b"*", line) for line in client.written] == [CHANGES.sub(b"*", line) for line in expected]
    assert len(client.written) > len(CALLS) * len(META)


async def test_a_call_before_the_session_is_refused_by_the_sdk(services: Services) -> None:
    lines = [frame("tools/call", CALLS["a read"])]
    client = Lines(lines)
    await Session(services, client, EarlyAnswers(services)).run()
    assert client.written == await answers_of_the_sdk(services, lines)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**40) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=25)
@given(
    era=st.sampled_from([LEGACY, MODERN]),
    params=st.lists(
        st.fixed_dictionaries(
            {"name": st.sampled_from(["list_domains", "get_domain", "x"])},
            optional={"arguments": JSON, "_meta": JSON, "more": JSON},
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_whatever_is_called_the_answer_is_that_of_the_sdk(
    services: Services, era: str, params: list[dict[str, Any]]
) -> None:
    envelope = ENVELOPE if era == MODERN else {}
    lines = [frame("tools/list", {"_meta": ENVELOPE}, 1)] if era == MODERN else opened(era)
    for number, one in enumerate(params, 10):
        meta = one.get("_meta")
        whole = {**one, "_meta": {**envelope, **(meta if isinstance(meta, dict) else {})}}
        lines.append(frame("tools/call", whole, number))

    async def run() -> tuple[list[bytes], list[bytes]]:
        client = Lines(lines)
        await Session(services, client, EarlyAnswers(services)).run()
        return client.written, await answers_of_the_sdk(services, lines)

    written, expected = anyio.run(run)
    assert [CHANGES.sub(b"*", line) for line in written] == [CHANGES.sub(b"*", line) for line in expected]


KINDS = ["call", "bad call", "unknown", "ping", "prompts/list", "large", "no message", "cancel"]


@settings(max_examples=20)
@given(sent=st.lists(st.sampled_from(KINDS), min_size=1, max_size=14))
def test_however_messages_mix_each_request_is_answered_once(services: Services, sent: list[str]) -> None:
    made_of = {
        "call": lambda number: call(LEGACY, "list_domains", {"limit": 5}, number),
        "bad call": lambda number: call(LEGACY, "list_domains", {"limit": "x"}, number),
        "unknown": lambda number: call(LEGACY, "no_such_tool", {}, number),
        "ping": lambda number: frame("ping", {}, number),
        "prompts/list": lambda number: frame("prompts/list", {}, number),
        "large": lambda number: call(LEGACY, "get_domain", {"name": "x" * 70_000}, number),
        "no message": lambda number: f'{{"id": {number}}}\n'.encode(),
        "cancel": lambda number: frame("notifications/cancelled", {"requestId": number + 1_000}, None),
    }
    lines = [made_of[kind](number).replace(b'"id": null, ', b"") for number, kind in enumerate(sent)]
    due = [number for number, kind in enumerate(sent) if kind != "cancel"]

    async def run() -> list[Any]:
        async with in_session(services, LEGACY) as client:
            for line in lines:
                client.send(line)
            return [(await client.receive())["id"] for _ in due]

    assert sorted(anyio.run(run)) == due


BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}


def of(upstream: Upstream, state: Path) -> Services:
    return create_services(Settings(api_key="key-0123", url=upstream.url, state=str(state)))


@pytest.mark.parametrize("era", [LEGACY, MODERN])
@pytest.mark.parametrize("reason", [b"late", rb"trop tard, d\u00e9sol\u00e9"], ids=["plain", "with an escape"])
async def test_a_call_that_is_given_up_is_not_answered_and_ends(
    reason: bytes, era: str, upstream: Upstream, tmp_path: Path
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    upstream.then(hangs(begun, ended))
    async with in_session(of(upstream, tmp_path), era) as client:
        client.send(call(era, "get_bounce", BOUNCE, 7))
        await begun.wait()
        params = b'{"requestId":"7","reason":"' + reason + b'"}'
        client.send(b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":' + params + b"}\n")
        with anyio.fail_after(60):
            await ended.wait()
        upstream.then(says({"address": "ann@example.com"}))
        assert (await client.ask(call(era, "get_bounce", BOUNCE, 8)))["id"] == 8
        assert client.rest() == []


async def test_a_call_that_runs_when_the_client_leaves_is_answered_as_closed(
    upstream: Upstream, tmp_path: Path
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    upstream.then(hangs(begun, ended))
    async with in_session(of(upstream, tmp_path), LEGACY) as client:
        client.send(call(LEGACY, "get_bounce", BOUNCE, 7))
        await begun.wait()
        client.end()
        answer = await client.receive()
    await ended.wait()
    assert answer == {"jsonrpc": "2.0", "id": 7, "error": {"code": -32000, "message": "Connection closed"}}


async def test_a_person_is_asked_once_and_the_call_is_made_once(upstream: Upstream, tmp_path: Path) -> None:
    services = of(upstream, tmp_path)
    upstream.then(says({"address": "ann@example.com"}), says({"address": "ann@example.com"}), says({"message": "gone"}))
    async with in_session(services, LEGACY, {"elicitation": {}}) as client:
        client.send(call(LEGACY, "delete_bounce", BOUNCE, "it", _meta={"progressToken": "p"}))
        messages = []
        while (message := await client.receive()).get("method") != "elicitation/create":
            messages.append(message)
        client.send(
            frame("x", None, message["id"]).replace(
                b'"method": "x"', b'"result": {"action": "accept", "content": {"confirm": true}}'
            )
        )
        while "id" not in (answer := await client.receive()):
            messages.append(answer)
        assert (answer["id"], answer["result"]["isError"]) == ("it", False)
        assert {message["method"] for message in messages} <= {"notifications/progress"}
    assert [request.method for request in upstream.received].count("DELETE") == 1
    entries = list(services.audit_log.entries())
    assert len({entry.call for entry in entries if entry.fields.get("tool") == "delete_bounce"}) == 1


async def test_in_the_newer_era_the_question_is_the_result_and_its_answer_makes_the_call(
    upstream: Upstream, tmp_path: Path
) -> None:
    meta: dict[str, Any] = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
    for _ in range(4):
        upstream.then(says({"address": "ann@example.com"}))
    async with in_session(of(upstream, tmp_path), MODERN) as client:
        asked = (await client.ask(call(MODERN, "delete_bounce", BOUNCE, 1, _meta=meta)))["result"]
        assert asked["resultType"] == "input_required"
        answered = {name: {"action": "accept", "content": {"confirm": True}} for name in asked["inputRequests"]}
        again = call(
            MODERN, "delete_bounce", BOUNCE, 2, _meta=meta, inputResponses=answered, requestState=asked["requestState"]
        )
        assert (await client.ask(again))["result"]["isError"] is False
    assert [request.method for request in upstream.received].count("DELETE") == 1


async def test_a_subscriber_is_told_of_a_call_that_was_made_directly(upstream: Upstream, tmp_path: Path) -> None:
    # The account has no template of this name.
    upstream.then(says({"message": "not found"}, 404))
    async with in_session(of(upstream, tmp_path), LEGACY) as client:
        assert "result" in await client.ask(
            frame("resources/subscribe", {"uri": "mailgun-mcp://domains/mg.example.com/templates"}, 1)
        )
        client.send(call(LEGACY, "create_template", {"domain": "mg.example.com", "name": "welcome"}, 2))
        messages = [await client.receive() for _ in range(2)]
    assert [message.get("method") for message in messages] == ["notifications/resources/updated", None]


@pytest.mark.parametrize("era", [LEGACY, MODERN])
def test_a_session_that_lists_and_calls_never_imports_the_sdk(era: str, tmp_path: Path) -> None:
    first = (
        [frame("tools/list", {"_meta": ENVELOPE}, 1)] if era == MODERN else [*opened(era), frame("tools/list", {}, 1)]
    )
    lines = [*first, call(era, "list_domains", {}, 2)]
    command = [sys.executable, "-X", "importtime", "-m", "mailgun_mcp", "serve", "--simulator"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(tmp_path)) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"".join(lines))
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for line in lines if b'"id"' in line]
        _, imported = process.communicate(timeout=PATIENCE)
    assert all("result" in answer for answer in answers)
    assert re.findall(rb"\| +(mcp|mcp_types|pydantic)$", imported, re.MULTILINE) == []
