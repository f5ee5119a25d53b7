"""Webhook endpoints: where events go, in which format, and how they are signed (Standard Webhooks)."""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.policy.model import WebhookFormat, WebhookRules

PREFIX = "whsec_"
LEAST, MOST = 24, 64
"""Minimum and maximum length of a secret in bytes."""


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """An address that receives events."""

    url: str
    format: WebhookFormat = "standard"
    events: frozenset[str] | None = None
    """The events that it receives. None for all."""
    secret: bytes | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """Identifies the endpoint in the state. The URL itself is not stored: it may be all that protects a channel."""
        return sha256(self.url.encode()).hexdigest()[:16]

    def takes(self, event: str) -> bool:
        """Return whether the endpoint receives this event."""
        return self.events is None or event in self.events

    def headers(self, message: str, at: float, body: bytes) -> dict[str, str]:
        """Return the headers of a message: its id, its time, and a signature of both and the body."""
        headers = {"Content-Type": "application/json", "webhook-id": message, "webhook-timestamp": str(int(at))}
        if self.secret is not None:
            signed = f"{message}.{int(at)}.".encode() + body
            signature = b64encode(hmac.new(self.secret, signed, sha256).digest()).decode()
            headers["webhook-signature"] = f"v1,{signature}"
        return headers


def endpoints_of(rules: Sequence[WebhookRules]) -> tuple[WebhookEndpoint, ...]:
    """Return the endpoints that a policy names. Raises SettingsError for an unusable secret."""
    return tuple(
        WebhookEndpoint(
            rule.url,
            rule.format,
            frozenset(rule.events) if rule.events is not None else None,
            _secret(rule.secret_file) if rule.secret_file is not None else None,
        )
        for rule in rules
    )


def _secret(name: str) -> bytes:
    path = Path(name).expanduser()
    try:
        secret = b64decode(path.read_text(encoding="ascii").strip().removeprefix(PREFIX), validate=True)
    except (OSError, UnicodeDecodeError, BinasciiError, ValueError) as error:
        raise SettingsError(
            f"notify.webhooks: the secret in {path} cannot be read: write `{PREFIX}` and base64 of {LEAST} random bytes"
        ) from error
    if not LEAST <= len(secret) <= MOST:
        raise SettingsError(f"notify.webhooks: the secret in {path} must have {LEAST} to {MOST} bytes")
    return secret
