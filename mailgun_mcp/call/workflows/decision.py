"""What the policy says of a workflow as a whole. It decides on each of the calls as well."""

from collections.abc import Iterator
from dataclasses import replace

from mailgun_mcp.call.authorize import quoted_in
from mailgun_mcp.call.current_call import Call
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import DeniedError
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import gather
from mailgun_mcp.text.host_names import canonical_host


async def check_policy(call: Call) -> None:
    """Raise DeniedError for a workflow that the policy denies, or wants confirmed: a form cannot show calls to come."""
    context = await call.services.history.context(
        call.operation, call.caller, call.account, digest="", subaccount=call.subaccount
    )
    facts = replace(gather(call.operation, call.arguments, context), domains=tuple(_domains(call.arguments)))
    decision = decide(call.services.policy, facts)
    call.record.decision = decision
    if decision.effect == "allow":
        return
    reason = (
        decision.reason
        if decision.effect == "deny"
        else "the policy requires confirmation for this tool, and calls that are not known yet cannot be confirmed"
    )
    raise DeniedError(
        f"Refused by policy ({decision.rule}): {reason}. Nothing was sent. Make the calls of single tools instead; the "
        "person who runs the server can change its policy.",
        quoted=quoted_in(decision),
    )


def _domains(arguments: Arguments) -> Iterator[str]:
    named = [arguments.get("domain"), *(arguments.get("domains") or ())]
    yield from dict.fromkeys(canonical_host(name) or name for name in named if name)
