"""Forms that only our own pages can send, each only once.

A form has a token for its action, made with the secret of the session. A site that cannot read the page cannot make
one, and each token works once.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from urllib.parse import parse_qsl

from starlette.requests import Request

from mailgun_mcp.text.host_names import LOOPBACK
from mailgun_mcp.web.bodies import BodyTooLargeError, read_bounded

FIELD = "form-token"
SCRIPT_HEADER = "x-page-token"
"""The header in which our scripts send `script_token`."""
LARGEST = 64 * 1024
"""Maximum size of a form in bytes."""
MOST_FIELDS = 50
VALID_SECONDS = 3600.0
MEDIA_TYPE = "application/x-www-form-urlencoded"


class FormRefused(Exception):
    """A form that was not accepted. The message tells the person why."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class FormToken:
    """A token that was sent, and that is valid for its action."""

    nonce: str
    expires: float


def form_token(secret: str, action: str, now: float) -> str:
    """Return a token for a form of this session that posts to the path `action`."""
    nonce, expires = token_urlsafe(16), int(now + VALID_SECONDS)
    return f"{nonce}.{expires}.{_signature(secret, 'form', action, nonce, str(expires))}"


def read_token(secret: str, action: str, text: str, now: float) -> FormToken:
    """Return the token of a form that was sent to `action`. Raises FormRefused. The caller checks for repeated use."""
    nonce, _, rest = text.partition(".")
    written, _, signature = rest.partition(".")
    genuine = hmac.compare_digest(
        signature.encode("utf-8", "surrogatepass"), _signature(secret, "form", action, nonce, written).encode()
    )
    if not genuine or not written.isdecimal():
        raise FormRefused("This form does not belong to your session. Open the page again.", 403)
    if float(written) <= now:
        raise FormRefused("This form has expired. Open the page again.", 403)
    return FormToken(nonce, float(written))


def script_token(secret: str) -> str:
    """Return the token that our scripts send in the header `X-Page-Token` with each request that changes something."""
    return _signature(secret, "script")


def check_script(request: Request, secret: str, public: str | None = None) -> None:
    """Raise FormRefused unless a script on a page of this session sent the request."""
    check_origin(request, public)
    text = request.headers.get(SCRIPT_HEADER, "")
    if not hmac.compare_digest(text.encode("utf-8", "surrogatepass"), script_token(secret).encode()):
        raise FormRefused("The header X-Page-Token is missing or wrong. Open the page again.", 403)


def check_origin(request: Request, public: str | None = None) -> None:
    """Raise FormRefused unless a page of this server sent the request. Browsers send the origin with each POST.

    `public` is the origin of the server's public URL. Without it, the host of the request counts, which was checked
    before. https is accepted because a proxy in front of us may end it. Plain http is for loopback only.
    """
    origins = request.headers.getlist("origin")
    origin = origins[0].lower() if len(origins) == 1 else ""
    host = request.headers.get("host", "").lower()
    same_site = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    if same_site and host and origin and origin in (public, f"https://{host}"):
        return
    if same_site and origin == f"http://{host}" and _name(host) in LOOPBACK:
        return
    raise FormRefused("This form did not come from a page of this server over https, so it was not accepted.", 403)


def _name(host: str) -> str:
    """Return the host without its port."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


async def read_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a form. If a name is repeated, the last one counts. Raises FormRefused."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise FormRefused(f"A form must be sent as {MEDIA_TYPE}.", 415)
    try:
        body = await read_bounded(request, LARGEST)
    except BodyTooLargeError as error:
        raise FormRefused(f"A form may have at most {LARGEST:,} bytes.", 413) from error
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise FormRefused("The form cannot be read.", 400) from error
    return dict(fields)


def _signature(secret: str, *parts: str) -> str:
    message = "\n".join(parts).encode("utf-8", "surrogatepass")
    return hmac.new(secret.encode("utf-8", "surrogatepass"), message, sha256).hexdigest()
