"""The confirmation of one call: reads the target, asks a person, and reads the target again before the call is made.

A model can't confirm. A yes comes from the person at the client (elicitation) or from the person at the approvals
channel; anything else is a no.
"""

from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Protocol

from mailgun_mcp.confirm.asker import REFUSALS, UNANSWERED, Asker, FormAnswer, InChat
from mailgun_mcp.confirm.bounded_text import LONGEST_REASON
from mailgun_mcp.confirm.form import Binding, Form, Target, render
from mailgun_mcp.confirm.pending import PendingApprovals
from mailgun_mcp.errors import NotConfirmedError
from mailgun_mcp.output.untrusted import fence
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import Decision, Policy, reaches
from mailgun_mcp.request.build import Request
from mailgun_mcp.text.characters import one_line
from mailgun_mcp.text.durations import in_words, iso

ROUNDS = 3
"""How often a question is asked again because its target has changed in the meantime."""
MODEL_ADVICE = "Do not look for another way to do it; ask the person what they want."
NOT_SHOWN = (
    " If they saw no question, this client answers by itself: with `confirmation: {{methods: [approval]}}` in the policy, "
    "a person answers with `{command}` in a terminal."
)
NOT_SHOWN_START = NOT_SHOWN.partition(",")[0]
OUTDATED = "The approval that a person gave no longer applies: the target has changed since. "
RAISED = "The call now needs an approval. "
BY_ELICITATION = frozenset({"ask", "typed"})


class ReadTarget(Protocol):
    """Reads what a call would affect, and who would get its mail."""

    async def __call__(self) -> Target:
        """Return the current state. Raises if it cannot be read, or if policy now denies the call."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A person's yes."""

    level: str
    by: str
    method: str


async def confirm(
    facts: Facts,
    request: Request,
    decision: Decision,
    policy: Policy,
    *,
    asker: Asker,
    approvals: PendingApprovals,
    read_target: ReadTarget,
) -> Confirmation:
    """Return the person's yes to exactly this call, with its target in the state that was shown.

    `decision` is why the person is asked, unless the target gives another reason. Raises NotConfirmedError if nobody
    said yes.
    """

    async def read_form() -> Form:
        target = await read_target()
        reason = target.decision if target.decision.effect == "confirm" else decision
        return render(replace(target, decision=reason), request, binding)

    binding = Binding(
        facts.context.principal, facts.context.account_binding, facts.operation.name, request.digest, policy.digest
    )
    form = await read_form()
    by = await approvals.consume(form)
    if by is not None:
        return Confirmation(form.level, by, "approval")
    denied = None if isinstance(asker, InChat) else await approvals.denied(form)
    if denied is not None:
        raise NotConfirmedError(
            f"Not made: {denied.by} denied it{because(denied.reason)}. Nothing was sent. "
            "Do not look for another way to do it.",
            "declined",
        )
    if not _can_elicit(form, policy, asker):
        outdated = await approvals.is_outdated(form)
        raise await _pending(facts, form, policy, approvals, why=OUTDATED if outdated else "")
    for _ in range(ROUNDS):
        answer = await asker.ask(form, patience=policy.confirmation.ttl)
        result = answer.result
        if result in UNANSWERED and "approval" in policy.confirmation.methods:
            unanswered = f"The question in the client was not answered: {REFUSALS[result]}. "
            raise await _pending(facts, form, policy, approvals, why=unanswered)
        if result != "yes":
            raise _refused(answer, approvals)
        current = await read_form()
        if current.preview == form.preview and reaches(form.level, current.level):
            return Confirmation(form.level, facts.context.client or facts.context.principal, "elicitation")
        form = current.again
        if not _can_elicit(form, policy, asker):
            raise await _pending(facts, form, policy, approvals, why=RAISED)
    raise NotConfirmedError(
        "Not made: the target changed each time while the person was being asked. Nothing was sent.", "changed"
    )


def _can_elicit(form: Form, policy: Policy, asker: Asker) -> bool:
    return form.level in BY_ELICITATION and "elicitation" in policy.confirmation.methods and asker.can_ask


async def _pending(
    facts: Facts, form: Form, policy: Policy, approvals: PendingApprovals, *, why: str = ""
) -> NotConfirmedError:
    """Return the error of a call that waits for approval. `why` says what happened to an earlier question or yes."""
    if "approval" not in policy.confirmation.methods:
        return NotConfirmedError(
            "Not made: a person must confirm it, this client cannot ask one, and the policy allows no other way. "
            "Nothing was sent.",
            "cannot ask",
        )
    approval = await approvals.request(form, facts, policy.confirmation)
    name = approval.id
    return NotConfirmedError(
        f"Pending approval {name}; nothing was sent. {why}{approvals.way_to_answer(name)} "
        "After that, make exactly the same call again: it runs once. "
        f"The approval expires in {in_words(policy.confirmation.ttl)}.",
        "pending",
        name,
        details={"id": name, "level": approval.level, "expires": iso(approval.expires), "form": approval.text},
        quoted=[approval.text] if form.third_party else (),
    )


def _refused(answer: FormAnswer, approvals: PendingApprovals) -> NotConfirmedError:
    nobody_asked = answer.result == "declined" and not answer.reason
    other_way = NOT_SHOWN.format(command=approvals.command("list")) if nobody_asked else ""
    return NotConfirmedError(
        f"Not made: {REFUSALS[answer.result]}{because(answer.reason)}. Nothing was sent. {MODEL_ADVICE}{other_way}",
        answer.result,
    )


def because(reason: str) -> str:
    """Return the reason for a no, as shown to the model: fenced, so that it cannot pass for the server's own text."""
    if not reason:
        return ""
    return f", for this reason: {fence(one_line(reason)[:LONGEST_REASON], token_hex(4), 'the person')}"
