"""The start-up token is its owner, a static token is whom it names, and neither is taken for the other."""

from contextlib import suppress
from queue import SimpleQueue
from threading import Event

import anyio
import pytest
from anyio.lowlevel import checkpoint

from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.identity.tokens import TokenEntry, Tokens
from mailgun_mcp.store.database import Store, in_thread
from mailgun_mcp.web import local_tokens as module
from mailgun_mcp.web.authentication import TokenRefused
from mailgun_mcp.web.local_tokens import StartToken, StaticTokens
from tests.support.engines import on_both_engines, on_postgresql
from tests.support.state import NOW

pytestmark = pytest.mark.anyio
TOKEN = "a" * 43
PATIENCE = 20.0
READER = Access(parse_scopes(["read"]))


async def test_the_start_up_token_is_the_user_who_runs_the_server() -> None:
    verifier = StartToken(TOKEN)
    wrong = [TOKEN[:-1], f"{TOKEN}a", TOKEN.upper(), "", "mgmcp_" + TOKEN]
    assert ([verifier.takes(token) for token in wrong], verifier.takes(TOKEN)) == ([False] * len(wrong), True)
    assert await verifier.verify(TOKEN) == local_user()


async def test_a_static_token_is_its_name_with_its_access(store: Store) -> None:
    token, text = Tokens(store).create("ci", READER, by="ann", now=NOW, expires=NOW + 60)
    verifier = StaticTokens(store, lambda: NOW)
    principal = await verifier.verify(text)
    assert (principal.id, principal.access, principal.expires) == (token.name, READER, NOW + 60)
    assert (verifier.takes(text), verifier.takes(TOKEN)) == (True, False)
    with pytest.raises(TokenRefused, match="unknown, revoked or expired"):
        await verifier.verify(text[:-1])


@on_both_engines
async def test_a_token_that_is_revoked_elsewhere_ends_while_the_server_runs(store: Store) -> None:
    other = store.reopened()
    text = Tokens(store).create("ci", READER, by="ann", now=NOW)[1]
    verifier = StaticTokens(store, lambda: NOW)
    async with verifier.running():
        for _ in range(3):
            await verifier.verify(text)
        await in_thread(Tokens(other).revoke, "ci", NOW)
        with anyio.fail_after(PATIENCE), suppress(TokenRefused):
            while await verifier.verify(text):
                await checkpoint()
    other.close()


@on_postgresql
async def test_a_token_is_read_once_a_second_however_often_it_is_used(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read = Tokens.entry

    def counted(tokens: Tokens, name: str) -> TokenEntry | None:
        reads.append(name)
        return read(tokens, name)

    monkeypatch.setattr(Tokens, "entry", counted)
    seconds = 0.0
    monkeypatch.setattr(module, "monotonic", lambda: seconds)
    text = Tokens(store).create("ci", READER, by="ann", now=NOW)[1]
    verifier = StaticTokens(store, lambda: NOW)
    await verifier.verify(text)
    await verifier.verify(text)
    # Before it hears of changes, every request reads.
    assert len(reads) == 2
    verifier._is_notified = True
    await verifier.verify(text)
    await verifier.verify(text)
    assert len(reads) == 3
    seconds = module.REMEMBERED
    await verifier.verify(text)
    assert len(reads) == 4
    with pytest.raises(TokenRefused):
        await verifier.verify(text[:-1] + ("A" if text[-1] != "A" else "B"))


@on_postgresql
async def test_requests_that_arrive_together_share_one_read_of_their_token(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Tokens(store).create("ci", READER, by="ann", now=NOW)[1]
    verifier = StaticTokens(store, lambda: NOW)
    await verifier.verify(text)
    reads: list[str] = []
    read = Tokens.entry
    proceed = Event()

    def slow(tokens: Tokens, name: str) -> TokenEntry | None:
        reads.append(name)
        assert proceed.wait(PATIENCE)
        return read(tokens, name)

    monkeypatch.setattr(Tokens, "entry", slow)
    verifier._is_notified = True
    principals: list[str] = []

    async def ask(scope: anyio.CancelScope) -> None:
        with scope:
            principals.append((await verifier.verify(text)).id)

    scopes = [anyio.CancelScope() for _ in range(20)]
    async with anyio.create_task_group() as tasks:
        for scope in scopes:
            tasks.start_soon(ask, scope)
        while not reads:
            await checkpoint()
        # The first request, which started the read, ends: its client has gone.
        scopes[0].cancel()
        await checkpoint()
        proceed.set()
    assert (len(reads), principals) == (1, ["ci"] * 19)


@on_postgresql
async def test_a_read_that_takes_long_is_not_shared_with_later_requests(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Tokens(store).create("ci", READER, by="ann", now=NOW)[1]
    verifier = StaticTokens(store, lambda: NOW)
    await verifier.verify(text)
    read, proceed, reads = Tokens.entry, Event(), SimpleQueue[str]()

    def first_is_slow(tokens: Tokens, name: str) -> TokenEntry | None:
        entry = read(tokens, name)
        reads.put(name)
        if reads.qsize() == 1:
            assert proceed.wait(PATIENCE)
        return entry

    monkeypatch.setattr(Tokens, "entry", first_is_slow)
    seconds = 0.0
    monkeypatch.setattr(module, "monotonic", lambda: seconds)
    verifier._is_notified = True
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(verifier.verify, text)
        while reads.empty():
            await checkpoint()
        await in_thread(Tokens(store).revoke, "ci", NOW)
        seconds = module.REMEMBERED
        with pytest.raises(TokenRefused):
            await verifier.verify(text)
        proceed.set()


@on_both_engines
async def test_the_last_use_is_written_once_a_minute_by_each_server(store: Store) -> None:
    text = Tokens(store).create("ci", READER, by="ann", now=NOW)[1]
    times = iter((NOW, NOW + 30, NOW + 90))
    verifier = StaticTokens(store, lambda: next(times))
    for _ in range(3):
        await verifier.verify(text)
    assert Tokens(store).list()[0].last_used == NOW + 90
