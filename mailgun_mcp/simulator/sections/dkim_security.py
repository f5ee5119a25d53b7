"""Automatic sender security: Mailgun rotates two keys on request or as time passes."""

import re
from typing import Any

from mailgun_mcp.simulator.mail.dkim import AUTOMATIC, automatic_value
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY, HOUR, MINUTE
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.signing import Rotation
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

UNITS = {"d": DAY, "h": HOUR, "m": MINUTE, "s": 1.0}
INTERVAL = re.compile(r"([0-9]{1,6})([dhms])")
SHORTEST = 5 * DAY
DEFAULT = "30d"


@handles("update_dkim_rotation", fidelity="stateful", note="keys rotate as the clock moves")
def update_dkim_rotation(account: Account, request: SimulatedRequest) -> Reply:
    enabled, interval = request["rotation_enabled"], request.get("rotation_interval")
    if interval is not None and not enabled:
        raise _reason("rotation_interval is not allowed unless also enabling DKIM rotation")
    rotation = request.domain.administration.signing.rotation
    text = interval or rotation.interval or DEFAULT
    seconds = _seconds(text)
    _restart(rotation, account.clock.now())
    rotation.enabled, rotation.interval, rotation.seconds = enabled, text, seconds
    return Reply({"domain": _to_json(account, request.domain)})


@handles("rotate_dkim_key", fidelity="stateful", note="swaps the two keys at once")
def rotate_dkim_key(account: Account, request: SimulatedRequest) -> Reply:
    if _state(request.domain) != "enabled":
        raise _reason(f"only domains in enabled can rotate their keys. Current state: {_state(request.domain)}")
    rotation = request.domain.administration.signing.rotation
    _restart(rotation, account.clock.now())
    rotation.swaps += 1
    return success("ok")


def _reason(text: str) -> ApiError:
    return ApiError(400, text, "Reason")


def _seconds(text: str) -> float:
    match = INTERVAL.fullmatch(text)
    if match is None:
        raise _reason(f"invalid rotation_interval: {text}")
    seconds = int(match[1]) * UNITS[match[2]]
    if seconds < SHORTEST:
        raise _reason("rotation_interval must be at least 5 days")
    return seconds


def _restart(rotation: Rotation, now: float) -> None:
    """Restart the rotation period now, and keep the currently active key active."""
    rotation.swaps = AUTOMATIC.index(rotation.active_selector(now))
    rotation.since = now


def _state(domain: Domain) -> str:
    return {"active": "enabled", "unverified": "wait_verify"}.get(domain.state, domain.state)


def _to_json(account: Account, domain: Domain) -> dict[str, Any]:
    rotation = domain.administration.signing.rotation
    return {
        "id": domain.id,
        "account_id": account.id,
        "sid": domain.id[:7],
        "name": domain.name,
        "state": _state(domain),
        "active_selector": rotation.active_selector(account.clock.now()),
        "rotation_enabled": "true" if rotation.enabled else "false",
        "rotation_interval": rotation.interval,
        "records": [_record(domain, selector) for selector in AUTOMATIC],
    }


def _record(domain: Domain, selector: str) -> dict[str, str]:
    return {
        "name": f"{selector}._domainkey.{domain.name}",
        "type": "CNAME",
        "identifier": "DKIM",
        "value": automatic_value(domain, selector),
        "comment": "Customer DKIM CNAME Record",
    }
