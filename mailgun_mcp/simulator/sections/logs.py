"""Logs of the account: the same events as in `/events`, for all domains, in the form of analytics."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.analytics.log_attributes import parse_log_conditions
from mailgun_mcp.simulator.analytics.metrics import COUNTS
from mailgun_mcp.simulator.analytics.reports import parse_duration, parse_moment
from mailgun_mcp.simulator.mail.record_events import with_current_storage
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY, iso_date, mail_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.event_log import RETENTION, EventRange, Position, lookup_hash
from mailgun_mcp.simulator.model.packed_events import FACTS, NAMES, FieldTest, MailEvent
from mailgun_mcp.simulator.replies.event_pages import EventPage, EventPageQuery, Search, cut_page
from mailgun_mcp.simulator.replies.give_way import Turn
from mailgun_mcp.simulator.replies.paging import Token, tokens
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

MAX_LIMIT = 100
FOREVER = float("inf")
PLACES = 1024
"""An upper bound on the number of merged logs. It keeps events of different logs at the same time apart."""
FIRSTS = "unique_"


@dataclass(frozen=True, slots=True)
class DomainLog:
    """The events of a domain, and its account."""

    account: Account
    domain: Domain


@dataclass(frozen=True, slots=True)
class Entry:
    """An event and the log that it is in."""

    log: DomainLog
    event: MailEvent


@handles("query_logs", fidelity="computed", note="the events of all domains, filtered, sorted, paged by token")
async def query_logs(account: Account, request: SimulatedRequest) -> Reply:
    pagination = request.get("pagination") or {}
    token = Token.decoded(pagination["token"]) if pagination.get("token") else Token("first", None, {})
    asked = EventPageQuery(token.page, token.pivot, _limit(pagination), _ascending(pagination))
    start, end = _range(account, request)
    conditions = parse_log_conditions(request)
    tests = (*_tests(request), *conditions.tests)
    span = EventRange(max(start, account.clock.now() - RETENTION), end, _kinds(request), _marks(request), tests)
    logs = [log for log in _logs(account, request) if conditions.hold(log.account, log.domain.name)]
    page = await cut_page(_search(logs), span, asked)
    totals = await _totals(logs, span) if request.get("include_totals") else None
    answer = {
        "start": mail_date(start, "+0000"),
        "end": mail_date(account.clock.now() if end == FOREVER else end, "+0000"),
        "items": [_to_json(entry) for entry in page.items],
        "pagination": _pagination(token, page, totals),
        "aggregates": {"all": totals.total(), "metrics": dict(sorted(totals.items()))} if totals is not None else {},
    }
    return Reply(answer)


def _limit(pagination: Record) -> int:
    limit: int = pagination.get("limit") or MAX_LIMIT
    if limit < 1:
        raise ApiError(400, "The 'pagination.limit' parameter can't be smaller than 1")
    return limit


def _ascending(pagination: Record) -> bool:
    by, _, direction = str(pagination.get("sort") or "timestamp:desc").partition(":")
    if by not in ("timestamp", "@timestamp") or direction not in ("", "asc", "desc"):
        raise ApiError(400, "'sort' attribute is invalid")
    return direction == "asc"


def _range(account: Account, request: SimulatedRequest) -> tuple[float, float]:
    end = parse_moment(request["end"]) if request.get("end") else FOREVER
    latest = min(end, account.clock.now())
    if request.get("duration"):
        return latest - parse_duration(request["duration"]), end
    return (parse_moment(request["start"]) if request.get("start") else latest - DAY), end


def _logs(account: Account, request: SimulatedRequest) -> list[DomainLog]:
    return [DomainLog(owner, domain) for owner in request.accounts(account) for domain in owner.domains.values()]


def _kinds(request: SimulatedRequest) -> frozenset[str] | None:
    names = request.get("events")
    return frozenset(name.removeprefix(FIRSTS) for name in names) if names else None


def _marks(request: SimulatedRequest) -> frozenset[int] | None:
    """Return the lookup hashes of the requested recipients or messages, or None if the filter names none."""
    for item in (request.get("filter") or {}).get("AND", ()):
        if item["attribute"] in ("recipient", "message_id") and item["comparator"] == "=":
            return frozenset(lookup_hash(str(value["value"])) for value in item["values"])
    return None


def _tests(request: SimulatedRequest) -> list[FieldTest]:
    events, facts = frozenset(request.get("events") or ()), _facts(request.get("metric_events") or ())
    tests: list[FieldTest] = []
    if events:
        tests.append((NAMES, lambda names: not events.isdisjoint(names.split())))
    if facts is not None:
        tests.append((FACTS, lambda counted: not facts.isdisjoint(counted.split())))
    return tests


def _facts(metrics: Iterable[str]) -> frozenset[str] | None:
    """Return the facts that the metrics count, or None without metrics. An unknown metric matches no events."""
    return frozenset(fact for name in metrics for fact in METRICS.get(name, ())) if metrics else None


METRICS = {name.removesuffix("_count"): facts for name, facts in COUNTS.items()} | {
    "webhook_failure": COUNTS["webhook_count"]
}
"""Name of a metric in logs -> the facts that it counts."""


def _search(logs: list[DomainLog]) -> Search[Entry]:
    def search(span: EventRange, backward: bool) -> Iterator[tuple[Position, Entry | None]]:
        streams = [_entries(log, number, span, backward) for number, log in enumerate(logs)]
        return merge(*streams, key=lambda item: item[0], reverse=backward)

    return search


def _entries(
    log: DomainLog, log_number: int, span: EventRange, backward: bool
) -> Iterator[tuple[Position, Entry | None]]:
    position = (FOREVER if backward else -FOREVER, 0)
    for event in log.domain.events.search(span, descending=backward):
        if event is None:
            yield position, None
        else:
            position = (event.at, event.serial * PLACES + log_number)
            yield position, Entry(log, event)


async def _totals(logs: list[DomainLog], span: EventRange) -> Counter[str]:
    totals: Counter[str] = Counter()
    turn = Turn()
    for log in logs:
        for part in log.domain.events.rows(span, (("event",),)):
            totals.update(f"{name}_count" for (name,) in part)
            await turn.give_way()
    return totals


def _to_json(entry: Entry) -> Record:
    account = entry.log.account
    record = with_current_storage(account, entry.event.record)
    parent = account.administration.parent
    entry_json = {key: value for key, value in record.items() if key not in ("timestamp", "user-variables", "storage")}
    entry_json |= {
        "@timestamp": iso_date(entry.event.at),
        "account": {"id": account.id, **({"parent-id": parent.id} if parent else {})},
        "domain": {"name": entry.log.domain.name},
        "user-variables": json.dumps(record.get("user-variables", {})),
    }
    if "storage" in record:
        entry_json["storage"] = {**record["storage"], "url": [record["storage"]["url"]]}
    return entry_json


def _pagination(token: Token, page: EventPage[Entry], totals: Counter[str] | None) -> Record:
    pages: Record = tokens({}, token, page.positions)
    if not page.after:
        pages["next"] = ""
    if not page.before:
        pages["previous"] = ""
    return {**pages, **({"total": totals.total()} if totals is not None else {})}
