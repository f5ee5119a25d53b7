"""Successful requests of billed operations count as usage."""

from typing import Any

import pytest

from mailgun_mcp.simulator.analytics.usage import count_usage
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.replies.reply import Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from tests.support.operations import find


def usage_after(name: str, reply: Reply, settings: dict[str, Any] | None = None, **arguments: Any) -> set[object]:
    clock = ManualClock()
    account = Account(clock)
    domain = Domain("1", "d.example", 0.0, settings=settings or {})
    count_usage(account, SimulatedRequest(find(name), arguments, "https://x.example", found_domain=domain), reply)
    usage = account.analytics.usage
    return {usage.cells[number][0] for _, part in usage.between(0.0, clock.now(), "hour") for number in part.numbers}


def test_a_validation_counts_and_a_valid_address_counts_besides() -> None:
    deliverable = usage_after("validate_email_address", Reply({"result": "deliverable"}))
    risky = usage_after("validate_email_address", Reply({"result": "risky"}))
    assert deliverable - risky == {"email_validation_valid"}
    assert risky == {"email_validation", "email_validation_single", "email_validation_mailgun"}


def test_an_archived_copy_counts_by_the_request_or_the_domain() -> None:
    assert usage_after("send_message", Reply({}), archive_to="https://x.example") == {"archived"}
    assert usage_after("send_message", Reply({}), {"archive_to": "https://x.example"}) == {"archived"}
    assert usage_after("send_message", Reply({})) == set()


@pytest.mark.parametrize(("name", "status"), [("validate_email_address", 400), ("list_domains", 200)])
def test_failures_and_other_operations_do_not_count(name: str, status: int) -> None:
    assert usage_after(name, Reply({}, status)) == set()
