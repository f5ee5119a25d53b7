"""Classifies why mail bounced or was delayed, with counts by the refusing entity and the reason."""

from collections.abc import Callable
from typing import Any

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.analytics.reports import (
    WEEK,
    CountSource,
    DimensionCondition,
    DimensionReader,
    FactCounts,
    Grouping,
    Period,
    RowKey,
    Rows,
    Values,
    aggregate,
    count_sources,
    parse_conditions,
    parse_order,
    parse_period,
)
from mailgun_mcp.simulator.mail.record_events import with_current_storage
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.bounce_rules import ENTITIES, BounceRule, all_rules
from mailgun_mcp.simulator.model.clock import HOUR, MINUTE, mail_date
from mailgun_mcp.simulator.model.event_log import RETENTION, EventRange
from mailgun_mcp.simulator.model.packed_events import RULE, FieldTest
from mailgun_mcp.simulator.model.series import Cell
from mailgun_mcp.simulator.replies.event_pages import EventPageQuery, cut_page
from mailgun_mcp.simulator.replies.paging import Token, skip_page, tokens
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.events import search_of
from mailgun_mcp.simulator.sections.registry import handles

UNITS = {"h": HOUR, "m": MINUTE, "s": 1.0, "d": 24 * HOUR}
LIMIT, MOST = 10, 50
LEGACY_LIMIT = 100
TIME, OWNER = "timestamp", "account.name"
FAILED = DimensionCondition("happened", "!=", ("delivered",))
BOUNCED = DimensionCondition("happened", "=", ("bounce",))


def _dimension_at(index: int) -> DimensionReader:
    return lambda cell: (str(cell[index]),)


def _tags(cell: Cell) -> Values:
    tags = cell[3]
    return tags if isinstance(tags, tuple) else ()


def _ruled(read: Callable[[BounceRule], str]) -> DimensionReader:
    def of_cell(cell: Cell) -> Values:
        rule = all_rules().get(str(cell[6]))
        return (read(rule),) if rule else ()

    return of_cell


OF_MAIL: dict[str, DimensionReader] = {
    "domain.name": _dimension_at(0),
    "envelope.sending-ip": _dimension_at(1),
    "envelope.i-ip-pool-name": _dimension_at(2),
    "tag": _tags,
    "tags": lambda cell: (", ".join(_tags(cell)),),
    "recipient-domain": _dimension_at(4),
    "entity-name": lambda cell: (ENTITIES[str(cell[5])],),
    "entity-id": _dimension_at(5),
}
"""The dimensions that deliveries have as well as failures."""
OF_FAILURES: dict[str, DimensionReader] = {
    "rule-id": _dimension_at(6),
    "group-id": _ruled(lambda rule: rule.group.id),
    "criticality": _ruled(lambda rule: rule.group.criticality),
    "category": _ruled(lambda rule: rule.group.category),
    "severity": lambda cell: ({"bounce": "permanent", "delay": "temporary"}.get(str(cell[7]), ""),),
    "happened": _dimension_at(7),
}
READERS = OF_MAIL | OF_FAILURES
FILTERS = dict.fromkeys((*OF_MAIL, "group-id", "criticality", "category", "severity", OWNER))

COUNTS = {
    "critical_bounce_count": ("critical", "bounce"),
    "non_critical_bounce_count": ("non-critical", "bounce"),
    "critical_delay_count": ("critical", "delay"),
    "non_critical_delay_count": ("non-critical", "delay"),
}
RATES = {name.replace("_count", "_rate"): name for name in COUNTS}
METRICS = (*COUNTS, "delivered_smtp_count", "classified_failures_count", *RATES)


@handles(
    "query_bounce_classification",
    fidelity="computed",
    note="failures by who refused the mail and why, by the simulator's own rules",
)
async def query_bounce_classification(account: Account, request: SimulatedRequest) -> Reply:
    period = parse_period(account, request, UNITS)
    dimensions = tuple(dict.fromkeys(request.get("dimensions") or ()))
    if {"tag", "tags"} <= set(dimensions):
        raise ApiError(400, "'tag' and 'tags' dimensions can't be used together")
    metrics = request.get("metrics") or list(METRICS)
    order = parse_order(request, (*dimensions, *METRICS), "classified_failures_count:desc", LIMIT, MOST)
    sources = _failures(account, subaccounts=bool(request.get("include_subaccounts")))
    rows = await _classified(sources, period, dimensions, parse_conditions(request, FILTERS))
    names = _names(account, sources)
    page = order.page(rows, lambda row, by: row["metrics"].get(by, row["dimensions"].get(by)))
    answer = {
        "start": mail_date(period.start, "+0000"),
        "end": mail_date(period.end, "+0000"),
        "resolution": period.resolution,
        "duration": request.get("duration") or "",
        "dimensions": list(dimensions),
        "pagination": order.answer(len(rows)),
        "items": [_item(row, names, metrics) for row in page],
    }
    return Reply(answer)


