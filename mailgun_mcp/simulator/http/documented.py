"""Answers operations that have no handler with a valid value of the documented shape."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.ips import SHARED_IP
from mailgun_mcp.simulator.replies.reply import Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest

Schema = Mapping[str, Any]

TEXTS = {
    "message": "success",
    "id": "5f3b1e9a7c2d4f6081a3b5c7",
    "state": "active",
    "status": "active",
    "ip": SHARED_IP,
    "email": "someone@example.com",
    "address": "someone@example.com",
    "name": "example",
    "url": "https://example.com",
}
ZEROS: dict[str, Callable[[], Any]] = {
    "integer": int,
    "number": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}
PLAIN: dict[str, type] = {"string": str, "integer": int, "boolean": bool}
MOMENT = re.compile(r"(^|[_-])(at|date|time|timestamp|until|start|end|seen)$|[a-z](At|Date|Time)$")
"""Matches the names of fields that contain a date."""
LINKS = frozenset({"first", "last", "next", "previous"})


def documented_reply(account: Account, request: SimulatedRequest) -> Reply:
    """Return the reply: empty lists, zero totals, and the request's values for fields of the same name."""
    operation = request.operation
    schema = operation.output_schema
    properties = dict(schema.get("properties", {}))
    if operation.pages:
        # `next` at the root is not Mailgun's: the catalogue adds it to the result of a tool.
        properties.pop("next", None)
    body = {name: _example(account, request, name, value) for name, value in properties.items()}
    return Reply(body[operation.wrap] if operation.wrap else body)


def _example(account: Account, request: SimulatedRequest, name: str, schema: Schema) -> Any:
    kind = _kind(schema)
    if kind in PLAIN and isinstance(request.arguments.get(name), PLAIN[kind]):
        return request.arguments[name]
    if kind == "string":
        return _text(account, request, name)
    if kind == "object" and "properties" in schema:
        return {key: _example(account, request, key, value) for key, value in schema["properties"].items()}
    return ZEROS[kind]() if kind in ZEROS else None


def _kind(schema: Schema) -> str | None:
    """Return the schema's type other than null, or None when any type is allowed."""
    kinds = schema.get("type", [])
    return next((kind for kind in kinds if kind != "null"), None) if isinstance(kinds, list) else kinds


def _text(account: Account, request: SimulatedRequest, name: str) -> str:
    if request.operation.pages and name.lower() in LINKS:
        return request.url
    if MOMENT.search(name):
        return mail_date(account.clock.now())
    return TEXTS.get(name, "")
