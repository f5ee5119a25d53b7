"""What all tests share."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from mailgun_mcp.audit.recorder import Recorder
from mailgun_mcp.call import services as app
from mailgun_mcp.output import logs
from mailgun_mcp.store.database import Store


class _Tracked(Recorder):
    """Remembers those that tests leave open: each has a thread and a connection."""

    made: ClassVar[list["_Tracked"]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.made.append(self)


app.Recorder = _Tracked  # type: ignore[attr-defined]  # for all tests, also those that make an app at import


# A shell that runs the tests in the background has them ignore interrupts, and every server that they start inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _journals_are_closed(_logs_of_its_own: None) -> Iterator[None]:
    """Before the logs are anew: their threads may still have something to say."""
    yield
    while _Tracked.made:
        _Tracked.made.pop().close()


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """A logger keeps its settings and the stderr that it first wrote to: neither is for the next test."""
    yield
    logs.logger.cache_clear()
    if structlog := sys.modules.get("structlog"):
        structlog.reset_defaults()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state")
    yield store
    store.close()
