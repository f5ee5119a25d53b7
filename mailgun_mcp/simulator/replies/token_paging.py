"""Paging by an opaque token in the query. The token contains a key, or an index in a sorted list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from mailgun_mcp.simulator.replies.page_tokens import decode_token, encode_token, invalid_token
from mailgun_mcp.simulator.replies.paging import window

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class KeyPage:
    """The items of a page, and the URLs of other pages by their lower-case names."""

    items: list[Any]
    paging: dict[str, str]


def key_page(
    entries: Mapping[str, Item], url: str, token: str | None, limit: int, filters: Mapping[str, str] | None = None
) -> KeyPage:
    """Return the page for `token` of `entries` in the order of their keys; without a token, the first page.

    There is always a `next` URL. After the last entry, it leads to an empty page. Raises ApiError for an invalid token.
    """
    keys = sorted(entries)
    page, pivot = decode_token(token, (str, str)) if token else ("first", "")
    page_keys = keys[window(keys, page, pivot, limit)]
    targets = {
        "first": ("first", ""),
        "last": ("last", ""),
        "next": ("next", page_keys[-1] if page_keys else pivot),
        "previous": ("previous", page_keys[0]) if page_keys else ("last", ""),
    }
    repeated = {**(filters or {}), "limit": limit}
    paging = {
        name: f"{url}?{urlencode({'page': encode_token(target), **repeated})}" for name, target in targets.items()
    }
    return KeyPage([entries[key] for key in page_keys], paging)


@dataclass(frozen=True, slots=True)
class PlaceQuery:
    """The query for a page of a sorted list. A token contains all of it."""

    skip: int
    limit: int
    filters: dict[str, Any]


def asked(page: str | None, limit: int, filters: dict[str, Any]) -> PlaceQuery:
    """Return the query for the first page, or for a later page from `page`, the query string of its URL."""
    if page is None:
        return PlaceQuery(0, limit, filters)
    skip, size, repeated = decode_token(dict(parse_qsl(page)).get("page", ""), (int, int, dict))
    if skip < 0 or size < 0:
        raise invalid_token()
    return PlaceQuery(skip, max(1, size), {**filters, **repeated})


def place_page(items: Sequence[Item], url: str, query: PlaceQuery) -> tuple[list[Item], dict[str, str]]:
    """Return the page of `items`, and the URLs of other pages by the capitalized names that dynamic pools use."""
    end = max(0, (len(items) - 1) // query.limit * query.limit)
    places = {
        "First": 0,
        "Last": end,
        "Next": min(query.skip + query.limit, end),
        "Previous": max(0, query.skip - query.limit),
    }
    paging = {
        name: f"{url}?{urlencode({'page': encode_token((skip, query.limit, query.filters))})}"
        for name, skip in places.items()
    }
    return list(items[query.skip : query.skip + query.limit]), paging
