"""An authorization server in the test's own process: authlib's, with real keys, codes, PKCE, introspection and revocation."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request, grants
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mailgun_mcp.identity.access import SCOPES

ISSUER = "https://login.example.com"
RESOURCE = "https://mail.example.com"
REDIRECT = "https://client.example.com/callback"
CLIENT, OURS = "the-client", "mailgun-mcp"
OUR_SECRET = "the secret with which our server asks about tokens"
HOUR = 3600


@dataclass
class OAuthClient(ClientMixin):  # type: ignore[misc] # authlib has no types
    """A registered client: public with PKCE, or confidential with a secret."""

    id: str
    secret: str = ""
    redirects: tuple[str, ...] = (REDIRECT, f"{RESOURCE}/sign-in/callback")

    def get_client_id(self) -> str:
        return self.id

    def get_default_redirect_uri(self) -> str:
        return REDIRECT

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(word for word in (scope or "").split() if word in SCOPES)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirects

    def check_client_secret(self, client_secret: str) -> bool:
        return bool(self.secret) and client_secret == self.secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == ("client_secret_basic" if self.secret else "none")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class User:
    name: str

    def get_user_id(self) -> str:
        return self.name


@dataclass
class Code:
    """What an authorization code stands for."""

    code: str
    request: Any
    user: User

    @property
    def code_challenge(self) -> str | None:
        return self.request.payload.data.get("code_challenge")  # type: ignore[no-any-return]

    @property
    def code_challenge_method(self) -> str | None:
        return self.request.payload.data.get("code_challenge_method")  # type: ignore[no-any-return]

    def get_redirect_uri(self) -> str:
        return self.request.payload.redirect_uri  # type: ignore[no-any-return]

    def get_scope(self) -> str:
        return self.request.payload.scope  # type: ignore[no-any-return]


@dataclass
class IssuedToken:
    claims: dict[str, Any]
    revoked: bool = False

    def check_client(self, client: OAuthClient) -> bool:
        return True

    def is_expired(self) -> bool:
        return bool(self.claims["exp"] < time.time())

    def is_revoked(self) -> bool:
        return self.revoked

    def revoke(self) -> None:
        self.revoked = True


class FormRequest(OAuth2Request):  # type: ignore[misc] # authlib has no types
    """A request as authlib reads it."""

    def __init__(self, method: str, uri: str, headers: Mapping[str, str], form: dict[str, str], query: dict[str, str]):
        super().__init__(method, uri, headers=headers)
        self._form, self._query = form, query
        self.payload = BasicOAuth2Payload({**query, **form})

    @property
    def args(self) -> dict[str, str]:
        return self._query

    @property
    def form(self) -> dict[str, str]:
        return self._form


class Server(AuthorizationServer):  # type: ignore[misc] # authlib has no types
    """authlib's server over Starlette's requests and responses."""

    def __init__(self, provider: "IdentityProvider") -> None:
        super().__init__(scopes_supported=["openid", *SCOPES])
        self.provider = provider

    def query_client(self, client_id: str) -> OAuthClient | None:
        return self.provider.clients.get(client_id)

    def save_token(self, token: dict[str, Any], request: Any) -> None:
        """A JWT says by itself what it is."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Any) -> Any:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        if isinstance(body, dict):
            return JSONResponse(body, status, headers=dict(headers))
        return Response(body, status, headers=dict(headers))


