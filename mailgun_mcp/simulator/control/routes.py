"""The simulator's own routes, under `/simulator/`: its clock, faults, state and reset."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp.simulator.analytics.reports import parse_duration
from mailgun_mcp.simulator.control.faults import Fault, FaultError
from mailgun_mcp.simulator.control.harness import Harness
from mailgun_mcp.simulator.control.mail_routes import ROUTES as MAIL_ROUTES
from mailgun_mcp.simulator.control.mail_routes import Body, Route
from mailgun_mcp.simulator.control.page import PATHS, show
from mailgun_mcp.simulator.control.rate_limits import DOCUMENTED, Limit
from mailgun_mcp.simulator.control.snapshot_routes import LINES, restore, take_snapshot
from mailgun_mcp.simulator.http.asgi import headers_of, raw_path, read_body, read_json
from mailgun_mcp.simulator.http.auth import authenticate
from mailgun_mcp.simulator.mail.delivery import deliver_due
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import MovableClock, iso_date, parse_mail_date, parse_rfc3339
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.replies.reply import JSON, ApiError, Reply
from mailgun_mcp.text.suggest import unknown

PREFIX = "/simulator/"
READS = ("GET", "HEAD")
UNAUTHORIZED = Reply(
    {"message": "the control routes need the simulator's API key"},
    401,
    # This header makes browsers ask for the key.
    headers={"www-authenticate": 'Basic realm="MG API"'},
)
StreamRoute = Callable[[Harness, Receive], Awaitable[Reply]]
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
"""Seconds in each unit of the durations for advancing the clock. `m` means minutes here, not months."""


def with_control_routes(harness: Harness, *, key: str | None = None) -> ASGIApp:
    """Return the harness as an application with its control routes, which require `key` if it is set."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not raw_path(scope).startswith(PREFIX):
            await harness(scope, receive, send)
            return
        try:
            reply = await _answer(harness, scope, receive, key)
        except (ApiError, FaultError) as error:
            reply = error.reply if isinstance(error, ApiError) else Reply({"message": str(error)}, 400)
        await reply(scope, receive, send)

    return app


async def _answer(harness: Harness, scope: Scope, receive: Receive, key: str | None) -> Reply:
    headers = headers_of(scope)
    if key and authenticate(harness.account, headers.get("authorization", ""), any_key=False) is None:
        await read_body(receive)
        return UNAUTHORIZED
    path, method = raw_path(scope), scope["method"]
    if path in PATHS and method in READS:
        return show(path, harness.account, harness.clock, scope["query_string"].decode("latin-1"))
    # Another site's page could submit an empty form and reset the account. Browsers send where a request comes from.
    if method not in READS and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise ApiError(403, "the control routes can't be used from pages of other sites")
    methods = {**ROUTES.get(path, {}), **STREAMS.get(path, {})}
    if not methods:
        raise ApiError(404, unknown("control route", path, {**ROUTES, **STREAMS}))
    if method not in methods:
        return Reply({"message": "Method Not Allowed"}, 405, headers={"allow": ", ".join(methods)})
    if path in STREAMS:
        _check_type(headers, (JSON, LINES))
        return await STREAMS[path][method](harness, receive)
    answer = ROUTES[path][method](harness, _body(headers, await read_body(receive)))
    return answer if isinstance(answer, Reply) else await answer


