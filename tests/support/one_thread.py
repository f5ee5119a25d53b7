"""Work that the package hands to a thread, done in place: for tests of thousands of calls that are made one by one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio.to_thread
import pytest


async def _in_place(function: Callable[..., Any], *arguments: Any, **_: Any) -> Any:
    return function(*arguments)


@contextmanager
def no_threads() -> Iterator[None]:
    """Start no thread for a blocking function. A hop to a thread and back costs more than a short transaction does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anyio.to_thread, "run_sync", _in_place)
        yield
