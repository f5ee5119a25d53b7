"""Requests approvals for calls, lets an approved call through once, and runs the hooks."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from mailgun_mcp.confirm.form import Form
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import ConfirmationRules, NotifyRules
from mailgun_mcp.settings import shell_command
from mailgun_mcp.store.database import Store, in_thread

if TYPE_CHECKING:
    from mailgun_mcp.confirm.approvals import Answer, Approval, Approvals


def way_to_answer(name: str, command: str, page: str | None) -> str:
    """Return the sentence that says how a person answers an approval: by the command, or on the approvals page."""
    if page is None:
        return f"A person runs `{command}` in a terminal, which shows the call first."
    return f"A person opens {page}/{name} or runs `{command}` in a terminal. Both show the call first."


class PendingApprovals:
    """The approvals channel as calls use it."""

    def __init__(
        self, store: Store, clock: Callable[[], float], hooks: NotifyRules | None, page: str | None = None
    ) -> None:
        """`page` is the URL of the approvals page, if people can reach it."""
        self._store = store
        self._clock = clock
        self._hooks = hooks
        self._page = page

    async def consume(self, form: Form) -> str | None:
        """Return who approved exactly this call, and consume the approval; None if nobody did."""
        if not self._store.exists:
            return None
        approvals = self._approvals()
        approval = await in_thread(
            approvals.find_approved, form.binding.digest, form.preview, self._clock(), level=form.level
        )
        if approval is None or not await in_thread(approvals.consume, approval.id, self._clock()):
            return None
        return ", ".join(str(answer) for answer in approval.answers)

    async def is_outdated(self, form: Form) -> bool:
        """Return whether a person approved the call for an earlier state of its target."""
        return self._store.exists and await in_thread(self._approvals().has_outdated, form.binding.digest)

    async def denied(self, form: Form) -> "Answer | None":
        """Return the no to exactly this call if a person gave a reason, else None.

        It lasts as long as the approval would have.
        """
        if not self._store.exists:
            return None
        answer = await in_thread(self._approvals().last_denial, form.binding.digest, self._clock())
        return answer if answer and answer.reason else None

    async def request(self, form: Form, facts: Facts, rules: ConfirmationRules) -> "Approval":
        """Request a person's approval of the call, and return the pending approval.

        Raises NotConfirmedError if too many approvals of the principal are already pending.
        """
        now = self._clock()
        approval = await in_thread(
            self._approvals().request,
            form,
            tool=facts.operation.name,
            title=facts.operation.title,
            account=facts.context.counted_for,
            principal=facts.context.principal,
            client=facts.context.client,
            now=now,
            ttl=rules.ttl,
            most=rules.max_pending,
        )
        if self._hooks is not None and await in_thread(self._approvals().claim_notification, approval.id, now):
            from mailgun_mcp.confirm.hooks import run_hooks

            await run_hooks(self._hooks, approval, state=self._store.command_directory)
        return approval

    def way_to_answer(self, name: str) -> str:
        """Return the sentence that says how a person answers the pending approval."""
        return way_to_answer(name, self.command("approve", name), self._page)

    def command(self, *words: str) -> str:
        """Return the command with which a person answers, quoted for a shell."""
        return shell_command("approvals", *words, state=self._store.command_directory)

    def _approvals(self) -> "Approvals":
        from mailgun_mcp.confirm.approvals import Approvals

        return Approvals(self._store)