def _failures(account: Account, *, subaccounts: bool = False) -> list[CountSource]:
    return count_sources(account, lambda owner: owner.analytics.failures, subaccounts=subaccounts)


async def _classified(
    sources: list[CountSource], period: Period, dimensions: tuple[str, ...], conditions: tuple[DimensionCondition, ...]
) -> list[Record]:
    """Return the rows with failures, and the deliveries that their rates are relative to."""
    failures = await aggregate(sources, period, _view((*dimensions, "criticality", "happened"), (*conditions, FAILED)))
    shared = tuple(name for name in dimensions if name not in OF_FAILURES)
    of_mail = tuple(condition for condition in conditions if condition.attribute not in OF_FAILURES)
    deliveries = await aggregate(sources, period, _view(shared, of_mail))
    rows: dict[RowKey, FactCounts] = {}
    for key, facts in failures.items():
        row = rows.setdefault(key[:-2], {})
        for name, kind in COUNTS.items():
            row[name] = row.get(name, 0) + (sum(facts.values()) if key[-2:] == kind else 0)
    return [
        _row(dict(zip(dimensions, key, strict=True)), row, shared, deliveries)
        for key, row in sorted(rows.items(), key=str)
    ]


def _view(dimensions: tuple[str, ...], conditions: tuple[DimensionCondition, ...]) -> Grouping:
    return Grouping(READERS, dimensions, conditions, TIME, OWNER)


def _row(dimensions: Record, counts: FactCounts, shared: tuple[str, ...], deliveries: Rows) -> Record:
    delivered = deliveries.get(tuple(dimensions[name] for name in shared), {}).get("delivered", 0)
    failures = sum(counts.values())
    tried = delivered + failures
    rates = {rate: round(100 * counts[name] / tried, 4) if tried else 0 for rate, name in RATES.items()}
    metrics = {**counts, "delivered_smtp_count": delivered, "classified_failures_count": failures, **rates}
    return {"dimensions": dimensions, "metrics": metrics}


def _names(account: Account, sources: list[CountSource]) -> dict[str, dict[str, str]]:
    pools = {pool.id: pool.name for pool in account.administration.ips.pools.values()}
    return {OWNER: {source.account.id: source.name for source in sources}, "envelope.i-ip-pool-name": pools}


def _item(row: Record, names: dict[str, dict[str, str]], metrics: list[str]) -> Record:
    values_by_name = {name: _dimension_value(name, value, names) for name, value in row["dimensions"].items()}
    group = next((rule.group for rule in all_rules().values() if rule.group.id == values_by_name.get("group-id")), None)
    if group:
        values_by_name |= {"sample-text": group.sample, "explanation": group.explanation}
    return {**values_by_name, "metrics": {name: row["metrics"][name] for name in metrics}}


def _dimension_value(name: str, value: object, names: dict[str, dict[str, str]]) -> str:
    return mail_date(value, "+0000") if isinstance(value, int) else names.get(name, {}).get(str(value), str(value))


# The operations of version 1 cover the last seven days.


@handles("list_bounce_classification_stats", fidelity="computed", note="the last seven days")
async def list_bounce_classification_stats(account: Account, request: SimulatedRequest) -> Reply:
    group = tuple(request.get("group") or ("domain.name", "entity-id", "rule-id"))
    rows = await _bounced(
        account, tuple("account.name" if name == "subaccount.id" else name for name in group), request
    )
    items = [_stat(dict(zip(group, key, strict=True)), bounced) for key, bounced in rows]
    return Reply({"items": items[: _limit(request)], "_duration": "0s"})


def _stat(values: dict[str, str], bounced: int) -> Record:
    stat: Record = {"bounced": {"total": bounced}}
    for name, value in values.items():
        outer, _, inner = name.partition(".")
        stat[outer] = {inner: value} if inner else value
    if "rule-id" in values:
        stat["short-explanation"] = all_rules()[values["rule-id"]].group.short
    return stat


@handles("list_bounce_classification_domains", fidelity="computed", note="the last seven days, by domain")
async def list_bounce_classification_domains(account: Account, request: SimulatedRequest) -> Reply:
    conditions = _query(request["query"]) if request.get("query") else ()
    rows = await _bounced(account, ("domain.name",), request, *conditions)
    items = [{"domain": {"name": key[0]}, "bounced": {"total": bounced}} for key, bounced in rows]
    return Reply({"items": skip_page(items, request.get("skip") or 0, _limit(request)), "total": len(items)})


