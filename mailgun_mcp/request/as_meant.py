"""Arguments as the caller meant them: clients distort types, and models copy ids with the text around them."""

import re
from typing import Any

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.former_names import current_arguments
from mailgun_mcp.catalogue.operation import Argument, Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.request.coerce import coerce_arguments
from mailgun_mcp.request.defaults import with_defaults
from mailgun_mcp.request.formats import hostname
from mailgun_mcp.text.addresses import bare_address

FENCED = re.compile(r"\s*⟦([0-9a-f]{8}) [^⟦⟧]{1,120}⟧ ([^\r\n⟦⟧]{1,300}) ⟦\1⟧\s*")
"""Third-party text inside its fence, as a result shows it."""
WRAPPERS = ("<>", "``", '""', "''", "[]", "()", "⟦⟧", "“”", "«»")
"""What models and people put around an id, an address or a name in a sentence."""
LAYERS = 3
"""Most wrappers around each other, as in `"<id>"`."""
MIN_WRAPPED = 3
"""Length of the shortest id with a wrapper."""
MESSAGE_ID = frozenset({"message_id", "message-id"})
ID_FORMATS = frozenset({"hostname", "email", "ip"})
SHORT = frozenset({"path", "query", "page_path", "page_url"})
"""Locations that hold ids, addresses and names. The text of a mail, in contrast, may really quote a fence."""


def as_meant(operation: Operation, arguments: Arguments) -> Arguments:
    """Return the arguments to validate, decide on and send: with current names, plain ids and defaults, and coerced."""
    coerced = coerce_arguments(call_schema(operation), current_arguments(operation, arguments))
    for argument in operation.arguments:
        value = coerced.get(argument.name)
        if isinstance(value, str) and (argument.location in SHORT or _is_id(argument)):
            value = _plain(value, is_id=_is_id(argument))
            if argument.format == "hostname":
                # A zone file and `dig` end a name with a dot; Mailgun knows none that does.
                value = value if hostname(value) else value.removesuffix(".")
            if argument.location == "path" and argument.format == "email":
                value = _key(value, of_list=operation.toolset == "lists")
            coerced[argument.name] = value
    if isinstance(coerced.get("filter"), dict):
        coerced["filter"] = _plain_filter(coerced["filter"])
    return with_defaults(operation.sent, coerced)


def _is_id(argument: Argument) -> bool:
    """Return whether the argument names one thing. Then no wrapper can be part of it."""
    name = argument.name
    return argument.location == "path" or name == "id" or name.endswith("_id") or argument.format in ID_FORMATS


def _plain(text: str, *, is_id: bool) -> str:
    if match := FENCED.fullmatch(text):
        text = match[2]
    return _unwrapped(text) if is_id else text


def _unwrapped(text: str) -> str:
    """Return an id without what is around it. If anything else is beside or inside the wrapper, the text stays as it is."""
    for _ in range(LAYERS):
        inner = text.strip()
        if len(inner) < MIN_WRAPPED or f"{inner[0]}{inner[-1]}" not in WRAPPERS:
            break
        opening, closing, inner = inner[0], inner[-1], inner[1:-1]
        if opening in inner or closing in inner or any(character.isspace() for character in inner):
            break
        text = inner
    return text


def _key(text: str, *, of_list: bool) -> str:
    """Return an address that names something as Mailgun reads it: without a display name and, in lists, in lower case.

    This way, what is shown, decided on, confirmed and restored is the same for every spelling.
    """
    address = bare_address(text)
    return address.lower() if of_list else address


def _plain_filter(value: Any, *, is_id: bool = False) -> Any:
    """Return the conditions of a query with plain values, at any depth."""
    if isinstance(value, str):
        return _plain(value, is_id=is_id)
    if isinstance(value, list):
        return [_plain_filter(item, is_id=is_id) for item in value]
    if isinstance(value, dict):
        inside = is_id or value.get("attribute") in MESSAGE_ID
        return {key: _plain_filter(item, is_id=inside) for key, item in value.items()}
    return value
