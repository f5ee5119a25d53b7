"""What the tests of the pages and of their API share."""

from collections.abc import AsyncIterator

import pytest

from mailgun_mcp.call.services import Services
from tests.support.pages import Browser, browsing
from tests.support.recorder import Recorder, recorded_services


@pytest.fixture
def services() -> Services:
    return recorded_services(Recorder())


@pytest.fixture
async def browser(services: Services) -> AsyncIterator[Browser]:
    """A browser in which Olga is signed in."""
    async with browsing(services) as browser:
        browser.sign_in_as("olga")
        yield browser
