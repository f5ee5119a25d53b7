"""The page of a person's own Mailgun key: what it stores for whom, what it refuses, and that it shows no key."""

from collections.abc import AsyncIterator

import pytest

from mailgun_mcp.call.personal_accounts import PersonalAccounts
from mailgun_mcp.call.services import Services
from mailgun_mcp.web.pages.cookies import SESSION
from tests.support.own_keys import ANN, ANNS, BEN, BENS, KeyedMailgun, own_key_server
from tests.support.pages import ORIGIN, Browser, browsing
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio

PAGE = "/personal-key"


@pytest.fixture
def mailgun() -> KeyedMailgun:
    return KeyedMailgun()


@pytest.fixture
def services(mailgun: KeyedMailgun) -> Services:
    return own_key_server(mailgun)


@pytest.fixture
async def browser(services: Services) -> AsyncIterator[Browser]:
    async with browsing(services) as browser:
        yield browser


def personal(services: Services) -> PersonalAccounts[Services]:
    assert services.personal is not None
    return services.personal


async def stored(services: Services, principal: str = ANN.id) -> str | None:
    found = await personal(services).stored(principal)
    return None if found is None else found.key


async def test_a_person_stores_replaces_and_removes_their_key(services: Services, browser: Browser) -> None:
    browser.sign_in_as(ANN.id, "read")
    await browser.open(PAGE)
    assert "No key is stored" in browser.text
    await browser.send("/store", key=ANNS, region="eu")
    assert "Your key is stored. Your calls are made in your own account." in browser.text
    assert "Account personal-ann-login.example.com Region eu since" in browser.text
    assert await stored(services) == ANNS
    await browser.send("/store", key=BENS, region="us")
    assert await stored(services) == BENS
    await browser.send("/remove")
    assert "Your key is removed" in browser.text
    assert await stored(services) is None


async def test_the_page_never_shows_a_key(services: Services, browser: Browser) -> None:
    browser.sign_in_as(ANN.id, "read")
    await browser.open(PAGE)
    refused = await browser.send("/store", key="wrong-key-0123456789", region="eu")
    assert (refused.status_code, "does not accept this key" in browser.text) == (400, True)
    assert "wrong-key" not in refused.text
    assert browser.form("/store")["region"] == "eu", "what is no secret stays"
    answer = await browser.send("/store", key=ANNS, region="us")
    again = await browser.open(PAGE)
    assert ANNS not in answer.text + again.text
    assert again.headers["cache-control"] == "no-store"


async def test_everybody_who_is_signed_in_has_the_page_and_only_their_own(services: Services, browser: Browser) -> None:
    await personal(services).store(ANN, "eu", ANNS)
    browser.sign_in_as(BEN.id, "read")
    await browser.open(PAGE)
    assert ("No key is stored" in browser.text, "ann" in browser.text.lower().replace("cannot", "")) == (True, False)
    await browser.send("/store", key=BENS, region="us", principal=ANN.id)
    assert (await stored(services), await stored(services, BEN.id)) == (ANNS, BENS)


async def test_nobody_is_let_in_without_a_session(services: Services, browser: Browser) -> None:
    assert (await browser.open(PAGE)).url.path == "/sign-in"
    assert browser.page is not None
    assert browser.page.url.params["next"] == PAGE
    for path in ("/store", "/remove"):
        assert (await browser.post(PAGE + path, {"key": ANNS, "region": "us"})).status_code == 401
    browser.http.cookies.set(SESSION, "x" * 43)
    assert (await browser.post(f"{PAGE}/store", {"key": ANNS, "region": "us"})).status_code == 401
    assert await stored(services) is None


async def test_a_form_of_another_site_another_session_or_another_page_is_not_taken(
    services: Services, mailgun: KeyedMailgun, browser: Browser
) -> None:
    browser.sign_in_as(BEN.id, "read")
    await browser.open(PAGE)
    bens = browser.form("/store")["form-token"]
    browser.sign_in_as(ANN.id, "read")
    await browser.open(PAGE)
    fields = {"key": BENS, "region": "us", "form-token": browser.form("/store")["form-token"]}
    for headers in ({}, {"Origin": "https://evil.example.com"}, {**ORIGIN, "Sec-Fetch-Site": "cross-site"}):
        assert (await browser.post(f"{PAGE}/store", fields, headers=headers)).status_code == 403
    for token in ("", "x", bens, fields["form-token"] + "0"):
        answer = await browser.post(f"{PAGE}/store", {**fields, "form-token": token})
        assert answer.status_code == 403
    assert (await browser.post(f"{PAGE}/remove", fields)).status_code == 403
    assert (mailgun.seen, await stored(services)) == ([], None)


async def test_a_form_counts_once(services: Services, mailgun: KeyedMailgun, browser: Browser) -> None:
    browser.sign_in_as(ANN.id, "read")
    await browser.open(PAGE)
    fields = {**browser.form("/store"), "key": ANNS, "region": "us"}
    path = fields.pop("")
    assert (await browser.post(path, fields)).status_code == 303
    await personal(services).remove(ANN.id)
    assert (await browser.post(path, fields)).status_code == 409
    assert await stored(services) is None


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"key": "x" * 1_000_000}, 413),
        ({"key": "x" * 5_000}, 400),
        ({"key": "\x00\x1b[2J"}, 400),
        ({"key": "a\r\nAuthorization: x"}, 400),
        ({"key": ""}, 400),
        ({"region": "https://evil.example.com"}, 400),
        ({"region": ""}, 400),
        ({"region": "<script>alert(1)</script>"}, 400),
    ],
)
async def test_bad_input_is_refused_and_nothing_is_sent(
    changed: dict[str, str], status: int, services: Services, mailgun: KeyedMailgun, browser: Browser
) -> None:
    browser.sign_in_as(ANN.id, "read")
    await browser.open(PAGE)
    fields = {**browser.form("/store"), "key": ANNS, "region": "us", **changed}
    answer = await browser.post(fields.pop(""), fields)
    assert (answer.status_code, "<script>alert" in answer.text) == (status, False)
    assert (mailgun.seen, await stored(services)) == ([], None)


async def test_without_an_encryption_key_the_page_says_that_it_is_off() -> None:
    async with browsing(recorded_services(Recorder())) as browser:
        browser.sign_in_as(ANN.id, "approve")
        answer = await browser.open(PAGE)
        assert (answer.status_code, "MAILGUN_MCP_PERSONAL_KEYS_SECRET" in browser.text) == (404, True)
        await browser.open("/approvals")
        assert browser.page is not None
        assert PAGE not in browser.page.text
        for path in ("/store", "/remove"):
            token = browser.form("/sign-in/out")["form-token"]
            assert (await browser.post(PAGE + path, {"form-token": token})).status_code == 403


async def test_the_navigation_leads_there(browser: Browser) -> None:
    browser.sign_in_as(ANN.id, "read")
    await browser.open(PAGE)
    assert browser.tree.xpath("//nav//a[@aria-current='page']/text()") == ["Your key"]


async def test_a_sign_in_that_may_not_use_its_account_is_told_so(services: Services, browser: Browser) -> None:
    await personal(services).store(ANN, "eu", ANNS)
    browser.sign_in_as(ANN.id, "read", accounts=("team",))
    await browser.open(PAGE)
    assert "Your sign-in may not use its account" in browser.text
