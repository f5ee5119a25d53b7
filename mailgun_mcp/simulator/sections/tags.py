"""Tags, which are created by sending. They belong to the account, or to each domain in the older operations."""

from typing import Any

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.analytics.metrics import TAG_METRICS, metric_value
from mailgun_mcp.simulator.analytics.providers import COUNTRIES, DEVICES, LEGACY_PROVIDERS
from mailgun_mcp.simulator.analytics.reports import (
    WEEK,
    FactCounts,
    Grouping,
    Period,
    RowKey,
    aggregate,
    count_sources,
    parse_order,
)
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.analytics import Tag
from mailgun_mcp.simulator.model.clock import iso_date
from mailgun_mcp.simulator.replies.paging import PivotQuery, pivot_page
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.metrics import READERS
from mailgun_mcp.simulator.sections.registry import handles
from mailgun_mcp.simulator.sections.stats import aggregates, only, stats_of

UPDATED, DELETED, UNKNOWN = "Tag updated", "Tag deleted", "Tag not found"
LEGACY_LIMIT, LEGACY_MOST = 100, 1000
LIMIT, MOST, MOST_WITH_METRICS = 10, 1000, 20
SORTS = {
    "lastseen": lambda tag: tag.last_seen,
    "firstseen": lambda tag: tag.first_seen,
    "tag": lambda tag: tag.tag.lower(),
}


@handles("query_account_tags", fidelity="computed", note="tags are created by sending; metrics of the last seven days")
async def query_account_tags(account: Account, request: SimulatedRequest) -> Reply:
    measured = bool(request.get("include_metrics"))
    order = parse_order(request, list(SORTS), "lastseen:desc", LIMIT, MOST_WITH_METRICS if measured else MOST)
    prefix = (request.get("tag") or "").lower()
    rows = [
        {"owner": owner, "tag": tag}
        for owner in request.accounts(account)
        for name, tag in account_tags(owner).items()
        if name.startswith(prefix)
    ]
    page = order.page(rows, lambda row, by: SORTS[by](row["tag"]))
    counted = await _metrics(account) if measured else {}
    pagination = order.answer(len(rows))
    if not (request.get("pagination") or {}).get("include_total"):
        del pagination["total"]
    return Reply({"items": [_account_tag(account, row, counted) for row in page], "pagination": pagination})


def account_tags(account: Account) -> dict[str, Tag]:
    """Return the account's tags, merged from all its domains."""
    merged: dict[str, Tag] = {}
    for tags in account.analytics.tags.values():
        for name, tag in tags.items():
            merged[name] = _together(merged[name], tag) if name in merged else tag
    return merged


@handles("update_account_tag", fidelity="stateful", note="the description")
def update_account_tag(account: Account, request: SimulatedRequest) -> Reply:
    for tag in _everywhere(account, request["tag"]):
        tag.description = request["description"]
    return success(UPDATED)


@handles("delete_account_tag", fidelity="stateful", note="in all domains")
def delete_account_tag(account: Account, request: SimulatedRequest) -> Reply:
    _everywhere(account, request["tag"])
    for tags in account.analytics.tags.values():
        tags.pop(request["tag"].lower(), None)
    return success(DELETED)


@handles("get_account_tag_limits", fidelity="computed", note="counts the existing tags")
def get_account_tag_limits(account: Account) -> Reply:
    limit, used = account.analytics.tag_limit, len(account.analytics.tag_names())
    return Reply({"limit": limit, "count": used, "limit_reached": used >= limit})


@handles("list_domain_tags", fidelity="stateful", note="tags of a domain, paged")
def list_domain_tags(account: Account, request: SimulatedRequest) -> Reply:
    limit = request.get("limit") or LEGACY_LIMIT
    if limit > LEGACY_MOST:
        raise ApiError(400, f"The 'limit' parameter can't be larger than {LEGACY_MOST}")
    if limit < 1:
        raise ApiError(400, "The 'limit' parameter can't be smaller than 1")
    prefix = request.get("prefix") or ""
    tags = {name: tag for name, tag in _of_domain(account, request).items() if name.startswith(prefix.lower())}
    pivot = request["tag"].lower() if request.get("tag") else None
    asked = PivotQuery(
        request.url, request.get("page") or "next", pivot, limit, "tag", {"prefix": prefix} if prefix else {}
    )
    page = pivot_page(tags, asked)
    paging = {name: url.replace("page=previous", "page=prev") for name, url in page.paging.items()}
    return Reply({"items": [_domain_tag(tag) for tag in page.items], "paging": paging})


@handles("get_domain_tag", fidelity="stateful", note="with first and last use")
def get_domain_tag(account: Account, request: SimulatedRequest) -> Reply:
    return Reply(_domain_tag(_get_tag(account, request)))


