"""A call is let through, refused, or put to a person."""

import pytest

from mailgun_mcp.call.authorize import authorize
from mailgun_mcp.call.prepare import build_request, gather_facts
from mailgun_mcp.call.read_target import TargetReader
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.confirm import ReadTarget
from mailgun_mcp.confirm.form import Target
from mailgun_mcp.errors import DeniedError, NotConfirmedError
from mailgun_mcp.policy.model import Decision
from tests.support.calls import BOUNCE, begun
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio


async def unread() -> Target:
    raise AssertionError("the target was read")


async def authorized(services: Services, decision: Decision, read_target: ReadTarget | None = None) -> list[str]:
    """Return the grants that are recorded for the log."""
    call = begun(services)
    request = build_request(call, BOUNCE)
    facts = await gather_facts(call, request)
    await authorize(call, facts, request, decision, read_target or TargetReader(call, request, facts, decision))
    return call.record.grants


async def test_an_allowed_call_is_made_without_reading_its_target() -> None:
    async with recorded_services(Recorder()) as services:
        assert await authorized(services, Decision("allow", "rule", "reason"), unread) == []


async def test_a_denied_call_is_refused_with_the_rule_and_the_request() -> None:
    async with recorded_services(Recorder()) as services:
        with pytest.raises(DeniedError, match=r"^Refused by policy \(a rule\): a reason\. .* been DELETE /v3/mg\."):
            await authorized(services, Decision("deny", "a rule", "a reason"), unread)


async def test_a_call_that_nobody_can_confirm_waits() -> None:
    async with recorded_services(Recorder()) as services:
        with pytest.raises(NotConfirmedError):
            await authorized(services, Decision("confirm", "rule", "reason", "ask"))
        assert [approval.tool for approval in services.approvals.list(services.clock())] == ["delete_bounce"]


async def test_a_grant_confirms_a_call_but_not_one_that_needs_two_people() -> None:
    async with recorded_services(Recorder()) as services:
        now = services.clock()
        account = services.account.assumed.key
        services.grants.add({"tool": "delete_bounce"}, account=account, until=now + 60, by="olga", now=now)
        (grant,) = await authorized(services, Decision("confirm", "rule", "reason", "ask"), unread)
        assert "olga allows calls with" in grant
        with pytest.raises(NotConfirmedError):
            await authorized(services, Decision("confirm", "rule", "reason", "two_people"))
