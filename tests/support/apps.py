"""Services in the test's own process, pointed at a stub."""

import atexit
from dataclasses import replace
from functools import cache
from pathlib import Path
from shutil import copy, disk_usage, rmtree
from tempfile import mkdtemp
from typing import Any

from mailgun_mcp.call.services import Services
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.store.database import FILE, Store
from tests.support.operations import catalogue

KEY = "key-of-the-tests"


MEMORY = Path("/dev/shm")
"""A file system without a disk, on Linux: no test is about losing power, and a state writes through at each change."""
ROOM = 2**30


@cache
def _states() -> str:
    """The directory of all states of this run, gone when it ends."""
    directory = mkdtemp(
        prefix="mailgun-mcp-", dir=MEMORY if MEMORY.is_dir() and disk_usage(MEMORY).free > ROOM else None
    )
    atexit.register(rmtree, directory, ignore_errors=True)
    return directory


@cache
def _unused_state() -> Path:
    directory = Path(mkdtemp(dir=_states()))
    store = Store(directory)
    with store.reading():
        pass
    store.close()
    return directory / FILE


def own_state() -> Path:
    """Return a directory with an unused state for one `Services`."""
    directory = Path(mkdtemp(dir=_states()))
    put_unused_state(directory)
    return directory


def put_unused_state(directory: Path) -> None:
    """Put an unused state of SQLite into the directory: to copy one is quicker than to make it."""
    directory.mkdir(mode=0o700, exist_ok=True)
    copy(_unused_state(), directory)


_opened: list[Services] = []


def opened(services: Services) -> Services:
    """Have the services closed when the test ends: their audit log has a thread and a connection."""
    _opened.append(services)
    return services


def close_opened() -> None:
    """Close what `opened` was told of. To close twice does no harm."""
    while _opened:
        _opened.pop().close()


def services_at(url: str, **options: Any) -> Services:
    """Return services whose Mailgun is at `url`."""
    options.setdefault("state", own_state())
    client = Client(resolve(url=url), KEY, user_agent="tests", timeout=options.pop("timeout", 10.0))
    return opened(Services(catalogue=options.pop("catalogue", catalogue()), client=client, **options))


def with_key(services: Services, key: str, **options: Any) -> Services:
    """Return a server of another API key, beside the given one: the same Mailgun, and the same state directory."""
    client = Client(services.client.endpoint, key, user_agent="tests", connect=services.client._connect)
    return opened(replace(services, client=client, **options))
