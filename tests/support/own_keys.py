"""A server on which people store Mailgun keys of their own, and a Mailgun that knows a few keys."""

from base64 import b64decode
from typing import Any

import httpx

from mailgun_mcp.call.personal_accounts import PersonalKeyOptions
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.store.given_keys import GivenKeys
from tests.support.apps import opened, own_state
from tests.support.operations import catalogue
from tests.support.recorder import Clock

SECRET = "a-secret-of-the-tests-that-is-long-enough"
NEWER = "another-secret-of-the-tests-long-enough"
SHARED, ANNS, BENS, LIMITED = (
    "shared-key-of-the-server",
    "anns-own-key-0123",
    "bens-own-key-4567",
    "key-without-domains-89",
)
ANN, BEN = Principal("ann@login.example.com"), Principal("ben")
BY_ANN, BY_BEN = Caller(ANN), Caller(BEN)
DOMAINS = {SHARED: "shared.example.com", ANNS: "ann.example.com", BENS: "ben.example.com"}


class KeyedMailgun(httpx.AsyncBaseTransport):
    """Knows whose key is whose, and keeps which key each request came with."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.down = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        key = b64decode(request.headers["authorization"].removeprefix("Basic ")).decode().removeprefix("api:")
        self.seen.append((key, f"{request.method} {request.url.host}{request.url.raw_path.decode()}"))
        if self.down:
            return httpx.Response(500, json={"message": key})
        if key == LIMITED:
            return httpx.Response(403, json={"message": "Forbidden"})
        if key not in DOMAINS:
            return httpx.Response(401, json={"message": f"Invalid key {key}"})
        return httpx.Response(200, json={"items": [{"name": DOMAINS[key]}], "total_count": 1})

    def keys_of(self, path: str) -> list[str]:
        """Return the keys with which a path was asked for."""
        return [key for key, line in self.seen if path in line]


async def _at_once(_: float) -> None:
    """Do not wait."""


def own_key_server(
    mailgun: KeyedMailgun, *, shared: bool = False, secret: str = SECRET, public_url: str | None = None, **options: Any
) -> Services:
    """Return services with, or without, an account of the server's own."""

    def connect(key: str, region: str) -> Client:
        return Client(
            resolve(region=region),
            key,
            user_agent="tests",
            rate_limit=(0, 10.0),
            connect=lambda: mailgun,
            sleep=_at_once,
        )

    options.setdefault("state", own_state())
    options.setdefault("clock", Clock())
    keys = PersonalKeyOptions(GivenKeys("the secret", secret, None), connect, ("us", "eu"), public_url)
    return opened(
        Services(
            catalogue=catalogue(),
            client=connect(SHARED if shared else "", "us"),
            without_account=not shared,
            personal_keys=keys,
            **options,
        )
    )
