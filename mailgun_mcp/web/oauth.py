"""Builds the verifier for an authorization server's access tokens, and the sign-in, from the settings."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mailgun_mcp.errors import reason_of
from mailgun_mcp.settings import Settings, SettingsError
from mailgun_mcp.web.authentication import Verifier
from mailgun_mcp.web.claims import Claims
from mailgun_mcp.web.introspection import Introspection
from mailgun_mcp.web.issuer_http import IssuerHttp
from mailgun_mcp.web.issuer_keys import IssuerKeys
from mailgun_mcp.web.jwt_tokens import IdTokens, JwtTokens
from mailgun_mcp.web.metadata import RESOURCES

if TYPE_CHECKING:
    from mailgun_mcp.web.pages.cookies import Cookie
    from mailgun_mcp.web.pages.sign_in import Issuer

NEED_ISSUER = ("oauth_audience", "oauth_jwks_url", "oauth_introspection_url", "oauth_client_id")


def oauth_verifier(settings: Settings, http: IssuerHttp, clock: Callable[[], float]) -> Verifier | None:
    """Return the verifier of access tokens, or None if there is no authorization server.

    With introspection, the authorization server is asked about every token, even a JWT, so that it can be revoked.
    Raises SettingsError.
    """
    if settings.oauth_issuer is None:
        for name in NEED_ISSUER:
            if getattr(settings, name) is not None:
                raise SettingsError(f"{name.replace('_', '-')}: set oauth-issuer too")
        return None
    if settings.public_url is None:
        raise SettingsError("oauth-issuer: set public-url too, the URL at which clients reach this server")
    claims = Claims(
        http.check("oauth-issuer", settings.oauth_issuer),
        _audiences(settings, http.check("public-url", settings.public_url)),
        settings.oauth_principal,
    )
    if settings.oauth_introspection_url is not None:
        url = http.check("oauth-introspection-url", settings.oauth_introspection_url)
        return Introspection(http, url, _login(settings), claims, clock)
    _require_jwt()
    keys_url = settings.oauth_jwks_url
    if keys_url is not None:
        http.check("oauth-jwks-url", keys_url)
    return JwtTokens(IssuerKeys(http, settings.oauth_issuer, keys_url, clock), claims)


def oidc_sign_in(
    settings: Settings, http: IssuerHttp, access_tokens: Verifier | None, cookie: "Cookie"
) -> "Issuer | None":
    """Return the sign-in for pages, or None if this server is not registered for it. Raises SettingsError."""
    if settings.oauth_issuer is None or settings.oauth_client_id is None or settings.public_url is None:
        return None
    if access_tokens is None:
        return None
    from mailgun_mcp.web.pages.oidc import OidcSignIn, Registration

    _require_jwt()
    secret = _login(settings)[1] if settings.oauth_client_secret_file is not None else None
    registration = Registration(settings.oauth_issuer, settings.public_url, settings.oauth_client_id, secret)
    claims = Claims(settings.oauth_issuer, (settings.oauth_client_id,), settings.oauth_principal)
    keys = IssuerKeys(http, settings.oauth_issuer, settings.oauth_jwks_url, time.time)
    return OidcSignIn(registration, http, IdTokens(keys, claims), access_tokens, cookie)


def _audiences(settings: Settings, public_url: str) -> tuple[str, ...]:
    """Return the accepted audiences: the operator's setting, or this server's URL and those that clients use."""
    if settings.oauth_audience is not None:
        return (settings.oauth_audience,)
    base = public_url.rstrip("/")
    return (base, *(base + path for path in RESOURCES))


def _login(settings: Settings) -> tuple[str, str]:
    if settings.oauth_client_id is None or settings.oauth_client_secret_file is None:
        raise SettingsError("oauth-introspection-url: set oauth-client-id and oauth-client-secret-file too")
    path = Path(settings.oauth_client_secret_file).expanduser()
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"oauth-client-secret-file: cannot read {path}: {reason_of(error)}") from error
    if not secret:
        raise SettingsError(f"oauth-client-secret-file: {path} is empty")
    return settings.oauth_client_id, secret


def _require_jwt() -> None:
    try:
        import cryptography  # noqa: F401
        import jwt  # noqa: F401
    except ImportError as error:
        raise SettingsError("oauth-issuer: install mailgun-mcp-server[auth], which checks signatures") from error
