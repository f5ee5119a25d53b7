"""What is suppressed, and what of it could go."""

from pathlib import Path

import pytest

from mailgun_mcp.call.workflows.suppressions import _passing, suppression_findings
from tests.support.workflows import account_of, ask, read

pytestmark = pytest.mark.anyio
ABSENT = read({"listed": False})


@pytest.mark.parametrize(
    ("tags", "wanted", "causes"),
    [
        (["*"], ["receipt"], ["suppressed"]),
        (["news"], ["receipt"], []),
        (["news"], ["news"], ["suppressed"]),
        (["news"], None, ["suppressed"]),
    ],
)
def test_an_unsubscribe_counts_for_its_tags(tags: list[str], wanted: list[str] | None, causes: list[str]) -> None:
    lists = {"d bounce": ABSENT, "d complaint": ABSENT, "d unsubscribe": read({"address": "a@b.example", "tags": tags})}
    assert [finding.cause for finding in suppression_findings(lists, "d", "a@b.example", wanted)] == causes


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        ("5.2.2 mailbox full", True),
        ("blocked using zen.spamhaus.org", True),
        ("temporarily deferred, try again later", True),
        ("5.1.1 User unknown", False),
        ("", False),
    ],
)
def test_only_a_reason_that_passes_lets_an_address_go(error: str, passes: bool) -> None:
    assert (_passing(error) is not None) is passes


async def test_a_plan_removes_nothing(tmp_path: Path) -> None:
    async with account_of("suppressed-customer", str(tmp_path)) as account:
        before = (await account.call("list_bounces", {"domain": "mail.example.com"})).structured
        answer = await ask(account, "plan_suppression_cleanup", {"domain": "mail.example.com"})
        after = (await account.call("list_bounces", {"domain": "mail.example.com"})).structured
    assert [item["address"] for item in before["items"]] == [item["address"] for item in after["items"]]
    assert answer.structured["facts"]["could_go"] == []
    assert "jo.fischer@fischer.example" in answer.structured["facts"]["leave"]["examples"]
