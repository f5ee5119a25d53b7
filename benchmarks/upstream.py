"""A stand-in for Mailgun that costs next to nothing: one fixed answer to every request.

    python benchmarks/upstream.py        # prints its port, runs until it is killed

Sockets without a framework: about 20 microseconds per request, so that the server is what is measured.
"""

import json
import selectors
import socket
from contextlib import suppress

CREATED = "Tue, 03 Nov 2026 09:00:00 GMT"


def _domain(name: str) -> dict[str, object]:
    return {
        "created_at": CREATED,
        "id": "5f5c1e8a9b0c1d2e3f405162",
        "is_disabled": False,
        "name": name,
        "require_tls": True,
        "skip_verification": False,
        "smtp_login": f"postmaster@{name}",
        "spam_action": "disabled",
        "state": "active",
        "type": "custom",
        "tracking_host": f"email.{name}",
        "use_automatic_sender_security": True,
        "web_prefix": "email",
        "web_scheme": "https",
        "wildcard": False,
    }


DOMAINS = ("mg.example.com", "news.example.org")
BODY = json.dumps({"items": [_domain(name) for name in DOMAINS], "total_count": 2}).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
)
TARGET = b"GET /v4/domains?limit=5 "
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nNot found"


class Upstream:
    """Answers requests without a body, in one thread."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self.port: int = self._listener.getsockname()[1]
        self._unfinished: dict[socket.socket, bytes] = {}
        """Connection -> the start of a request whose rest has not arrived."""

    def serve(self) -> None:
        """Answer until the process ends."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    assert isinstance(key.fileobj, socket.socket)
                    self._answer(key.fileobj)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(connection, selectors.EVENT_READ)

    def _answer(self, connection: socket.socket) -> None:
        try:
            received = connection.recv(65536)
        except OSError:
            received = b""
        if not received:
            self._selector.unregister(connection)
            connection.close()
            self._unfinished.pop(connection, None)
            return
        *requests, unfinished = (self._unfinished.pop(connection, b"") + received).split(b"\r\n\r\n")
        if unfinished:
            self._unfinished[connection] = unfinished
        for request in requests:
            # The client may have gone; the next read notices.
            with suppress(OSError):
                connection.sendall(ANSWER if request.startswith(TARGET) else NOT_FOUND)


if __name__ == "__main__":
    upstream = Upstream()
    print(upstream.port, flush=True)
    with suppress(KeyboardInterrupt):
        upstream.serve()
