"""The page of marks of third-party text: who clears whose."""

from collections.abc import AsyncIterator

import pytest

from mailgun_mcp.call.counters import Untrusted
from mailgun_mcp.call.services import Services
from tests.support.pages import Browser, browsing
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio
CLEAR = "/approvals/marks/clear"


@pytest.fixture
def services() -> Services:
    services = recorded_services(Recorder())
    for account, principal in (("main", "ann"), ("other", "ann"), ("main", "olga")):
        Untrusted(services.store).mark(account, principal, services.clock())
    return services


@pytest.fixture
async def browser(services: Services) -> AsyncIterator[Browser]:
    async with browsing(services) as browser:
        yield browser


def marked(services: Services) -> list[str]:
    return [principal for _, principal, _ in Untrusted(services.store).marks()]


async def test_a_mark_of_somebody_else_is_cleared_and_recorded(services: Services, browser: Browser) -> None:
    browser.sign_in_as("olga")
    await browser.open("/approvals/marks")
    assert "ann Account main, 14 Nov 2023, 22:13 UTC" in browser.text
    assert "Account other" in browser.text
    assert browser.form(CLEAR)["principal"] == "ann"
    await browser.send(CLEAR)
    assert marked(services) == ["olga"]
    (call,) = services.audit_log.calls()
    assert (call.fields["tool"], call.fields["principal"]) == ("approvals clear", "olga")
    assert call.fields["arguments"] == {"principal": "ann"}


async def test_ones_own_mark_is_cleared_in_a_terminal_or_with_its_link(services: Services, browser: Browser) -> None:
    browser.sign_in_as("Olga")
    await browser.open("/approvals/marks")
    answer = await browser.send(CLEAR, principal="olga")
    assert (answer.status_code, "The mark is yours" in browser.text) == (403, True)
    assert "olga" in marked(services)
    await browser.sign_in("olga")
    await browser.open("/approvals/marks")
    (own,) = [form for form in browser.tree.forms if dict(form.form_values()).get("principal") == "olga"]
    await browser.post(CLEAR, dict(own.form_values()))
    assert marked(services) == ["ann", "ann"]


async def test_who_does_not_answer_for_every_account_of_a_mark_does_not_see_it(
    services: Services, browser: Browser
) -> None:
    browser.sign_in_as("kim", accounts=("main",))
    await browser.open("/approvals/marks")
    assert browser.form(CLEAR)["principal"] == "olga"
    answer = await browser.send(CLEAR, principal="ann")
    assert (answer.status_code, len(marked(services))) == (404, 3)
