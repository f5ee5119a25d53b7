"""Somebody wants another person's Mailgun key: to read it, to use it, or to put one of their own in its place.

Over HTTP, as programs and browsers of an attacker reach the server. The attacker has a token and a sign-in of their own.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.accounts import Accounts
from mailgun_mcp.identity.principal import Principal
from tests.support.own_keys import ANNS, BENS, KeyedMailgun, own_key_server
from tests.support.pages import Browser, browsing
from tests.support.team import MODERN, team_server, token_of

pytestmark = pytest.mark.anyio

ANN, MALLORY = "ann", "mallory"
SCOPES = "read write send destructive"


@pytest.fixture
def mailgun() -> KeyedMailgun:
    return KeyedMailgun()


@pytest.fixture
async def services(mailgun: KeyedMailgun) -> Services:
    services = own_key_server(mailgun)
    assert services.personal is not None
    await services.personal.store(Principal(ANN), "us", ANNS)
    mailgun.seen.clear()
    return services


@pytest.fixture
async def browser(services: Services) -> AsyncIterator[Browser]:
    async with browsing(services) as browser:
        yield browser


def message(tool: str, arguments: dict[str, Any], *, url: bool = False) -> dict[str, Any]:
    prefix = "io.modelcontextprotocol/"
    meta = {
        f"{prefix}protocolVersion": MODERN,
        f"{prefix}clientCapabilities": {"elicitation": {"url": {}}} if url else {},
    }
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


async def called(http: Any, token: dict[str, str], tool: str, arguments: dict[str, Any], *, url: bool = False) -> Any:
    headers = {
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
        "Accept": "application/json",
    }
    answer = await http.post("/mcp", json=message(tool, arguments, url=url), headers={**headers, **token})
    return answer.json()["result"]


async def test_a_call_cannot_name_the_account_of_somebody_else(services: Services, mailgun: KeyedMailgun) -> None:
    token = token_of(services, MALLORY, SCOPES)
    async with team_server(services) as http:
        for arguments in ({}, {"account": f"personal-{ANN}"}, {"account": ""}, {"account": ["personal-ann"]}):
            result = await called(http, token, "list_domains", arguments)
            assert (result["isError"], ANNS in json.dumps(result)) == (True, False)
        told = await called(http, token, "whoami", {})
        assert f"personal-{ANN}" not in json.dumps(told)
        own = await called(http, token_of(services, ANN, SCOPES), "list_domains", {})
    assert own["isError"] is False
    assert {key for key, _ in mailgun.seen} == {ANNS}


async def test_a_key_in_a_header_or_an_argument_is_not_taken(services: Services, mailgun: KeyedMailgun) -> None:
    headers = {
        **token_of(services, MALLORY, SCOPES),
        "X-Mailgun-Api-Key": BENS,
        "X-Principal": ANN,
        "Cookie": f"key={BENS}",
    }
    async with team_server(services) as http:
        result = await called(http, headers, "list_domains", {"api_key": BENS})
    assert (result["isError"], mailgun.seen) == (True, [])


async def test_the_address_that_a_client_opens_names_nobody(services: Services) -> None:
    """So sending it to another person makes them store a key for themselves."""
    token = token_of(services, MALLORY, SCOPES)
    async with team_server(services) as http:
        asked = await called(http, token, "list_domains", {}, url=True)
    (question,) = asked["inputRequests"].values()
    assert question["params"]["url"] == "http://localhost/personal-key"
    assert MALLORY not in json.dumps(asked)


async def test_a_bearer_token_is_no_session(services: Services, mailgun: KeyedMailgun) -> None:
    async with team_server(services, loopback=True) as http:
        headers = {**token_of(services, MALLORY, SCOPES), "Origin": "http://localhost"}
        for path in ("/personal-key/store", "/personal-key/remove"):
            answer = await http.post(path, data={"key": BENS, "region": "us"}, headers=headers)
            assert answer.status_code == 401
        assert (await http.get("/personal-key", headers=headers)).status_code == 303
    assert mailgun.seen == []


async def test_the_page_of_one_person_changes_nothing_of_another(services: Services) -> None:
    async with browsing(services) as browser:
        browser.sign_in_as(MALLORY, "read")
        await browser.open("/personal-key?principal=ann&account=personal-ann")
        assert "No key is stored" in browser.text
        await browser.send("/store", key=BENS, region="us", principal=ANN, account="personal-ann", owner=ANN)
        await browser.send("/remove", principal=ANN)
    assert services.personal is not None
    kept = await services.personal.stored(ANN)
    assert kept is not None
    assert kept.key == ANNS


async def test_a_principal_whose_name_looks_like_another_is_another(services: Services, mailgun: KeyedMailgun) -> None:
    assert services.personal is not None
    for name in ("Ann", "ann ", "a\u200bnn", "ann\x00", "аnn", "ann-2", "%"):
        assert await services.personal.services_of(Principal(name)) is None
    await services.personal.store(Principal("ann!"), "us", BENS)
    names = {account.name for account in Accounts(services.store).list()}
    assert names == {"personal-ann", "personal-ann-2"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fields=st.dictionaries(st.sampled_from(["key", "region", "form-token", "said", "x"]), st.text(max_size=80)),
    said=st.text(max_size=40),
)
async def test_no_form_makes_the_server_fail_or_say_a_key(
    fields: dict[str, str], said: str, browser: Browser, mailgun: KeyedMailgun
) -> None:
    browser.sign_in_as(ANN, "read")
    assert (await browser.http.get("/personal-key", params={"said": said})).status_code == 200
    await browser.open("/personal-key")
    for path in ("/personal-key/store", "/personal-key/remove"):
        answer = await _sent(browser, path, fields)
        assert answer.status_code in (400, 403, 415)
        assert ANNS not in answer.text
    token = browser.form("/store")["form-token"]
    region = "no such region"
    answer = await _sent(browser, "/personal-key/store", {**fields, "region": region, "form-token": token})
    assert answer.status_code == 400
    assert mailgun.seen == []


async def _sent(browser: Browser, path: str, fields: dict[str, str]) -> Any:
    encoded = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    return await browser.post(path, encoded)
