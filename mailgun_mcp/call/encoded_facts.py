"""Facts that an answer holds only in encoded form: the length of a DKIM key, and when a certificate is valid."""

import re
from base64 import b64decode
from binascii import Error
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.text.durations import iso

TOOLSETS = frozenset({"domains", "domain_keys", "dkim_security", "tracking"})
"""Toolsets whose answers contain keys or certificates."""
DKIM_KEY = re.compile(r"(?:^|;)\s*p=([A-Za-z0-9+/=\s]{100,2000})(?:;|$)")
CERTIFICATE = "-----BEGIN CERTIFICATE-----"
LONGEST = 20_000
"""Longest certificate that is parsed, in characters."""


def with_encoded_facts(operation: Operation, result: dict[str, Any]) -> dict[str, Any]:
    """Return the result with `key_bits` in a DKIM record, and `valid_from` and `valid_until` beside a certificate."""
    if operation.toolset not in TOOLSETS:
        return result
    shown = _with_facts(result)
    return shown if isinstance(shown, dict) else result


def key_bits(record: object) -> int | None:
    """Return the length of the RSA key in the value of a DKIM record, or None."""
    match = DKIM_KEY.search(record) if isinstance(record, str) else None
    if match is None:
        return None
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(b64decode("".join(match[1].split()), validate=True))
    except (ValueError, Error, UnsupportedAlgorithm):
        return None
    return key.key_size if isinstance(key, RSAPublicKey) else None


def _with_facts(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_facts(item) for item in value]
    if not isinstance(value, dict):
        return value
    # Most values are neither a dict nor a list, and this check is cheaper than a call for each.
    inner = {name: _with_facts(item) for name, item in value.items() if isinstance(item, (dict, list))}
    shown = {**value, **inner} if inner else value
    if "value" in value and (bits := key_bits(value["value"])):
        shown = {**shown, "key_bits": bits}
    return {**shown, **_validity(value["certificate"])} if "certificate" in value else shown


def _validity(certificate: object) -> dict[str, str]:
    if not isinstance(certificate, str) or CERTIFICATE not in certificate or len(certificate) > LONGEST:
        return {}
    from cryptography.x509 import load_pem_x509_certificate

    try:
        read = load_pem_x509_certificate(certificate.encode())
        return {
            "valid_from": iso(read.not_valid_before_utc.timestamp()),
            "valid_until": iso(read.not_valid_after_utc.timestamp()),
        }
    except ValueError:
        return {}
