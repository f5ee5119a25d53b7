"""IP warm-up: a plan that lets a new IP send more mail each day. It advances with the clock."""

from typing import Any

from mailgun_mcp.simulator.mail.sending_ips import get_dedicated_ip, ips_of
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY, HOUR, iso_date
from mailgun_mcp.simulator.model.event_log import EventRange
from mailgun_mcp.simulator.model.ips import NEVER, STAGES, Ip, Warmup
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.replies.token_paging import key_page
from mailgun_mcp.simulator.sections.registry import handles

SENDING_IP = ("envelope", "sending-ip")
DELIVERED = frozenset({"delivered"})


@handles("list_ip_warmups", fidelity="stateful", note="active plans")
def list_ip_warmups(account: Account, request: SimulatedRequest) -> Reply:
    now = account.clock.now()
    warming = {ip.address: _listed(account, ip) for ip in ips_of(account).ips.values() if ip.warming(now)}
    page = key_page(warming, request.url, request.get("page"), max(1, request.get("limit")))
    return Reply({"items": page.items, "paging": {name: page.paging[name] for name in ("first", "next")}})


@handles("get_ip_warmup", fidelity="stateful", note="its stage depends on the clock")
def get_ip_warmup(account: Account, request: SimulatedRequest) -> Reply:
    return Reply({"details": _detailed(account, _warming(account, request["addr"]))})


@handles("create_ip_warmup", fidelity="stateful", note="a plan of daily stages")
def create_ip_warmup(account: Account, request: SimulatedRequest) -> Reply:
    ip = get_dedicated_ip(account, request["addr"])
    if ip.warming(account.clock.now()):
        raise ApiError(400, f"IP {ip.address} is already on warmup")
    ip.warmup = Warmup(account.clock.now())
    return success("success")


@handles("cancel_ip_warmup", fidelity="stateful", note="ends the plan")
def cancel_ip_warmup(account: Account, request: SimulatedRequest) -> Reply:
    _warming(account, request["addr"]).warmup = None
    return success("success")


def _warming(account: Account, address: str) -> Ip:
    ip = get_dedicated_ip(account, address)
    if not ip.warming(account.clock.now()):
        raise ApiError(404, f"No warmup plan found for IP {address}")
    return ip


def _plan(ip: Ip) -> Warmup:
    if ip.warmup is None:
        raise LookupError(f"{ip.address} is not on warmup")
    return ip.warmup


def _sent(account: Account, ip: Ip, since: float) -> int:
    """Return how many messages were sent from the IP since `since`."""
    span = EventRange(low=since, kinds=DELIVERED, tests=((SENDING_IP, lambda address: address == ip.address),))
    return sum(1 for domain in account.domains.values() for part in domain.events.rows(span, ()) for _ in part)


def _stage_start(plan: Warmup, now: float) -> float:
    return plan.started_at + plan.stage(now) * DAY


def _share(account: Account, ip: Ip) -> str:
    now, plan = account.clock.now(), _plan(ip)
    share = 100 * _sent(account, ip, _stage_start(plan, now)) // STAGES[plan.stage(now)]
    return f"{min(100, share)}%"


def _throttle(stage: int) -> int:
    """Return the percentage of the mail that is sent from other IPs instead."""
    return 100 - 100 * (stage + 1) // (len(STAGES) + 1)


def _listed(account: Account, ip: Ip) -> dict[str, Any]:
    now, plan = account.clock.now(), _plan(ip)
    stage = plan.stage(now)
    return {
        "ip": ip.address,
        "sent_within_stage": _share(account, ip),
        "throttle": _throttle(stage),
        "stage_number": stage + 1,
        "stage_start_volume": STAGES[stage - 1] if stage else 0,
        "stage_start_time": iso_date(_stage_start(plan, now)),
        "stage_volume_limit": STAGES[stage],
    }


def _detailed(account: Account, ip: Ip) -> dict[str, Any]:
    now, plan = account.clock.now(), _plan(ip)
    stage, started = plan.stage(now), _stage_start(plan, now)
    return {
        "sent_within_stage": _share(account, ip),
        "throttle": _throttle(stage),
        "start_volume": STAGES[0],
        "stage": stage + 1,
        "stage_limit": STAGES[stage],
        "hourly_limit": STAGES[stage] // 24,
        "stage_started_at": iso_date(started),
        "hour_started_at": iso_date(now - (now - started) % HOUR),
        "plan_started_at": iso_date(plan.started_at),
        "plan_last_updated_at": iso_date(started),
        "total_stages": len(STAGES),
        "stage_history": [
            {"first_updated_at": NEVER, "completed_at": iso_date(plan.started_at + (done + 1) * DAY), "limit": limit}
            for done, limit in enumerate(STAGES[:stage])
        ],
    }
