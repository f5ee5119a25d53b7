"""The facts of a call that nobody makes: for a policy's tests, `policy explain` and `policy replay`."""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any, TypeVar

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.policy.facts import Context, Facts, gather
from mailgun_mcp.text.durations import duration
from mailgun_mcp.text.suggest import unknown

Number = TypeVar("Number", int, float)
NOON = datetime(2025, 1, 1, 12)
"""The time when none is given: a Wednesday, so that a test is decided the same every day."""

ASSUMPTIONS = {
    "principal": "who calls",
    "client": "what the MCP client calls itself",
    "account": "name of the account",
    "region": "region of the account",
    "subaccount": "the subaccount that the call acts in",
    "at": "time of the call: 2026-03-07T22:30, in the policy's timezone unless it has its own",
    "after_untrusted": "how long ago third-party text was shown: 5m",
    "recipients_last_hour": "recipients in the last hour",
    "addresses_last_hour": "addresses put on suppression lists, mailing lists and routes in the last hour",
    "sent_before": "how long ago the same message was sent: 5m",
    "spent_this_month": "what billing operations have cost this month",
    "list_members": "members of each mailing list",
}
"""What can be assumed beside the call, with its meaning."""

UNCHANGED = ("principal", "client", "account", "region", "subaccount", "list_members")
"""Those that are used as they are written."""


def assumed_facts(operation: Operation, arguments: Arguments, assumptions: Mapping[str, Any], zone: tzinfo) -> Facts:
    """Return the facts of a call of `operation`. Raises ValueError for an invalid time or duration."""
    values = {name: assumptions[name] for name in UNCHANGED if name in assumptions}
    # Only the size of a list is assumed. Who its members are is not, so no limit on members stops the call.
    members: dict[str, tuple[str, ...]] = dict.fromkeys(assumptions.get("list_members") or (), ())
    context = Context(**values, list_addresses=members, **_converted(assumptions, zone))
    return gather(operation, arguments, context)


def _converted(assumptions: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    now = when(assumptions["at"], zone) if "at" in assumptions else NOON.replace(tzinfo=zone)
    converted: dict[str, Any] = {"now": now}
    if "after_untrusted" in assumptions:
        converted["untrusted_age"] = duration(assumptions["after_untrusted"])
    if "sent_before" in assumptions:
        converted["duplicate_age"] = duration(assumptions["sent_before"])
    for name in ("recipients_last_hour", "addresses_last_hour"):
        if name in assumptions:
            converted[name] = _number(int, name, assumptions)
    if "spent_this_month" in assumptions:
        converted["spent_this_month"] = _number(float, "spent_this_month", assumptions)
    return converted


def _number(kind: Callable[[Any], Number], name: str, assumptions: Mapping[str, Any]) -> Number:
    try:
        return kind(assumptions[name])
    except ValueError:
        raise ValueError(f"{name}: {assumptions[name]!r} must be a number") from None


def when(text: str, zone: tzinfo) -> datetime:
    """Return the moment `text` (ISO 8601), in `zone` unless it has its own. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time: write 2026-03-07T22:30 or 2026-03-07T22:30+01:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def unknown_arguments(operation: Operation, arguments: Arguments) -> list[str]:
    """Return a sentence for each unknown argument. Required ones may be missing: the call is not made."""
    names = [argument.name for argument in operation.arguments]
    return [unknown(f"argument of {operation.name}", name, names) for name in arguments if name not in names]
