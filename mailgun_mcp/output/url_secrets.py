"""Secrets in URLs: before the host, in a query, or in the path of a webhook, whose address itself is the credential."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from mailgun_mcp.output.secrets import is_secret_name

URL = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]{1,10}://)(?P<rest>[^\s\"'<>|\\^`{}⟦⟧…]+)", re.IGNORECASE)
ENCODED_URL = re.compile(
    r"(?:(?<=%[0-9a-f]{2})|(?<![a-z0-9+.-]))[a-z][a-z0-9+.-]{1,10}%3A%2F%2F(?:(?!%2C[a-z][a-z0-9+.-]{1,10}%3A)[^\s&\"'<>⟦⟧…])+(?<![.,;:!?])",
    re.IGNORECASE,
)
"""A URL inside the query of another, such as a request line. In a list, commas separate them."""
SHORT_NAMES = frozenset({"key", "sig", "signature", "auth", "code", "hash", "pass", "pwd", "sid", "t", "k"})
"""Query names that mark a secret only if the value looks like one."""
LETTERS_AND_DIGITS = r"(?=[^/?#&]*[0-9])(?=[^/?#&]*[A-Za-z])"
TOKEN = re.compile(
    rf"{LETTERS_AND_DIGITS}[A-Za-z0-9_~=+-]{{16,}}(?:\.[A-Za-z0-9_~=+-]{{4,}}){{0,4}}|[A-Za-z0-9_~=+-]{{40,}}"
)
"""Text that nobody would choose as a name: long, with both letters and digits."""
SHORT_TOKEN = re.compile(r"[A-Za-z0-9_~.=+%-]{6,}")
HOOKS: tuple[tuple[str, str], ...] = (
    (r"hooks\.slack(?:-gov)?\.com", r"/(?:services|workflows|triggers)/(?:[^/?#]+/){0,4}"),
    (r"(?:[a-z]+\.)?discord(?:app)?\.com", r"/api(?:/v[0-9]+)?/webhooks/[^/?#]+/"),
    (r"hooks\.zapier\.com", r"/hooks/catch/[^/?#]+/"),
    (r"[a-z0-9.-]+\.webhook\.office\.com", r"/webhookb2/(?:[^/?#]+/)*"),
    (r"api\.telegram\.org", r"/bot"),
    (r"hook\.[a-z0-9]+\.make\.com", r"/"),
    (r"maker\.ifttt\.com", r"/trigger/[^/?#]+/(?:json/)?with/key/"),
    (r"(?:events\.)?pagerduty\.com", r"/integration/"),
)
"""Host of a service, and the path before the part that only its owner knows."""
HOOK = re.compile("|".join(f"{host}(?::[0-9]+)?{path}" for host, path in HOOKS), re.IGNORECASE)
REFERENCE = re.compile(r"withheld:\s?[a-z2-9]{10}\b")
"""The text that replaces a withheld secret, in a URL or as a whole value."""
MARK = re.compile(r"withheld:[a-z2-9]{0,10}|\[redacted\]|%5Bredacted%5D|(?:…|%E2%80%A6).{0,4}", re.IGNORECASE)

Hide = Callable[[str], str]
"""Returns the replacement for a secret."""


def hide(text: str, instead: Hide) -> str:
    """Return the text with the secrets in its URLs replaced."""
    if "%" in text and "%3a%2f%2f" in text.lower():
        text = ENCODED_URL.sub(lambda match: _hidden_encoded(match[0], instead), text)
    return URL.sub(lambda match: match["scheme"] + _hidden(match["rest"], instead), text) if "://" in text else text


def hide_all(value: Any, instead: Hide) -> Any:
    """Return the value with the secrets in the URLs of all its texts replaced."""
    if isinstance(value, str):
        return hide(value, instead)
    if isinstance(value, list):
        return [hide_all(item, instead) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {
        key: hide_all(item, instead)
        for key, item in value.items()
        # Few fields have a URL. Looking for its signs here saves a call for each of the others.
        if (("://" in item or "%" in item) if isinstance(item, str) else isinstance(item, (dict, list)))
    }
    return {**value, **changed} if changed else value


def recognisable(secret: str) -> str:
    """Return just enough of a secret for its owner to recognise it."""
    return f"…{secret[-4:]}" if len(secret) >= 16 else "…"


def _hidden(rest: str, instead: Hide) -> str:
    """Return the rest of a URL, after its scheme, without secrets."""
    address, query_mark, query = rest.partition("?")
    authority, slash, path = address.partition("/")
    user, at, host = authority.rpartition("@")
    if at and user:
        user = _replaced(user, instead)
    return f"{user}{at}{host}{_path(host, slash + path, instead)}{query_mark}{_query(query, instead)}"


def _hidden_encoded(encoded: str, instead: Hide) -> str:
    url = unquote(encoded)
    hidden = hide(url, instead)
    return encoded if hidden == url else quote(hidden, safe="…[]")


def _path(host: str, path: str, instead: Hide) -> str:
    hook = HOOK.match(host + path)
    public = hook.end() - len(host) if hook else 0
    before, secret = (path[:public], path[public:]) if public > 0 else (path, "")
    parts = [_replaced(part, instead) if TOKEN.fullmatch(unquote(part)) else part for part in before.split("/")]
    # The last part of a webhook's path is secret, whatever it looks like.
    return "/".join(parts) + "/".join(_replaced(part, instead) if part else part for part in secret.split("/"))


def _query(query: str, instead: Hide) -> str:
    return "&".join(_field(field, instead) for field in query.split("&"))


def _field(field: str, instead: Hide) -> str:
    name, equals, value = field.partition("=")
    if not equals:
        return _replaced(field, instead) if TOKEN.fullmatch(unquote(field)) else field
    words = unquote(name).lower()
    secret = (
        is_secret_name(unquote(name))
        or TOKEN.fullmatch(unquote(value))
        or (words in SHORT_NAMES and SHORT_TOKEN.fullmatch(value))
    )
    return f"{name}={_replaced(value, instead)}" if secret and value else field


def _replaced(secret: str, instead: Hide) -> str:
    return secret if MARK.fullmatch(secret) else instead(secret)
