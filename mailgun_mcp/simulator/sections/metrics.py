"""Metrics of mail and of the usage of other products, computed from events and usage."""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.analytics.group_pages import page_of_groups
from mailgun_mcp.simulator.analytics.metrics import METRICS, metric_value
from mailgun_mcp.simulator.analytics.reports import (
    CountSource,
    DimensionCondition,
    DimensionReader,
    FactCounts,
    Group,
    Grouping,
    Period,
    Rows,
    Values,
    aggregate,
    aggregate_steps,
    count_sources,
    parse_conditions,
    parse_order,
    parse_period,
)
from mailgun_mcp.simulator.analytics.usage import USAGE_METRICS
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.event_facts import DIMENSIONS
from mailgun_mcp.simulator.model.series import Cell
from mailgun_mcp.simulator.replies.give_way import in_turns
from mailgun_mcp.simulator.replies.large_reply import large_reply
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

ZONE = "+0000"
TIMED_LIMIT = 1500
LIMIT, MAX_LIMIT = 10, 1000
Measure = Callable[[str, FactCounts], Any]


def _reader(index: int) -> DimensionReader:
    def read(cell: Cell) -> Values:
        value = cell[index]
        return value if isinstance(value, tuple) else (str(value),)

    return read


READERS: dict[str, DimensionReader] = {name: _reader(number) for number, name in enumerate(DIMENSIONS)}
FILTERS: Mapping[str, object] = {**READERS, "subaccount": None}


@handles(
    "query_metrics", fidelity="computed", note="counts and rates by dimension and resolution, from the account's events"
)
async def query_metrics(account: Account, request: SimulatedRequest) -> Reply:
    metrics = request.get("metrics") or sorted(METRICS)
    _check_known(metrics, METRICS)
    sources = count_sources(
        account, lambda owner: owner.analytics.mail, subaccounts=bool(request.get("include_subaccounts"))
    )
    return await _answer(account, request, sources, parse_conditions(request, FILTERS), metrics, metric_value)


@handles("query_usage_metrics", fidelity="computed", note="the use of the simulator; products that it lacks count zero")
async def query_usage_metrics(account: Account, request: SimulatedRequest) -> Reply:
    metrics = request.get("metrics") or list(USAGE_METRICS)
    _check_known(metrics, USAGE_METRICS)
    below = bool(request.get("include_subaccounts"))
    sources = [
        *count_sources(account, lambda owner: owner.analytics.usage, subaccounts=below),
        *count_sources(account, lambda owner: owner.analytics.mail, subaccounts=below),
    ]
    conditions = parse_conditions(request, {"subaccount": None})
    return await _answer(
        account, request, sources, conditions, metrics, lambda metric, facts: facts.get(_fact(metric), 0)
    )


def _fact(metric: str) -> str:
    return metric.removesuffix("_count")


def _check_known(metrics: list[str], names: Any) -> None:
    for metric in metrics:
        if metric not in names:
            raise ApiError(400, f"'{metric}' is not a valid metric")


async def _answer(
    account: Account,
    request: SimulatedRequest,
    sources: list[CountSource],
    conditions: tuple[DimensionCondition, ...],
    metrics: list[str],
    measure: Measure,
) -> Reply:
    period = parse_period(account, request)
    dimensions = tuple(dict.fromkeys(request.get("dimensions") or ()))
    timed = "time" in dimensions
    order = parse_order(
        request,
        (*dimensions, *metrics),
        "time:asc" if timed else f"{metrics[0]}:desc",
        TIMED_LIMIT if timed else LIMIT,
        TIMED_LIMIT if timed else MAX_LIMIT,
    )
    names = {source.account.id: source.name for source in sources}
    steps = _filled_in(sources, period, Grouping(READERS, dimensions, conditions), account.clock.now())
    in_order = order.by == "time" and not order.descending
    page, total = await page_of_groups(order, steps, _sorted_by(dimensions, measure), in_order=in_order)
    answer: Record = {
        "start": mail_date(period.start, ZONE),
        "end": mail_date(period.end, ZONE),
        "resolution": period.resolution,
        "duration": request.get("duration") or "",
        "dimensions": list(dimensions),
        "pagination": order.answer(total),
        "items": await in_turns(_item(group, dimensions, names, metrics, measure) for group in page),
        "aggregates": {"metrics": {}},
    }
    if request.get("include_aggregates"):
        facts = (await aggregate(sources, period, Grouping(READERS, (), conditions))).get((), {})
        answer["aggregates"] = {"metrics": _measured(metrics, measure, facts)}
    return await large_reply(answer)


async def _filled_in(
    sources: list[CountSource], period: Period, grouping: Grouping, now: float
) -> AsyncGenerator[Rows, None]:
    """Yield the rows in steps, with empty rows where rows are known in advance: each time step, or the single total."""
    if grouping.dimensions not in ((), ("time",)):
        async for step in aggregate_steps(sources, period, grouping):
            yield step
        return
    rows = await aggregate(sources, period, grouping)
    for key in [(at,) for at in period.steps(now)] if grouping.dimensions else [()]:
        rows.setdefault(key, {})
    yield rows


def _sorted_by(dimensions: tuple[str, ...], measure: Measure) -> Callable[[Group, str], Any]:
    def value_of(group: Group, name: str) -> Any:
        if name in dimensions:
            return group[0][dimensions.index(name)]
        return float(measure(name, group[1]))

    return value_of


def _item(
    group: Group, dimensions: tuple[str, ...], names: Mapping[str, str], metrics: list[str], measure: Measure
) -> Record:
    key, facts = group
    values = [_dimension(name, part, names) for name, part in zip(dimensions, key, strict=True)]
    return {"dimensions": values, "metrics": _measured(metrics, measure, facts)}


def _dimension(name: str, part: object, names: Mapping[str, str]) -> Record:
    text = mail_date(part, ZONE) if isinstance(part, int) else str(part)
    return {"dimension": name, "value": text, "display_value": names.get(text, text) if name == "subaccount" else text}


def _measured(metrics: list[str], measure: Measure, facts: FactCounts) -> Record:
    return {metric: measure(metric, facts) for metric in metrics}
