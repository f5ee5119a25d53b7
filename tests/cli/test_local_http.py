"""Webhooks go over HTTP to whoever listens, and no further."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from mailgun_mcp.cli.local_http import NO_ANSWER, post

pytestmark = pytest.mark.anyio
Got = list[tuple[str, str, bytes]]


@contextmanager
def receiver(status: int) -> Iterator[tuple[str, Got]]:
    """Listen on loopback; gives the URL and what was received."""
    got: Got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.path, self.headers["authorization"] or self.headers["content-type"], body))
            self.send_response(status)
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook", got
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [200, 302, 307, 406, 500])
async def test_a_posting_arrives_once_and_its_answer_is_told(status: int) -> None:
    with receiver(status) as (url, got):
        answer = await post(url, "application/json", b'{"a": 1}')
    assert (answer, got) == (status, [("/hook", "application/json", b'{"a": 1}')])


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "http://", "http://127.0.0.1:bad/"])
async def test_what_cannot_be_posted_to_gives_no_answer(url: str) -> None:
    assert await post(url, "text/plain", b"") == NO_ANSWER


async def test_a_login_in_the_url_is_sent_as_a_header() -> None:
    with receiver(200) as (url, got):
        assert await post(url.replace("://", "://kim:p%40ss@"), "text/plain", b"") == 200
    assert got == [("/hook", "Basic a2ltOnBAc3M=", b"")]
