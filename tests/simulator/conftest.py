"""A simulator in the test's own process, with a clock that stands still."""

import pickle
from collections.abc import AsyncIterator
from functools import cache
from io import BytesIO
from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account, create_app
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.worlds.demo import demo_account
from tests.support.operations import catalogue

DOMAIN = "mail.example.com"
PLAIN = "plain.example.com"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class _AtClock(pickle.Unpickler):
    """Reads an account that another clock is put into."""

    def __init__(self, pickled: bytes, clock: ManualClock) -> None:
        super().__init__(BytesIO(pickled))
        self._clock = clock

    def persistent_load(self, pid: Any) -> ManualClock:
        return self._clock


@cache
def _pickled(now: float) -> bytes:
    clock, written = ManualClock(now), BytesIO()
    pickler = pickle.Pickler(written)
    pickler.persistent_id = lambda item: "clock" if item is clock else None  # type: ignore[method-assign]
    pickler.dump(demo_account(clock))
    return written.getvalue()


def demo_account_at(clock: ManualClock) -> Account:
    """Return the demo account of this clock: a copy, which takes a fraction of the time of making it."""
    account: Account = _AtClock(_pickled(clock.now()), clock).load()
    return account


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
