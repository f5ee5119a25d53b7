"""Events of a domain: filters, direction of the search, and pages by token."""

import re
from collections.abc import Callable, Iterator

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.analytics.filter_expressions import parse_expression, simple_alternatives
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import parse_mail_date
from mailgun_mcp.simulator.model.event_log import RETENTION, EventLog, EventRange, MailEvent, Position, lookup_hash
from mailgun_mcp.simulator.replies.event_pages import EventPageQuery, cut_page
from mailgun_mcp.simulator.replies.paging import Token, tokens
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

Matches = Callable[[Record], bool]
Filter = Callable[[str], Matches]
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
def list_events(account: Account, request: SimulatedRequest) -> Reply:
    token = _asked(account, request)
    query = token.query
    filters = [FILTERS[name](query[name]) for name in FILTERS.keys() & query.keys()]
    asked = EventPageQuery(token.page, token.pivot, query["limit"], query["ascending"])
    page = cut_page(
        walk_of(request.domain.events),
        _span(account, query),
        asked,
        lambda event: all(matches(event.record) for matches in filters),
    )
    url = request.url.rstrip("/")
    # A later page has its token as the last segment. The domain's name may contain "events" too.
    base = url.rpartition("/")[0] if "page" in request.arguments else url
    paging = {name: f"{base}/{text}" for name, text in tokens(query, token, page.positions).items()}
    return Reply({"items": [event.record for event in page.items], "paging": paging})


def walk_of(log: EventLog) -> Callable[[EventRange, bool], Iterator[tuple[Position, MailEvent]]]:
    """Return how to walk a log for `cut_page`."""
    return lambda span, backward: ((event.position, event) for event in log.walk(span, descending=backward))


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
    """Return the begin, end and direction of the search, by Mailgun's rules."""
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
    kinds = None
    if "event" in query:
        matches = FILTERS["event"](query["event"])
        kinds = frozenset(kind for kind in KINDS if matches({"event": kind}))
    return EventRange(
        oldest if low is None else max(low, oldest), FOREVER if high is None else high, kinds, _hashes(query)
    )


def _hashes(query: Record) -> frozenset[int] | None:
    """Return the marks of the recipients or messages that are asked for, if they are named."""
    for name in ("message_id", "recipient"):
        terms = simple_alternatives(query[name]) if name in query else None
        if terms:
            return frozenset(map(lookup_hash, terms))
    return None


def _exactly(read: Callable[[Record], list[str]]) -> Filter:
    return _by(read, lambda values, text: text in values)


def _partly(read: Callable[[Record], list[str]]) -> Filter:
    return _by(read, lambda values, text: any(text in value for value in values))


def _by(read: Callable[[Record], list[str]], fits: Callable[[list[str], str], bool]) -> Filter:
    def prepared(text: str) -> Matches:
        expression = parse_expression(text)

        def matches(record: Record) -> bool:
            values = [value.lower() for value in read(record)]
            return expression(lambda term: fits(values, term.lower()))

        return matches

    return prepared


def _size(text: str) -> Matches:
    expression = parse_expression(text)
    expression(lambda bounds: not _bounds(bounds))
    return lambda record: expression(lambda bounds: _within(_message(record).get("size", 0), bounds))


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


def _of(name: str) -> Callable[[Record], list[str]]:
    return lambda record: [record[name]] if name in record else []


def _message(record: Record) -> Record:
    message: Record = record.get("message", {})
    return message


def _header(name: str) -> Callable[[Record], list[str]]:
    return lambda record: [_message(record).get("headers", {}).get(name, "")]


FILTERS: dict[str, Filter] = {
    "event": _exactly(_of("event")),
    "recipient": _exactly(_of("recipient")),
    "severity": _exactly(_of("severity")),
    "tags": _exactly(lambda record: record.get("tags") or []),
    "message_id": _exactly(_header("message-id")),
    "recipients": _partly(lambda record: _message(record).get("recipients", [])),
    "attachment": _partly(lambda record: [item["filename"] for item in _message(record).get("attachments", [])]),
    "list": _exactly(lambda record: [record["mailing-list"]["address"]] if "mailing-list" in record else []),
    "from": _partly(_header("from")),
    "to": _partly(_header("to")),
    "subject": _partly(_header("subject")),
    "size": _size,
}
