"""The answers 401 and 403 to requests without a sufficient token. They say what a client needs to get one.

RFC 6750 defines the form of the challenge, RFC 9728 the address of the metadata in it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from starlette.responses import JSONResponse, PlainTextResponse, Response

from mailgun_mcp.identity.access import READ, SCOPES
from mailgun_mcp.web.metadata import metadata_path

HOW_TO_AUTHENTICATE = (
    "This server needs a token: send the header `Authorization: Bearer TOKEN`. On this machine, the token of the user "
    "who "
    "runs the server is in the file http-token in the server's state directory, and `mailgun-mcp install --client CLIENT "
    "--server-url URL` writes it for a client. For others, the operator makes one with `mailgun-mcp tokens new NAME`.\n"
)
INVALID = "The token is not valid"
WHY_INVALID = ": it is unknown, revoked, expired, or for another server"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What challenges say. Without a public URL, no authorization server issues tokens for this server."""

    public_url: str | None = None
    """The base URL under which clients reach the server, if an authorization server issues tokens for it."""
    as_json: bool = False
    """Whether the 401 answer is JSON, for programs that read nothing else."""

    def unauthorized(self, path: str, *, fault: str = "") -> Response:
        """Return the answer to a request without a token, or with one that has this fault."""
        error = {"error": "invalid_token", "error_description": fault} if fault else {}
        header = self._header(path, {**error, **({"scope": READ} if self.public_url else {})})
        message = f"{fault}{WHY_INVALID if fault == INVALID else ''}.\n" if fault else HOW_TO_AUTHENTICATE
        headers = {"WWW-Authenticate": header}
        if self.as_json:
            return JSONResponse({"error": {"code": "unauthorized", "message": message.strip()}}, 401, headers=headers)
        return PlainTextResponse(message, 401, headers=headers)

    def insufficient_scope(self, path: str, missing: Collection[str], granted: Collection[str]) -> Response:
        """Return the answer to a call that needs more scopes than its token has.

        The challenge also names the granted ones: a client that asks for exactly what it names then loses none.
        """
        needed = " ".join(scope for scope in SCOPES if scope in {*missing, *granted})
        lacking = ", ".join(scope for scope in SCOPES if scope in missing)
        description = f"This call needs the scope {lacking}. Nothing was done"
        fields = {"error": "insufficient_scope", "error_description": description, "scope": needed}
        return JSONResponse(fields, 403, headers={"WWW-Authenticate": self._header(path, fields)})

    def _header(self, path: str, fields: dict[str, str]) -> str:
        if self.public_url is not None:
            fields = {**fields, "resource_metadata": self.public_url + metadata_path(path)}
        return ", ".join(['Bearer realm="mailgun-mcp"', *(f'{name}="{value}"' for name, value in fields.items())])
