"""A simulator in the test's own process, with a clock that stands still."""

from collections.abc import AsyncIterator

import httpx
import pytest

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from tests.support.accounts import demo_account_at
from tests.support.operations import catalogue

DOMAIN = "mail.example.com"
PLAIN = "plain.example.com"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def account(clock: ManualClock) -> Account:
    """The demo account, with an active domain beside it that holds nothing."""
    account = demo_account_at(clock)
    account.domains[PLAIN] = Domain(account.hex_id(), PLAIN, clock.now(), "active")
    return account


@pytest.fixture
def plain(account: Account) -> Domain:
    return account.domains[PLAIN]


@pytest.fixture
async def mailgun(account: Account) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(catalogue(), account=account)
    async with client(app) as connected:
        yield connected


def client(app: object, key: str = "key-of-the-tests") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # httpx names its own ASGI types
    return httpx.AsyncClient(transport=transport, base_url="https://api.mailgun.net", auth=("api", key))
