"""Lets a call through, refuses it, or asks a person (`confirm.confirm`), as the policy decided."""

import re

from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.confirm import ReadTarget, confirm
from mailgun_mcp.confirm.form import Target
from mailgun_mcp.confirm.pending import PendingApprovals
from mailgun_mcp.errors import DeniedError, StateError
from mailgun_mcp.policy.engine import UNCLEAR, level_of
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import Decision
from mailgun_mcp.policy.send_limits import LIMITS
from mailgun_mcp.request.build import Request
from mailgun_mcp.text.durations import iso

QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+\"""")


async def authorize(call: Call, facts: Facts, request: Request, decision: Decision, read_target: ReadTarget) -> None:
    """Raise DeniedError or NotConfirmedError for a call that may not be made.

    `read_target` reads what the call would affect. Active grants are recorded in the audit log only. They never appear
    in what a model reads, because it would learn which calls need no confirmation.
    """
    record = call.record
    record.decision = decision
    if decision.effect == "deny":
        raise denied(decision, request)
    grants = _active_grants(call.services, facts, needed=decision.effect == "confirm")
    record.grants = [description for _, description in grants]
    if decision.effect == "allow" or _granted(decision, grants):
        if call.capture is None:
            return
        target = await read_target()
        question = _question_about(call, target)
        if question is None:
            return
        record.decision = decision = question
    await _ask(call, facts, request, decision, read_target)


def _question_about(call: Call, target: Target) -> Decision | None:
    """Return why the target's current state requires asking a person; otherwise the call may be made."""
    if target.preview.too_many and call.services.policy.undo.too_many != "allow":
        return _too_many(call)
    if not target.preview.raises or target.decision.effect != "confirm":
        return None
    grants = _active_grants(call.services, target.facts, needed=True)
    return None if _granted(target.decision, grants) else target.decision


def denied(decision: Decision, request: Request) -> DeniedError:
    """Return the error of a call that the policy denies."""
    return DeniedError(
        f"Refused by policy ({decision.rule}): {decision.reason}. Nothing was sent. The request would have been "
        f"{request.line}. A confirmation cannot override this; the person who runs the server can change its policy.",
        quoted=quoted_in(decision),
    )


def quoted_in(decision: Decision) -> list[str]:
    """Return the texts that the server's own reason quotes. An address in them may hold a prompt injection."""
    ours = decision.rule.startswith(LIMITS) or decision.rule == UNCLEAR
    return QUOTED.findall(decision.reason) if ours else []


async def _ask(call: Call, facts: Facts, request: Request, decision: Decision, read_target: ReadTarget) -> None:
    services = call.services
    approvals = PendingApprovals(services.store, services.clock, services.policy.notify, services.approvals_page)
    call.record.confirmation = await confirm(
        facts,
        request,
        decision,
        services.policy,
        asker=call.caller.asker,
        approvals=approvals,
        read_target=read_target,
    )


def _too_many(call: Call) -> Decision:
    limit = call.services.policy.undo.records
    return Decision(
        "confirm", "undo", f"it would lose more than {limit:,} records, which are not saved", level_of(call.operation)
    )


def _active_grants(services: Services, facts: Facts, *, needed: bool) -> list[tuple[bool, str]]:
    """Return the temporary grants: whether each covers this call, and its description.

    If the call needs no grant, an unreadable state does not stop it.
    """
    read = services.grants.active if needed else services.grants.recently_active
    try:
        active = read(services.clock(), facts.context.counted_for) if services.store.exists else ()
    except StateError:
        if needed:
            raise
        return []
    if not active:
        return []
    from mailgun_mcp.policy.conditions import compile_match

    return [
        (
            compile_match(grant.match, "allow", services.policy.timezone).holds(facts),
            f"until {iso(grant.until)} {grant.by} allows calls with {grant.match}",
        )
        for grant in active
    ]


def _granted(decision: Decision, grants: list[tuple[bool, str]]) -> bool:
    """Return whether a grant covers the call. One person cannot grant what needs two people, or has no known price."""
    return decision.level != "two_people" and not decision.beyond_grants and any(covers for covers, _ in grants)
