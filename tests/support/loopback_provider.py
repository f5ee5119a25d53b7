"""The authorization server of `identity_provider`, listening on loopback, for clients that are programs or browsers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

import uvicorn
from starlette.middleware.cors import CORSMiddleware

from tests.support.identity_provider import CLIENT, IdentityProvider, OAuthClient

USER = "ann"


def listening() -> socket:
    """Return a socket that listens on a free port of loopback."""
    listener = socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with listening() as listener:
        return int(listener.getsockname()[1])


@contextmanager
def loopback_provider(*redirects: str) -> Iterator[IdentityProvider]:
    """Run an authorization server whose one public client may come back to these addresses. Pages of all origins reach it."""
    listener = listening()
    provider = IdentityProvider(user=USER, issuer=f"http://127.0.0.1:{listener.getsockname()[1]}")
    provider.clients[CLIENT] = OAuthClient(CLIENT, redirects=redirects)
    app = CORSMiddleware(provider.app, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
