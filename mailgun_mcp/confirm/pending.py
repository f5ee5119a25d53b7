"""Holds calls in the state store, lets an approved one through once, and calls the hooks."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from mailgun_mcp.confirm.form import Form
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import NotifyRules
from mailgun_mcp.store.database import Store, in_thread

if TYPE_CHECKING:
    from mailgun_mcp.confirm.approvals import Approvals


class PendingApprovals:
    """The approvals channel as one call sees it."""

    def __init__(self, store: Store, clock: Callable[[], float], hooks: NotifyRules | None) -> None:
        self._store = store
        self._clock = clock
        self._hooks = hooks

    def _approvals(self) -> "Approvals":
        from mailgun_mcp.confirm.approvals import Approvals

        return Approvals(self._store)

    async def consume(self, form: Form) -> str | None:
        """Return who approved this very call, and use the approval up; None when nobody did."""
        if not self._store.exists:
            return None
        approvals = self._approvals()
        found = await in_thread(
            approvals.find_approved, form.binding.digest, form.preview, self._clock(), level=form.level
        )
        if found is None or not await in_thread(approvals.consume, found.id, self._clock()):
            return None
        return ", ".join(answer.by for answer in found.answers)

    async def request(self, form: Form, facts: Facts, *, ttl: float) -> str:
        """Hold the call for a person's answer and return its id."""
        now = self._clock()
        approval = await in_thread(
            self._approvals().request,
            form,
            tool=facts.operation.name,
            title=facts.operation.title,
            account=facts.context.account,
            caller=facts.context.principal,
            client=facts.context.client,
            now=now,
            ttl=ttl,
        )
        # A call that the model repeats is held once, and told of once.
        if self._hooks is not None and approval.created == now:
            from mailgun_mcp.confirm.hooks import run_hooks

            await run_hooks(self._hooks, approval, state=self._store.directory)
        return approval.id
