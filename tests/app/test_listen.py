"""The socket of an HTTP server."""

import socket

import pytest

from mailgun_mcp.app.listen import listen, url_of
from mailgun_mcp.settings import SettingsError


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_who_connects_before_the_server_is_up_waits(host: str) -> None:
    with listen(host, 0) as listener, socket.create_connection(listener.getsockname()[:2], 5) as connection:
        assert connection.getpeername()[1] == listener.getsockname()[1]


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("::1", "[::1]")])
def test_the_address_is_a_url_as_the_person_wrote_the_host(host: str, shown: str) -> None:
    with listen(host, 0) as listener:
        assert url_of(listener, host) == f"http://{shown}:{listener.getsockname()[1]}"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_a_host_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match="is not loopback"):
        listen(host, 0)


def test_a_taken_port_is_refused() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} of 127.0.0.1 cannot be used"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize("port", [65536, 10**9])
def test_a_port_that_does_not_exist_is_refused(port: int) -> None:
    with pytest.raises(SettingsError, match=f"port: {port} must be a number from 0 to 65535"):
        listen("127.0.0.1", port)


def test_small_answers_are_sent_at_once() -> None:
    """asyncio switches Nagle's algorithm off only for a connection whose socket names TCP as its protocol."""
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.proto == socket.IPPROTO_TCP
