"""Reads again, before the call is made, what a person was asked about: the target's state and the recipients."""

from dataclasses import replace

from mailgun_mcp.call.access import check_risk
from mailgun_mcp.call.authorize import denied
from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.prepare import gather_facts
from mailgun_mcp.call.preview_target import preview_target
from mailgun_mcp.catalogue.raised_risk import raised
from mailgun_mcp.confirm.form import Target
from mailgun_mcp.errors import MailgunError
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import Decision
from mailgun_mcp.request.build import Request
from mailgun_mcp.request.target_keys import values_at
from mailgun_mcp.text.host_names import canonical_host
from mailgun_mcp.undo.page_reader import PageReader

MOST_DOMAINS = 1_000


class TargetReader:
    """Reads the target of one call. `facts` are at first those on which the call was decided."""

    def __init__(self, call: Call, request: Request, facts: Facts, decision: Decision) -> None:
        self.facts = facts
        """The facts as last read."""
        self._call = call
        self._request = request
        self._decision = decision
        self._read_before = False
        self._domains: tuple[str, ...] | None = None

    async def __call__(self) -> Target:
        """Return the current state. Raises NotPreparedError, StateError, and DeniedError if it changed the decision."""
        if self._read_before and self.facts.recipients:
            await self._read_recipients()
        self._read_before = True
        if self._domains is None:
            self._domains = await self._account_domains()
        preview = await preview_target(self._call)
        if preview.raises:
            # The current state shows a risk that the arguments do not.
            operation = raised(self.facts.operation, preview.raises)
            self._call.record.risk = operation.risk
            self._decide_again(replace(self.facts, operation=operation))
        return Target(self.facts, self._decision, preview, self._domains)

    async def _account_domains(self) -> tuple[str, ...]:
        """Return the domains of the account that are verified: anybody can add a domain that is not theirs.

        Empty if the key may not read them; the form then uses the domain that the call names.
        """
        if not self.facts.recipients and not self.facts.destinations:
            return ()
        services = self._call.services
        reader = PageReader(services.client, self._call.subaccount, self._call.caller.notify)
        try:
            body = await reader.read(
                services.all_tools.find("list_domains"), {"state": "active", "limit": MOST_DOMAINS}
            )
        except MailgunError:
            return ()
        names = [value for value in values_at(body, "items/*/name") if isinstance(value, str)]
        return tuple(canonical_host(name) or name for name in names)

    async def _read_recipients(self) -> None:
        """Read the recipients and decide again: the members of a mailing list may have changed."""
        self._decide_again(await gather_facts(self._call, self._request))

    def _decide_again(self, facts: Facts) -> None:
        self.facts = facts
        check_risk(self._call, facts)
        decision = decide(self._call.services.policy, self.facts)
        if decision.effect == "deny":
            self._call.record.decision = decision
            raise denied(decision, self._request)
        if decision.effect == "confirm":
            self._call.record.decision = self._decision = decision
