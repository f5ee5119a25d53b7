"""Signs people in at the authorization server: the authorization code flow of OpenID Connect, with PKCE.

All that a sign-in needs until the person is back is one random secret in a cookie: state, nonce and verifier are
derived from it. The ID token says who came back; the access token says what they may do.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailgun_mcp.identity.access import APPROVE
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.output.logs import logger
from mailgun_mcp.web.authentication import TokenRefused, TokensUnavailable, Verifier
from mailgun_mcp.web.issuer_http import IssuerHttp, IssuerRefused
from mailgun_mcp.web.issuer_keys import metadata_urls
from mailgun_mcp.web.jwt_tokens import IdTokens
from mailgun_mcp.web.metadata import RESOURCES
from mailgun_mcp.web.pages.cookies import SIGN_IN as COOKIE
from mailgun_mcp.web.pages.cookies import Cookie
from mailgun_mcp.web.pages.sign_in import CALLBACK, SignInRefused

SECONDS = 600.0
"""How long a person may take at the authorization server, in seconds."""
LONGEST_CODE = 2_000
DOWN = "The authorization server does not answer. Try again."
NOT_STARTED = "This sign-in was not started in this browser, or it took too long. Try again."
NOT_ACCEPTED = (
    "The authorization server did not accept this sign-in: it took too long, or this server is not registered correctly. "
    "Try again. If that does not help, ask whoever runs it."
)
REFUSED = "The authorization server did not sign you in"


@dataclass(frozen=True, slots=True)
class Registration:
    """This server's registration as a client of the authorization server."""

    issuer: str
    public_url: str
    client_id: str
    client_secret: str | None = None

    @property
    def redirect_uri(self) -> str:
        """The URL to which the browser comes back. The authorization server must know it."""
        return self.public_url.rstrip("/") + CALLBACK


class OidcSignIn:
    """Signs people in: the `Issuer` of the sign-in page."""

    def __init__(
        self, registration: Registration, http: IssuerHttp, id_tokens: IdTokens, access_tokens: Verifier, cookie: Cookie
    ) -> None:
        self._registration = registration
        self._http = http
        self._id_tokens = id_tokens
        self._access_tokens = access_tokens
        self._cookie = cookie
        self._metadata: Mapping[str, Any] | None = None

    async def start(self, next_path: str) -> Response:
        """Return a redirect of the browser to the authorization server. Raises SignInRefused."""
        endpoint = await self._endpoint("authorization_endpoint")
        secret = token_urlsafe(32)
        challenge = urlsafe_b64encode(sha256(_made(secret, "verifier").encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._registration.client_id,
            "redirect_uri": self._registration.redirect_uri,
            "scope": f"openid {APPROVE}",
            "resource": self._registration.public_url.rstrip("/") + RESOURCES[0],
            "state": f"{_made(secret, 'state', next_path)}.{next_path}",
            "nonce": _made(secret, "nonce"),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        joint = "&" if urlsplit(endpoint).query else "?"
        response = RedirectResponse(f"{endpoint}{joint}{urlencode(query)}", 303)
        self._cookie.write(response, secret, SECONDS)
        return response

    async def finish(self, request: Request) -> tuple[Principal, str]:
        """Return who came back, and the path that they asked for. Raises SignInRefused."""
        secret, query = self._cookie.read(request), request.query_params
        state, _, next_path = query.get("state", "").partition(".")
        if secret is None or not hmac.compare_digest(
            state.encode("utf-8", "replace"), _made(secret, "state", next_path).encode()
        ):
            raise SignInRefused(NOT_STARTED)
        if query.get("iss", self._registration.issuer) != self._registration.issuer:
            raise SignInRefused(f"{REFUSED}: the answer is from another server.")
        code = query.get("code", "")
        if not code or len(code) > LONGEST_CODE:
            logger().info("a sign-in was refused", reason=query.get("error", "")[:100])
            raise SignInRefused(f"{REFUSED}. Try again, or ask whoever runs it.")
        return await self._principal(secret, code), next_path

    def forget(self, response: Response) -> None:
        """Remove the cookie of the sign-in."""
        self._cookie.clear(response)

    async def _principal(self, secret: str, code: str) -> Principal:
        """Return the principal, whom both tokens must name."""
        try:
            tokens = await self._tokens(secret, code)
            named = await self._id_tokens.verify(str(tokens.get("id_token", "")), nonce=_made(secret, "nonce"))
            access = str(tokens.get("access_token", ""))
            if not self._access_tokens.takes(access):
                raise TokenRefused("the access token is not a kind of token that this server accepts")
            principal = await self._access_tokens.verify(access)
        except IssuerRefused as error:
            logger().error("a sign-in was refused", reason=str(error))
            raise SignInRefused(NOT_ACCEPTED) from error
        except TokensUnavailable as error:
            logger().error("nobody can sign in", reason=str(error))
            raise SignInRefused(DOWN) from error
        except TokenRefused as error:
            logger().warning("a sign-in was refused", reason=str(error))
            raise SignInRefused(f"{REFUSED}: its tokens are not for this server. Ask whoever runs it.") from error
        if named.id != principal.id:
            raise SignInRefused(f"{REFUSED}: its tokens belong to two people.")
        return principal

    async def _tokens(self, secret: str, code: str) -> Mapping[str, Any]:
        registration = self._registration
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": registration.redirect_uri,
            "client_id": registration.client_id,
            "code_verifier": _made(secret, "verifier"),
            "resource": registration.public_url.rstrip("/") + RESOURCES[0],
        }
        endpoint = await self._endpoint("token_endpoint")
        login = None if registration.client_secret is None else (registration.client_id, registration.client_secret)
        return await self._http.post(endpoint, form, login)

    async def _endpoint(self, name: str) -> str:
        """Return an endpoint from the metadata of the authorization server. Raises SignInRefused."""
        if self._metadata is None:
            self._metadata = await self._found_metadata()
        endpoint = (self._metadata or {}).get(name)
        if not isinstance(endpoint, str) or not self._http.may_use(endpoint):
            raise SignInRefused(DOWN)
        return endpoint

    async def _found_metadata(self) -> Mapping[str, Any] | None:
        faults: list[str] = []
        for url in metadata_urls(self._registration.issuer):
            try:
                metadata = await self._http.get(url)
            except TokensUnavailable as error:
                faults.append(str(error))
                continue
            if metadata.get("issuer") == self._registration.issuer:
                return metadata
        logger().error("the authorization server has no metadata", reason="; ".join(faults))
        return None


def sign_in_cookie(*, secure: bool) -> Cookie:
    """Return the cookie of a sign-in. Browsers also send it when they come back from another site."""
    return Cookie(COOKIE, secure=secure, same_site="lax")


def _made(secret: str, *purpose: str) -> str:
    message = "\n".join(("sign-in", *purpose)).encode("utf-8", "replace")
    return urlsafe_b64encode(hmac.new(secret.encode(), message, sha256).digest()).rstrip(b"=").decode()
