"""How many addresses a call puts on lists that decide who gets mail."""

from typing import Any

import pytest

from mailgun_mcp.policy.address_changes import UNREAD, changes_addresses, count_addresses, subscribed
from tests.support.operations import catalogue, find

TWO = [{"address": "ann@example.org"}, {"address": "ben@example.org"}]


def count(tool: str, arguments: dict[str, Any], *contents: bytes) -> int:
    files = {str(number): content for number, content in enumerate(contents)}
    return count_addresses(find(tool), arguments, files, ("ann@example.org", "hooks.example.org"))


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        ("add_unsubscribes", {"unsubscribes": TWO}, 2),
        ("add_bounces", {"bounces": []}, 0),
        ("add_complaints", {}, 0),
        ("bulk_add_mailing_list_members", {"members": TWO}, 2),
        ("add_mailing_list_member", {"address": "ann@example.org"}, 1),
        ("update_mailing_list_member", {"member_address": "ann@example.org"}, 1),
        ("add_allowlist_entry", {"allowed_domain": "example.org"}, 1),
        ("delete_unsubscribe", {"address": "ann@example.org"}, 0),
        ("delete_mailing_list_member", {"member_address": "ann@example.org"}, 0),
        ("create_route", {}, 1),
        ("delete_route", {}, 0),
        ("send_message", {"to": ["ann@example.org"]}, 0),
    ],
)
def test_the_addresses_of_a_call_are_counted(tool: str, arguments: dict[str, Any], expected: int) -> None:
    assert count(tool, arguments) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"address\nann@example.org\n", 2),
        (b"ann@example.org,ben@example.org", 2),
        (b"ann\rben\r\ncid", 3),
        (b"\x1f\x8b\x00\x00", UNREAD),
    ],
)
def test_a_file_has_at_most_as_many_as_it_has_lines_or_signs(content: bytes, expected: int) -> None:
    assert count("import_bounces", {}, content) == expected


def test_a_file_that_was_not_read_counts_as_more_than_any_limit() -> None:
    assert count("import_bounces", {}) == UNREAD
    assert count_addresses(find("import_bounces"), {}, None, ()) == UNREAD


def test_only_calls_that_add_addresses_are_counted() -> None:
    assert {operation.name for operation in catalogue() if changes_addresses(operation)} == {
        *("add_unsubscribes", "import_unsubscribes", "add_bounces", "import_bounces"),
        *("add_complaints", "import_complaints", "add_allowlist_entry"),
        *("add_mailing_list_member", "bulk_add_mailing_list_members", "import_mailing_list_members"),
        *("update_mailing_list_member", "create_route", "update_route"),
    }


def test_members_are_read_however_they_are_given() -> None:
    assert subscribed({"address": "a@example.org", "members": [{"address": "b@example.org"}, "c@example.org", 1]}) == [
        *("a@example.org", "b@example.org", "c@example.org")
    ]
