"""What all tests share."""

import sys
from collections.abc import Iterator

import pytest

from mailgun_mcp import logs


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """A logger keeps its settings and the stderr that it first wrote to: neither is for the next test."""
    yield
    logs.logger.cache_clear()
    if structlog := sys.modules.get("structlog"):
        structlog.reset_defaults()