@handles("update_domain_tag", fidelity="stateful", note="the description")
def update_domain_tag(account: Account, request: SimulatedRequest) -> Reply:
    _get_tag(account, request).description = request.get("description", "")
    return success(UPDATED)


@handles("delete_domain_tag", fidelity="stateful", note="in that domain")
def delete_domain_tag(account: Account, request: SimulatedRequest) -> Reply:
    _get_tag(account, request)
    del _of_domain(account, request)[request["tag"].lower()]
    return success(DELETED)


@handles("get_domain_tag_limits", fidelity="computed", note="counts the existing tags")
def get_domain_tag_limits(account: Account, request: SimulatedRequest) -> Reply:
    used = len(_of_domain(account, request))
    return Reply({"id": request.domain.name, "limit": account.analytics.tag_limit, "count": used})


@handles("get_domain_tag_stats", fidelity="computed", note="event totals of a tag per time step")
async def get_domain_tag_stats(account: Account, request: SimulatedRequest) -> Reply:
    tag = _get_tag(account, request)
    asked = (name for name in ("provider", "device", "country") if request.get(name))
    conditions = (*_conditions(request), *(only(name, request[name]) for name in asked))
    return await stats_of(account, request, conditions, {"tag": tag.tag, "description": tag.description})


@handles("get_domain_tag_aggregates", fidelity="computed", note="by country, provider or device")
async def get_domain_tag_aggregates(account: Account, request: SimulatedRequest) -> Reply:
    tag, kind = _get_tag(account, request), request["type"]
    return Reply({"tag": tag.tag, kind: await aggregates(account, kind, _conditions(request))})


@handles("list_tag_devices", fidelity="fixed", note="every kind of device")
def list_tag_devices() -> Reply:
    return Reply({"items": list(DEVICES)})


@handles("list_tag_providers", fidelity="fixed", note="the providers that are counted separately")
def list_tag_providers() -> Reply:
    return Reply({"items": list(LEGACY_PROVIDERS)})


@handles("list_tag_countries", fidelity="fixed", note="every country code")
def list_tag_countries() -> Reply:
    return Reply({"items": list(COUNTRIES)})


def _together(one: Tag, other: Tag) -> Tag:
    description, older = one.description or other.description, min(one, other, key=lambda tag: tag.first_seen)
    return Tag(older.tag, min(one.first_seen, other.first_seen), max(one.last_seen, other.last_seen), description)


def _everywhere(account: Account, name: str) -> list[Tag]:
    """Return a tag from all domains that have it. Raises ApiError when none has it."""
    tags = [tags[name.lower()] for tags in account.analytics.tags.values() if name.lower() in tags]
    if not tags:
        raise ApiError(404, UNKNOWN)
    return tags


async def _metrics(account: Account) -> dict[RowKey, FactCounts]:
    """Return the counts of the last seven days by account and tag."""
    now = account.clock.now()
    sources = count_sources(account, lambda owner: owner.analytics.mail, subaccounts=True)
    return await aggregate(sources, Period(now - WEEK, now, "hour"), Grouping(READERS, ("subaccount", "tag")))


def _account_tag(account: Account, row: Record, counted: dict[RowKey, FactCounts]) -> Record:
    owner, tag = row["owner"], row["tag"]
    names = {below.account.id: below.name for below in account.administration.subaccounts.values()}
    parent = owner.administration.parent
    answer = {
        "account_id": owner.id,
        "parent_account_id": parent.id if parent else "",
        "account_name": names.get(owner.id, owner.id),
        "tag": tag.tag,
        "description": tag.description,
        "first_seen": iso_date(tag.first_seen),
        "last_seen": iso_date(tag.last_seen),
    }
    if counted:
        facts = counted.get((owner.id, tag.tag.lower()), {})
        answer["metrics"] = {metric: metric_value(metric, facts) for metric in sorted(TAG_METRICS)}
    return answer


def _of_domain(account: Account, request: SimulatedRequest) -> dict[str, Tag]:
    return account.analytics.tags.get(request.domain.name, {})


def _get_tag(account: Account, request: SimulatedRequest) -> Tag:
    tag = _of_domain(account, request).get(request["tag"].lower())
    if tag is None:
        raise ApiError(404, UNKNOWN)
    return tag


def _conditions(request: SimulatedRequest) -> tuple[Any, ...]:
    return (only("domain", request.domain.name), only("tag", request["tag"]))


def _domain_tag(tag: Tag) -> Record:
    return {
        "tag": tag.tag,
        "description": tag.description,
        "first-seen": iso_date(tag.first_seen),
        "last-seen": iso_date(tag.last_seen),
    }
