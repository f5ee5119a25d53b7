"""A call of somebody without an account asks them, by a URL, to store a key of their own. Both eras; no key in any message."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import mcp_types as types
import pytest
from mcp import Client

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.principal import ANONYMOUS, Principal
from mailgun_mcp.server import own_key
from mailgun_mcp.server.server import create_server
from tests.support.own_keys import ANN, ANNS, KeyedMailgun, own_key_server

pytestmark = pytest.mark.anyio

BASE = "https://mail.example.com"
ERAS: tuple[Literal["legacy", "auto"], ...] = ("legacy", "auto")
Action = Literal["accept", "decline", "cancel"]


class Person:
    """Answers the question, and stores the key meanwhile where they say yes."""

    def __init__(self, services: Services, action: Action = "accept", *, stores: bool = True) -> None:
        self.asked: list[Any] = []
        self._services = services
        self._action = action
        self._stores = stores

    async def __call__(self, _: Any, params: Any) -> types.ElicitResult:
        self.asked.append(params)
        if self._stores:
            assert self._services.personal is not None
            await self._services.personal.store(ANN, "us", ANNS)
        return types.ElicitResult(action=self._action)


@pytest.fixture
def mailgun() -> KeyedMailgun:
    return KeyedMailgun()


@pytest.fixture
def services(mailgun: KeyedMailgun) -> Services:
    return own_key_server(mailgun, public_url=BASE)


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_key, "PATIENCE", 0.02)
    monkeypatch.setattr(own_key, "EVERY", 0.01)


@asynccontextmanager
async def client_of(services: Services, person: Any, mode: Any, principal: Principal = ANN) -> AsyncIterator[Client]:
    async with Client(create_server(services, principal), mode=mode, cache=None, elicitation_callback=person) as client:
        yield client


@pytest.mark.parametrize("mode", ERAS)
async def test_the_call_goes_on_when_the_key_is_stored(mode: str, services: Services, mailgun: KeyedMailgun) -> None:
    person = Person(services)
    async with client_of(services, person, mode) as client:
        result = await client.call_tool("list_domains", {})
        assert not result.is_error, result
        assert "ann.example.com" in json.dumps(result.structured_content)
        await client.call_tool("list_domains", {})
    (asked,) = person.asked
    assert (asked.url, asked.mode) == (f"{BASE}/personal-key", "url")
    assert {key for key, _ in mailgun.seen} == {ANNS}


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
async def test_without_a_key_the_call_is_not_made(
    action: Action, mode: str, services: Services, mailgun: KeyedMailgun
) -> None:
    async with client_of(services, Person(services, action, stores=False), mode) as client:
        result = await client.call_tool("list_domains", {})
    assert (result.is_error, mailgun.seen) == (True, [])
    assert f"{BASE}/personal-key" in result.content[0].text  # type: ignore[union-attr] # it is a text


async def test_a_client_that_opens_no_urls_is_told_the_address(services: Services) -> None:
    async with Client(create_server(services, ANN), cache=None) as client:
        result = await client.call_tool("list_domains", {})
    assert f"{BASE}/personal-key" in result.content[0].text  # type: ignore[union-attr] # it is a text


@pytest.mark.parametrize("mode", ERAS)
async def test_nobody_is_asked_who_needs_no_key(mode: str, mailgun: KeyedMailgun) -> None:
    services = own_key_server(mailgun, shared=True)
    person = Person(services)
    async with client_of(services, person, mode) as client:
        await client.call_tool("list_domains", {})
    bare = own_key_server(mailgun)
    async with client_of(bare, person, mode) as client:
        await client.call_tool("whoami", {})
    async with client_of(bare, person, mode, ANONYMOUS) as client:
        assert (await client.call_tool("list_domains", {})).is_error
    assert person.asked == []


async def test_an_answer_in_advance_opens_nothing(services: Services, mailgun: KeyedMailgun) -> None:
    """A client may send what it likes: only the stored key counts."""
    async with Client(create_server(services, ANN), cache=None) as client:
        answers: Any = {own_key.KEY: types.ElicitResult(action="accept", content={"key": ANNS})}
        result = await client.session.call_tool("list_domains", {}, input_responses=answers)
    assert isinstance(result, types.CallToolResult)
    assert (result.is_error, mailgun.seen) == (True, [])


async def test_tools_offer_the_choice_to_who_has_one(mailgun: KeyedMailgun) -> None:
    services = own_key_server(mailgun, shared=True, account_name="team")
    async with client_of(services, None, "auto") as client:
        before = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert services.personal is not None
        await services.personal.store(ANN, "us", ANNS)
        after = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert "account" not in before["list_domains"].input_schema["properties"]
    own = "personal-ann-login.example.com"
    assert after["list_domains"].input_schema["properties"]["account"]["enum"] == ["team", own]
