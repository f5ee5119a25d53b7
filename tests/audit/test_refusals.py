"""Of many equal refusals a few are written, and the rest is counted."""

import pytest

from mailgun_mcp.audit.call_record import CallRecord, new_record
from mailgun_mcp.audit.refusals import ALL_AT_MOST, EQUAL_AT_MOST, KINDS_AT_MOST, WINDOW, Refusals
from mailgun_mcp.identity.account import Account
from mailgun_mcp.policy.model import AuditRules, Decision
from tests.support.calls import LOCAL
from tests.support.operations import catalogue, find
from tests.support.state import NOW

ACCOUNT = Account("main", "https://api.mailgun.net", "us")


def record(tool: str = "delete_bounce", rule: str = "a rule") -> CallRecord:
    made = new_record(find(tool), {}, LOCAL, ACCOUNT, None, policy=("guarded", "0"), rules=AuditRules())
    made.decision = Decision("deny", rule, "a reason")
    return made


class Times:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def times() -> Times:
    return Times()


def test_the_first_refusals_are_written_and_the_rest_is_counted(times: Times) -> None:
    refusals = Refusals(times)
    counted = []
    for _ in range(EQUAL_AT_MOST + 3):
        times.now += 1
        counted.append(refusals.is_counted(record(), "refused"))
    assert counted == [False] * EQUAL_AT_MOST + [True] * 3
    assert refusals.ended() == []
    times.now += WINDOW
    (entry,) = refusals.ended()
    assert entry.body["tool"] == "delete_bounce"
    assert entry.body["decision"]["rule"] == "a rule"
    assert entry.body["result"] == {
        "outcome": "refused",
        "count": 3,
        "first": "2027-01-15T08:00:06Z",
        "last": "2027-01-15T08:00:08Z",
    }
    assert "arguments" not in entry.body
    assert refusals.is_counted(record(), "refused") is False


def test_a_call_that_was_made_is_always_written(times: Times) -> None:
    refusals = Refusals(times)
    assert not any(refusals.is_counted(record(), "done") for _ in range(500))
    begun = record()
    begun.begun = True
    assert not any(refusals.is_counted(begun, "refused") for _ in range(500))


def test_refusals_of_many_kinds_are_bounded_too(times: Times) -> None:
    refusals = Refusals(times)
    tools = [operation.name for operation in catalogue()]
    written = sum(
        not refusals.is_counted(record(tool, rule), "refused") for tool in tools for rule in ("one", "two", "three")
    )
    assert written == ALL_AT_MOST
    entries = refusals.ended(now=True)
    assert len(entries) <= KINDS_AT_MOST + 1
    assert written + sum(entry.body["result"]["count"] for entry in entries) == len(tools) * 3
