"""Thresholds: alerts on how mail goes, limits on what is used, and the hits of both."""

from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import Any

from mailgun_mcp.simulator.analytics.alerts import seconds, watch
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import iso_date
from mailgun_mcp.simulator.model.ips import NEVER
from mailgun_mcp.simulator.model.thresholds import Hit, Threshold
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import Handler, SimulatedRequest

Kept = Callable[[Account], dict[str, Threshold]]


def list_thresholds(kept: Kept, account: Account, _: SimulatedRequest) -> Reply:
    watch(account)
    items = [_shown(account, threshold) for threshold in kept(account).values()]
    return Reply({"items": items, "total": len(items)})


def create_threshold(kept: Kept, account: Account, request: SimulatedRequest) -> Reply:
    _check(request)
    _check_free(kept, account, request["name"])
    now = account.clock.now()
    threshold = _filled(request, Threshold(account.uuid(), request["name"], now, now, "", "", "", ""))
    kept(account)[threshold.name] = threshold
    return Reply(_shown(account, threshold))


def get_threshold(kept: Kept, account: Account, request: SimulatedRequest) -> Reply:
    found = _found(kept, account, request)
    watch(account)
    return Reply(_shown(account, found))


def update_threshold(kept: Kept, account: Account, request: SimulatedRequest) -> Reply:
    threshold = _found(kept, account, request)
    _check(request)
    if request["new_name"] != threshold.name:
        _check_free(kept, account, request["new_name"])
    del kept(account)[threshold.name]
    threshold.name, threshold.updated_at = request["new_name"], account.clock.now()
    kept(account)[threshold.name] = _filled(request, threshold)
    return success("success")


def delete_threshold(kept: Kept, account: Account, request: SimulatedRequest) -> Reply:
    threshold = _found(kept, account, request)
    del kept(account)[threshold.name]
    hits = account.administration.thresholds.hits
    for key in [key for key in hits if key[0] == threshold.id]:
        del hits[key]
    return success("success")


def list_threshold_hits(account: Account, _: SimulatedRequest) -> Reply:
    watch(account)
    thresholds = account.administration.thresholds
    known = {each.id: each for kept in (thresholds.alerts, thresholds.limits) for each in kept.values()}
    items = [_hit(account, known[hit.threshold], hit) for hit in thresholds.hits.values()]
    return Reply({"items": items, "total": len(items)})


def _alerts(account: Account) -> dict[str, Threshold]:
    return account.administration.thresholds.alerts


def _limits(account: Account) -> dict[str, Threshold]:
    return account.administration.thresholds.limits


def _found(kept: Kept, account: Account, request: SimulatedRequest) -> Threshold:
    threshold = kept(account).get(request["name"])
    if threshold is None:
        raise ApiError(404, "threshold not found")
    return threshold


def _check_free(kept: Kept, account: Account, name: str) -> None:
    if name in kept(account):
        raise ApiError(400, f"threshold '{name}' already exists")


def _check(request: SimulatedRequest) -> None:
    if seconds(request.get("period", "1h")) is None:
        raise ApiError(400, f"'period' attribute is invalid: {request['period']}")
    try:
        fits = isfinite(float(request["limit"]))
    except ValueError:
        fits = False
    if not fits:
        raise ApiError(400, f"'limit' attribute is invalid: {request['limit']}")
    if any({"dimension", "comparator", "values"} - each.keys() for each in request.get("filters", [])):
        raise ApiError(400, "'filters' attribute is invalid")


def _filled(request: SimulatedRequest, threshold: Threshold) -> Threshold:
    threshold.metric, threshold.comparator = request["metric"], request["comparator"]
    threshold.limit, threshold.dimension = request["limit"], request["dimension"]
    threshold.period, threshold.description = request.get("period", "1h"), request.get("description", "")
    threshold.channels, threshold.filters = request.get("alert_channels", []), request.get("filters", [])
    return threshold


def _owners(account: Account) -> dict[str, Any]:
    parent = account.administration.parent
    return {"parent_account_id": (parent or account).id, "subaccount_id": account.id if parent else ""}


def _rule(threshold: Threshold) -> dict[str, Any]:
    return {"metric": threshold.metric, "comparator": threshold.comparator, "limit": threshold.limit}


def _shown(account: Account, threshold: Threshold) -> dict[str, Any]:
    channels = {"alert_channels": threshold.channels} if _alerts(account).get(threshold.name) is threshold else {}
    return {
        "id": threshold.id,
        **_owners(account),
        "account_group": "",
        "name": threshold.name,
        "description": threshold.description,
        "created_at": iso_date(threshold.created_at),
        "updated_at": iso_date(threshold.updated_at),
        "last_checked": NEVER if threshold.last_checked is None else iso_date(threshold.last_checked),
        **_rule(threshold),
        "dimension": threshold.dimension,
        "period": threshold.period,
        **channels,
        "filters": threshold.filters,
    }


def _hit(account: Account, threshold: Threshold, hit: Hit) -> dict[str, Any]:
    lasts = seconds(threshold.period) or 0.0
    return {
        "id": hit.id,
        "name": threshold.name,
        "created_at": iso_date(hit.created_at),
        "updated_at": iso_date(hit.updated_at),
        "triggered": hit.triggered,
        "expires_at": NEVER if hit.triggered else iso_date(hit.updated_at + lasts),
        "latest_value": f"{hit.latest:g}",
        **_rule(threshold),
        **_owners(account),
        "dimension": threshold.dimension,
        "dimension_value": hit.value,
    }


NAMES: dict[str, Callable[[Kept, Account, SimulatedRequest], Reply]] = {
    "list_{}s": list_thresholds,
    "create_{}": create_threshold,
    "get_{}": get_threshold,
    "update_{}": update_threshold,
    "delete_{}": delete_threshold,
}
KINDS: dict[str, Kept] = {"send_alert": _alerts, "threshold_limit": _limits}

HANDLERS: dict[str, Handler] = {
    "list_threshold_hits": list_threshold_hits,
    **{name.format(kind): partial(handler, kept) for kind, kept in KINDS.items() for name, handler in NAMES.items()},
}
