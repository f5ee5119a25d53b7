"""Pages want a session with the scope, and forms are taken from their own page once."""

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.sessions import SESSION_SECONDS, Sessions
from mailgun_mcp.web.pages.app import Section, create_pages, page_apps
from mailgun_mcp.web.pages.forms import SCRIPT_HEADER, script_token
from mailgun_mcp.web.pages.pages import PageRequest
from tests.support.pages import ORIGIN, Browser, browsing, pending
from tests.support.recorder import Clock

pytestmark = pytest.mark.anyio


async def test_without_a_session_a_person_is_sent_to_the_sign_in_and_back(services: Services) -> None:
    approval = pending(services)
    async with browsing(services) as browser:
        answer = await browser.open(f"/approvals/{approval.id}?notice=denied")
        assert answer.url.path == "/sign-in"
        assert dict(answer.url.params)["next"] == f"/approvals/{approval.id}?notice=denied"
        stream = await browser.open("/approvals/events")
        assert stream.status_code == 401


async def test_a_link_from_a_chat_is_followed_with_the_cookie_of_a_second_request(services: Services) -> None:
    approval = pending(services)
    async with browsing(services) as browser:
        answer = await browser.open(f"/approvals/{approval.id}", **{"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 200
        (refresh,) = browser.tree.xpath("//meta[@http-equiv='refresh']/@content")
        assert refresh == f"0;url=/approvals/{approval.id}"
        assert (
            await browser.open(f"/approvals/{approval.id}", **{"Sec-Fetch-Site": "same-origin"})
        ).url.path == "/sign-in"


async def test_a_session_ends_and_can_be_ended(services: Services) -> None:
    async with browsing(services) as browser:
        await browser.sign_in()
        assert (await browser.open("/approvals")).url.path == "/approvals"
        assert isinstance(services.clock, Clock)
        services.clock.now += SESSION_SECONDS
        assert (await browser.open("/approvals")).url.path == "/sign-in"
        await browser.sign_in()
        secret = browser.http.cookies["mailgun-mcp-session"]
        await browser.open("/approvals")
        await browser.send("/sign-in/out")
        assert "mailgun-mcp-session" not in browser.http.cookies
        assert Sessions(services.store).find(secret, services.clock()) is None


async def test_a_session_without_the_scope_is_told_so(services: Services) -> None:
    async with browsing(services) as browser:
        browser.sign_in_as("ann", "read write")
        answer = await browser.open("/approvals")
        assert answer.status_code == 403
        assert "ann, who does not have the scope mailgun:approve" in browser.text
        assert browser.tree.xpath("//nav") == []


async def test_the_state_that_cannot_be_read_is_said_without_its_path(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browsing(services) as browser:
        await browser.sign_in()
        monkeypatch.setattr(type(services.approvals), "list", lambda *_: services.store.directory.joinpath("x").open())
        services.store.close()
        (services.store.directory / "state.db").write_text("damaged", encoding="utf-8")
        answer = await browser.open("/approvals")
        assert answer.status_code == 503
        assert str(services.store.directory) not in answer.text
        assert (await browser.open("/sign-in?link=x")).status_code == 503
        assert (await browser.post("/sign-in/link", {"link": "x"})).status_code == 503


def chat(services: Services) -> Browser:
    """A browser at another room's routes, as they are made with the same parts."""
    import httpx

    pages = create_pages(services, None, [Section("/chat", "Chat", None)], loopback=True)

    async def say(page: PageRequest) -> PlainTextResponse:
        return PlainTextResponse(f"{page.person} said {(await page.request.body()).decode()}")

    async def show(page: PageRequest) -> PlainTextResponse:
        return PlainTextResponse(page.script_token)

    routes: list[Route] = [
        pages.route("/chat", show, scope=None),
        pages.script_route("/chat/say", say, scope=None),
    ]
    app = page_apps(pages, routes)["/chat"]
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")
    return Browser(client, services)


async def test_a_script_route_of_another_room_wants_the_token_of_its_page(services: Services) -> None:
    browser = chat(services)
    async with browser.http:
        secret = browser.sign_in_as("ann", "read")
        assert (await browser.open("/chat")).text == script_token(secret)
        headers = {**ORIGIN, SCRIPT_HEADER: script_token(secret)}
        answer = await browser.http.post("/chat/say", content="hello", headers=headers)
        assert answer.text == "ann said hello"
        for missing in ("Origin", SCRIPT_HEADER):
            fewer = {name: value for name, value in headers.items() if name != missing}
            assert (await browser.http.post("/chat/say", content="hello", headers=fewer)).status_code == 403
        browser.http.cookies.clear()
        assert (await browser.http.post("/chat/say", content="hello", headers=headers)).status_code == 401
