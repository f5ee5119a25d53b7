"""Subaccounts: separate accounts below this one. Requests select one with a header."""

from typing import Any

from mailgun_mcp.simulator.mail.sending_ips import (
    SendingSource,
    assign_source,
    delegate_pool,
    get_dedicated_ip,
    get_pool,
    ips_of,
    linked_domains,
    revoke_pool,
)
from mailgun_mcp.simulator.model.access import Access
from mailgun_mcp.simulator.model.account import Account, Administration, Subaccount
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.ips import SHARED_IP
from mailgun_mcp.simulator.replies.paging import skip_page
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

FEATURES = ("email_preview", "inbox_placement", "sending", "validations", "validations_bulk")
SERIALS = 1 << 32
"""Number of ids that an account can use before they would collide with those of the next account."""
CHILD_LIMIT = "Parent account has reached its allotted child limit"
UNKNOWN = "account not found"


@handles("get_subaccount", fidelity="stateful", note="by id")
def get_subaccount(account: Account, request: SimulatedRequest) -> Reply:
    return _replied(_get_subaccount(account, request))


@handles("list_subaccounts", fidelity="stateful", note="filtered, sorted, skip/limit")
def list_subaccounts(account: Account, request: SimulatedRequest) -> Reply:
    children = [child for child in _children(account).values() if _listed(child, request)]
    if request.get("sort"):
        children.sort(key=lambda child: child.name, reverse=request["sort"] == "desc")
    page = skip_page(children, max(0, request.get("skip")), request.get("limit"))
    return Reply({"subaccounts": [subaccount_to_json(child) for child in page], "total": len(children)})


@handles("create_subaccount", fidelity="stateful", note="an empty account, used through the subaccount header")
def create_subaccount(account: Account, request: SimulatedRequest) -> Reply:
    children = _children(account)
    if not request["name"].strip():
        raise ApiError(400, "Bad request")
    _check_child_limit(account, 403)
    child = new_subaccount(account, request["name"])
    children[child.id] = child
    return _replied(child)


@handles("delete_subaccount", fidelity="stateful", note="closed permanently")
def delete_subaccount(account: Account, request: SimulatedRequest) -> Reply:
    child = _children(account).get(request["subaccount_id"])
    if child is None or child.status == "closed":
        raise ApiError(403, "Forbidden")
    _set_status(account, child, "closed")
    for pool in ips_of(account).pools.values():
        pool.delegated_to.discard(child.id)
    return success("Subaccount successfully deleted")


@handles("disable_subaccount", fidelity="stateful", note="requests for it are refused")
def disable_subaccount(account: Account, request: SimulatedRequest) -> Reply:
    child = _get_subaccount(account, request)
    if child.status == "disabled":
        raise ApiError(400, "subaccount is already disabled")
    child.reason, child.note = request.get("reason", ""), request.get("note", "")
    _set_status(account, child, "disabled")
    return _replied(child)


@handles("enable_subaccount", fidelity="stateful", note="requests for it are accepted again")
def enable_subaccount(account: Account, request: SimulatedRequest) -> Reply:
    child = _get_subaccount(account, request)
    if child.status == "open":
        raise ApiError(400, "subaccount is already enabled")
    _check_child_limit(account, 400)
    child.reason = child.note = ""
    _set_status(account, child, "open")
    return _replied(child)


@handles("update_subaccount_features", fidelity="stateful", note="stored; `sending` decides whether it can send")
def update_subaccount_features(account: Account, request: SimulatedRequest) -> Reply:
    child = _get_subaccount(account, request)
    given = {name: request[name] for name in FEATURES if name in request.arguments}
    if any("enabled" not in value for value in given.values()):
        raise ApiError(400, "No valid updates provided")
    child.account.administration.features.update({name: value["enabled"] for name, value in given.items()})
    child.updated_at = account.clock.now()
    return Reply({"features": _features(child)})


@handles("list_subaccount_ip_pools", fidelity="stateful", note="the pools delegated to it")
def list_subaccount_ip_pools(account: Account) -> Reply:
    items = [
        {"pool_id": pool.id, "subaccount_id": child}
        for pool in ips_of(account).pools.values()
        for child in sorted(pool.delegated_to)
    ]
    return Reply({"items": items, "total_count": len(items)})