@dataclass
class IdentityProvider:
    """The server and what it knows. `user` is who is signed in at the browser."""

    user: str = "ann"
    issuer: str = ISSUER
    down: bool = False
    requests: list[str] = field(default_factory=list)
    issued: dict[str, IssuedToken] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    clients: dict[str, OAuthClient] = field(default_factory=dict)
    id_claims: dict[str, Any] | None = field(default_factory=dict)
    """What ID tokens say beside the usual; None where the server issues none."""
    resource: str = ""
    """What the request at hand asks a token for."""

    def __post_init__(self) -> None:
        self.clients |= {CLIENT: OAuthClient(CLIENT), OURS: OAuthClient(OURS, OUR_SECRET)}
        self.keys: dict[str, Any] = {"rsa-1": RSAKey.generate_key(2048, {"kid": "rsa-1", "alg": "RS256", "use": "sig"})}
        self.server = Server(self)
        self._register()
        self.app = Starlette(
            routes=[
                Route("/.well-known/oauth-authorization-server", self._metadata),
                Route("/jwks", self._jwks),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/introspect", self._introspect, methods=["POST"]),
                Route("/revoke", self._revoke, methods=["POST"]),
            ]
        )

    def rotate(self) -> None:
        """Sign with a new key from now on, and forget the old one."""
        name = f"rsa-{len(self.keys) + 1}-{time.monotonic_ns()}"
        self.keys = {name: RSAKey.generate_key(2048, {"kid": name, "alg": "RS256", "use": "sig"})}

    def add_key(self, kind: str) -> str:
        """Add a key of another kind, and return its id."""
        name = f"{kind}-key"
        options: Any = {"kid": name, "use": "sig"}
        self.keys[name] = (
            ECKey.generate_key("P-256", options) if kind == "ec" else OKPKey.generate_key("Ed25519", options)
        )
        return name

    def token(
        self, key: Any = None, *, header: Mapping[str, Any] | None = None, without: tuple[str, ...] = (), **claims: Any
    ) -> str:
        """Return a token with these claims, signed with one of the keys, or the given one."""
        name = next(iter(self.keys))
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": f"{RESOURCE}/mcp", "sub": "ann", "iat": now, "exp": now + HOUR}
        usual |= {"client_id": CLIENT, "scope": "mailgun:read"}
        body = {name: value for name, value in {**usual, **claims}.items() if name not in without}
        head = {"alg": "RS256", "typ": "at+jwt", "kid": name, **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        text = jwt.encode(head, body, key or self.keys[name], algorithms=[str(head["alg"])])
        self.issued[text] = IssuedToken(body)
        return text

    def _register(self) -> None:  # noqa: C901 - authlib wants classes, and these know this provider
        provider = self

        class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc] # authlib has no types
            TOKEN_ENDPOINT_AUTH_METHODS = ("none", "client_secret_basic")

            def save_authorization_code(self, code: str, request: Any) -> None:
                provider.codes[code] = Code(code, request, request.user)

            def query_authorization_code(self, code: str, client: OAuthClient) -> Code | None:
                return provider.codes.get(code)

            def delete_authorization_code(self, authorization_code: Code) -> None:
                del provider.codes[authorization_code.code]

            def authenticate_user(self, authorization_code: Code) -> User:
                return authorization_code.user

        class Tokens(JWTBearerTokenGenerator):  # type: ignore[misc] # authlib has no types
            def get_jwks(self) -> Any:
                return KeySet(list(provider.keys.values())[:1])

            def get_audiences(self, client: OAuthClient, user: User, scope: str) -> str:
                return provider.resource

            def access_token_generator(self, **options: Any) -> str:
                text: str = super().access_token_generator(**options)
                provider.issued[text] = IssuedToken(jwt.decode(text, self.get_jwks()).claims)
                return text

        class Introspect(IntrospectionEndpoint):  # type: ignore[misc] # authlib has no types
            CLIENT_AUTH_METHODS = ("client_secret_basic",)

            def query_token(self, token_string: str, token_type_hint: str | None) -> IssuedToken | None:
                return provider.issued.get(token_string)

            def check_permission(self, token: IssuedToken, client: OAuthClient, request: Any) -> bool:
                return client.id == OURS

            def introspect_token(self, token: IssuedToken) -> dict[str, Any]:
                return {"active": not token.revoked, **token.claims}

        class Revoke(RevocationEndpoint):  # type: ignore[misc] # authlib has no types
            CLIENT_AUTH_METHODS = ("none",)

            def query_token(self, token_string: str, token_type_hint: str | None) -> IssuedToken | None:
                return provider.issued.get(token_string)

            def revoke_token(self, token: IssuedToken, request: Any) -> None:
                token.revoke()

        self.server.register_grant(CodeGrant, [CodeChallenge(required=True)])
        self.server.register_token_generator("default", Tokens(self.issuer))
        self.server.register_endpoint(Introspect)
        self.server.register_endpoint(Revoke)

    async def _read(self, request: Request) -> FormRequest:
        self.requests.append(request.url.path)
        form = dict(parse_qsl((await request.body()).decode()))
        query = dict(request.query_params)
        self.resource = form.get("resource", query.get("resource", ""))
        headers = {name.title(): value for name, value in request.headers.items()}
        return FormRequest(request.method, str(request.url), headers, form, query)

    async def _metadata(self, request: Request) -> Response:
        self.requests.append(request.url.path)
        if self.down:
            return Response(status_code=503)
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "introspection_endpoint": f"{self.issuer}/introspect",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "scopes_supported": list(SCOPES),
            }
        )

    async def _jwks(self, request: Request) -> Response:
        self.requests.append(request.url.path)
        if self.down:
            return Response(status_code=503)
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self.keys.values()]})

    async def _authorize(self, request: Request) -> Response:
        wrapped = await self._read(request)
        grant = self.server.get_consent_grant(wrapped, User(self.user))
        answer: Response = self.server.create_authorization_response(wrapped, User(self.user), grant)
        return answer

    async def _token(self, request: Request) -> Response:
        wrapped = await self._read(request)
        code = self.codes.get(wrapped.form.get("code", ""))
        answer: Response = self.server.create_token_response(wrapped)
        nonce = code.request.payload.data.get("nonce") if code is not None else None
        if answer.status_code != 200 or code is None or nonce is None or self.id_claims is None:
            return answer
        claims = {"aud": code.request.client.get_client_id(), "sub": code.user.name, "nonce": nonce, **self.id_claims}
        identity = self.token(header={"typ": "JWT"}, without=("scope", "client_id"), **claims)
        return JSONResponse({**json.loads(bytes(answer.body)), "id_token": identity})

    async def _introspect(self, request: Request) -> Response:
        wrapped = await self._read(request)
        if self.down:
            return Response(status_code=503)
        answer: Response = self.server.create_endpoint_response("introspection", wrapped)
        return answer

    async def _revoke(self, request: Request) -> Response:
        answer: Response = self.server.create_endpoint_response("revocation", await self._read(request))
        return answer
