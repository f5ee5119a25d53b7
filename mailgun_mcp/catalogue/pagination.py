"""Finds the next page of a list result and expresses it as plain arguments of the same tool."""

import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.operation import Argument, Operation, Pages
from mailgun_mcp.catalogue.types import Arguments

INTEGER = re.compile(r"-?[0-9]{1,18}")
SIZED = re.compile(r"\A([0-9]{1,6}):")
"""The size of its pages, in front of a token that is part of a path."""


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
    following = next_page(operation, arguments, body)
    if following is None or operation.pages is None:
        return None
    size = _page_size(operation, arguments, body)
    return None if size is not None and len(items_of(operation.pages, body)) < size else following


def plain_token(page: str) -> str:
    """Return the token of a page as Mailgun gave it, without the page size that `_path` put in front."""
    return SIZED.sub("", page)


def _page_size(operation: Operation, arguments: Arguments, body: dict[str, Any]) -> int | None:
    """Return how many items a full page has; None if only Mailgun knows."""
    link = _link(body, "next")
    limit_text = next((value for key, value in parse_qsl(link.query) if key.lower() == "limit"), "") if link else ""
    if INTEGER.fullmatch(limit_text):
        return int(limit_text)
    page = arguments.get("page")
    holder: dict[str, Any] = arguments.get("pagination") or arguments
    limit = holder.get("limit") or _default_limit(operation)
    if page not in (None, "first", "next"):
        # The token may include its own limit.
        sized = SIZED.match(str(page))
        limit = min(int(sized[1]), limit or int(sized[1])) if sized else None
    return limit if isinstance(limit, int) else None


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
    pagination: dict[str, Any] = arguments.get("pagination") or {}
    skipped = int(pagination.get("skip") or 0)
    answered = _object(body, "pagination")
    total = answered.get("total")
    # Here Mailgun documents the total as that of all pages.
    if isinstance(total, int) and total <= skipped + count:
        return None
    if _is_last(operation, answered, skipped + count, count, pagination.get("limit") or answered.get("limit")):
        return None
    return {"pagination": {**pagination, "skip": skipped + count}}


def _body_token(_: Operation, arguments: Arguments, body: dict[str, Any], count: int) -> Arguments | None:  # noqa: ARG001
    pagination: dict[str, Any] = arguments.get("pagination") or {}
    token = _object(body, "pagination").get("next")
    return {"pagination": {**pagination, "token": token}} if isinstance(token, str) and token else None


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


def _path(operation: Operation, arguments: Arguments, body: dict[str, Any], count: int) -> Arguments | None:  # noqa: ARG001
    url = _link(body, "next")
    token = unquote(url.path.rstrip("/").rpartition("/")[2]) if url else ""
    if not token or token == plain_token(arguments.get("page") or ""):
        return None
    size = _page_size(operation, arguments, body)
    return {"page": token if size is None else f"{size}:{token}"}


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
