"""The last stages of a call: what a model may see of the result, and how the call can be undone."""

from typing import Any

from mailgun_mcp.call.current_call import Call
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.text.durations import iso


async def protect(call: Call, result: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """Return the result without secrets and with untrusted text marked, and remember who was shown such text.

    `whole` has the fields that the result leaves out: they may say who wrote the others.
    """
    services = call.services
    protected, untrusted = services.protection.apply(call.operation, result, call.account, whole)
    if untrusted:
        await services.history.shown_untrusted(call.account, call.caller)
    return protected


def asked_for(call: Call, facts: Facts) -> dict[str, Any]:
    """Return what a send was asked to do and cannot be read back: to how many, when, and with which options."""
    echoed = {name: call.arguments[name] for name in call.operation.echo if name in call.arguments}
    return {"asked_for": {"recipients": facts.recipient_count, **echoed}} if call.operation.echo else {}


def way_back(call: Call) -> dict[str, Any]:
    """Return how the call is undone, where it can be."""
    if call.capture is None or not call.capture.saved:
        return {}
    return {"undo": {"id": call.record.call, "until": iso(call.capture.until)}}
