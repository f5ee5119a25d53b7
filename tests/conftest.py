"""What all tests share."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from mailgun_mcp.output import logs
from mailgun_mcp.store.database import Store
from tests.support.apps import close_opened

# How long an example takes depends on what else the machine does.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

# A shell that runs the tests in the background has them ignore interrupts, and every server that they start inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _services_are_closed(_logs_of_its_own: None) -> Iterator[None]:
    """Close them before the logs are reset: their threads may still write a line."""
    yield
    close_opened()


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """A logger keeps its settings, secrets, and the stderr that it first wrote to: none of them is for the next test."""
    yield
    logs.reset()
    if structlog := sys.modules.get("structlog"):
        structlog.reset_defaults()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state")
    yield store
    store.close()
