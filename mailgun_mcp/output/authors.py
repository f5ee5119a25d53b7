"""Who wrote the texts of a result: what the catalogue says about its fields, and what a mail says about its sender."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from mailgun_mcp.catalogue.operation import Operation

EVERY = "*"
THIRD_PARTY = "third party"
MAIL = "mail"
DNS = "DNS"


@dataclass(frozen=True, slots=True)
class Fields:
    """Who wrote the fields of an object, or the items of a list."""

    names: frozenset[str]
    """The fields that the catalogue names."""
    theirs: tuple[tuple[str, "Written"], ...]
    """Those of the named fields that can hold third-party text."""
    others: "Written"
    """Who wrote the fields that the catalogue does not name."""


Written = Fields | str | None
"""Who wrote a value: None for the account or Mailgun, else the third party."""


@cache
def writers(operation: Operation) -> Written:
    """Return who wrote what in the operation's results."""
    return _writers(operation.authors)


def _writers(authors: Any) -> Written:
    if not isinstance(authors, dict):
        return None if authors is None else str(authors)
    inner = {name: _writers(value) for name, value in authors.items() if name != EVERY}
    return Fields(
        frozenset(inner),
        tuple((name, written) for name, written in inner.items() if written is not None),
        _writers(authors[EVERY]) if EVERY in authors else THIRD_PARTY,
    )


ADDRESS = re.compile(r"(?<![A-Za-z0-9._+@-])[A-Za-z0-9._+-]{1,40}@[A-Za-z0-9.-]{1,60}(?![A-Za-z0-9._+@-])")
"""An address that is safe in a label. It is only what the mail says; the mail's author chose it."""


def sender(fields: Any) -> str:
    """Return the address that a mail or event gives as its sender, or an empty text."""
    if not isinstance(fields, dict):
        return ""
    headers = _inside(fields, "message", "headers")
    named = (headers.get("from"), fields.get("From"), fields.get("from"), fields.get("sender"))
    for value in (*named, _inside(fields, "envelope").get("sender")):
        if isinstance(value, str) and (addresses := ADDRESS.findall(value[-200:])):
            return str(addresses[-1])
    return ""


def is_own_mail(fields: Any) -> bool:
    """Return whether, according to Mailgun, an event is about mail that the account itself sent."""
    if not isinstance(fields, dict):
        return False
    flags = _inside(fields, "flags")
    # Mail that a route forwards or a mailing list distributes was written by somebody else.
    passed_on = flags.get("is-routed") or _inside(fields, "mailing-list") or fields.get("event") == "stored"
    return flags.get("is-authenticated") is True and not passed_on


def expected_records(item: Any) -> tuple[Any, ...]:
    """Return the DNS records that Mailgun asks for. Finding one of them in the DNS reveals nothing new."""
    return (item.get("value"), _inside(item, "dns_record").get("value")) if isinstance(item, dict) else ()


def _inside(fields: dict[str, Any], *keys: str) -> dict[str, Any]:
    value: Any = fields
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
