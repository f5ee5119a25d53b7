"""Finds the next page of a list result and expresses it as plain arguments of the same tool."""

import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.operation import Argument, Operation, Pages
from mailgun_mcp.catalogue.types import Arguments

INTEGER = re.compile(r"-?[0-9]{1,18}")


def next_page(operation: Operation, arguments: Arguments, body: Any) -> Arguments | None:
    """Return the arguments that differ in the call for the next page, or None on the last page.

    Mailgun names a next page even if there is none: an empty page, one that links to
    itself, and one whose pivot is empty are the last (reference: its pagination guide).
    """
    pages = operation.pages
    if pages is None or not isinstance(body, dict):
        return None
    count = len(items_of(pages, body))
    if count == 0:
        return None
    following = STYLES[pages.style](operation, arguments, body, count)
    if following is None or all(arguments.get(name) == value for name, value in following.items()):
        return None
    return following


def page_after(operation: Operation, arguments: Arguments, body: Any) -> Arguments | None:
    """Return `next_page` for a model: also None if the page is not full, because then no page can follow.

    A reader that must not miss anything reads on until the empty page instead.
    """
    if _is_short(operation, arguments, body):
        return None
    following = next_page(operation, arguments, body)
    # Without a limit in the call, Mailgun's link says how many items a full page has.
    limit = following.get("limit") if following and operation.pages else None
    is_last = operation.pages is not None and isinstance(limit, int) and len(items_of(operation.pages, body)) < limit
    return None if is_last else following


def _is_short(operation: Operation, arguments: Arguments, body: Any) -> bool:
    pages = operation.pages
    if pages is None or not isinstance(body, dict) or arguments.get("page") not in (None, "first", "next"):
        # The page token may include its own limit.
        return False
    holder: dict[str, Any] = arguments.get("pagination") or arguments
    limit = holder.get("limit") or _default_limit(operation)
    return isinstance(limit, int) and len(items_of(pages, body)) < limit


def items_of(pages: Pages, body: dict[str, Any]) -> list[Any]:
    """Return the items of a page; empty if the answer has no list there."""
    value: Any = body
    for key in pages.items.split("/"):
        value = value.get(key) if isinstance(value, dict) else None
    return list(value) if isinstance(value, (list, dict)) else []


def _skip(operation: Operation, arguments: Arguments, body: dict[str, Any], count: int) -> Arguments | None:
    skipped = int(arguments.get("skip") or 0)
    if _is_last(operation, body, skipped + count, count, arguments.get("limit")):
        return None
    return {"skip": skipped + count}


def _body_skip(operation: Operation, arguments: Arguments, body: dict[str, Any], count: int) -> Arguments | None:
    asked: dict[str, Any] = arguments.get("pagination") or {}
    skipped = int(asked.get("skip") or 0)
    said = _object(body, "pagination")
    if _is_last(operation, said, skipped + count, count, asked.get("limit") or said.get("limit")):
        return None
    return {"pagination": {**asked, "skip": skipped + count}}


def _body_token(_: Operation, arguments: Arguments, body: dict[str, Any], count: int) -> Arguments | None:  # noqa: ARG001
    asked: dict[str, Any] = arguments.get("pagination") or {}
    token = _object(body, "pagination").get("next")
    return {"pagination": {**asked, "token": token}} if isinstance(token, str) and token else None


def _query(operation: Operation, arguments: Arguments, body: dict[str, Any], count: int) -> Arguments | None:  # noqa: ARG001
    url, last = _link(body, "next"), _link(body, "last")
    if not url or url == last:
        return None
    by_wire = {argument.wire: argument for argument in operation.arguments if argument.location == "query"}
    next_arguments = {
        by_wire[key].name: _typed(operation, by_wire[key], value)
        for key, value in parse_qsl(url.query)
        if key in by_wire
    }
    pivots = [argument.name for wire, argument in by_wire.items() if wire in ("address", "tag", "p")]
    if pivots and not any(next_arguments.get(name) for name in pivots):
        return None
    return {name: value for name, value in next_arguments.items() if arguments.get(name) != value} or None


def _path(_: Operation, arguments: Arguments, body: dict[str, Any], count: int) -> Arguments | None:  # noqa: ARG001
    url = _link(body, "next")
    token = unquote(url.path.rstrip("/").rpartition("/")[2]) if url else ""
    return {"page": token} if token else None


def _url(_: Operation, arguments: Arguments, body: dict[str, Any], count: int) -> Arguments | None:  # noqa: ARG001
    url = _link(body, "next")
    return {"page": url.query} if url and url.query and url != _link(body, "last") else None


STYLES = {
    "skip": _skip,
    "body_skip": _body_skip,
    "body_token": _body_token,
    "query": _query,
    "path": _path,
    "url": _url,
}


def _is_last(operation: Operation, holder: dict[str, Any], reached: int, count: int, limit: Any) -> bool:
    """If there is a total it decides, but some totals count only the page itself: then the limit decides."""
    total = holder.get(operation.pages.total or "total") if operation.pages else None
    if isinstance(total, int) and total > count:
        return reached >= total
    limit = limit if isinstance(limit, int) else _default_limit(operation)
    return isinstance(total, int) if limit is None else count < limit


def _default_limit(operation: Operation) -> int | None:
    properties = call_schema(operation).get("properties", {})
    holder = properties.get("pagination", {}).get("properties", properties)
    default: int | None = holder.get("limit", {}).get("default")
    return default


def _link(body: dict[str, Any], name: str) -> Any:
    paging = _object(body, "paging")
    value = paging.get(name) or paging.get(name.capitalize())
    try:
        return urlsplit(value) if isinstance(value, str) and value else None
    except ValueError:
        return None


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _typed(operation: Operation, argument: Argument, value: str) -> Any:
    kind = operation.input_schema["properties"][argument.name]["type"]
    if kind in ("integer", "number") and INTEGER.fullmatch(value):
        return int(value)
    if kind == "boolean":
        return value in ("true", "yes")
    return [value] if kind == "array" else value
