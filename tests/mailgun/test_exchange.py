"""What is collected of an answer: whole, unpacked, bounded, and without much memory."""

import gzip
import tracemalloc
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mailgun_mcp.mailgun.exchange import (
    IN_MEMORY,
    BrokenOffError,
    Content,
    OversizedError,
)

PIECE = b"x" * 65_536
MB = 1024 * 1024
MOST = 32 * MB


@contextmanager
def content(most: int = MOST, *, packed: bool = False) -> Iterator[Content]:
    collected = Content(most, 200, packed=packed)
    try:
        yield collected
    finally:
        collected.close()


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY])
def test_content_of_every_length_is_returned_whole(size: int) -> None:
    whole = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with content() as collected:
        for part in pieces(whole, 50_000):
            collected.add(part)
        assert collected.whole() == whole


@pytest.mark.parametrize("size", [1, 7, 1_000_000])
def test_packed_content_is_unpacked_however_it_arrives(size: int) -> None:
    whole = b'{"items": []}' * 40_000
    with content(packed=True) as collected:
        for part in pieces(gzip.compress(whole) + b"ignored", size):
            collected.add(part)
        assert collected.whole() == whole


def test_packed_content_without_its_end_is_refused() -> None:
    with content(packed=True) as collected:
        collected.add(gzip.compress(b"{}" * 100)[:-1])
        with pytest.raises(BrokenOffError, match="DecodingError"):
            collected.whole()


@pytest.mark.parametrize("packed", [False, True])
def test_50_mb_are_refused_with_8_mb_of_memory_and_nothing_is_left_behind(packed: bool) -> None:
    parts = pieces(gzip.compress(bytes(50 * MB), 1), 65_536) if packed else [PIECE] * 800
    tracemalloc.start()
    try:
        with content(packed=packed) as collected, pytest.raises(OversizedError) as refused:
            deque(map(collected.add, parts), maxlen=0)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert refused.value.status == 200
    assert most < 8 * MB
