"""The whole account goes out and comes back as lines, and what is no snapshot changes nothing."""

import json
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.control.account_json import snapshot
from tests.simulator.conftest import PLAIN, client
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio
URL = "/simulator/restore"


@pytest.fixture
async def harness(account: Account) -> AsyncIterator[httpx.AsyncClient]:
    async with client(create_app(catalogue(), account=account, control=True)) as connected:
        yield connected


async def send(harness: httpx.AsyncClient) -> None:
    mail = {"from": f"a@{PLAIN}", "to": "ok@novak.example", "subject": "S", "text": "T"}
    assert (await harness.post(f"/v3/{PLAIN}/messages", data=mail)).status_code == 200


async def content(harness: httpx.AsyncClient) -> bytes:
    return (await harness.get("/simulator/snapshot")).content


async def refusal(harness: httpx.AsyncClient, body: bytes, kind: str = "application/x-ndjson") -> str:
    before = await content(harness)
    answer = await harness.post(URL, content=body, headers={"content-type": kind})
    assert (answer.status_code, await content(harness)) == (400, before), answer.text
    return str(answer.json()["message"])


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/json"])
async def test_a_snapshot_brings_back_what_was(harness: httpx.AsyncClient, kind: str) -> None:
    before = await content(harness)
    await send(harness)
    assert await content(harness) != before
    answer = await harness.post(URL, content=before, headers={"content-type": kind})
    assert answer.status_code == 200, answer.text
    assert await content(harness) == before


async def test_a_snapshot_of_the_first_release_is_one_document(harness: httpx.AsyncClient, account: Account) -> None:
    document = snapshot(account)
    before = await content(harness)
    await send(harness)
    assert (await harness.post(URL, json=document)).status_code == 200
    assert json.loads((await content(harness)).splitlines()[1]) == json.loads(before.splitlines()[1])


async def test_what_is_no_snapshot_is_refused_and_changes_nothing(harness: httpx.AsyncClient) -> None:
    lines = (await content(harness)).splitlines(keepends=True)
    assert "this is not an account" in await refusal(harness, b"{}")
    assert "not valid JSON" in await refusal(harness, b"{")
    assert "the last lines are missing" in await refusal(harness, b"".join(lines[:-1]))
    assert "lines are missing or changed" in await refusal(harness, b"".join([*lines[:3], *lines[4:]]))
    assert "accept only application/json and application/x-ndjson" in await refusal(harness, b"{}", "text/plain")


async def test_a_snapshot_of_another_simulator_stores_new_mail_here(
    harness: httpx.AsyncClient, account: Account
) -> None:
    lines = await content(harness)
    other = lines.replace(account.storage_url.encode(), b"http://127.0.0.1:1", 1)
    assert other != lines
    # The checksum is that of the changed lines.
    body = other[: other.rstrip(b"\n").rfind(b"\n") + 1]
    last = {"lines": body.count(b"\n"), "crc32": zlib.crc32(body)}
    kind = {"content-type": "application/x-ndjson"}
    answer = await harness.post(URL, content=body + json.dumps(last).encode() + b"\n", headers=kind)
    assert answer.status_code == 200, answer.text
    await send(harness)
    events = (await harness.get(f"/v3/{PLAIN}/events", params={"event": "accepted"})).json()["items"]
    assert events[0]["storage"]["url"].startswith(f"{account.storage_url}/v3/")
