"""HTTP/1.1 for uvicorn, with limits on what one connection may cost. Imported with the HTTP server.

uvicorn's own protocol waits forever for a request on a new connection, for the rest of its head, for the rest of a body
that was already answered, and for a client that does not read its answer. Its other protocol, based on llhttp, is
faster. But it loses the body of a request that offers an upgrade, as Java's client does, and reads heads of any length
into memory.
"""

import asyncio
import socket
import sys
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 20.0
"""Seconds within which the head of a request must arrive, from the start of the connection or the head's first byte."""
UNREAD_SECONDS = 60.0
"""Seconds for which a client may leave sent data unread."""
REST_SECONDS = 2.0
"""Seconds to read the rest of a body after its answer: a client that is cut off at once may lose the answer."""
TOO_LARGE = 431


def _refusal(status: bytes, text: bytes) -> bytes:
    """Return an answer that closes the connection."""
    head = b"HTTP/1.1 %s\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(text)) + text


TOO_SLOW = _refusal(b"408 Request Timeout", b"The request did not come in time.\n")
HEAD_TOO_LARGE = _refusal(b"431 Request Header Fields Too Large", b"The headers of the request are too large\n")


class BoundedProtocol(H11Protocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None
        self._rest_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first request."""
        super().connection_made(transport)
        _notice_when_gone(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        self._stop_waiting_for_head()
        self._stop_waiting_for_reader()
        self._stop_waiting_for_rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read more data. The head timer runs until the head of a request is complete."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting_for_head()
        elif self._head_timer is None and self.conn.trailing_data[0]:
            self._wait_for_head()
        elif self._head_timer is None and self.timeout_keep_alive_task is None:
            # It was the rest of a body that was answered before: the connection is idle from now on.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, or a head that is too large for h11, which raised the exception at hand."""
        if getattr(sys.exception(), "error_status_hint", None) == TOO_LARGE:
            self.transport.write(HEAD_TOO_LARGE)
            self.transport.close()
        else:
            super().send_400_response(msg)

    def on_response_complete(self) -> None:
        """Go on to the next request, or close the connection if the rest of this body does not arrive."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self._stop_waiting_for_rest()
            self._rest_timer = self.loop.call_later(REST_SECONDS, self._close_unless_whole, self.cycle)

    def pause_writing(self) -> None:
        """Start the timer for unread data."""
        super().pause_writing()
        if self._unread_timer is None:
            self._unread_timer = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Continue writing, because the client is reading again."""
        self._stop_waiting_for_reader()
        super().resume_writing()

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._refuse)

    def _close_unless_whole(self, cycle: object) -> None:
        """Close the connection if the rest of the body of this request is still missing, and it is not another's."""
        if self.cycle is cycle and self.conn.their_state is h11.SEND_BODY:
            self.transport.close()

    def _stop_waiting_for_rest(self) -> None:
        if self._rest_timer is not None:
            self._rest_timer.cancel()
            self._rest_timer = None

    def _stop_waiting_for_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_waiting_for_reader(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def _refuse(self) -> None:
        """Close the connection, after a message if a head has begun. No response can be in progress here."""
        if not self.transport.is_closing():
            if self.conn.trailing_data[0]:
                self.transport.write(TOO_SLOW)
            self.transport.close()


def _notice_when_gone(transport: asyncio.Transport) -> None:
    """Let the operating system detect a client that disappeared without closing the connection."""
    connection = transport.get_extra_info("socket")
    if connection is None or not hasattr(socket, "TCP_USER_TIMEOUT"):  # pragma: no cover - only Linux has it
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, int(UNREAD_SECONDS))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNREAD_SECONDS * 1000))