@handles("list_bounce_domain_entities", fidelity="computed", note="by who refused the mail")
async def list_bounce_domain_entities(account: Account, request: SimulatedRequest) -> Reply:
    rows = await _bounced(account, ("entity-id",), request, _only("domain.name", request.domain.name))
    items = [
        {"entity-id": key[0], "entity-name": ENTITIES[key[0]], "bounced": {"total": bounced}} for key, bounced in rows
    ]
    return Reply({"items": items})


@handles("list_bounce_entity_rules", fidelity="computed", note="by the reason for the refusal")
async def list_bounce_entity_rules(account: Account, request: SimulatedRequest) -> Reply:
    within = (_only("domain.name", request.domain.name), _only("entity-id", request["entity_id"]))
    rows = await _bounced(account, ("rule-id",), request, *within)
    return Reply({"items": [_rule(all_rules()[key[0]], bounced) for key, bounced in rows]})


def _rule(rule: BounceRule, bounced: int) -> Record:
    return {
        "rule-id": rule.id,
        "category": rule.group.category,
        "severity": "PERMANENT",
        "sample-text": rule.group.sample,
        "explanation": rule.group.explanation,
        "bounced": {"total": bounced},
    }


@handles("list_bounce_classification_events", fidelity="computed", note="the bounces themselves")
async def list_bounce_classification_events(account: Account, request: SimulatedRequest) -> Reply:
    token = Token.decoded(request["page"]) if request.get("page") else _first_page(request)
    query = token.query
    if not {"rule", "entity", "ascending", "limit"} <= query.keys():
        raise ApiError(400, "Invalid page token")
    asked = EventPageQuery(token.page, token.pivot, query["limit"], query["ascending"])
    span = EventRange(account.clock.now() - RETENTION, float("inf"), frozenset({"failed"}), tests=_tests(query))
    page = await cut_page(search_of(request.domain.events), span, asked)
    paging = {name: f"{request.url}?page={text}" for name, text in tokens(query, token, page.positions).items()}
    return Reply({"items": [with_current_storage(account, event.record) for event in page.items], "paging": paging})


def _first_page(request: SimulatedRequest) -> Token:
    by, _, direction = request.get("sort").partition(":")
    if by not in ("@timestamp", "timestamp") or direction not in ("", "asc", "desc"):
        raise ApiError(400, "'sort' attribute is invalid")
    query = {"rule": request.get("rule_id"), "entity": request.get("entity_id"), "ascending": direction != "desc"}
    return Token("first", None, {**query, "limit": _limit(request)})


def _tests(query: Record) -> tuple[FieldTest, ...]:
    def is_of(classified: str) -> bool:
        rule, _, entity = classified.split() or ("", "", "")
        return bool(rule) and query["rule"] in (None, rule) and query["entity"] in (None, entity)

    return (("severity",), lambda severity: severity == "permanent"), (RULE, is_of)


@handles(
    "list_bounce_classification_entities", fidelity="fixed", note="the providers and blocklists that the rules know"
)
def list_bounce_classification_entities() -> Reply:
    return Reply({entity: {"name": name} for entity, name in ENTITIES.items()})


@handles(
    "list_bounce_classification_rules",
    fidelity="fixed",
    note="the simulator's own rules for common refusals of large providers",
)
def list_bounce_classification_rules() -> Reply:
    return Reply({rule.id: _config(rule) for rule in all_rules().values()})


def _config(rule: BounceRule) -> Record:
    return {
        "entity_id": rule.entity,
        "class": rule.group.category,
        "sample-text": rule.group.sample,
        "explanation": rule.group.explanation,
        "short-explanation": rule.group.short,
    }


async def _bounced(
    account: Account, dimensions: tuple[str, ...], request: SimulatedRequest, *conditions: DimensionCondition
) -> list[tuple[tuple[str, ...], int]]:
    """Return the bounces of the last seven days by dimensions, the highest count first."""
    now = account.clock.now()
    sources = _failures(account, subaccounts=bool(request.get("include_subaccounts")))
    rows = await aggregate(sources, Period(now - WEEK, now, "hour"), _view(dimensions, (*conditions, BOUNCED)))
    counted: list[tuple[Any, int]] = [(key, sum(facts.values())) for key, facts in rows.items()]
    return sorted(counted, key=lambda row: (-row[1], row[0]))


def _only(attribute: str, value: str) -> DimensionCondition:
    return DimensionCondition(attribute, "=", (value.lower(),))


def _query(text: str) -> tuple[DimensionCondition, ...]:
    attribute, colon, value = text.partition(":")
    if not colon or attribute not in FILTERS:
        raise ApiError(400, f"'{attribute}' is not a valid filter predicate attribute")
    return (_only(attribute, value),)


def _limit(request: SimulatedRequest) -> int:
    limit: int = request.get("limit") or LEGACY_LIMIT
    if limit < 1:
        raise ApiError(400, "The 'limit' parameter can't be smaller than 1")
    return limit
