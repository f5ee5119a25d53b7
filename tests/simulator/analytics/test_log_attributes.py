"""Log filters compare the attributes of an event; each attribute has its comparators."""

from typing import Any

import pytest

from mailgun_mcp.simulator.analytics.log_attributes import parse_log_conditions
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.model.packed_events import MailEvent, passes
from mailgun_mcp.simulator.replies.reply import ApiError
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from tests.support.operations import find

RECORD: dict[str, Any] = {
    "event": "delivered",
    "timestamp": 1000.0,
    "recipient": "Ann@x.example",
    "tags": ["News"],
    "message": {"size": 500, "attachments": [{"filename": "a.pdf"}], "recipients": ["ann@x.example"]},
    "flags": {"is-routed": True},
    "user-variables": {"order": 7},
}


def holds(attribute: str, comparator: str, *values: object) -> bool:
    item = {"attribute": attribute, "comparator": comparator, "values": [{"value": value} for value in values]}
    request = SimulatedRequest(find("query_logs"), {"filter": {"AND": [item]}}, "https://x.example")
    conditions = parse_log_conditions(request)
    event = MailEvent(RECORD["timestamp"], 1, RECORD)
    return conditions.hold(Account(ManualClock(), "account"), "d.example") and passes(event, conditions.tests)


@pytest.mark.parametrize(
    ("attribute", "comparator", "value", "expected"),
    [
        ("recipient", "=", "ann@x.example", True),
        ("recipient", "!=", "ann@x.example", False),
        ("domain", "contains", "d.ex", True),
        ("tag", "=", "news", True),
        ("attachment_filename", "=", "a.pdf", True),
        ("user_variables", "contains", '"order": 7', True),
        ("subaccount", "=", "account", True),
        ("is_routed", "=", "true", True),
        ("country", "=", "us", False),
        ("size", ">", "499", True),
        ("size", "<", "499", False),
        ("delivered_at", "<", "Thu, 01 Jan 1970 01:00:00 +0000", True),
        ("delivered_at", ">", "1970-01-01T00:00:00Z", True),
        ("recipients", "contains", "ann", True),
    ],
)
def test_an_attribute_is_compared(attribute: str, comparator: str, value: str, expected: bool) -> None:
    assert holds(attribute, comparator, value) is expected


@pytest.mark.parametrize(
    ("attribute", "comparator", "value", "message"),
    [
        ("colour", "=", "x", "'colour' is not a valid filter predicate attribute"),
        ("recipient", "~", "x", "'~' is not a valid comparator"),
        ("recipient", "<", "x", "not a valid comparator for the 'recipient' attribute"),
        ("size", "=", "1", "not a valid comparator for the 'size' attribute"),
        ("recipients", "=", "x", "not a valid comparator for the 'recipients' attribute"),
        ("size", "<", "big", "'big' is not a valid number"),
        ("delivered_at", "<", "noon", "noon is not an RFC-2822 compliant date"),
    ],
)
def test_other_comparisons_are_refused(attribute: str, comparator: str, value: str, message: str) -> None:
    with pytest.raises(ApiError, match=message):
        holds(attribute, comparator, value)
