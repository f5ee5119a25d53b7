"""The stdio server as a process: only JSON-RPC on stdout, an answer to every frame, alive after each."""

import asyncio
import json
import os
import signal
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.forked import forked
from tests.support.processes import (
    INITIALIZE,
    PATIENCE,
    RawStdio,
    command,
    environment,
    pointed_at,
    raw_stdio,
)
from tests.support.upstream import Upstream, hangs, says

pytestmark = pytest.mark.anyio

BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}


@pytest.fixture
async def server(upstream: Upstream, tmp_path: Path) -> AsyncIterator[RawStdio]:
    async with raw_stdio([], environment(tmp_path, pointed_at(upstream.url)), start=forked) as process:
        yield process


FRAMES: dict[str, tuple[str | bytes, int, Any]] = {
    "no JSON": ("nonsense", -32700, None),
    "half of a frame": ('{"jsonrpc": "2.0", "id": 9, "meth', -32700, None),
    "not UTF-8": (b'{"jsonrpc": "2.0", "id": 9, "method": "\xff', -32700, None),
    "Latin-1 in a text": (
        b'{"jsonrpc": "2.0", "id": 9, "method": "tools/list", "params": {"x": "Gr\xfc\xdfe"}}',
        -32700,
        9,
    ),
    "a lone surrogate": (
        r'{"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "list_domains", "arguments": {"search": "\ud83d"}}}',
        -32700,
        9,
    ),
    "nesting without end": ('{"jsonrpc": "2.0", "id": 9, "method": "x", "params": ' + "[" * 100_000, -32700, None),
    "deep nesting": (
        '{"jsonrpc": "2.0", "id": 9, "method": "x", "params": {"a": ' + "[" * 300 + "]" * 300 + "}}",
        -32700,
        9,
    ),
    "a list": ("[]", -32600, None),
    "a number": ("7", -32600, None),
    "no version": ('{"id": "nine", "method": "tools/list"}', -32600, "nine"),
    "no method": ('{"jsonrpc": "2.0", "id": 9}', -32600, 9),
    "an id of true": ('{"jsonrpc": "2.0", "id": true}', -32600, None),
    "an unknown method": ('{"jsonrpc": "2.0", "id": 9, "method": "tools/cal"}', -32601, 9),
    "a call without a name": ('{"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {}}', -32602, 9),
    "arguments that are a list": (
        '{"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "list_domains", "arguments": []}}',
        -32602,
        9,
    ),
}


async def test_a_broken_frame_is_answered_and_the_next_call_works(server: RawStdio, upstream: Upstream) -> None:
    wrong = {}
    for name, (frame, code, identifier) in FRAMES.items():
        await server.send(frame)
        answer = await server.receive()
        sent = len(upstream.received)
        upstream.then(says({"address": "ann@example.com"}))
        works = await server.request("tools/call", {"name": "get_bounce", "arguments": BOUNCE})
        if ((answer["id"], answer["error"]["code"]), sent) != ((identifier, code), 0) or (
            works["result"]["structuredContent"] != {"listed": True, "address": "ann@example.com"}
        ):
            wrong[name] = (answer, works)
        upstream.forget()
    assert wrong == {}


async def test_a_large_frame_is_bounded_and_its_files_arrive(server: RawStdio, upstream: Upstream) -> None:
    mail = {
        "domain_name": "mg.example.com",
        "from": "a@mg.example.com",
        "to": ["b@x.example"],
        "subject": "s",
        "text": "t",
    }
    refused = await server.request(
        "tools/call", {"name": "send_message", "arguments": {**mail, "text": "x" * 5_000_000}}
    )
    assert (refused["error"]["code"], "more than the limit of 4.0 MB" in refused["error"]["message"]) == (-32600, True)
    upstream.then(says({"id": "<1@mg.example.com>", "message": "Queued. Thank you."}))
    content = bytes(range(256)) * 24 * 1024
    attachments = [{"base64": b64encode(content).decode(), "filename": "report.bin"}]
    sent = await server.request(
        "tools/call", {"name": "send_message", "arguments": {**mail, "attachments": attachments}}
    )
    assert sent["result"]["isError"] is False
    (request,) = upstream.received
    assert content in request.body


