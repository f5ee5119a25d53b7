"""Every answer to a browser forbids what pages do not need."""

import pytest

from mailgun_mcp.web.pages.headers import POLICY
from tests.support.pages import browsing
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio


async def test_all_answers_have_them_also_failures_and_files() -> None:
    services = recorded_services(Recorder())
    async with browsing(services) as browser:
        await browser.sign_in()
        paths = (
            "/approvals",
            "/approvals/none",
            "/sign-in?link=x",
            "/assets/page.js",
            "/assets/none",
            "/approvals/a/b/c",
        )
        for path in paths:
            headers = (await browser.open(path)).headers
            assert headers["content-security-policy"] == POLICY, path
            assert "'unsafe" not in headers["content-security-policy"]
            assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cache-control"] == ("public, max-age=300" if path.endswith(".js") else "no-store")
            assert "strict-transport-security" not in headers
