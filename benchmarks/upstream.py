"""A stand-in for Mailgun that costs next to nothing: one fixed answer to every request.

    python benchmarks/upstream.py        # prints its port, runs until it is killed

An asyncio protocol without a framework: about 20 microseconds per request, so that the server is what is measured.
"""

import asyncio
import json
import sys

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


class Upstream(asyncio.Protocol):
    """Answers the requests of one connection. They must have no body."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        for request in requests:
            self._transport.write(ANSWER if request.startswith(TARGET) else NOT_FOUND)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(_serve())
    except KeyboardInterrupt:
        sys.exit(0)
