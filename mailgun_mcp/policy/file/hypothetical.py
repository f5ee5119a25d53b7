"""The facts of a call that nobody makes: for a policy's tests, `policy explain` and `policy replay`."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.policy.facts import Context, Facts, gather
from mailgun_mcp.text.durations import duration
from mailgun_mcp.text.suggest import unknown

NOON = datetime(2025, 1, 1, 12)
"""When nothing else is said: a Wednesday, so that a test is decided the same every day."""

SUPPOSED = {
    "principal": "who calls",
    "client": "what the MCP client calls itself",
    "account": "name of the account",
    "region": "us or eu",
    "subaccount": "the subaccount that is acted in",
    "at": "when: 2026-03-07T22:30, in the policy's timezone unless it has its own",
    "after_untrusted": "third-party text was shown so long ago (5m)",
    "recipients_last_hour": "recipients in the last hour",
    "sent_before": "the same message was sent so long ago (5m)",
    "spent_this_month": "what billing operations cost this month so far",
    "list_members": "members of each mailing list",
}
"""What may be supposed beside the call, with its meaning."""

AS_GIVEN = ("principal", "client", "account", "region", "subaccount", "list_members")


def suppose(operation: Operation, arguments: Arguments, supposed: Mapping[str, Any], zone: tzinfo) -> Facts:
    """Return the facts of a call of `operation`. Raises ValueError for a time or duration that is none."""
    values = {name: supposed[name] for name in AS_GIVEN if name in supposed}
    return gather(operation, arguments, Context(**values, **_converted(supposed, zone)))


def _converted(supposed: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    converted: dict[str, Any] = {"now": when(supposed["at"], zone) if "at" in supposed else NOON.replace(tzinfo=zone)}
    if "after_untrusted" in supposed:
        converted["untrusted_age"] = duration(supposed["after_untrusted"])
    if "sent_before" in supposed:
        converted["duplicate_age"] = duration(supposed["sent_before"])
    if "recipients_last_hour" in supposed:
        converted["recipients_last_hour"] = int(supposed["recipients_last_hour"])
    if "spent_this_month" in supposed:
        converted["spent_this_month"] = float(supposed["spent_this_month"])
    return converted


def when(text: str, zone: tzinfo) -> datetime:
    """Return the moment `text` (ISO 8601), in `zone` unless it has its own. Raises ValueError when it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time: write 2026-03-07T22:30 or 2026-03-07T22:30+01:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def unknown_arguments(operation: Operation, arguments: Arguments) -> list[str]:
    """Return what is wrong with the names of the arguments; what is missing may be missing."""
    known = [argument.name for argument in operation.arguments]
    return [unknown(f"argument of {operation.name}", name, known) for name in arguments if name not in known]