@handles("delegate_ip_pool_to_subaccount", fidelity="stateful", note="it can use the pool but not change it")
def delegate_ip_pool_to_subaccount(account: Account, request: SimulatedRequest) -> Reply:
    child, pool = _get_subaccount(account, request, UNKNOWN), get_pool(account, request["pool_id"])
    if pool.inherited:
        raise ApiError(400, "invalid request parameters")
    for other in ips_of(account).pools.values():
        if other is not pool and child.id in other.delegated_to:
            _replace(child, other.id, pool.id, pool.ips)
            other.delegated_to.discard(child.id)
    pool.delegated_to.add(child.id)
    delegate_pool(account, child.account, pool)
    return success("started", reference_id=account.hex_id())


@handles("revoke_ip_pool_from_subaccount", fidelity="stateful", note="its domains move to the replacement")
def revoke_ip_pool_from_subaccount(account: Account, request: SimulatedRequest) -> Reply:
    child, pool = _get_subaccount(account, request, UNKNOWN), get_pool(account, request["pool_id"])
    if child.id not in pool.delegated_to:
        raise ApiError(400, "invalid request parameters")
    pool.delegated_to.discard(child.id)
    revoke_pool(child.account, pool.id)
    return success("started", reference_id=account.hex_id())


@handles("link_ip_to_subaccount", fidelity="stateful", note="it can use the IP")
def link_ip_to_subaccount(account: Account, request: SimulatedRequest) -> Reply:
    child, ip = _get_subaccount(account, request, UNKNOWN), get_dedicated_ip(account, request["ip"])
    ips_of(child.account).ips[ip.address] = ip
    for domain in child.account.domains.values():
        if domain.administration.sending.ips in ([], [SHARED_IP]):
            assign_source(domain, SendingSource([ip.address]))
    return success("success")


def new_subaccount(account: Account, name: str) -> Subaccount:
    """Return a new subaccount with an empty account below `account`. It is not added to `account` yet."""
    now, number = account.clock.now(), len(account.administration.subaccounts) + 1
    below = Administration(parent=account, access=Access(settings={"name": name}))
    below.access.public_key, below.access.signing_key = f"pubkey-{account.hex_id(32)}", f"key-{account.hex_id(32)}"
    identity = account.hex_id()
    own = Account(
        account.clock,
        identity,
        serial=number * SERIALS,
        administration=below,
        storage_url=account.storage_url,
    )
    return Subaccount(identity, name, own, now, now)


def subaccount_to_json(child: Subaccount) -> dict[str, Any]:
    """Return the subaccount in the form that lists use."""
    return {
        "id": child.id,
        "name": child.name,
        "created_at": mail_date(child.created_at, "GMT"),
        "updated_at": mail_date(child.updated_at, "GMT"),
        "status": child.status,
        "features": _features(child),
    }


def _replied(child: Subaccount) -> Reply:
    return Reply({"subaccount": subaccount_to_json(child)})


def _children(account: Account) -> dict[str, Subaccount]:
    if account.administration.parent is not None:
        raise ApiError(403, "Forbidden")
    return account.administration.subaccounts


def _get_subaccount(account: Account, request: SimulatedRequest, missing: str = "Not Found") -> Subaccount:
    child = _children(account).get(request["subaccount_id"])
    if child is None or child.status == "closed":
        raise ApiError(404, missing)
    return child


def _check_child_limit(account: Account, status: int) -> None:
    opened = sum(child.status == "open" for child in account.administration.subaccounts.values())
    if opened >= account.administration.child_limit:
        raise ApiError(status, CHILD_LIMIT)


def _set_status(account: Account, child: Subaccount, status: Any) -> None:
    child.status, child.updated_at = status, account.clock.now()


def _replace(child: Subaccount, pool_id: str, new_id: str, ips: list[str]) -> None:
    """Move the domains of an inherited pool to a new pool."""
    names = [domain.name for domain in linked_domains(child.account, pool_id)]
    revoke_pool(child.account, pool_id)
    for name in names:
        assign_source(child.account.domains[name], SendingSource(list(ips), new_id))


def _features(child: Subaccount) -> dict[str, Any]:
    features = child.account.administration.features
    return {name: {"enabled": features.get(name, True)} for name in FEATURES}


def _listed(child: Subaccount, request: SimulatedRequest) -> bool:
    if child.status == "closed":
        return bool(request.get("closed"))
    if request.get("filter", "").lower() not in child.name.lower():
        return False
    return "enabled" not in request.arguments or request["enabled"] == (child.status == "open")
