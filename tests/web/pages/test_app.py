"""The pages of a server, put together."""

import pytest

from mailgun_mcp.settings import Settings
from mailgun_mcp.web.pages.app import create_pages
from tests.support.pages import browsing
from tests.support.recorder import Recorder, recorded_services
from tests.support.team import token_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("url", "loopback", "secure", "public"),
    [
        (None, True, False, None),
        (None, False, True, None),
        ("https://Mail.example.com/admin", True, True, "https://mail.example.com"),
        ("http://localhost:8000", True, False, "http://localhost:8000"),
    ],
)
def test_cookies_are_for_https_unless_only_this_machine_reaches_the_server(
    url: str | None, loopback: bool, secure: bool, public: str | None
) -> None:
    pages = create_pages(recorded_services(Recorder()), url, (), loopback=loopback)
    assert (pages.secure, pages.public) == (secure, public)


async def test_addresses_that_are_none_are_said_to_be_none() -> None:
    async with browsing(recorded_services(Recorder())) as browser:
        assert ((await browser.open("/assets/nothing")).status_code, browser.text[:9]) == (404, "Not found")
        assert (await browser.http.put("/approvals")).status_code == 405


async def test_on_another_host_browsers_are_told_to_stay_with_https() -> None:
    services = recorded_services(Recorder())
    token_of(services, "ann", "approve")
    settings = Settings(allowed_hosts=("mail.example.com",))
    async with browsing(services, settings, loopback=False) as browser:
        answer = await browser.open("/sign-in", Host="mail.example.com")
        assert (answer.status_code, answer.headers["strict-transport-security"]) == (200, "max-age=31536000")
