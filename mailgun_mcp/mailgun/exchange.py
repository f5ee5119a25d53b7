"""One request and its answer, as the client and its transports see them, and the errors that can occur in between."""

import zlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import IO, Protocol

IN_MEMORY = 2 * 1024 * 1024
"""Bytes of an answer that are collected in memory. A longer one is collected in a file, and may be refused."""
PART = 65_536
"""How many bytes are decompressed at a time."""
GZIP = 16 + zlib.MAX_WBITS

Headers = list[tuple[bytes, bytes]]
Notify = Callable[[str], Awaitable[None]]
"""Reports progress."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request as it is sent."""

    method: str
    base: str
    """The base URL."""
    target: str
    """What follows the base URL: path and query, percent-encoded."""
    headers: Headers
    content: bytes
    patience: float
    """Seconds to wait for a free connection, and again for connecting."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request, read to its end and decompressed."""

    status: int
    headers: Headers
    content: bytes


class ExchangeError(Exception):
    """A request that got no answer. `kind` is a name that an operator can search for."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


class NotConnectedError(ExchangeError):
    """No connection could be made; nothing was sent."""


class InvalidRequestError(ExchangeError):
    """HTTP does not allow the request; nothing was sent."""


class BrokenOffError(ExchangeError):
    """The answer is missing or incomplete. Whether the request arrived is unknown."""


class OversizedError(ExchangeError):
    """The answer is too large, and was not read to its end."""

    def __init__(self, status: int) -> None:
        super().__init__("OversizedError")
        self.status = status


class Transport(Protocol):
    """Sends requests."""

    async def exchange(self, message: Message, most: int) -> Answer:
        """Return the answer to a request, of at most `most` bytes. Raises ExchangeError."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class Content:
    """Collects the content of an answer, of at most `most` bytes. Must be closed."""

    def __init__(self, most: int, status: int, *, packed: bool = False) -> None:
        self._most = most
        self._status = status
        self._unpacker = zlib.decompressobj(GZIP) if packed else None
        self._parts: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._size = 0
        self._begun = False

    def add(self, part: bytes) -> None:
        """Add the next part. Raises OversizedError, and BrokenOffError if it cannot be decompressed."""
        self._begun = True
        for unpacked in (part,) if self._unpacker is None else _unpacked(self._unpacker, part):
            self._size += len(unpacked)
            if self._size > self._most:
                raise OversizedError(self._status)
            if self._file is None and self._size > IN_MEMORY:
                from tempfile import TemporaryFile

                # The file has no name, and is deleted when it is closed.
                self._file = TemporaryFile()  # noqa: SIM115 - `close` closes it
                self._file.write(b"".join(self._parts))
                self._parts.clear()
            (self._parts.append if self._file is None else self._file.write)(unpacked)

    def whole(self) -> bytes:
        """Return the content. Raises BrokenOffError if its end is missing."""
        if self._unpacker is not None and self._begun and not self._unpacker.eof:
            raise BrokenOffError("DecodingError", "the compressed content is incomplete")
        if self._file is None:
            return b"".join(self._parts)
        self._file.seek(0)
        return self._file.read()

    def close(self) -> None:
        """Delete what was collected."""
        self._parts.clear()
        if self._file is not None:
            self._file.close()


def _unpacked(unpacker: "zlib._Decompress", part: bytes) -> Iterable[bytes]:
    # Anything after the end of the compressed content is ignored.
    while part and not unpacker.eof:
        try:
            unpacked = unpacker.decompress(part, PART)
        except zlib.error as error:
            raise BrokenOffError("DecodingError", str(error)) from error
        part = unpacker.unconsumed_tail
        yield unpacked
