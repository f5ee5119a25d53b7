"""Thresholds: alerts on the account's mail, limits on its usage, and the hits of both."""

from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import Any

from mailgun_mcp.simulator.analytics.alerts import check_thresholds, period_seconds
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import iso_date
from mailgun_mcp.simulator.model.ips import NEVER
from mailgun_mcp.simulator.model.thresholds import Threshold, ThresholdHit
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

ThresholdsOf = Callable[[Account], dict[str, Threshold]]


async def list_thresholds(thresholds_of: ThresholdsOf, account: Account) -> Reply:
    await check_thresholds(account)
    items = [_to_json(account, threshold) for threshold in thresholds_of(account).values()]
    return Reply({"items": items, "total": len(items)})


def create_threshold(thresholds_of: ThresholdsOf, account: Account, request: SimulatedRequest) -> Reply:
    _check(request)
    _check_free(thresholds_of, account, request["name"])
    now = account.clock.now()
    threshold = _filled(request, Threshold(account.uuid(), request["name"], now, now, "", "", "", ""))
    thresholds_of(account)[threshold.name] = threshold
    return Reply(_to_json(account, threshold))


async def get_threshold(thresholds_of: ThresholdsOf, account: Account, request: SimulatedRequest) -> Reply:
    threshold = _get_threshold(thresholds_of, account, request)
    await check_thresholds(account)
    return Reply(_to_json(account, threshold))


def update_threshold(thresholds_of: ThresholdsOf, account: Account, request: SimulatedRequest) -> Reply:
    threshold = _get_threshold(thresholds_of, account, request)
    _check(request)
    if request["new_name"] != threshold.name:
        _check_free(thresholds_of, account, request["new_name"])
    del thresholds_of(account)[threshold.name]
    threshold.name, threshold.updated_at = request["new_name"], account.clock.now()
    thresholds_of(account)[threshold.name] = _filled(request, threshold)
    return success("success")


def delete_threshold(thresholds_of: ThresholdsOf, account: Account, request: SimulatedRequest) -> Reply:
    threshold = _get_threshold(thresholds_of, account, request)
    del thresholds_of(account)[threshold.name]
    hits = account.administration.thresholds.hits
    for key in [key for key in hits if key[0] == threshold.id]:
        del hits[key]
    return success("success")


@handles("list_threshold_hits", fidelity="computed", note="alerts and limits that have been reached")
async def list_threshold_hits(account: Account) -> Reply:
    await check_thresholds(account)
    thresholds = account.administration.thresholds
    thresholds_by_id = {each.id: each for group in (thresholds.alerts, thresholds.limits) for each in group.values()}
    items = [_hit(account, thresholds_by_id[hit.threshold], hit) for hit in thresholds.hits.values()]
    return Reply({"items": items, "total": len(items)})


def _alerts(account: Account) -> dict[str, Threshold]:
    return account.administration.thresholds.alerts


def _limits(account: Account) -> dict[str, Threshold]:
    return account.administration.thresholds.limits


def _get_threshold(thresholds_of: ThresholdsOf, account: Account, request: SimulatedRequest) -> Threshold:
    threshold = thresholds_of(account).get(request["name"])
    if threshold is None:
        raise ApiError(404, "threshold not found")
    return threshold


def _check_free(thresholds_of: ThresholdsOf, account: Account, name: str) -> None:
    if name in thresholds_of(account):
        raise ApiError(400, f"threshold '{name}' already exists")


def _check(request: SimulatedRequest) -> None:
    if period_seconds(request.get("period", "1h")) is None:
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


def _to_json(account: Account, threshold: Threshold) -> dict[str, Any]:
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


def _hit(account: Account, threshold: Threshold, hit: ThresholdHit) -> dict[str, Any]:
    lasts = period_seconds(threshold.period) or 0.0
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


KINDS: tuple[tuple[str, ThresholdsOf, str, str], ...] = (
    ("send_alert", _alerts, "alerts as made", "evaluated against the account's mail"),
    ("threshold_limit", _limits, "limits as made", "evaluated against the account's use"),
)
"""The name of a kind of threshold, where the account stores it, and the notes on listing and creating one."""

for _name, _thresholds, _list_note, _create_note in KINDS:
    handles(f"list_{_name}s", fidelity="stateful", note=_list_note)(partial(list_thresholds, _thresholds))
    handles(f"create_{_name}", fidelity="stateful", note=_create_note)(partial(create_threshold, _thresholds))
    handles(f"get_{_name}", fidelity="stateful", note="by name")(partial(get_threshold, _thresholds))
    handles(f"update_{_name}", fidelity="stateful", note="by name")(partial(update_threshold, _thresholds))
    handles(f"delete_{_name}", fidelity="stateful", note="by name")(partial(delete_threshold, _thresholds))
