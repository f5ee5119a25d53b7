"""Cuts lists into pages in each of Mailgun's ways: by pivot, by opaque token, by skip and limit.

The first two locate a page by the key of an item, so adding or removing items between two pages does not shift the
others.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, TypeVar
from urllib.parse import urlencode

from mailgun_mcp.simulator.replies.page_tokens import decode_token, encode_token, invalid_token

Key = TypeVar("Key", str, tuple[float, int])
Item = TypeVar("Item")

BACKWARD = ("previous", "prev")


def window(keys: Sequence[Key], page: str | None, pivot: Key | None, limit: int) -> slice:
    """Return the slice of the sorted `keys` for the page `page` (such as `next`), relative to the key `pivot`."""
    if page == "last":
        return slice(max(0, len(keys) - limit), len(keys))
    if pivot is None or page in (None, "first"):
        return slice(0, limit)
    if page in BACKWARD:
        end = bisect_left(keys, pivot)
        return slice(max(0, end - limit), end)
    start = bisect_right(keys, pivot)
    return slice(start, start + limit)


@dataclass(frozen=True, slots=True)
class PivotQuery:
    """The requested page: `page` relative to `pivot`, its URL, and the parameters repeated in the URL of every page."""

    url: str
    page: str | None
    pivot: str | None
    limit: int
    pivot_name: str = "address"
    filters: Mapping[str, str] = field(default_factory=dict)
    backward: str = "previous"
    """The section's name for the previous page."""


@dataclass(frozen=True, slots=True)
class PivotPage:
    """The items of one page, and the URLs of the others."""

    items: list[Any]
    paging: dict[str, str]


def pivot_page(entries: Mapping[str, Item], asked: PivotQuery) -> PivotPage:
    """Return a page of `entries` in the order of their keys.

    There is always a `next` URL. After the last item, it leads to an empty page, whose own `next` is `last`.
    """
    keys = sorted(entries)
    cut = window(keys, asked.page, asked.pivot, asked.limit)
    page_keys = keys[cut]
    repeated = {**asked.filters, "limit": asked.limit}
    first, last = ({"page": name, **repeated} for name in ("first", "last"))
    if page_keys:
        following = {"page": "next", asked.pivot_name: page_keys[-1], **repeated}
        preceding = {"page": asked.backward, asked.pivot_name: page_keys[0], **repeated}
    else:
        following, preceding = (first, first) if asked.page in BACKWARD else (last, last)
    queries = {"first": first, "last": last, "next": following, "previous": preceding}
    paging = {name: f"{asked.url}?{urlencode(query)}" for name, query in queries.items()}
    return PivotPage([entries[key] for key in page_keys], paging)


def skip_page(items: Sequence[Item], skip: int, limit: int) -> list[Item]:
    """Return up to `limit` items after the first `skip`."""
    return list(items[skip : skip + limit])


@dataclass(frozen=True, slots=True)
class Token:
    """An opaque page token: the page, the position that it is relative to, and the query."""

    page: str
    pivot: tuple[float, int] | None
    query: dict[str, Any]

    def encoded(self) -> str:
        return encode_token([self.page, self.pivot, self.query])

    @classmethod
    def decoded(cls, text: str) -> "Token":
        """Parse a token. Raises ApiError when it is invalid."""
        page, pivot, query = decode_token(text, (str, (list, NoneType), dict))
        try:
            return cls(page, (float(pivot[0]), int(pivot[1])) if pivot else None, query)
        except (ValueError, TypeError, IndexError) as error:
            raise invalid_token() from error


def tokens(query: dict[str, Any], asked: Token, keys: Sequence[tuple[float, int]]) -> dict[str, str]:
    """Return the tokens for the pages around one with `keys`. An empty page keeps the position of the request."""
    places = {
        "first": Token("first", None, query),
        "last": Token("last", None, query),
        "next": Token("next", keys[-1] if keys else asked.pivot, query),
        "previous": Token("previous", keys[0], query) if keys else Token("last", None, query),
    }
    return {name: token.encoded() for name, token in places.items()}
