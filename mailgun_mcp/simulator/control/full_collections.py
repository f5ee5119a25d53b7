"""Keeps full garbage collections short in a process that only runs the simulator."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FULL = 2
"""The generation of a full collection."""


@contextmanager
def short_collections() -> Iterator[None]:
    """Let each full garbage collection skip the objects that survived an earlier one, and undo that at the end.

    An account with a million events that were sent to this process has so many objects that a full collection holds
    up all requests for 280 ms. Objects that were skipped are still freed when nothing refers to them any more.
    """
    gc.callbacks.append(_freeze)
    try:
        yield
    finally:
        gc.callbacks.remove(_freeze)
        gc.unfreeze()


def forget_survivors() -> None:
    """Let the next full collection look at all objects again, because an account with cycles was dropped."""
    if _freeze in gc.callbacks:
        gc.unfreeze()


def _freeze(phase: str, info: dict[str, Any]) -> None:
    if phase == "stop" and info["generation"] == FULL:
        gc.freeze()