async def test_a_broken_frame_before_the_greeting_does_not_end_the_server(upstream: Upstream, tmp_path: Path) -> None:
    async with raw_stdio([], environment(tmp_path, pointed_at(upstream.url)), greet=False, start=forked) as server:
        await server.send("nonsense")
        assert (await server.receive())["error"]["code"] == -32700
        greeting = await server.request("initialize", INITIALIZE)
        assert greeting["result"]["serverInfo"]["name"] == "mailgun-mcp"


async def test_stdout_carries_json_rpc_only_and_the_end_of_stdin_ends_the_server(server: RawStdio) -> None:
    await server.request("tools/list")
    await server.request("tools/call", {"name": "delete_bounce", "arguments": BOUNCE})
    await server.send("nonsense")
    await server.receive()
    assert await server.end() == 0
    assert [json.loads(line)["jsonrpc"] for line in server.lines] == ["2.0"] * 4


async def test_two_starts_list_the_same_bytes(upstream: Upstream, tmp_path: Path) -> None:
    lines = []
    for _ in range(2):
        async with raw_stdio([], environment(tmp_path, pointed_at(upstream.url))) as server:
            await server.request("tools/list")
            lines.append(server.lines[-1])
    assert lines[0] == lines[1]


async def test_the_simulator_needs_no_account(tmp_path: Path) -> None:
    async with raw_stdio(["--simulator"], environment(tmp_path), start=forked) as server:
        answer = await server.request("tools/call", {"name": "list_domains", "arguments": {}})
    assert answer["result"]["isError"] is False
    assert answer["result"]["structuredContent"]["items"]


async def test_the_end_of_stdin_ends_a_server_that_waits_for_mailgun(server: RawStdio, upstream: Upstream) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    upstream.then(hangs(begun, ended))
    call = {"name": "get_bounce", "arguments": BOUNCE}
    await server.send(json.dumps({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": call}))
    await begun.wait()
    assert await server.end() == 0
    await ended.wait()


async def test_an_interrupt_ends_the_server_without_a_traceback(upstream: Upstream, tmp_path: Path) -> None:
    env = environment(tmp_path, pointed_at(upstream.url))
    async with raw_stdio([], env, errors=subprocess.PIPE) as server:
        server.process.send_signal(signal.SIGINT)
        assert await server.end() == 130
        assert server.process.stderr is not None
        assert [chunk async for chunk in server.process.stderr] == []


async def test_a_byte_order_mark_is_passed_over(upstream: Upstream, tmp_path: Path) -> None:
    async with raw_stdio([], environment(tmp_path, pointed_at(upstream.url)), greet=False, start=forked) as server:
        await server.send("\ufeff")
        greeting = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
        await server.send("\ufeff" + json.dumps(greeting))
        assert (await server.receive())["result"]["serverInfo"]["name"] == "mailgun-mcp"


async def test_blank_lines_are_passed_over(server: RawStdio) -> None:
    await server.send("")
    await server.send(" \r")
    assert (await server.request("ping"))["result"] == {}


def test_a_closed_stdout_ends_the_server_while_stdin_is_held_open(tmp_path: Path) -> None:
    with subprocess.Popen(
        forked("serve", "--simulator"), env=environment(tmp_path), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode() + b"\n")
        process.stdin.flush()
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE) == 0


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX's")
@pytest.mark.parametrize(("typed", "code"), [(b"", 130), (b"\x04", 0)], ids=["Ctrl+C", "Ctrl+D"])
def test_in_a_terminal_it_says_what_it_waits_for_and_ends_at_the_first_key(
    typed: bytes, code: int, tmp_path: Path
) -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen(
        command("serve", "--simulator"),
        env=environment(tmp_path),
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        assert process.stderr is not None
        assert b"waits for an MCP client on stdin" in process.stderr.readline()
        if typed:
            os.write(ours, typed)
        else:
            process.send_signal(signal.SIGINT)
        assert (process.wait(PATIENCE), process.stderr.read()) == (code, b"")
    os.close(ours)
