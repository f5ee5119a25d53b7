"""What the tests of access tokens share: settings with an authorization server, and how it is reached."""

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import httpx

from mailgun_mcp.settings import Settings
from mailgun_mcp.web.issuer_http import IssuerHttp
from tests.support.identity_provider import ISSUER, OUR_SECRET, OURS, RESOURCE, IdentityProvider

PUBLIC = "93.184.215.14"
SETTINGS = Settings(public_url=RESOURCE, oauth_issuer=ISSUER)


def issuer_http(provider: IdentityProvider, addresses: list[str] | None = None) -> IssuerHttp:
    """Return the HTTP of a server in whose DNS the authorization server is at these addresses."""

    async def resolve(host: str, port: int) -> list[str]:
        assert (host, port) == ("login.example.com", 443)
        return [PUBLIC] if addresses is None else addresses

    return IssuerHttp(resolve=resolve, transport=httpx.ASGITransport(app=provider.app))


def introspecting(directory: Path, **options: Any) -> Settings:
    """Return the settings of a server that asks about each token."""
    secret = directory / "secret"
    secret.write_text(f"{OUR_SECRET}\n", encoding="utf-8")
    return Settings(
        public_url=RESOURCE,
        oauth_issuer=ISSUER,
        oauth_introspection_url=f"{ISSUER}/introspect",
        oauth_client_id=OURS,
        oauth_client_secret_file=str(secret),
        **options,
    )


def segment(value: Any) -> str:
    """Return a part of a JWT: JSON, or bytes as they are."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()
