"""How many addresses a call puts on lists that decide who gets mail: suppressions, mailing lists, routes. Pure.

Each call can be too small to ask about, and many of them together still stop or start the mail of thousands.
"""

from collections.abc import Collection, Mapping

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.resource import Effect
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.request.target_keys import values_at
from mailgun_mcp.text.addresses import AT_SIGNS

LISTED = frozenset({"unsubscribe", "complaint", "bounce", "allowlist_entry", "list_member"})
"""The resources that are one address each."""
SUBSCRIBING = frozenset(
    {
        *("add_mailing_list_member", "bulk_add_mailing_list_members"),
        *("import_mailing_list_members", "update_mailing_list_member"),
    }
)
"""Tools that put addresses on a mailing list."""
UNREAD = 1_000_000
"""Counts for a file that was not read: more than any limit."""


def changes_addresses(operation: Operation) -> bool:
    """Return whether calls of the operation put addresses on such a list, or make a route."""
    return _is_route(operation) or any(True for _ in _effects(operation))


def count_addresses(
    operation: Operation, arguments: Arguments, files: Mapping[str, bytes] | None, destinations: Collection[str]
) -> int:
    """Return the number of addresses that the call puts on such lists, or to which the route forwards."""
    if _is_route(operation):
        return sum(1 for text in destinations if AT_SIGNS.search(text))
    return sum(_count(effect, arguments, files) for effect in _effects(operation))


def subscribed(arguments: Arguments) -> list[str]:
    """Return the addresses that a call puts on a mailing list: they will get what is sent to the list."""
    members = arguments.get("members")
    listed = members if isinstance(members, list) else []
    texts = [arguments.get("address"), *(item.get("address") if isinstance(item, dict) else item for item in listed)]
    return [text for text in texts if isinstance(text, str)]


def _is_route(operation: Operation) -> bool:
    return operation.toolset == "routes" and operation.risk != "read" and operation.method != "DELETE"


def _effects(operation: Operation) -> list[Effect]:
    if operation.method == "DELETE":
        return []
    return [effect for effect in operation.affects if effect.resource in LISTED and effect.kind != "removes"]


def _count(effect: Effect, arguments: Arguments, files: Mapping[str, bytes] | None) -> int:
    if effect.key is not None:
        return sum(1 for _ in values_at(arguments, effect.key))
    contents = list((files or {}).values())
    return sum(map(_in_file, contents)) if contents else UNREAD


def _in_file(content: bytes) -> int:
    """Return the most addresses that a file can have: one for each `@`, or for each line if it has more of those."""
    if b"\0" in content:
        return UNREAD
    return max(content.count(b"@"), len(content.splitlines()))
