"""Opens the socket of an HTTP server before the server itself is built."""

import socket

from mailgun_mcp.errors import reason_of
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.text.host_names import LOOPBACK

BACKLOG = 2048


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens on `host`."""
    return host in LOOPBACK


def listen(host: str, port: int, *, authenticated: bool = False) -> socket.socket:
    """Return a socket that listens on `host` and `port`. Port 0 means any free port.

    Clients that connect from now on wait until the server is up, so the address can be announced at once.
    `authenticated`: whether callers must authenticate. Only then may `host` be other than loopback.
    Raises SettingsError for an unusable host or port.
    """
    if not authenticated and not is_loopback(host):
        raise SettingsError(
            f"host {host} is not loopback: without authentication the server listens on 127.0.0.1, localhost or ::1 only"
        )
    # asyncio sends small packets at once only if the socket's protocol is TCP. Otherwise each answer takes 40 ms more.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OverflowError as error:
        listener.close()
        raise SettingsError(f"port: {port} must be a number from 0 to 65535") from error
    except OSError as error:
        listener.close()
        raise SettingsError(f"port {port} of {host} cannot be used: {reason_of(error)}") from error
    return listener


def url_of(listener: socket.socket, host: str) -> str:
    """Return the base URL of a server on `listener`, with the host as the person wrote it."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"
