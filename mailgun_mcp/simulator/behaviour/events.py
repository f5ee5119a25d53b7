"""Events of a domain: filters, direction of the search, and pages by token."""

import re
from collections.abc import Callable
from typing import Any

from mailgun_mcp.simulator.call import Call, Handler
from mailgun_mcp.simulator.clock import parse_mail_date
from mailgun_mcp.simulator.paging import Token, tokens, window
from mailgun_mcp.simulator.replies import Refusal, Reply
from mailgun_mcp.simulator.state import Account, Event

Record = dict[str, Any]
DEFAULT_LIMIT = 100
RANGE = frozenset({"begin", "end", "ascending", "limit"})


def list_events(account: Account, call: Call) -> Reply:
    asked = _asked(account, call)
    ascending = asked.query["ascending"]
    found = {_place(event, ascending): event for event in call.domain.events if _matches(event, asked.query)}
    keys = sorted(found)
    shown = keys[window(keys, asked.page, asked.pivot, asked.query["limit"])]
    base = call.url.partition("/events")[0]
    paging = {name: f"{base}/events/{token}" for name, token in tokens(asked.query, asked, shown).items()}
    return Reply({"items": [found[key].record for key in shown], "paging": paging})


def matches_expression(expression: str, holds: Callable[[str], bool]) -> bool:
    """Say whether a filter expression (`a OR b`, `a AND b`, `NOT a`) is true, asking `holds` for each term."""
    return any(
        all(_term(term, holds) for term in re.split(r"\s+AND\s+", option))
        for option in re.split(r"\s+OR\s+", expression)
    )


def _asked(account: Account, call: Call) -> Token:
    if "page" in call.arguments:
        return Token.decoded(call["page"])
    filters = {name: value for name, value in call.arguments.items() if name not in RANGE and name in FILTERS}
    return Token("first", None, {**filters, **_range(account, call), "limit": call.get("limit", DEFAULT_LIMIT)})


def _range(account: Account, call: Call) -> Record:
    """Return where the search begins, where it ends and which way it goes, by Mailgun's rules."""
    begin, end = (parse_mail_date(call[name]) if name in call.arguments else None for name in ("begin", "end"))
    ascending = call.get("ascending")
    if begin is not None and end is None and ascending is None:
        raise Refusal(400, "'ascending' parameter is missing: it is needed with 'begin' and without 'end'")
    if end is not None:
        upward = end > (account.clock.now() if begin is None else begin)
        if ascending is not None and ascending != upward:
            raise Refusal(400, "'ascending' parameter contradicts 'begin' and 'end'")
        ascending = upward
    low, high = (begin, end) if ascending else (end, begin)
    return {"ascending": bool(ascending), "low": low, "high": high}


def _place(event: Event, ascending: bool) -> tuple[float, int]:
    return event.position if ascending else (-event.at, -event.serial)


def _matches(event: Event, query: Record) -> bool:
    if query["low"] is not None and event.at < query["low"]:
        return False
    if query["high"] is not None and event.at > query["high"]:
        return False
    return all(FILTERS[name](event.record, query[name]) for name in FILTERS.keys() & query.keys())


def _term(term: str, holds: Callable[[str], bool]) -> bool:
    negated = re.match(r"NOT\s+", term.strip("() "))
    text = term.strip("() ")[negated.end() if negated else 0 :].strip("() \"'")
    return holds(text) != bool(negated)


def _exactly(read: Callable[[Record], list[str]]) -> Callable[[Record, str], bool]:
    def matches(record: Record, expression: str) -> bool:
        values = [value.lower() for value in read(record)]
        return matches_expression(expression, lambda text: text.lower() in values)

    return matches


def _partly(read: Callable[[Record], list[str]]) -> Callable[[Record, str], bool]:
    def matches(record: Record, expression: str) -> bool:
        values = [value.lower() for value in read(record)]
        return matches_expression(expression, lambda text: any(text.lower() in value for value in values))

    return matches


def _size(record: Record, expression: str) -> bool:
    size = record["message"].get("size", 0)
    return matches_expression(expression, lambda text: _compares(size, text))


def _compares(size: int, text: str) -> bool:
    found = re.fullmatch(r"([<>]=?)?\s*(\d+)", text)
    if found is None:
        raise Refusal(400, f"'size' parameter is not valid: {text}")
    bound = int(found[2])
    return {"<": size < bound, "<=": size <= bound, ">": size > bound, ">=": size >= bound, None: size == bound}[
        found[1]
    ]


def _of(name: str) -> Callable[[Record], list[str]]:
    return lambda record: [record[name]] if name in record else []


def _header(name: str) -> Callable[[Record], list[str]]:
    return lambda record: [record["message"]["headers"].get(name, "")]


FILTERS: dict[str, Callable[[Record, str], bool]] = {
    "event": _exactly(_of("event")),
    "recipient": _exactly(_of("recipient")),
    "severity": _exactly(_of("severity")),
    "tags": _exactly(lambda record: record["tags"]),
    "message_id": _exactly(_header("message-id")),
    "recipients": _partly(lambda record: record["message"].get("recipients", [])),
    "attachment": _partly(lambda record: [item["filename"] for item in record["message"].get("attachments", [])]),
    "list": _exactly(lambda record: [record["mailing-list"]["address"]] if "mailing-list" in record else []),
    "from": _partly(_header("from")),
    "to": _partly(_header("to")),
    "subject": _partly(_header("subject")),
    "size": _size,
}

HANDLERS: dict[str, Handler] = {"list_events": list_events}
