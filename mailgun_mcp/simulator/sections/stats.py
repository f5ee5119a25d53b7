"""The older event totals of an account or domain, by time step or grouped."""

from collections.abc import Callable
from typing import Any

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.analytics.metrics import count_of
from mailgun_mcp.simulator.analytics.providers import legacy_provider
from mailgun_mcp.simulator.analytics.reports import (
    DimensionCondition,
    DimensionReader,
    FactCounts,
    Grouping,
    Period,
    aggregate,
    count_sources,
    parse_moment,
    parse_period,
)
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.series import Resolution, next_period, period_start
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.metrics import READERS
from mailgun_mcp.simulator.sections.registry import handles

LEGACY_READERS: dict[str, DimensionReader] = {
    **READERS,
    "provider": lambda cell: (legacy_provider(READERS["recipient_domain"](cell)[0]),),
    "country": lambda cell: tuple(code.lower() for code in READERS["country"](cell)),
}
NO_GROUP = ("total", "time", "day", "month")
STEPS: dict[str, Resolution] = {"day": "day", "month": "month"}
AGGREGATES = (
    "accepted",
    "delivered",
    "opened",
    "unique_opened",
    "clicked",
    "unique_clicked",
    "unsubscribed",
    "complained",
)


@handles("get_account_stats", fidelity="computed", note="event totals per time step")
async def get_account_stats(account: Account, request: SimulatedRequest) -> Reply:
    return await _totals(account, request, ())


@handles("get_domain_stats", fidelity="computed", note="event totals of one domain")
async def get_domain_stats(account: Account, request: SimulatedRequest) -> Reply:
    return await _totals(account, request, (only("domain", request.domain.name),))


@handles("get_filtered_stats", fidelity="computed", note="event totals under a filter, grouped")
async def get_filtered_stats(account: Account, request: SimulatedRequest) -> Reply:
    group: str = request.get("group") or "time"
    conditions = _filter(request["filter"]) if request.get("filter") else ()
    period = parse_period(account, request)
    if group not in NO_GROUP:
        return await _grouped(account, request, period, group, conditions)
    if group in STEPS:
        period = Period(period_start(period.start, STEPS[group]), period.end, STEPS[group])
    if group == "total":
        facts = (await aggregate(_mail(account), period, Grouping(LEGACY_READERS, (), conditions))).get((), {})
        return _answer(period, [_entry(int(period.start), facts, request["event"])])
    return await _by_time(account, request, period, conditions)


@handles("get_account_stats_by_domain", fidelity="computed", note="event totals of each domain")
async def get_account_stats_by_domain(account: Account, request: SimulatedRequest) -> Reply:
    resolution: Resolution = request.get("resolution") or "day"
    start = period_start(max(parse_moment(request["timestamp"]), 0.0), resolution)
    period = Period(start, next_period(start, resolution) - 1, resolution)
    limit = request.get("limit")
    if limit is not None and limit < 1:
        raise ApiError(400, "The 'limit' parameter can't be smaller than 1")
    return await _grouped(account, request, period, "domain", (), limit)


@handles("get_domain_provider_aggregates", fidelity="computed", note="by recipient provider")
async def get_domain_provider_aggregates(account: Account, request: SimulatedRequest) -> Reply:
    return await _domain_aggregates(account, request, "providers", "provider")


@handles("get_domain_device_aggregates", fidelity="computed", note="by the device of opens and clicks")
async def get_domain_device_aggregates(account: Account, request: SimulatedRequest) -> Reply:
    return await _domain_aggregates(account, request, "devices", "device")


@handles("get_domain_country_aggregates", fidelity="computed", note="by the country of opens and clicks")
async def get_domain_country_aggregates(account: Account, request: SimulatedRequest) -> Reply:
    return await _domain_aggregates(account, request, "countries", "country")


async def _domain_aggregates(account: Account, request: SimulatedRequest, key: str, dimension: str) -> Reply:
    return Reply({key: await aggregates(account, dimension, (only("domain", request.domain.name),))})


async def aggregates(account: Account, dimension: str, conditions: tuple[DimensionCondition, ...]) -> Record:
    """Return the totals by provider, country or device, for the whole retention period."""
    period = Period(0.0, account.clock.now(), "month")
    rows = await aggregate(_mail(account), period, Grouping(LEGACY_READERS, (dimension,), conditions))
    return {
        str(key[0]): {name: count_of(f"{name}_count", rows[key]) for name in AGGREGATES}
        for key in sorted(rows, key=str)
    }