def _check_type(headers: dict[str, str], allowed: Sequence[str]) -> None:
    """Raise ApiError for a type that a form on any web page can post, so that no page can move the clock."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() not in allowed:
        raise ApiError(400, f"the control routes accept only {' and '.join(allowed)}")


def _body(headers: dict[str, str], content: bytes) -> Body:
    if content:
        _check_type(headers, (JSON,))
    try:
        body = read_json(content)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "the body is not valid JSON") from error
    if not isinstance(body, dict):
        raise ApiError(400, "the body is not an object")
    return body


def _check_fields(body: Body, *names: str) -> None:
    for name in body:
        if name not in names:
            raise ApiError(400, unknown("field", name, names))


def show_clock(harness: Harness, _: Body) -> Reply:
    """Show the time, and whether the clock is `paused`."""
    now, clock = harness.clock.now(), harness.clock
    paused = not isinstance(clock, MovableClock) or clock.stopped
    # `held` is the name in the previous release.
    return Reply({"now": now, "date": iso_date(now), "paused": paused, "held": paused})


def move_clock(harness: Harness, body: Body) -> Reply:
    """Move the clock forward: `advance` by seconds (or `2h`), or `to` a date. `paused` stops it (true) or lets it run (false)."""
    # `held` is the name in the previous release.
    body = {"paused" if name == "held" else name: value for name, value in body.items()}
    _check_fields(body, "advance", "to", "paused")
    if not isinstance(body.get("paused", False), bool) or {"advance", "to"} <= body.keys():
        raise ApiError(400, "set advance or to, not both, and paused to true or false")
    ahead = _seconds(body["advance"]) if "advance" in body else 0.0
    if "to" in body:
        ahead = _moment(body["to"]) - harness.clock.now()
    if not 0 <= ahead < 1e10:
        raise ApiError(400, "the clock only moves forward")
    if isinstance(harness.clock, MovableClock) and "paused" in body:
        (harness.clock.stop if body["paused"] else harness.clock.run)()
    harness.clock.advance(ahead)
    for owner in harness.account.with_subaccounts(all_regions=True):
        deliver_due(owner)
    return show_clock(harness, {})


def _seconds(value: Any) -> float:
    if not isinstance(value, str):
        return _number("advance", value)
    try:
        return parse_duration(value, UNITS)
    except ApiError as error:
        raise ApiError(
            400, f"{value!r} is not a duration: use seconds or a number with s, m, h or d, such as 2h"
        ) from error


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ApiError(400, f"{name} is not a number")
    return float(value)


def _moment(value: Any) -> float:
    if not isinstance(value, str):
        return _number("to", value)
    for parse in (parse_mail_date, parse_rfc3339):
        try:
            return parse(value)
        except (ValueError, OverflowError):
            continue
    raise ApiError(400, f"{value!r} is neither an RFC 2822 nor an RFC 3339 date")


def show_faults(harness: Harness, _: Body) -> Reply:
    """Show the active faults, rate limits and read delay."""
    limits = [
        {"operations": list(limit.globs), "requests": limit.requests, "seconds": limit.seconds}
        for limit in harness.limits
    ]
    answer = {
        "faults": harness.faults.records(),
        "seed": harness.faults.seed,
        "rate_limits": limits,
        "visible_after": harness.visible_after,
    }
    return Reply(answer)


def set_faults(harness: Harness, body: Body) -> Reply:
    """Replace the given ones: `faults` (drawn by `seed`), `rate_limits`, `visible_after` (seconds until reads see a write)."""
    _check_fields(body, "faults", "seed", "rate_limits", "visible_after")
    faults, limits = _faults(harness, body), _limits(body.get("rate_limits", ()))
    delay = _number("visible_after", body.get("visible_after", 0))
    if not 0 <= delay < 1e6:
        raise ApiError(400, "visible_after is out of range")
    if "faults" in body:
        harness.faults.set(faults, body.get("seed", 0))
    if "rate_limits" in body:
        harness.limit_rates(limits)
    if "visible_after" in body:
        harness.delay_reads(delay)
    return show_faults(harness, {})


def _faults(harness: Harness, body: Body) -> list[Fault]:
    records, seed = body.get("faults", []), body.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ApiError(400, "seed is not an integer")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise ApiError(400, "faults is not a list of objects")
    return [Fault.from_record(record, harness.operations) for record in records]


def _limits(value: Any) -> list[Limit]:
    if isinstance(value, bool):
        return DOCUMENTED() if value else []
    try:
        return [Limit(tuple(item["operations"]), int(item["requests"]), float(item["seconds"])) for item in value]
    except (TypeError, ValueError, KeyError) as error:
        raise ApiError(400, "rate_limits is true, false, or a list of {operations, requests, seconds}") from error


def clear_faults(harness: Harness, _: Body) -> Reply:
    """Remove all faults, rate limits and the read delay."""
    harness.faults.set(())
    harness.limit_rates(())
    harness.delay_reads(0.0)
    return show_faults(harness, {})


def show_ignored(harness: Harness, _: Body) -> Reply:
    """List the unknown parameters that were ignored, with the operation and how often it was called with them."""
    return Reply({"strict": harness.ignored is None, "items": harness.ignored.to_json() if harness.ignored else []})


def reset(harness: Harness, body: Body) -> Reply:
    """Reset the account, the clock and the faults to how they were at the start. With `empty` the account is empty."""
    _check_fields(body, "empty")
    harness.reset(
        Account(harness.clock, storage_url=harness.account.storage_url) if body.get("empty") is True else None
    )
    return show_state(harness, {})


def show_state(harness: Harness, _: Body) -> Reply:
    """Show the time, the domains and what they contain, also of subaccounts and the other region (`others`)."""
    account = harness.account
    answer = {
        "now": harness.clock.now(),
        "date": iso_date(harness.clock.now()),
        "account": account.id,
        **_contents(account),
        "others": {below.id: _contents(below) for below in list(account.with_subaccounts(all_regions=True))[1:]},
    }
    return Reply(answer)


def _contents(account: Account) -> dict[str, Any]:
    deliver_due(account)
    for domain in account.domains.values():
        domain.forget_expired(account.clock.now())
    domains = {domain.name: _domain(domain) for domain in account.domains.values()}
    return {"domains": domains, "tags": len(account.analytics.tag_names())}


def _domain(domain: Domain) -> dict[str, Any]:
    counts = ("messages", "scheduled", "events", "bounces", "complaints", "unsubscribes", "allowlist", "templates")
    return {"state": domain.state, "type": domain.type, **{name: len(getattr(domain, name)) for name in counts}}


ROUTES: dict[str, dict[str, Route]] = {
    f"{PREFIX}clock": {"GET": show_clock, "POST": move_clock},
    f"{PREFIX}faults": {"GET": show_faults, "POST": set_faults, "DELETE": clear_faults},
    f"{PREFIX}ignored": {"GET": show_ignored},
    f"{PREFIX}reset": {"POST": reset},
    f"{PREFIX}state": {"GET": show_state},
    **{PREFIX + path: methods for path, methods in MAIL_ROUTES.items()},
    f"{PREFIX}snapshot": {"GET": take_snapshot},
}
"""Path -> method -> the route. Its docstring is shown in docs/simulator.md."""
STREAMS: dict[str, dict[str, StreamRoute]] = {f"{PREFIX}restore": {"POST": restore}}
"""Path -> method -> the route, for routes that read the body themselves because it may be large."""
