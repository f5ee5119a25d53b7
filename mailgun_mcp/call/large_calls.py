"""Moves work on large calls out of the event loop, so that other clients need not wait."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from mailgun_mcp.request.received_files import names_in
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.text.sizes import size_of

LARGE = 50_000
"""Size in characters from which a call is large. Smaller ones take a few milliseconds; a thread would cost more."""
P = ParamSpec("P")
R = TypeVar("R")


async def for_size(arguments: Any, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return the result of `work`. It runs in a thread if the arguments are large or name files, else at once."""
    if size_of(arguments, LARGE) > LARGE or _names_file(arguments):
        return await in_thread(work, *args, **kwargs)
    return work(*args, **kwargs)


def _names_file(arguments: Any) -> bool:
    """Return whether an argument may be a file that is read from disk or was received apart from the arguments."""
    if not isinstance(arguments, dict):
        return False  # a fault that validation names
    nested = [value for value in arguments.values() if isinstance(value, (dict, list))]
    if not nested:
        return False
    files = (item for value in nested for item in (value if isinstance(value, list) else [value]))
    return any(isinstance(item, dict) and "path" in item for item in files) or any(names_in(arguments))
