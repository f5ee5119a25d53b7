"""Pages whose place is an opaque token in the query: by key, or by place in a sorted list."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from mailgun_mcp.simulator.replies.paging import window
from mailgun_mcp.simulator.replies.reply import ApiError

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class KeyPage:
    """The items of a page, and the URLs of the others by their names in lower case."""

    items: list[Any]
    paging: dict[str, str]


def key_page(
    entries: Mapping[str, Item], url: str, token: str | None, limit: int, filters: Mapping[str, str] | None = None
) -> KeyPage:
    """Return the page of `entries`, in the order of their keys, that `token` names; none names the first.

    `next` is always there: behind the last entry it leads to an empty page. Raises ApiError for a wrong token.
    """
    keys = sorted(entries)
    page, pivot = _decoded(token, (str, str)) if token else ("first", "")
    shown = keys[window(keys, page, pivot, limit)]
    places = {
        "first": ("first", ""),
        "last": ("last", ""),
        "next": ("next", shown[-1] if shown else pivot),
        "previous": ("previous", shown[0]) if shown else ("last", ""),
    }
    kept = {**(filters or {}), "limit": limit}
    paging = {name: f"{url}?{urlencode({'page': encoded(place), **kept})}" for name, place in places.items()}
    return KeyPage([entries[key] for key in shown], paging)


@dataclass(frozen=True, slots=True)
class PlaceQuery:
    """What a page of a sorted list is asked with; the token carries all of it."""

    skip: int
    limit: int
    filters: dict[str, Any]


def asked(page: str | None, limit: int, filters: dict[str, Any]) -> PlaceQuery:
    """Return the query of a later page from its URL's query string `page`, or that of the first."""
    if page is None:
        return PlaceQuery(0, limit, filters)
    skip, size, kept = _decoded(dict(parse_qsl(page)).get("page", ""), (int, int, dict))
    return PlaceQuery(skip, max(1, size), {**filters, **kept})


def place_page(items: Sequence[Item], url: str, query: PlaceQuery) -> tuple[list[Item], dict[str, str]]:
    """Return the page of `items`, and the URLs of the others under the capital names of dynamic pools."""
    end = max(0, (len(items) - 1) // query.limit * query.limit)
    places = {
        "First": 0,
        "Last": end,
        "Next": min(query.skip + query.limit, end),
        "Previous": max(0, query.skip - query.limit),
    }
    paging = {
        name: f"{url}?{urlencode({'page': encoded((skip, query.limit, query.filters))})}"
        for name, skip in places.items()
    }
    return list(items[query.skip : query.skip + query.limit]), paging


def encoded(place: Sequence[Any]) -> str:
    """Return the token of a place."""
    return urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).rstrip(b"=").decode()


def _decoded(token: str, kinds: tuple[type, ...]) -> list[Any]:
    try:
        values = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "Invalid page token") from error
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise ApiError(400, "Invalid page token")
    if any(isinstance(value, int) and value < 0 for value in values):
        raise ApiError(400, "Invalid page token")
    return values
