"""The cookies of a browser session and of a sign-in in progress."""

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

SESSION, SIGN_IN = "mailgun-mcp-session", "mailgun-mcp-sign-in"
LONGEST = 200
"""Maximum length of a cookie's value in characters. Ours are shorter."""


class Cookie:
    """A cookie that scripts cannot read. Over https, no other host can set it, and plain http does not send it."""

    def __init__(self, name: str, *, secure: bool, same_site: Literal["strict", "lax"] = "strict") -> None:
        self._name = f"__Host-{name}" if secure else name
        self._secure = secure
        self._same_site = same_site

    def read(self, request: Request) -> str | None:
        """Return the value that the browser sent, or None. Two cookies of the same name count as none."""
        values = [
            value
            for header in request.headers.getlist("cookie")
            for name, equals, value in (part.strip().partition("=") for part in header.split(";"))
            if equals and name == self._name
        ]
        return values[0] if len(values) == 1 and 0 < len(values[0]) <= LONGEST else None

    def write(self, response: Response, value: str, seconds: float) -> None:
        """Set the cookie."""
        response.set_cookie(
            self._name,
            value,
            max_age=int(seconds),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite=self._same_site,
        )

    def clear(self, response: Response) -> None:
        """Remove the cookie."""
        response.delete_cookie(self._name, path="/", secure=self._secure, httponly=True, samesite=self._same_site)
