"""Signing in with a link from a terminal."""

import httpx
import pytest

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.sessions import LINK_SECONDS, Sessions
from tests.support.pages import Browser, browsing
from tests.support.recorder import Clock

pytestmark = pytest.mark.anyio


def link(services: Services) -> str:
    return Sessions(services.store).create_link("ann", services.clock())


async def test_opening_a_link_does_not_use_it_up_and_its_button_does(services: Services) -> None:
    secret = link(services)
    async with browsing(services) as browser:
        for _ in range(3):
            await browser.open(f"/sign-in?link={secret}")
            assert "signs you in as ann" in browser.text
        answer = await browser.send("/sign-in/link")
        assert (answer.status_code, answer.url.path) == (200, "/approvals")
        browser.http.cookies.clear()
        refused = await browser.open(f"/sign-in?link={secret}")
        assert (refused.status_code, "used before" in browser.text) == (400, True)


async def test_a_link_that_ended_says_how_to_get_another(services: Services) -> None:
    secret = link(services)
    async with browsing(services) as browser:
        await browser.open(f"/sign-in?link={secret}")
        assert isinstance(services.clock, Clock)
        services.clock.now += LINK_SECONDS
        answer = await browser.send("/sign-in/link")
        assert (answer.status_code, "older than five minutes" in browser.text) == (400, True)


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/approvals/grants", "/approvals/grants"),
        ("//evil.example/approvals", "/approvals"),
        ("/\\evil.example", "/approvals"),
        ("https://evil.example", "/approvals"),
        ("/approvals%0d%0ax", "/approvals%0d%0ax"),
        ("/approvals\r\nx: y", "/approvals"),
        ("", "/approvals"),
    ],
)
async def test_after_signing_in_a_person_stays_on_this_server(services: Services, wanted: str, path: str) -> None:
    async with browsing(services) as browser:
        await browser.http.get("/sign-in", params={"next": wanted})
        browser.page = await browser.http.get("/sign-in", params={"link": link(services), "next": wanted})
        fields = browser.form("/sign-in/link")
        answer = await browser.post(fields.pop(""), fields)
        assert (answer.status_code, answer.headers["location"]) == (303, path)


async def test_who_is_signed_in_need_not_do_it_again(services: Services) -> None:
    async with browsing(services) as browser:
        await browser.open("/sign-in")
        assert "mailgun-mcp approvals page" in browser.text
        await browser.sign_in()
        assert (await browser.open("/sign-in?next=/approvals/x")).url.path == "/approvals/x"


async def signed_in_by(browser: Browser, **headers: str) -> httpx.Response:
    await browser.open(f"/sign-in?link={link(browser.services)}")
    fields = browser.form("/sign-in/link")
    return await browser.post(fields.pop(""), fields, headers=headers)


async def test_another_site_cannot_sign_anybody_in(services: Services) -> None:
    async with browsing(services) as browser:
        for headers in ({}, {"Origin": "null"}, {"Origin": "http://localhost:9000"}):
            answer = await signed_in_by(browser, **headers)
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
