"""The approvals page without scripts: the list, the form, and every answer."""

import pytest
from starlette.requests import Request

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.identity.sessions import Sessions
from mailgun_mcp.web.approvals.changes import ApprovalChanges, digest_of
from mailgun_mcp.web.approvals.page import ApprovalsPage
from mailgun_mcp.web.pages.app import create_pages
from mailgun_mcp.web.pages.cookies import SESSION
from tests.support.pages import Browser, pending

pytestmark = pytest.mark.anyio
NAME = "mail.example.com"


def status(services: Services, name: str) -> str:
    return services.approvals.get(name, services.clock()).status


async def test_the_list_shows_what_waits_and_what_ended(services: Services, browser: Browser) -> None:
    await browser.open("/approvals")
    assert "Nothing is waiting for a person" in browser.text
    first, second = pending(services), pending(services, request="other")
    services.approvals.deny(second.id, by="kim", now=services.clock(), reason="no")
    await browser.open("/approvals")
    assert "1 call waits for a person" in browser.text
    assert "ann with tests" in browser.text
    assert "10 minutes left" in browser.text
    assert "Denied Delete a domain by kim" in browser.text
    links = browser.tree.xpath("//main//a/@href")
    assert links == [f"/approvals/{first.id}", f"/approvals/{second.id}"]
    (state,) = browser.tree.xpath("//*[@id='live']/@data-state")
    assert state == digest_of(services.approvals.list(services.clock()))


async def test_a_yes_with_the_right_name_approves(services: Services, browser: Browser) -> None:
    approval = pending(services)
    await browser.open(f"/approvals/{approval.id}")
    answer = await browser.send("/approve", typed="mail.example.org")
    assert (answer.status_code, "Wrong name" in browser.text, status(services, approval.id)) == (400, True, "pending")
    answer = await browser.send("/approve", typed=f" {NAME} ")
    assert (answer.status_code, answer.url.path) == (200, f"/approvals/{approval.id}")
    assert "It runs once" in browser.text or "runs once" in browser.text
    assert status(services, approval.id) == "approved"
    assert "Approved by olga" in browser.text


async def test_a_no_has_a_reason_that_the_model_is_told(services: Services, browser: Browser) -> None:
    approval = pending(services)
    await browser.open(f"/approvals/{approval.id}")
    await browser.send("/deny", reason="use the other list")
    assert "Denied by olga" in browser.text
    assert "use the other list" in browser.text
    denial = services.approvals.last_denial(approval.binding, services.clock())
    assert denial is not None
    assert denial.reason == "use the other list"
    assert not browser.tree.xpath("//form[contains(@action, '/approve')]")


async def test_a_yes_can_be_taken_back_until_it_is_used(services: Services, browser: Browser) -> None:
    approval = pending(services, "ask")
    await browser.open(f"/approvals/{approval.id}")
    await browser.send("/approve")
    await browser.send("/deny", reason="")
    assert status(services, approval.id) == "denied"
    used = pending(services, "ask", request="other")
    await browser.open(f"/approvals/{used.id}")
    await browser.send("/approve")
    assert services.approvals.consume(used.id, services.clock())
    answer = await browser.send("/deny")
    assert (answer.status_code, "has been used" in browser.text) == (400, True)


async def test_two_people_are_shown_who_is_missing(services: Services, browser: Browser) -> None:
    approval = pending(services, "two_people")
    await browser.open(f"/approvals/{approval.id}")
    assert "A first person is missing A second person is missing" in browser.text
    await browser.send("/approve", typed=NAME)
    assert "One more person must approve the call" in browser.text
    assert "Approved by olga" in browser.text
    assert "A second person is missing" in browser.text
    assert "olga has already approved it" in browser.text
    browser.sign_in_as("kim")
    await browser.open(f"/approvals/{approval.id}")
    await browser.send("/approve", typed=NAME)
    assert (status(services, approval.id), "runs once" in browser.text) == ("approved", True)


async def test_other_accounts_and_unknown_ids_are_not_there(services: Services, browser: Browser) -> None:
    approval = pending(services)
    browser.sign_in_as("kim", accounts=("staging",))
    await browser.open("/approvals")
    assert "Nothing is waiting" in browser.text
    for path in (f"/approvals/{approval.id}", "/approvals/none"):
        answer = await browser.open(path)
        assert (answer.status_code, "There is no approval" in browser.text or "unknown approval" in browser.text) == (
            404,
            True,
        )


async def test_the_stream_tells_of_changes_and_ends_with_the_session(services: Services) -> None:
    """It is read beside the transport of the tests, which waits for the end of an answer."""
    pages = create_pages(services, None, (), loopback=True)
    page = ApprovalsPage(services, pages, ApprovalChanges(services.store, services.approvals, services.clock))
    secret = Sessions(services.store).open(Principal("olga"), "issuer", services.clock())
    request = Request({"type": "http", "headers": [(b"cookie", f"{SESSION}={secret}".encode())]})
    stream = page._stream(request)
    first = await anext(stream)
    approval = pending(services)
    second = await anext(stream)
    digest = digest_of((approval,))
    assert (first[:4], second) == ("id: ", f"id: {digest}\nevent: changed\ndata: {digest}\n\n")
    Sessions(services.store).close(secret)
    assert [event async for event in stream] == []


async def test_a_stream_without_news_says_that_it_is_alive(
    services: Services, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailgun_mcp.web.approvals.page.BEAT", 0.01)
    pages = create_pages(services, None, (), loopback=True)
    page = ApprovalsPage(services, pages, ApprovalChanges(services.store, services.approvals, services.clock))
    secret = browser.http.cookies[SESSION]
    headers = [(b"cookie", f"{SESSION}={secret}".encode()), (b"last-event-id", digest_of(()).encode())]
    stream = page._stream(Request({"type": "http", "headers": headers}))
    assert await anext(stream) == ": alive\n\n"
    await stream.aclose()
