"""What a person is asked about, read again before the call is made: the target's state, and who would get the mail."""

from mailgun_mcp.call.authorize import denial
from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.prepare import gather_facts
from mailgun_mcp.call.preview_target import preview_target
from mailgun_mcp.confirm.form import Target
from mailgun_mcp.errors import DeniedError
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import Decision
from mailgun_mcp.request.build import Request


class TargetReader:
    """Reads the target of one call. The facts of the first time are those that the call was decided on."""

    def __init__(self, call: Call, request: Request, facts: Facts, decision: Decision) -> None:
        self.facts = facts
        """As they were last read."""
        self._call = call
        self._request = request
        self._decision = decision
        self._read_before = False

    async def __call__(self) -> Target:
        """Return the current state. Raises NotPreparedError, StateError, and DeniedError where it changed the decision."""
        if self._read_before and self.facts.recipients:
            await self._read_recipients()
        self._read_before = True
        return Target(self.facts, self._decision, await preview_target(self._call))

    async def _read_recipients(self) -> None:
        """Decide once more: a mailing list can have other members now."""
        self.facts = await gather_facts(self._call, self._request)
        decision = decide(self._call.services.policy, self.facts)
        if decision.effect == "deny":
            self._call.record.decision = decision
            raise DeniedError(denial(decision, self._request))
        if decision.effect == "confirm":
            self._call.record.decision = self._decision = decision
