"""The decision on every operation, with what it depends on."""

import pytest

from mailgun_mcp.policy.file.table import rows
from mailgun_mcp.policy.profiles import profile
from tests.support.operations import catalogue
from tests.support.policies import TEAM, policy


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        ("list_domains", "deny if domain: *.prod.example.com; else allow"),
        ("delete_bounce", "deny if domain: *.prod.example.com; else allow"),
        ("delete_domain", "deny"),
        (
            "send_message",
            "deny if send/recipients_per_call; deny if domain: *.prod.example.com; "
            "deny if arguments.subject: more than 1; confirm (approval) if recipients.more_than: 1; else deny",
        ),
    ],
)
def test_the_table_tells_what_a_decision_depends_on(tool: str, expected: str) -> None:
    row = {row.operation.name: row for row in rows(policy(TEAM), catalogue())}[tool]

    assert str(row) == expected


def test_the_table_has_every_operation_in_order() -> None:
    table = list(rows(profile("guarded"), catalogue()))

    assert [row.operation.name for row in table] == list(catalogue().names)
    assert {str(row) for row in table if row.operation.risk == "read"} == {"allow"}


def test_the_table_tells_of_duplicates_where_they_matter() -> None:
    table = {
        row.operation.name: str(row)
        for row in rows(policy("extends: unguarded\nsend: {duplicate_window: 1m}"), catalogue())
    }

    assert table["send_message"] == "confirm if send/duplicate_window; confirm if send/unknown_lists; else allow"
    assert table["delete_domain"] == "allow"
