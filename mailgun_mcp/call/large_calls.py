"""Works on large calls beside the event loop, so that other clients need not wait for them."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from mailgun_mcp.store.database import in_thread
from mailgun_mcp.text.sizes import size_of

LARGE = 50_000
"""Characters. What is smaller is read in a few milliseconds, and a thread would cost more."""
P = ParamSpec("P")
R = TypeVar("R")


async def for_size(arguments: Any, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `work` returns: in a thread where the arguments are large, else at once."""
    if size_of(arguments, LARGE) > LARGE:
        return await in_thread(work, *args, **kwargs)
    return work(*args, **kwargs)
