"""The health check of a container."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run


@pytest.fixture
def answer() -> Iterator[tuple[HTTPServer, list[tuple[int, bytes]]]]:
    answers: list[tuple[int, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert (self.path, self.headers["Host"]) == ("/readyz", "localhost")
            status, body = answers.pop()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the tests quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server, answers
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (200, b'{"status": "ok"}', exits.OK, "ok"),
        (503, b'{"status": "stopping"}', exits.FAILED, "stopping"),
        (200, b"<html>", exits.FAILED, "no answer from 127.0.0.1"),
    ],
)
def test_it_says_whether_the_server_is_ready(
    status: int,
    body: bytes,
    code: int,
    said: str,
    answer: tuple[HTTPServer, list[tuple[int, bytes]]],
    home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server, answers = answer
    answers.append((status, body))
    assert run(["health", "--host", "0.0.0.0", "--port", str(server.server_port)]) == code
    printed = capsys.readouterr()
    assert said in printed.out + printed.err


def test_where_nothing_listens_it_fails(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["health", "--port", "1"]) == exits.FAILED
    assert "no answer from 127.0.0.1:1" in capsys.readouterr().err