def only(attribute: str, value: str) -> DimensionCondition:
    """Return the condition that an attribute equals `value`."""
    return DimensionCondition(attribute, "=", (value.lower(),))


async def stats_of(
    account: Account, request: SimulatedRequest, conditions: tuple[DimensionCondition, ...], more: Record | None = None
) -> Reply:
    """Return the totals of each time step."""
    return await _by_time(account, request, parse_period(account, request), conditions, more)


async def _totals(account: Account, request: SimulatedRequest, conditions: tuple[DimensionCondition, ...]) -> Reply:
    return await stats_of(account, request, conditions)


async def _by_time(
    account: Account,
    request: SimulatedRequest,
    period: Period,
    conditions: tuple[DimensionCondition, ...],
    more: Record | None = None,
) -> Reply:
    rows = await aggregate(_mail(account), period, Grouping(LEGACY_READERS, ("time",), conditions))
    steps = sorted({*period.steps(account.clock.now()), *(int(str(key[0])) for key in rows)})
    return _answer(period, [_entry(at, rows.get((at,), {}), request["event"]) for at in steps], more)


async def _grouped(
    account: Account,
    request: SimulatedRequest,
    period: Period,
    group: str,
    conditions: tuple[DimensionCondition, ...],
    limit: int | None = None,
) -> Reply:
    rows = await aggregate(
        _mail(account, subaccounts=group == "subaccount"), period, Grouping(LEGACY_READERS, (group,), conditions)
    )
    keys = sorted(rows, key=str)[:limit]
    entries = [_entry(int(period.start), rows[key], request["event"], {group: str(key[0])}) for key in keys]
    return _answer(period, entries)


def _mail(account: Account, *, subaccounts: bool = False) -> Any:
    return count_sources(account, lambda owner: owner.analytics.mail, subaccounts=subaccounts)


def _filter(text: str) -> tuple[DimensionCondition, ...]:
    attribute, colon, value = text.partition(":")
    if not colon or attribute not in LEGACY_READERS:
        raise ApiError(400, f"'{attribute}' is not a valid filter predicate attribute")
    return (only(attribute, value),)


def _answer(period: Period, stats: list[Record], more: Record | None = None) -> Reply:
    return Reply(
        {
            "description": "",
            **(more or {}),
            "start": mail_date(period.start),
            "end": mail_date(period.end),
            "resolution": period.resolution,
            "stats": stats,
        }
    )


def _entry(at: int, facts: FactCounts, events: list[str], more: Record | None = None) -> Record:
    return {"time": mail_date(at), **(more or {}), **{name: EVENTS[name](facts) for name in dict.fromkeys(events)}}


def _accepted(facts: FactCounts) -> Record:
    return {
        "incoming": count_of("accepted_incoming_count", facts),
        "outgoing": count_of("accepted_outgoing_count", facts),
        "total": count_of("accepted_count", facts),
    }


def _delivered(facts: FactCounts) -> Record:
    names = ("smtp", "http", "optimized")
    return {
        **{name: count_of(f"delivered_{name}_count", facts) for name in names},
        "total": count_of("delivered_count", facts),
    }


def _failed(facts: FactCounts) -> Record:
    permanent = {name: count_of(metric, facts) for name, metric in PERMANENT.items()}
    temporary = {
        "espblock": count_of("temporary_failed_esp_block_count", facts),
        "total": count_of("temporary_failed_count", facts),
    }
    return {"temporary": temporary, "permanent": permanent}


PERMANENT = {
    "suppress-bounce": "suppressed_bounces_count",
    "suppress-unsubscribe": "suppressed_unsubscribed_count",
    "suppress-complaint": "suppressed_complaints_count",
    "bounce": "bounced_count",
    "delayed-bounce": "delayed_bounce_count",
    "webhook": "webhook_count",
    "optimized": "permanent_failed_optimized_count",
    "total": "permanent_failed_count",
}


def _tracked(name: str) -> Callable[[FactCounts], Record]:
    return lambda facts: {"total": count_of(f"{name}_count", facts), "unique": count_of(f"unique_{name}_count", facts)}


def _plain(name: str) -> Callable[[FactCounts], Record]:
    return lambda facts: {"total": count_of(f"{name}_count", facts)}


EVENTS: dict[str, Callable[[FactCounts], Record]] = {
    "accepted": _accepted,
    "delivered": _delivered,
    "failed": _failed,
    "opened": _tracked("opened"),
    "clicked": _tracked("clicked"),
    "unsubscribed": _plain("unsubscribed"),
    "complained": _plain("complained"),
    "stored": _plain("stored"),
}
