"""Removes secrets from all output: logs, audit log, errors, confirmations, exceptions.

Known secrets are removed in every spelling that code produces, unknown ones if they look like a secret.
"""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, MutableMapping
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.output.secrets import is_secret_name
from mailgun_mcp.output.url_secrets import hide
from mailgun_mcp.text.leaves import texts

REDACTED = "[redacted]"
SHORTEST = 4
"""Shortest secret, in characters. A shorter one occurs in many words, and removing it would make texts unreadable."""
DEEPEST = 100

LogEvent = MutableMapping[str, Any]

KEYS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(mgmcp_[a-z0-9]{10}_)[A-Za-z0-9_-]{43}"), rf"\1{REDACTED}"),
    (re.compile(r"(?:pub)?key-[0-9a-f]{32,64}", re.IGNORECASE), REDACTED),
    (re.compile(r"[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}", re.IGNORECASE), REDACTED),
)
"""Patterns of our tokens and Mailgun's keys."""
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)", re.DOTALL
        ),
        REDACTED,
    ),
    *KEYS,
    (
        # As `Authorization: …`, or as Python prints pairs of header name and value.
        re.compile(
            r"((?<![a-z])authorization(?:[\\\"']{1,4}\s{0,4},|[\\\"']{0,4}\s{0,4}[:=])\s{0,4}(?:[bu]?[\\\"']{1,4})?)"
            r"[^\\\"'\r\n]+",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    (
        re.compile(r"(\b(?:basic|bearer)\s{1,4})(?=[a-z+/._~-]{0,400}[0-9=])[a-z0-9+/._~-]{12,}=*", re.IGNORECASE),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"(://)[^\s/?#@\"'<>]{1,2000}@"), rf"\1{REDACTED}@"),
)
"""Patterns of text that looks like a secret, with the replacement."""


class Redactor:
    """Knows the secrets of one process. Calls add more."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._learned: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.learn(*secrets)

    def __repr__(self) -> str:
        return f"Redactor({len(self._learned)} spellings)"

    def learn(self, *secrets: str) -> None:
        """Remember secrets. From now on, these values are redacted."""
        new = {secret for secret in secrets if len(secret.strip()) >= SHORTEST} - self._secrets
        if not new:
            return
        self._secrets |= new
        self._learned.update(*map(_spellings, new))
        # Longest first, because a part of a secret may be a secret too.
        ordered = sorted(self._learned, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered)))

    def learn_arguments(self, operation: Operation, arguments: Arguments) -> None:
        """Remember the secret arguments of a call."""
        for argument in operation.arguments:
            if argument.secret:
                self.learn(*texts(arguments.get(argument.name)))

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        return hide(self._without(text, PATTERNS), _redact)

    def name(self, name: str) -> str:
        """Return the name or address of what a call reaches, without known secrets and keys.

        Other patterns are not looked for: a caller could choose an address that they hide as a whole.
        """
        return self._without(name, KEYS)

    def _without(self, text: str, patterns: Iterable[tuple[re.Pattern[str], str]]) -> str:
        if self._pattern:
            text = self._pattern.sub(REDACTED, text)
        for pattern, replacement in patterns:
            text = pattern.sub(replacement, text)
        return text

    def value(self, value: Any) -> Any:
        """Return the JSON value without secrets. Keys are redacted too, and so are values whose key names a secret.

        A value that is not JSON is returned as it is, unless its `repr` contains a secret: then the redacted `repr` is.
        """
        return self._value(value, DEEPEST)

    def arguments(self, operation: Operation, arguments: Arguments) -> Arguments:
        """Return the arguments of a call without secrets; secret arguments are masked entirely."""
        declared = {argument.name: argument.secret for argument in operation.arguments}
        return {
            # A name that the catalogue lacks may be a secret in the wrong place.
            name if name in declared else self.text(name): _masked(value)
            if declared.get(name)
            else self._field(name, value, DEEPEST)
            for name, value in arguments.items()
        }

    def processor(self, _logger: Any, _method: str, event: "LogEvent | str") -> Any:
        """Redact a structlog record: its fields, or as the last processor the rendered line."""
        return self.text(event) if isinstance(event, str) else self.value(event)

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if depth == 0:
            return REDACTED
        if isinstance(value, MutableMapping):
            return {
                self.text(key) if isinstance(key, str) else key: self._field(key, item, depth - 1)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            items = [self._value(item, depth - 1) for item in value]
            return items if isinstance(value, list) else tuple(items)
        representation = repr(value)
        redacted = self.text(representation)
        return value if redacted == representation else redacted

    def _field(self, key: Any, value: Any, depth: int) -> Any:
        return _masked(value) if isinstance(key, str) and _is_secret(key) else self._value(value, depth)


def _redact(_: str) -> str:
    return REDACTED


def _is_secret(key: str) -> bool:
    return is_secret_name(key) or key.lower() in ("authorization", "proxy-authorization", "cookie", "set-cookie")


def _masked(value: Any) -> Any:
    """Return the value with every text and number masked."""
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(item) for item in value]
    return value if value is None or isinstance(value, bool) or value == "" else REDACTED


def _spellings(secret: str) -> set[str]:
    """Return the spellings of the secret in JSON, Python, URLs, HTML and Basic authentication."""
    plain = {secret, secret.strip()}
    basic = {f"api:{text}" for text in plain}
    quoted = {
        spelling
        for text in plain
        for spelling in (
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
            repr(text)[1:-1],
            escape(text),
            *_percent(text),
        )
    }
    encoded = {
        spelling
        for text in plain | basic
        for data in (text.encode("utf-8", "surrogatepass"),)
        for whole in (b64encode(data).decode(), urlsafe_b64encode(data).decode())
        for spelling in (whole, whole.rstrip("="), *_percent(whole))
    }
    return plain | quoted | encoded


def _percent(text: str) -> Iterator[str]:
    data = text.encode("utf-8", "surrogatepass")
    for whole in (quote(data, safe=""), quote(data), quote_plus(data)):
        yield whole
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), whole)
