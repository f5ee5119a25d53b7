"""Reserves stdin and stdout for the client. Needs no SDK and no event loop: answers start before both are loaded."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager

Streams = tuple[int, int]
"""File descriptors: the one that the client writes to, and the one that it reads from."""


@contextmanager
def reserved() -> Iterator[Streams]:
    """Yield the descriptors of stdin and stdout, and restore both at the end.

    Meanwhile, what a library prints goes to stderr, and reading stdin returns nothing.
    """
    # Never closed: a thread may still be waiting for a line when the session is over.
    stdin, stdout = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:
        os.dup2(nothing, 1)
    os.close(nothing)
    try:
        yield stdin, stdout
    finally:
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)


def are_pipes(streams: Streams) -> bool:
    """Return whether the event loop can watch both. It cannot watch files, or one socket that is used for both."""
    ends = [os.fstat(file) for file in streams]
    watched = all(stat.S_ISFIFO(end.st_mode) or stat.S_ISSOCK(end.st_mode) for end in ends)
    return sys.platform != "win32" and watched and not os.path.samestat(*ends)
