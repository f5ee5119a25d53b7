"""Arguments as the caller meant them: clients distort types, and models copy ids with the text around them."""

import re
from typing import Any

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.former_names import current_arguments
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.request.coerce import coerce_arguments
from mailgun_mcp.request.defaults import with_defaults
from mailgun_mcp.text.addresses import bare_address

FENCED = re.compile(r"\s*⟦([0-9a-f]{8}) [^⟦⟧]{1,120}⟧ ([^\r\n⟦⟧]{1,300}) ⟦\1⟧\s*")
"""Third-party text inside its fence, as a result shows it."""
BRACKETED = re.compile(r"\s*<([^<>\s]{1,300})>\s*")
MESSAGE_ID = frozenset({"message_id", "message-id"})
SHORT = frozenset({"path", "query", "page_path", "page_url"})
"""Locations that hold ids, addresses and names. The text of a mail, in contrast, may really quote a fence."""


def as_meant(operation: Operation, arguments: Arguments) -> Arguments:
    """Return the arguments to validate, decide on and send: with current names, plain ids and defaults, and coerced."""
    coerced = coerce_arguments(call_schema(operation), current_arguments(operation, arguments))
    for argument in operation.arguments:
        value = coerced.get(argument.name)
        if isinstance(value, str) and argument.location in SHORT:
            value = _plain(value, message_id=argument.wire in MESSAGE_ID)
            if argument.location == "path" and argument.format == "email":
                value = _key(value, of_list=operation.toolset == "lists")
            coerced[argument.name] = value
    if isinstance(coerced.get("filter"), dict):
        coerced["filter"] = _plain_filter(coerced["filter"])
    return with_defaults(operation.sent, coerced)


def _plain(text: str, *, message_id: bool) -> str:
    if match := FENCED.fullmatch(text):
        text = match[2]
    match = BRACKETED.fullmatch(text) if message_id else None
    return match[1] if match else text


def _key(text: str, *, of_list: bool) -> str:
    """Return an address that names something as Mailgun reads it: without a display name and, in lists, in lower case.

    This way, what is shown, decided on, confirmed and restored is the same for every spelling.
    """
    address = bare_address(text)
    return address.lower() if of_list else address


def _plain_filter(value: Any, *, message_id: bool = False) -> Any:
    """Return the conditions of a query with plain values, at any depth."""
    if isinstance(value, str):
        return _plain(value, message_id=message_id)
    if isinstance(value, list):
        return [_plain_filter(item, message_id=message_id) for item in value]
    if isinstance(value, dict):
        inside = message_id or value.get("attribute") in MESSAGE_ID
        return {key: _plain_filter(item, message_id=inside) for key, item in value.items()}
    return value
