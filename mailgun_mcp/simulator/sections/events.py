"""Events of a domain: filters, direction of the search, and paging by token."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.analytics.filter_expressions import parse_expression, simple_alternatives
from mailgun_mcp.simulator.mail.record_events import with_current_storage
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import parse_mail_date
from mailgun_mcp.simulator.model.event_log import RETENTION, EventLog, EventRange, Position, lookup_hash
from mailgun_mcp.simulator.model.packed_events import FieldTest, MailEvent, Path
from mailgun_mcp.simulator.replies.event_pages import NOWHERE, EventPageQuery, Search, cut_page
from mailgun_mcp.simulator.replies.paging import Token, tokens
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

Reader = Callable[[Any], list[str]]
"""Turns the value of a field (None when it is missing) into the texts to match."""
Filter = Callable[[str], FieldTest]
"""Parses a filter expression into a test."""
DEFAULT_LIMIT = 100
RANGE = frozenset({"begin", "end", "ascending", "limit"})
KINDS = (
    "accepted",
    "rejected",
    "delivered",
    "failed",
    "opened",
    "clicked",
    "unsubscribed",
    "complained",
    "stored",
    "dropped",
    "trapped",
    "list_member_uploaded",
    "list_member_upload_error",
    "list_uploaded",
    "email_validation",
)
BOUND = re.compile(r"([<>]=?)?\s*(\d+)\s*")
FOREVER = float("inf")


@handles("list_events", fidelity="computed", note="created by mail; ranges, filters, and pages by token")
async def list_events(account: Account, request: SimulatedRequest) -> Reply:
    token = _asked(account, request)
    query = token.query
    asked = EventPageQuery(token.page, token.pivot, query["limit"], query["ascending"])
    page = await cut_page(search_of(request.domain.events), _span(account, query), asked)
    url = request.url.rstrip("/")
    # The URL of a later page ends with its token. It is not split at "events", which may also be in the domain's name.
    base = url.rpartition("/")[0] if "page" in request.arguments else url
    paging = {name: f"{base}/{text}" for name, text in tokens(query, token, page.positions).items()}
    return Reply({"items": [with_current_storage(account, event.record) for event in page.items], "paging": paging})


def search_of(log: EventLog) -> Search[MailEvent]:
    """Return the function with which `cut_page` searches a log."""

    def search(span: EventRange, backward: bool) -> Iterator[tuple[Position, MailEvent | None]]:
        events = log.search(span, descending=backward)
        return ((event.position if event else NOWHERE, event) for event in events)

    return search


def _asked(account: Account, request: SimulatedRequest) -> Token:
    if "page" in request.arguments:
        token = Token.decoded(request["page"])
        if not {"ascending", "low", "high", "limit"} <= token.query.keys():
            raise ApiError(400, "Invalid page token")
        return token
    filters = {name: value for name, value in request.arguments.items() if name in FILTERS and value.strip()}
    return Token("first", None, {**filters, **_range(account, request), "limit": _limit(request)})


def _limit(request: SimulatedRequest) -> int:
    limit: int = request.get("limit", DEFAULT_LIMIT)
    if limit < 1:
        raise ApiError(400, "The 'limit' parameter can't be smaller than 1")
    return limit


def _range(account: Account, request: SimulatedRequest) -> Record:
    """Return the begin, end and direction of the search according to Mailgun's rules."""
    begin, end = (parse_mail_date(request[name]) if name in request.arguments else None for name in ("begin", "end"))
    ascending = request.get("ascending")
    if begin is not None and end is None and ascending is None:
        raise ApiError(400, "'ascending' parameter is missing: it is needed with 'begin' and without 'end'")
    if end is not None:
        upward = end > (account.clock.now() if begin is None else begin)
        if ascending is not None and ascending != upward:
            raise ApiError(400, "'ascending' parameter contradicts 'begin' and 'end'")
        ascending = upward
    low, high = (begin, end) if ascending else (end, begin)
    return {"ascending": bool(ascending), "low": low, "high": high}


def _span(account: Account, query: Record) -> EventRange:
    low, high = query["low"], query["high"]
    oldest = account.clock.now() - RETENTION
    tests = {name: FILTERS[name](query[name]) for name in FILTERS if name in query}
    kinds = frozenset(kind for kind in KINDS if tests["event"][1](kind)) if "event" in tests else None
    return EventRange(
        oldest if low is None else max(low, oldest),
        FOREVER if high is None else high,
        kinds,
        _hashes(query),
        tuple(tests.values()),
    )


def _hashes(query: Record) -> frozenset[int] | None:
    """Return the lookup hashes of the requested recipients or messages, or None if the query names none."""
    for name in ("message_id", "recipient"):
        terms = simple_alternatives(query[name]) if name in query else None
        if terms:
            return frozenset(map(lookup_hash, terms))
    return None


def _one_text(value: Any) -> list[str]:
    return [] if value is None else [value]


def _header_text(value: Any) -> list[str]:
    return [value or ""]


def _texts(value: Any) -> list[str]:
    return value or []


def _filenames(value: Any) -> list[str]:
    return [item["filename"] for item in value or ()]


def _exactly(path: Path, read: Reader = _one_text) -> Filter:
    return _by(path, read, lambda values, text: text in values)


def _partly(path: Path, read: Reader = _one_text) -> Filter:
    return _by(path, read, lambda values, text: any(text in value for value in values))


def _by(path: Path, read: Reader, fits: Callable[[list[str], str], bool]) -> Filter:
    def prepared(text: str) -> FieldTest:
        expression = parse_expression(text)

        def matches(value: Any) -> bool:
            values = [each.lower() for each in read(value)]
            return expression(lambda term: fits(values, term))

        return path, matches

    return prepared


def _size(text: str) -> FieldTest:
    expression = parse_expression(text)
    expression(lambda bounds: not _bounds(bounds))
    return ("message", "size"), lambda size: expression(lambda bounds: _within(size or 0, bounds))


def _within(size: int, text: str) -> bool:
    return all(COMPARES[sign](size, bound) for sign, bound in _bounds(text))


def _bounds(text: str) -> list[tuple[str, int]]:
    bounds = BOUND.findall(text)
    if not bounds or BOUND.sub("", text):
        raise ApiError(400, f"'size' parameter is not valid: {text}")
    return [(sign, int(bound)) for sign, bound in bounds]


COMPARES: dict[str, Callable[[int, int], bool]] = {
    "<": lambda size, bound: size < bound,
    "<=": lambda size, bound: size <= bound,
    ">": lambda size, bound: size > bound,
    ">=": lambda size, bound: size >= bound,
    "": lambda size, bound: size == bound,
}
# Cheap tests and those that few events pass come first, because each leaves fewer events for the next.
FILTERS: dict[str, Filter] = {
    "event": _exactly(("event",)),
    "severity": _exactly(("severity",)),
    "list": _exactly(("mailing-list", "address")),
    "tags": _exactly(("tags",), _texts),
    "size": _size,
    "attachment": _partly(("message", "attachments"), _filenames),
    "recipient": _exactly(("recipient",)),
    "message_id": _exactly(("message", "headers", "message-id"), _header_text),
    "from": _partly(("message", "headers", "from"), _header_text),
    "subject": _partly(("message", "headers", "subject"), _header_text),
    "to": _partly(("message", "headers", "to"), _header_text),
    "recipients": _partly(("message", "recipients"), _texts),
}
