"""The approvals room's own part of the navigation."""

import pytest

from mailgun_mcp.web.approvals.app import SECTIONS
from tests.support.pages import browsing
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio


async def test_every_section_is_in_the_navigation_and_opens() -> None:
    async with browsing(recorded_services(Recorder())) as browser:
        await browser.sign_in()
        await browser.open("/approvals")
        links = [(link.get("href"), link.text) for link in browser.tree.xpath("//nav//a")]
        assert links == [(section.path, section.title) for section in SECTIONS]
        for path, _ in links:
            assert (await browser.open(path)).status_code == 200
            assert browser.tree.xpath("//nav//a[@aria-current='page']/@href") == [path]
